# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens where: held against sockets of this test."""

from __future__ import annotations

import os
import socket

from tests.lab.engine.ports import Listener, holder, listeners


def test_a_listening_socket_is_found_with_its_process() -> None:
    with socket.create_server(("127.50.0.7", 0)) as server:
        port = server.getsockname()[1]
        [found] = [each for each in listeners() if each.takes("tcp", "127.50.0.7", port)]
        assert (found.address, found.protocol) == ("127.50.0.7", "tcp")
        assert holder(found)[0] == os.getpid()
        assert not [each for each in listeners() if each.takes("udp", "127.50.0.7", port)]
    assert not [each for each in listeners() if each.takes("tcp", "127.50.0.7", port)]


def test_a_bound_udp_socket_is_found() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.50.0.8", 0))
        port = server.getsockname()[1]
        assert [each for each in listeners() if each.takes("udp", "127.50.0.8", port)]


def test_a_socket_on_all_addresses_takes_each_of_them() -> None:
    for everywhere in ("0.0.0.0", "::"):
        listener = Listener("tcp", everywhere, 8443, "1")
        assert listener.takes("tcp", "172.31.213.11", 8443)
        assert not listener.takes("tcp", "172.31.213.11", 8444)


def test_a_socket_on_another_address_is_in_nobodys_way() -> None:
    assert not Listener("tcp", "172.31.213.12", 8443, "1").takes("tcp", "172.31.213.11", 8443)

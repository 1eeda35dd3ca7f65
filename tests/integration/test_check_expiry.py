# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook check_expiry over an authority, what it issued, and BMCs that show certificates."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.integration.playbook_run import Ran
from tests.integration.site_ca import SiteCa, lacking
from tests.servers.certificates import Authority

PLAYBOOK = "hearth.datacenter.check_expiry"
BMC, EXPIRED, DEAD = "127.64.1.11", "127.64.1.12", "127.64.1.13"
SHOWN = {"u07": BMC, "u08": EXPIRED, "u09": DEAD}


@contextmanager
def shows(address: str, context: ssl.SSLContext) -> Iterator[int]:
    """A server that shows a certificate to whoever comes, and its port; whoever sends it a word fails the test."""
    told: list[bytes] = []
    with socket.create_server((address, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(20)
                    try:
                        with context.wrap_socket(connection, server_side=True) as secured:
                            told.append(secured.recv(100))
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(30)
    assert not any(told), told


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteCa]:
    """An authority for ten years, one of its certificates for 40 days; BMCs with one for 30 days, expired, silent."""
    if missing := lacking("file"):
        pytest.skip(missing)
    folder: Path = tmp_path_factory.mktemp("expiry")
    ca = SiteCa(folder, "file")
    authority = Authority(folder)
    with (
        shows(BMC, authority.issue(BMC).server_context()) as port,
        shows(EXPIRED, authority.issue(EXPIRED, expired=True).server_context()) as expired_port,
    ):
        inventory = yaml.safe_load((folder / "inventory.yml").read_text())
        ports = {BMC: port, EXPIRED: expired_port, DEAD: 9}
        for name, address in SHOWN.items():
            # A host that is off: nothing of the playbook may go there.
            inventory["all"]["hosts"][name] = {
                "ansible_host": "127.64.255.254",
                "ansible_port": 9,
                "hearth_bmc": {"address": address, "port": ports[address], "protocol": "redfish"},
            }
        inventory["all"]["hosts"]["u10"] = {"hearth_bmc": {"address": DEAD, "port": 623, "protocol": "ipmi"}}
        inventory["all"]["children"] = {"site_ca": {"hosts": {"ca": {}}}}
        (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        try:
            made = ca.everything([{"name": "media", "hosts": ["media.example.net"], "days": 40}])
            assert made.code == 0, made.said
            yield ca
        finally:
            ca.end()


def check(site: SiteCa, hosts: str, days: int) -> Ran:
    variables = {"site_ca_directory": str(site.directory), "check_expiry_bmcs": hosts, "check_expiry_days": days}
    return site.playbook(PLAYBOOK, "-e", yaml.safe_dump(variables, default_flow_style=True, width=10_000).strip())


def test_what_ends_later_is_no_failure(site: SiteCa) -> None:
    ran = check(site, "ca,media,u07,u10", 20)
    assert ran.code == 0, ran.said
    assert not any(result.get("changed") for result in ran.results)


def test_what_ends_within_the_time_has_ended_or_does_not_answer_is_told_one_by_one(site: SiteCa) -> None:
    ran = check(site, "u07,u08,u09", 45)
    said = " ".join(ran.said.split())
    assert ran.code != 0, ran.said
    # the authority itself, for ten years, is the fifth
    _before, summary, ending = said.partition("4 of 5 certificates end within 45 days, have ended or could not be read")
    assert summary and "the authority" not in ending, ran.said
    for what in ("media/media", *(f"{name}, which shows it at {bmc}" for name, bmc in SHOWN.items())):
        assert what in ending
    assert f"not read u09, which shows it at {DEAD}" in said


def test_nothing_to_look_at_is_a_failure(site: SiteCa) -> None:
    nothing = "{check_expiry_authorities: media, check_expiry_bmcs: media, site_ca_directory: /nonexistent}"
    ran = site.playbook(PLAYBOOK, "-e", nothing)
    assert ran.code != 0 and "none was found to look at" in " ".join(ran.said.split()), ran.said

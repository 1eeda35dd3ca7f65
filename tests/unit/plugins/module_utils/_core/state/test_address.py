# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.address import store_address


@pytest.mark.parametrize(
    "host, port, address",
    [
        ("10.0.0.7", 443, "10.0.0.7:443"),
        ("FD00:0:0::7", 8443, "[fd00::7]:8443"),
        ("[fd00::7]", 443, "[fd00::7]:443"),
        (" BMC7.Example.Net. ", 443, "bmc7.example.net:443"),
    ],
)
def test_one_endpoint_has_one_spelling(host: str, port: int, address: str) -> None:
    assert store_address(host, port) == address


@pytest.mark.parametrize(
    "host, port", [("", 443), ("https://10.0.0.7", 443), ("10.0.0.7/x", 443), ("a b", 443), ("10.0.0.7", 0)]
)
def test_what_is_no_address_is_bad_input(host: str, port: int) -> None:
    with pytest.raises(BadInput):
        store_address(host, port)

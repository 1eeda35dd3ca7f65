# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hearth.datacenter.plugins.plugin_utils._unpinned import bmc_pins, unpinned_bmcs

SPKI, CERT = "aa" * 32, "bb" * 32
LISTED = "spki-sha256:" + "11" * 32


def host(name: str, address: str = "10.0.0.7", port: int = 443, **bmc: Any) -> dict[str, Any]:
    record = {
        "address": address,
        "port": port,
        "vendor": "Acme",
        "product": None,
        "state": "unpinned",
        "fingerprint": {"spki_sha256": SPKI, "cert_sha256": CERT},
        "error": {"type": "PinUnknown", "expected": "a pin"},
    }
    return {"inventory_hostname": name, "hearth_bmc": {**record, **bmc}}


def test_a_bmc_comes_with_what_it_showed() -> None:
    assert unpinned_bmcs([host("new1")]) == [
        {
            "host": "new1",
            "address": "10.0.0.7",
            "port": 443,
            "endpoint": "10.0.0.7:443",
            "vendor": "Acme",
            "product": "",
            "key": f"spki-sha256:{SPKI}",
            "observed": [f"spki-sha256:{SPKI}", f"cert-sha256:{CERT}"],
            "changed": False,
            "pinned": "",
        }
    ]


def test_a_bmc_behind_several_hosts_comes_once() -> None:
    hosts = [host("node1"), host("node2"), host("other", port=8443)]
    assert [bmc["host"] for bmc in unpinned_bmcs(hosts)] == ["node1", "other"]


def test_what_has_no_key_or_is_no_unpinned_bmc_is_left_out() -> None:
    nothing = {"spki_sha256": "", "cert_sha256": ""}
    assert unpinned_bmcs([host("a", fingerprint=nothing), host("b", state="ok"), {"inventory_hostname": "c"}]) == []


def test_a_key_that_changed_says_so() -> None:
    (bmc,) = unpinned_bmcs([host("a", error={"type": "PinMismatch", "expected": LISTED, "found": "x"})])
    assert (bmc["changed"], bmc["pinned"]) == (True, LISTED)


def test_what_is_no_host_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="variables of hosts"):
        unpinned_bmcs(["new1"])


@pytest.mark.parametrize(
    "address, port, written",
    [
        ("10.0.0.7", 443, "10.0.0.7"),
        ("10.0.0.7", 8443, "10.0.0.7"),
        ("10.0.0.7", 8443, "10.0.0.7:8443"),
        ("fd00::7", 443, "FD00:0::7"),
        ("fd00::7", 443, "[fd00::7]"),
        ("fd00::7", 8443, "[fd00::7]:8443"),
        ("bmc7.example.net", 443, "BMC7.example.net"),
        ("bmc7.example.net", 443, "bmc7.example.net:443"),
    ],
)
def test_a_listed_bmc_is_found_however_its_address_is_written(address: str, port: int, written: str) -> None:
    bmcs = unpinned_bmcs([host("new1", address, port), host("new2", "10.9.9.9")])
    assert bmc_pins(bmcs, {written: LISTED}, "list") == [
        {
            "address": address,
            "port": port,
            "key": LISTED,
            "observed": [f"spki-sha256:{SPKI}", f"cert-sha256:{CERT}"],
            "comment": "list",
        }
    ]


def test_an_entry_with_a_port_counts_before_one_without() -> None:
    bmcs = unpinned_bmcs([host("new1", port=8443)])
    keys = {"10.0.0.7": "spki-sha256:" + "22" * 32, "10.0.0.7:8443": LISTED}
    assert [pin["key"] for pin in bmc_pins(bmcs, keys)] == [LISTED]
    assert bmc_pins(bmcs, {"10.0.0.7:443": LISTED}) == []


def test_without_a_list_each_given_bmc_has_the_key_that_it_showed() -> None:
    assert [pin["key"] for pin in bmc_pins(unpinned_bmcs([host("new1")]))] == [f"spki-sha256:{SPKI}"]


def test_an_empty_list_pins_nothing() -> None:
    assert bmc_pins(unpinned_bmcs([host("new1")]), {}) == []


@pytest.mark.parametrize(
    "keys, told",
    [
        ([LISTED], "must map addresses"),
        (LISTED, "must map addresses"),
        ({"https://10.0.0.7/": LISTED}, "cannot be read"),
        ({"10.0.0.7": LISTED, "10.0.0.7 ": "spki-sha256:" + "22" * 32}, "two fingerprints"),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error(keys: Any, told: str) -> None:
    with pytest.raises(AnsibleFilterError, match=told):
        bmc_pins(unpinned_bmcs([host("new1")]), keys)

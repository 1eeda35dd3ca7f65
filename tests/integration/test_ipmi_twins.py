# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task may change its protocol: the IPMI modules give what their Redfish twins give, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, perform
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_boot import IPMI_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_info import IPMI_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_info import REDFISH_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER
from tests.emulators.redfish.fleet import Fleet
from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import RmcpPeer
from tests.integration.ipmi_run import FRU, performed

pytest.importorskip("pyghmi", reason="pyghmi is not installed")
pytest.importorskip("sushy", reason="sushy is not installed")

Results = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(1, "127.63.8.0/24", platforms={"generic": 1}) as found:
        yield found


@pytest.fixture
def peer() -> Iterator[RmcpPeer]:
    with RmcpPeer("127.63.7.1", machine=Machine(fru=FRU)) as found:
        yield found


def redfish(contract: Contract, fleet: Fleet, **arguments: Any) -> dict[str, Any]:
    given = {
        "address": fleet.addresses[0],
        "port": fleet.https_port,
        "ca_path": fleet.ca,
        "username": fleet.username,
        "password": fleet.password,
        **arguments,
    }
    validation = ArgumentSpecValidator(**contract.rules).validate(given)
    assert not validation.error_messages, validation.error_messages
    return perform(contract, validation.validated_parameters, check_mode=False, diff_mode=True)


def both(fleet: Fleet, peer: RmcpPeer, redfish_one: Contract, ipmi_one: Contract, **arguments: Any) -> Results:
    """Without identity, which both say is missing."""
    return redfish(redfish_one, fleet, **arguments), performed(ipmi_one, peer, identity=None, **arguments)


def test_power(fleet: Fleet, peer: RmcpPeer) -> None:
    for wanted in (
        {"state": "off", "method": "force"},
        {"state": "on"},
        {"state": True},
        {"state": False, "method": "force"},
    ):
        theirs, ours = both(fleet, peer, REDFISH_POWER, IPMI_POWER, **wanted)
        assert set(theirs) == set(ours), (theirs, ours)
        assert {key: type(value) for key, value in theirs["power"].items()} == {
            key: type(value) for key, value in ours["power"].items()
        }
        assert theirs["power"]["state"] == ours["power"]["state"]
        assert set(theirs["diff"]["after"]) >= set(ours["diff"]["after"]) >= {"power_state"}


def test_power_that_is_not_what_was_named(fleet: Fleet, peer: RmcpPeer) -> None:
    wanted = {"state": "on", "identity": {"serial": "of-another-machine"}}
    theirs = redfish(REDFISH_POWER, fleet, **wanted)
    ours = performed(IPMI_POWER, peer, **wanted)
    assert set(theirs) == set(ours) and set(theirs["error"]) == set(ours["error"])
    assert theirs["error"]["type"] == ours["error"]["type"] == "IdentityMismatch"
    assert theirs["msg"] == ours["msg"]


def test_boot(fleet: Fleet, peer: RmcpPeer) -> None:
    for wanted in ({"state": "once", "target": "pxe"}, {"state": "disabled"}):
        theirs, ours = both(fleet, peer, REDFISH_BOOT, IPMI_BOOT, **wanted)
        assert set(theirs) == set(ours), (theirs, ours)
        assert set(theirs["boot"]) == set(ours["boot"])
        assert set(theirs["boot"]["offered"]) == set(ours["boot"]["offered"])
        assert set(theirs["diff"]["after"]) == set(ours["diff"]["after"])
        assert [theirs["boot"][key] for key in ("state", "target")] == [
            ours["boot"][key] for key in ("state", "target")
        ]


def test_info(fleet: Fleet, peer: RmcpPeer) -> None:
    theirs, ours = both(fleet, peer, REDFISH_INFO, IPMI_INFO, subset=["all"], query="power.state")
    assert set(theirs["info"]) == set(ours["info"])
    assert set(theirs) - {"warnings"} == set(ours) - {"warnings"}
    for subset in ("system", "power", "health", "bmc", "boot"):
        assert set(theirs["info"][subset]) == set(ours["info"][subset]), subset
    for subset in ("firmware", "sensors", "logs"):
        if theirs["info"][subset] and ours["info"][subset]:
            assert set(theirs["info"][subset][0]) == set(ours["info"][subset][0]), subset

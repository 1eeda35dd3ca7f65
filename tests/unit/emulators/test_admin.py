# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the admin endpoint can do to a BMC beside faults."""

from __future__ import annotations

import pytest

from tests.emulators.redfish.fleet import Fleet, FleetFailed
from tests.unit.emulators.raw_client import Client, basic

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"


def test_the_fleet_is_described_as_in_its_file(fleet: Fleet) -> None:
    assert fleet.admin("GET", "/fleet") == fleet.description
    assert {"address", "platform", "serial", "slot", "rack"} <= set(fleet.bmcs[0])


def test_the_serial_of_the_description_is_the_one_that_the_system_shows(fleet: Fleet, client: Client) -> None:
    client.headers = basic(fleet.username, fleet.password)
    described = fleet.admin("GET", f"/bmcs/{client.address}")
    body = client.get(SYSTEM).json()
    assert (body["SerialNumber"], body["UUID"]) == (described["serial"], described["uuid"])


def test_a_new_certificate(fleet: Fleet, address: str) -> None:
    def key() -> bytes:
        with Client(fleet, address) as client:
            client.get(ROOT)
            return client.certificate

    before = key()
    assert fleet.admin("POST", f"/bmcs/{address}/certificate") == {"generation": 1}
    assert key() != before


def test_credentials_and_overlay_and_log_and_power(fleet: Fleet) -> None:
    address = fleet.addresses[7]
    order = f"/bmcs/{address}"
    fleet.admin("POST", f"{order}/credentials", {"username": "second", "password": "other-password"})
    with Client(fleet, address) as client:
        client.headers = basic("second", "other-password")
        fleet.admin("POST", f"{order}/overlay", {"resources": {SYSTEM: {"SerialNumber": "TWICE", "Boot": {"A": 1}}}})
        body = client.get(SYSTEM).json()
        assert body["SerialNumber"] == "TWICE" and body["Boot"]["A"] == 1 and "BootOrder" in body["Boot"]
        assert fleet.admin("POST", f"{order}/power", {"reset_type": "ForceOff"}) == {"power_state": "PoweringOff"}
        assert client.get(SYSTEM).json()["PowerState"] in ("PoweringOff", "Off")
        fleet.admin("POST", f"{order}/log", {"message": "a fan fell off", "severity": "Critical"})
        entries = client.get(f"{ROOT}/Systems/1/LogServices").json()["Members"][0]["@odata.id"]
        listed = client.get(f"{entries}/Entries").json()["Members"]
        assert client.get(listed[-1]["@odata.id"]).json()["Message"] == "a fan fell off"


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("GET", "/nothing", None, "404"),
        ("POST", "/bmcs/127.43.1.1/explode", {}, "404"),
        ("GET", "/bmcs/1.2.3.4", None, "there is no BMC 1.2.3.4"),
        ("POST", "/bmcs/127.43.1.1/overlay", {"resources": {"/redfish/v1/nothing": {}}}, "has no /redfish/v1/nothing"),
        ("PUT", "/faults", {"refused": "many"}, "neither a percentage"),
    ],
)
def test_a_bad_order_is_refused_with_the_reason(
    fleet: Fleet, method: str, path: str, body: dict[str, object] | None, says: str
) -> None:
    with pytest.raises(FleetFailed, match=says):
        fleet.admin(method, path, body)
    assert fleet.statistics()["internal_errors"] == 0

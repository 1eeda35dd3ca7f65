# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The locate light of systems, chassis and drives, in the older and the newer property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Session
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.indicator import (
    Light,
    find_light,
    refuse_unoffered,
    set_light,
)
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EVERY_PLATFORM, BmcMaker, EmulatedBmc, lent, one_of_each

SERVERS = tuple(name for name in EVERY_PLATFORM if name not in ("pdu", "power_shelf", "multi_node"))


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with one_of_each("127.62.12.0/24") as started:
        yield started


@pytest.fixture
def bmc(fleet: Fleet) -> Iterator[BmcMaker]:
    with lent(fleet, restore=lambda session: switch(session, "off")) as make:
        yield make


def switch(session: Session, state: str, **where: str) -> tuple[bool, Light]:
    light = find_light(session, **where)
    refuse_unoffered(session, light, state)
    if light.is_in(state):
        return False, light
    return True, set_light(session, light, state)


def done(target: EmulatedBmc, state: str, **where: str) -> tuple[bool, Any]:
    with target.opened() as session:
        changed, light = switch(session, state, **where)
        return changed, light.shown()["state"]


@pytest.mark.parametrize("platform", SERVERS)
def test_lit_then_again_then_off(bmc: BmcMaker, platform: str) -> None:
    target = bmc(platform)
    changed, state = done(target, "lit")
    assert changed and state in ("lit", "blinking")  # some show "located" as blinking
    assert done(target, "lit")[0] is False
    assert done(target, "off") == (True, "off")
    assert done(target, "off") == (False, "off")


@pytest.mark.parametrize("platform", ["ilo5", "asus", "fujitsu", "idrac9", "generic"])
def test_blinking_by_the_older_property(bmc: BmcMaker, platform: str) -> None:
    target = bmc(platform)
    assert done(target, "blinking") == (True, "blinking")
    assert done(target, "blinking") == (False, "blinking")


@pytest.mark.parametrize("platform", ["openbmc", "idrac10", "ilo7", "xcc3"])
def test_the_newer_property_cannot_blink(bmc: BmcMaker, platform: str) -> None:
    with bmc(platform).opened() as session, pytest.raises(errors.Unsupported, match="blinking") as refused:
        switch(session, "blinking")
    assert refused.value.found == "lit, off"


def test_both_properties_are_one_light(bmc: BmcMaker) -> None:
    target = bmc("generic", located_as="Lit")
    assert done(target, "lit") == (True, "lit")
    assert done(target, "blinking") == (True, "blinking")
    assert done(target, "lit")[0] is False  # it is lit, in the way that this BMC lights
    assert done(target, "off") == (True, "off")


def test_a_drive_by_id_serial_or_label(bmc: BmcMaker) -> None:
    target = bmc("generic")
    with target.opened() as session:
        document = find_light(session, drive="Bay 3").document
    for name in ("bay 3", str(document["SerialNumber"])):
        assert done(target, "lit", drive=name)[0] is True
        with target.opened() as session:
            assert session.client.get(str(document["@odata.id"]))["LocationIndicatorActive"] is True
            assert find_light(session, drive="Bay 4").state == "off"
        assert done(target, "off", drive=name) == (True, "off")


def test_a_name_of_several_drives_is_refused(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.BadInput, match="Several") as refused:
        find_light(session, drive="1")  # a drive behind the RAID controller and a boot drive
    assert "serial" in refused.value.next


def test_an_unknown_drive_is_refused_with_those_that_are_there(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.NotFound) as refused:
        find_light(session, drive="Bay 99")
    assert "Bay 3" in refused.value.found and "serial" in refused.value.found


def test_a_drive_without_a_light_is_told(bmc: BmcMaker) -> None:
    with bmc("dgx_h100").opened() as session, pytest.raises(errors.Unsupported) as refused:
        switch(session, "lit", drive="U.2 1")
    assert refused.value.found == "neither LocationIndicatorActive nor IndicatorLED"


def test_a_chassis_by_its_id(bmc: BmcMaker) -> None:
    target = bmc("idrac9")
    assert done(target, "lit", chassis="system.embedded.1")[0] is True
    assert done(target, "off", chassis="System.Embedded.1") == (True, "off")
    with target.opened() as session, pytest.raises(errors.NotFound) as refused:
        find_light(session, chassis="Rack")
    assert "Enclosure.Internal.0-1" in refused.value.found


def test_a_light_that_stays_is_no_success(bmc: BmcMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.hearth.datacenter.plugins.module_utils._redfish.indicator._SETTLE_SECONDS", 1.0
    )
    with bmc("openbmc", light_works=False).opened() as session, pytest.raises(errors.VerificationFailed) as failed:
        switch(session, "lit")
    assert (failed.value.expected, failed.value.found) == ("lit", "off")

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot settings, virtual media and lights of the emulated BMCs, with the manners that platforms have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.unit.emulators.in_process import InProcessAnswer, ask, get

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
SLOT = f"{ROOT}/Managers/1/VirtualMedia/CD1"
ISO = "http://10.0.0.9/live.iso"

Make = Callable[..., Bmc]


def platform(make: Make, name: str, **manners: Any) -> Bmc:
    personality = PERSONALITIES[name]
    return make(replace(personality.manners, **manners), personality.tree())


def boot(bmc: Bmc, path: str = SYSTEM) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = get(bmc, path).json()["Boot"]
    return shown


def patch_boot(bmc: Bmc, path: str = SYSTEM, **properties: Any) -> InProcessAnswer:
    return ask(bmc, "PATCH", path, {"Boot": properties})


def insert(bmc: Bmc, slot: str = SLOT, **parameters: Any) -> InProcessAnswer:
    return ask(bmc, "POST", f"{slot}/Actions/VirtualMedia.InsertMedia", {"Image": ISO, **parameters})


def eject(bmc: Bmc, slot: str = SLOT) -> InProcessAnswer:
    return ask(bmc, "POST", f"{slot}/Actions/VirtualMedia.EjectMedia", {})


def test_a_medium_is_inserted_and_ejected(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "generic")
    assert insert(bmc, WriteProtected=False).status == 200
    shown = get(bmc, SLOT).json()
    assert (shown["Image"], shown["ImageName"], shown["Inserted"]) == (ISO, "live.iso", True)
    assert (shown["ConnectedVia"], shown["WriteProtected"]) == ("URI", False)
    assert (insert(bmc).status, insert(bmc).message_id) == (409, "ResourceInUse")
    assert eject(bmc).status == 200
    shown = get(bmc, SLOT).json()
    assert (shown["Image"], shown["Inserted"], shown["ConnectedVia"]) == (None, False, "NotConnected")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("ftp://10.0.0.9/live.iso", "ActionParameterValueFormatError"),
        ("http://nobody.invalid/live.iso", "CouldNotEstablishConnection"),
        (7, "ActionParameterValueTypeError"),
    ],
)
def test_an_image_that_cannot_be_is_refused(make_bmc: Make, image: Any, message: str) -> None:
    bmc = platform(make_bmc, "generic")
    refused = insert(bmc, Image=image)
    assert (refused.status, refused.message_id) == (400, message)
    assert get(bmc, SLOT).json()["Inserted"] is False


def test_supermicro_refuses_parameters_and_characters(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "supermicro")
    slot = f"{ROOT}/Managers/1/VirtualMedia/VirtualMedia1"
    assert insert(bmc, slot, Inserted=True).message_id == "ActionParameterUnknown"
    assert insert(bmc, slot, Image=f"{ISO}?a=b").message_id == "ActionParameterValueFormatError"
    assert insert(bmc, slot).status == 200
    assert get(bmc, slot).json()["ConnectedVia"] == "NotConnected"
    eject(bmc, slot)
    shown = get(bmc, slot).json()
    assert (shown["Inserted"], shown["Image"], shown["ImageName"]) == (False, None, "live.iso")


def test_grace_wants_credentials(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "gh200")
    slot = f"{ROOT}/Managers/BMC_0/VirtualMedia/USB1"
    assert insert(bmc, slot).message_id == "ActionParameterMissing"
    assert insert(bmc, slot, UserName="none", Password="none").status == 200
    assert "Password" not in get(bmc, slot).json()


def test_media_by_patch_where_there_is_no_action(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "xcc3", media_by="patch")
    slot = f"{ROOT}/Managers/1/VirtualMedia/EXT1"
    assert "PATCH" in str(get(bmc, slot).header("allow")) and "Actions" not in get(bmc, slot).json()
    assert ask(bmc, "PATCH", slot, {"Image": ISO}).status == 400
    assert ask(bmc, "PATCH", slot, {"Image": ISO, "Inserted": True, "WriteProtected": True}).status == 200
    assert get(bmc, slot).json()["Image"] == ISO
    assert ask(bmc, "PATCH", slot, {"Image": None, "Inserted": False}).status == 200
    assert get(bmc, slot).json()["Inserted"] is False


def test_elsewhere_a_slot_is_not_patched(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "generic")
    assert "PATCH" not in str(get(bmc, SLOT).header("allow"))
    assert ask(bmc, "PATCH", SLOT, {"Image": ISO, "Inserted": True}).status == 405


def test_a_slot_may_list_an_action_that_it_has_not(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "generic", media_broken_slots=frozenset({"CD1"}))
    assert insert(bmc).status == 405
    assert insert(bmc, SLOT.replace("CD1", "CD2")).status == 200


def test_a_licence_may_be_missing(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "supermicro", media_licensed=False)
    assert insert(bmc, f"{ROOT}/Managers/1/VirtualMedia/VirtualMedia1").status == 403


def test_an_override_for_one_boot_is_used_up_by_it(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "generic")
    patch_boot(bmc, BootSourceOverrideTarget="Pxe", BootSourceOverrideEnabled="Once")
    assert boot(bmc)["BootSourceOverrideEnabled"] == "Once"
    ask(bmc, "POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
    assert boot(bmc)["BootSourceOverrideEnabled"] == "Disabled"


def test_megarac_wants_the_whole_boot_object(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "asus")
    self = f"{ROOT}/Systems/Self"
    assert patch_boot(bmc, self, BootSourceOverrideTarget="Pxe").message_id == "PropertyMissing"
    whole = {
        "BootSourceOverrideTarget": "Pxe",
        "BootSourceOverrideEnabled": "Once",
        "BootSourceOverrideMode": "UEFI",
    }
    assert patch_boot(bmc, self, **whole).status == 204
    assert boot(bmc, self)["BootSourceOverrideTarget"] == "Pxe"


def test_supermicro_wants_to_know_for_how_long(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "supermicro")
    assert patch_boot(bmc, BootSourceOverrideTarget="Pxe").message_id == "PropertyMissing"
    assert patch_boot(bmc, BootSourceOverrideTarget="Pxe", BootSourceOverrideEnabled="Once").status == 200


def test_idrac10_takes_boot_at_its_settings_and_applies_it_at_the_next_boot(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "idrac10")
    system = f"{ROOT}/Systems/System.Embedded.1"
    wanted = {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Continuous"}
    assert patch_boot(bmc, system, **wanted).message_id == "PropertyNotWritable"
    assert patch_boot(bmc, f"{system}/Settings", **wanted).status == 200
    floppy = {**wanted, "BootSourceOverrideTarget": "Floppy"}
    assert patch_boot(bmc, f"{system}/Settings", **floppy).message_id == "PropertyValueNotInList"
    assert boot(bmc, system)["BootSourceOverrideTarget"] == "None"
    ask(bmc, "POST", f"{system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
    assert boot(bmc, system)["BootSourceOverrideTarget"] == "Pxe"


def test_dgx_shows_another_boot_order_than_it_took(make_bmc: Make) -> None:
    bmc = platform(make_bmc, "dgx_h100")
    before = boot(bmc, f"{ROOT}/Systems/DGX")["BootOrder"]
    assert patch_boot(bmc, f"{ROOT}/Systems/DGX", BootOrder=before[::-1]).status == 204
    assert boot(bmc, f"{ROOT}/Systems/DGX")["BootOrder"] == before


@pytest.mark.parametrize("located_as", ["Blinking", "Lit"])
def test_both_properties_show_one_light(make_bmc: Make, located_as: str) -> None:
    bmc = platform(make_bmc, "generic", located_as=located_as)
    drive = bmc.platform.tree.first("Drive")
    for path in (SYSTEM, f"{ROOT}/Chassis/1", drive):
        ask(bmc, "PATCH", path, {"LocationIndicatorActive": True})
        assert get(bmc, path).json()["IndicatorLED"] == located_as
        ask(bmc, "PATCH", path, {"IndicatorLED": "Off"})
        assert get(bmc, path).json()["LocationIndicatorActive"] is False

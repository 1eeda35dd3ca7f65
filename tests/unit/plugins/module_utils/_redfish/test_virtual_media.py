# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual media, on emulated BMCs with the traps of their platforms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Session
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.media_slots import (
    Slot,
    contents,
    default_type,
    read_slots,
    reread,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.virtual_media import (
    MediaWanted,
    apply_media,
    check_image,
    plan_media,
)
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import (
    EVERY_PLATFORM,
    BmcMaker,
    EmulatedBmc,
    bmc_of,
    lent,
    one_of_each,
)

pytest.importorskip("sushy", reason="the Python library sushy is not installed")

WITHOUT_MEDIA = ("dgx_h100", "pdu", "power_shelf")
SERVERS = tuple(name for name in EVERY_PLATFORM if name not in (*WITHOUT_MEDIA, "multi_node"))
ISO, OTHER = "http://10.0.0.9/images/live.iso", "https://10.0.0.9/images/other.iso"
REFUSED = "http://nobody.invalid/live.iso"  # whose host can't be there
LIVE = MediaWanted(True, ISO)
NOTHING = MediaWanted(False)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with one_of_each("127.62.11.0/24") as started:
        yield started


@pytest.fixture
def bmc(fleet: Fleet) -> Iterator[BmcMaker]:
    with lent(fleet, restore=lambda session: run(session, NOTHING)) as make:
        yield make


def run(session: Session, wanted: MediaWanted) -> tuple[bool, dict[str, str | None]]:
    """Whether something changed, and the slots that hold something."""
    chosen = session.system()
    if wanted.inserted:
        check_image(session, wanted.image)
    slots = read_slots(session, chosen)
    plan = plan_media(session, chosen, slots, wanted)
    apply_media(session, plan, wanted)
    return bool(plan), held(session)


def held(session: Session) -> dict[str, str | None]:
    now = [reread(session, slot) for slot in read_slots(session, session.system())]
    return {slot: image for slot, image in contents(now).items() if image}


def done(target: EmulatedBmc, wanted: MediaWanted) -> tuple[bool, dict[str, str | None]]:
    with target.opened() as session:
        return run(session, wanted)


def slots_of(target: EmulatedBmc) -> list[Slot]:
    with target.opened() as session:
        return read_slots(session, session.system())


FIRST = {  # the slot that is chosen for a disc
    "openbmc": "Slot_0",
    "idrac9": "1",
    "idrac10": "1",
    "ilo5": "2",
    "ilo6": "2",
    "ilo7": "2",
    "xcc": "EXT1",
    "xcc3": "EXT1",
    "supermicro": "VirtualMedia1",
    "asus": "CD1",
    "asrockrack": "CD1",
    "gigabyte": "CD1",
    "gh200": "USB1",
    "gb200": "USB1",
    "fujitsu": "0",
    "intel": "Slot_0",
    "generic": "CD1",
}


@pytest.mark.parametrize("platform", SERVERS)
def test_inserted_replaced_and_ejected(bmc: BmcMaker, platform: str) -> None:
    target, slot = bmc(platform), FIRST[platform]
    assert done(target, LIVE) == (True, {slot: ISO})
    assert done(target, LIVE) == (False, {slot: ISO})
    assert done(target, MediaWanted(True, OTHER)) == (True, {slot: OTHER})
    assert done(target, NOTHING) == (True, {})
    assert done(target, NOTHING) == (False, {})


def test_no_virtual_media_is_told(bmc: BmcMaker) -> None:
    target = bmc_of(bmc("generic").fleet, "dgx_h100")
    with target.opened() as session, pytest.raises(errors.Unsupported, match="no virtual media") as refused:
        run(session, LIVE)
    assert "network" in refused.value.next


@pytest.mark.parametrize("platform", SERVERS)
def test_a_refused_image_is_an_error_and_what_was_in_is_in_again(bmc: BmcMaker, platform: str) -> None:
    target = bmc(platform)
    done(target, LIVE)
    with target.opened() as session, pytest.raises(errors.Refused) as refused:
        run(session, MediaWanted(True, REFUSED))
    assert "in it again" in refused.value.next
    with target.opened() as session:
        assert held(session) == {FIRST[platform]: ISO}


def test_what_could_not_be_put_back_is_told(bmc: BmcMaker) -> None:
    target = bmc("generic")
    done(target, LIVE)
    target.overlay("/redfish/v1/Managers/1/VirtualMedia/CD1", Image=REFUSED)
    with target.opened() as session, pytest.raises(errors.Refused) as refused:
        run(session, MediaWanted(True, "http://nowhere.invalid/x.iso"))
    assert "is empty now" in refused.value.next


@pytest.mark.parametrize(
    "image",
    [
        "live.iso",
        "ftp://10.0.0.9/live.iso",
        "http:///live.iso",
        "http://10.0.0.9/",
        "http://10.0.0.9/a b.iso",
        "http://10.0.0.9/a\nb.iso",
        "http://[::1/live.iso",
        "http://user:secret@10.0.0.9/live.iso",
    ],
)
def test_an_image_that_is_none_is_refused_before_anything_is_sent(bmc: BmcMaker, image: str) -> None:
    target = bmc("generic")
    target.fleet.reset_statistics()
    with target.opened() as session, pytest.raises(errors.BadInput) as refused:
        run(session, MediaWanted(True, image))
    assert "secret" not in str(refused.value.as_dict())
    assert target.fleet.statistics()["per_method"].get("POST", 0) == 1  # the login


def test_another_slot_can_be_named(bmc: BmcMaker) -> None:
    target = bmc("generic")
    assert done(target, MediaWanted(True, ISO, slot="cd2")) == (True, {"CD2": ISO})
    assert done(target, LIVE) == (False, {"CD2": ISO})  # it is in
    assert done(target, MediaWanted(True, OTHER, slot="CD1")) == (True, {"CD1": OTHER, "CD2": ISO})
    assert done(target, MediaWanted(False, slot="CD1")) == (True, {"CD2": ISO})
    assert done(target, MediaWanted(False, image=OTHER)) == (False, {"CD2": ISO})


def test_an_unknown_slot_is_refused_with_those_that_are_there(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.NotFound) as refused:
        run(session, MediaWanted(True, ISO, slot="CD9"))
    assert refused.value.found == "CD1 (cd, dvd), CD2 (cd, dvd)"


def test_a_media_type_that_no_slot_takes_is_refused(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.Unsupported, match="floppy") as refused:
        run(session, MediaWanted(True, ISO, media_type="floppy"))
    assert "CD1 (cd, dvd)" in refused.value.found


def test_a_disks_image_goes_to_a_stick_where_there_is_one(bmc: BmcMaker) -> None:
    image = "http://10.0.0.9/disk.img"
    assert done(bmc("asus"), MediaWanted(True, image))[1] == {"HD1": image}
    assert done(bmc("fujitsu"), MediaWanted(True, image))[1] == {"0": image}
    assert (default_type("http://x/a.IMG"), default_type("http://x/a.iso?x=.img")) == ("usb", "cd")


def test_write_protection_is_changed_by_inserting_anew(bmc: BmcMaker) -> None:
    target = bmc("generic")
    assert done(target, LIVE)[0]
    assert done(target, MediaWanted(True, ISO, write_protected=True))[0] is False
    assert done(target, MediaWanted(True, ISO, write_protected=False)) == (True, {"CD1": ISO})
    assert [slot.write_protected for slot in slots_of(target) if slot.inserted] == [False]


# Traps of the platforms (field notes §6)


def test_idrac_shows_an_ejected_medium_for_a_while(bmc: BmcMaker) -> None:
    target = bmc("idrac9", media_lingers=2)
    done(target, LIVE)
    assert done(target, MediaWanted(True, OTHER)) == (True, {"1": OTHER})
    assert done(target, NOTHING) == (True, {})


@pytest.mark.parametrize("sign", ["?", "="])
def test_supermicros_url_signs_are_refused_before_anything_changes(bmc: BmcMaker, sign: str) -> None:
    target = bmc("supermicro")
    done(target, LIVE)
    with target.opened() as session, pytest.raises(errors.BadInput, match="refuses"):
        run(session, MediaWanted(True, f"{OTHER}{sign}x"))
    with target.opened() as session:
        assert held(session) == {"VirtualMedia1": ISO}


def test_a_stale_image_name_is_no_medium(bmc: BmcMaker) -> None:
    target = bmc("supermicro")
    done(target, LIVE)
    done(target, NOTHING)
    stale = slots_of(target)[0]
    assert stale.document["ImageName"] == "live.iso" and not stale.holds(ISO)
    assert done(target, LIVE) == (True, {"VirtualMedia1": ISO})


def test_a_missing_licence_is_told_and_nothing_is_tried_twice(bmc: BmcMaker) -> None:
    target = bmc("supermicro", media_licensed=False)
    with target.opened() as session, pytest.raises(errors.AccessDenied) as refused:
        run(session, LIVE)
    assert "OemLicenseNotPassed" in refused.value.found


def test_ilo4_takes_the_image_and_nothing_else(bmc: BmcMaker) -> None:
    only_image = ["Inserted", "WriteProtected", "UserName", "Password", "TransferMethod", "TransferProtocolType"]
    assert done(bmc("ilo5", media_refuses=only_image), LIVE) == (True, {"2": ISO})


def test_a_transfer_protocol_is_added_where_it_is_demanded(bmc: BmcMaker) -> None:
    assert done(bmc("generic", media_needs=["TransferProtocolType"]), LIVE)[1] == {"CD1": ISO}


def test_cisco_has_nothing_but_dvd(bmc: BmcMaker) -> None:
    target = bmc("generic")
    slots = [f"/redfish/v1/Managers/1/VirtualMedia/CD{number}" for number in (1, 2)]
    for path in slots:
        target.overlay(path, MediaTypes=["DVD"])
    try:
        assert done(target, LIVE) == (True, {"CD1": ISO})
        assert done(target, MediaWanted(True, "http://10.0.0.9/disk.img"))[1] == {"CD1": "http://10.0.0.9/disk.img"}
    finally:
        for path in slots:
            target.overlay(path, MediaTypes=["CD", "DVD"])


def test_an_answer_of_accepted_is_waited_for(bmc: BmcMaker) -> None:
    target = bmc("generic", action_answer=202, media_lingers=1)
    assert done(target, LIVE) == (True, {"CD1": ISO})
    assert done(target, NOTHING) == (True, {})


def test_what_was_accepted_and_is_not_in_is_no_success(bmc: BmcMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.hearth.datacenter.plugins.module_utils._redfish.virtual_media._SETTLE_SECONDS", 1.0
    )
    with bmc("generic", media_mounts=False).opened() as session, pytest.raises(errors.VerificationFailed) as failed:
        run(session, LIVE)
    assert (failed.value.expected, failed.value.found) == (ISO, "nothing inserted")


def test_lenovo_sd530_is_written_to_by_patch(bmc: BmcMaker) -> None:
    target = bmc("xcc", media_by="patch")
    assert done(target, LIVE) == (True, {"EXT1": ISO})
    assert done(target, MediaWanted(True, OTHER)) == (True, {"EXT1": OTHER})
    assert done(target, NOTHING) == (True, {})


def test_lenovos_remote_slots_are_not_used(bmc: BmcMaker) -> None:
    target = bmc("xcc3")
    assert {slot.id for slot in slots_of(target) if not slot.usable} == {
        *(f"RDOC{number}" for number in (1, 2)),
        *(f"Remote{number}" for number in (1, 2, 3, 4)),
    }
    with target.opened() as session, pytest.raises(errors.Unsupported) as refused:
        run(session, MediaWanted(True, ISO, slot="RDOC1"))
    assert "takes no URL" in refused.value.found


def test_a_slot_whose_insert_media_is_not_there_is_passed_over(bmc: BmcMaker) -> None:
    target = bmc("generic", media_broken_slots=["CD1"])
    assert done(target, LIVE) == (True, {"CD2": ISO})
    assert done(target, LIVE) == (False, {"CD2": ISO})
    with target.opened() as session, pytest.raises(errors.Unsupported):
        run(session, MediaWanted(True, OTHER, slot="CD1"))


def test_credentials_for_the_images_server_are_sent_and_not_shown(bmc: BmcMaker) -> None:
    target = bmc("gh200")
    wanted = MediaWanted(True, ISO, username="reader", password="canary-0815")
    assert done(target, wanted)[1] == {"USB1": ISO}
    assert "canary" not in repr(wanted) and "canary" not in str([slot.shown() for slot in slots_of(target)])

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot override and boot order, on emulated BMCs with the traps of their platforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Session
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.boot import (
    BootView,
    BootWanted,
    apply_boot,
    plan_boot,
    read_boot,
    spelled,
    verify_boot,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.sushy_tools import SUSHY_TOOLS
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EVERY_PLATFORM, BmcMaker, EmulatedBmc, lent, one_of_each

SERVERS = tuple(name for name in EVERY_PLATFORM if name not in ("pdu", "power_shelf", "multi_node"))
PXE = BootWanted("once", "pxe")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with one_of_each("127.62.10.0/24") as started:
        yield started


@pytest.fixture
def bmc(fleet: Fleet) -> Iterator[BmcMaker]:
    with lent(fleet, restore=lambda session: run(session, BootWanted("disabled"))) as make:
        yield make


def run(session: Session, wanted: BootWanted) -> tuple[bool, BootView]:
    chosen = session.system()
    view = read_boot(session, chosen)
    writes = plan_boot(session, chosen, view, wanted)
    if not writes:
        return False, view
    apply_boot(session, writes)
    return True, verify_boot(session, chosen, writes)


def shown(target: EmulatedBmc, wanted: BootWanted) -> dict[str, Any]:
    with target.opened() as session:
        changed, view = run(session, wanted)
        return {"changed": changed, **view.shown()}


@pytest.mark.parametrize("platform", SERVERS)
def test_once_then_again_then_disabled(bmc: BmcMaker, platform: str) -> None:
    target = bmc(platform)
    first = shown(target, PXE)
    assert (first["changed"], first["state"], first["target"]) == (True, "once", "pxe")
    assert shown(target, PXE)["changed"] is False
    gone = shown(target, BootWanted("disabled"))
    assert (gone["changed"], gone["state"], gone["target"]) == (True, "disabled", None)
    assert shown(target, BootWanted("disabled"))["changed"] is False


@pytest.mark.parametrize("platform", SERVERS)
def test_a_target_that_is_not_offered_is_refused_with_what_is(bmc: BmcMaker, platform: str) -> None:
    with bmc(platform).opened() as session, pytest.raises(errors.Unsupported) as refused:
        run(session, BootWanted("once", "tape"))
    assert "pxe" in refused.value.found and "hdd" in refused.value.found
    assert refused.value.expected == "tape"


def test_nothing_was_written_by_a_plan_that_is_refused(bmc: BmcMaker) -> None:
    target = bmc("generic")
    target.fleet.reset_statistics()
    with target.opened() as session, pytest.raises(errors.Unsupported):
        run(session, BootWanted("once", "tape"))
    assert target.fleet.statistics()["per_method"].get("PATCH", 0) == 0


def test_a_service_whose_overrides_all_stay(bmc: BmcMaker) -> None:
    """sushy-emulator (platforms/sushy_tools.py); tests/lab/scenarios/test_sushy_emulator.py has the real one."""
    with bmc("generic", boot_stays=True).opened() as session:
        with pytest.raises(errors.VerificationFailed):
            run(session, BootWanted("once", "cd"))
        session.client.platform = SUSHY_TOOLS
        run(session, BootWanted("disabled"))
        changed, view = run(session, BootWanted("once", "cd"))
        assert (changed, view.shown()["state"], view.shown()["target"]) == (True, "continuous", "cd")
        assert "disabled takes it back" in session.warnings[-1]
        assert run(session, BootWanted("once", "cd"))[0] is False
        changed, view = run(session, BootWanted("disabled"))
        assert (changed, view.shown()["target"]) == (True, "hdd")
        assert run(session, BootWanted("disabled"))[0] is False


def test_targets_are_written_as_redfish_or_as_we_do(bmc: BmcMaker) -> None:
    target = bmc("generic")
    assert shown(target, BootWanted("once", "UefiHttp"))["target"] == "uefi_http"
    assert shown(target, BootWanted("once", "uefi_http"))["changed"] is False
    assert shown(target, BootWanted("once", "BIOS-setup"))["target"] == "bios_setup"
    assert spelled("SDCard") == "sd_card" and spelled("UEFI") == "uefi"


def test_continuous_is_kept_over_a_boot_and_once_is_not(bmc: BmcMaker) -> None:
    target = bmc("generic")
    for state, stays in (("continuous", True), ("once", False)):
        shown(target, BootWanted(state, "hdd"))
        with target.opened() as session:
            path = session.system().path
            session.client.transport.request(
                "POST", f"{path}/Actions/ComputerSystem.Reset", body={"ResetType": "ForceRestart"}
            ).raise_for_status()
        assert (shown(target, BootWanted())["state"] == state) is stays


@pytest.mark.parametrize("platform", ["xcc", "xcc3"])
def test_lenovo_knows_no_continuous_override(bmc: BmcMaker, platform: str) -> None:
    with bmc(platform).opened() as session, pytest.raises(errors.Unsupported, match="continuous") as refused:
        run(session, BootWanted("continuous", "pxe"))
    assert refused.value.found == "once, disabled"


@pytest.mark.parametrize("platform", ["supermicro", "gh200"])
def test_a_mode_is_refused_where_there_is_none(bmc: BmcMaker, platform: str) -> None:
    with bmc(platform).opened() as session, pytest.raises(errors.Unsupported, match="mode"):
        run(session, BootWanted("once", "pxe", mode="uefi"))


def test_a_mode_is_set(bmc: BmcMaker) -> None:
    target = bmc("generic")
    assert shown(target, BootWanted("once", "pxe", mode="legacy"))["mode"] == "legacy"
    assert shown(target, BootWanted("once", "pxe", mode="uefi"))["changed"] is True


# Traps of the platforms (field notes §6)


@pytest.mark.parametrize("platform", ["asus", "asrockrack", "gigabyte"])
def test_megarac_gets_the_boot_object_whole(bmc: BmcMaker, platform: str) -> None:
    target = bmc(platform)
    assert shown(target, PXE)["changed"] is True
    # only the duration changes, and all three are sent: else it would be refused
    assert shown(target, BootWanted("continuous", "pxe"))["state"] == "continuous"


def test_boot_goes_to_the_settings_object_of_an_idrac10_and_waits_there(bmc: BmcMaker) -> None:
    result = shown(bmc("idrac10"), PXE)
    assert (result["state"], result["target"], result["pending"]) == ("once", "pxe", True)


def test_ilo_refuses_changes_during_the_self_test_and_is_asked_again(bmc: BmcMaker) -> None:
    assert shown(bmc("ilo5", boot_refusals=2), PXE)["target"] == "pxe"


def test_a_cd_is_a_usb_cd_on_supermicro_but_for_one_model(bmc: BmcMaker) -> None:
    target = bmc("supermicro")
    assert shown(target, BootWanted("once", "cd"))["target"] == "usb_cd"
    assert shown(target, BootWanted("once", "cd"))["changed"] is False
    target.overlay("/redfish/v1/Systems/1", Model="ARS-111GL-NHR")
    try:
        assert shown(target, BootWanted("once", "cd"))["target"] == "cd"
    finally:
        target.overlay("/redfish/v1/Systems/1", Model="SYS-621C-TN12R")


def test_the_network_is_http_on_an_xe9680(bmc: BmcMaker) -> None:
    target = bmc("idrac9")
    system = "/redfish/v1/Systems/System.Embedded.1"
    target.overlay(system, Model="PowerEdge XE9680")
    try:
        assert shown(target, PXE)["target"] == "uefi_http"
    finally:
        target.overlay(system, Model="PowerEdge R650")


def test_a_boot_order_that_dgx_misreports_is_no_success(bmc: BmcMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.hearth.datacenter.plugins.module_utils._redfish.boot._SETTLE_SECONDS", 1.0)
    with bmc("dgx_h100").opened() as session, pytest.raises(errors.VerificationFailed) as failed:
        run(session, BootWanted(order=("Boot0004",)))
    assert "misreport" in failed.value.next


def test_an_http_address_is_written_and_forgotten(bmc: BmcMaker) -> None:
    target = bmc("generic")
    uri = "http://10.0.0.9/boot.efi?host=a"
    assert shown(target, BootWanted("once", "uefi_http", http_boot_uri=uri))["http_boot_uri"] == uri
    assert shown(target, BootWanted("once", "uefi_http", http_boot_uri=uri))["changed"] is False
    assert shown(target, BootWanted("once", "uefi_http"))["http_boot_uri"] is None


def test_idrac_has_no_http_boot_uri(bmc: BmcMaker) -> None:
    with bmc("idrac9").opened() as session, pytest.raises(errors.Unsupported, match="HttpBootUri") as refused:
        run(session, BootWanted("once", "uefi_http", http_boot_uri="http://10.0.0.9/boot.efi"))
    assert "virtual media" in refused.value.next


def test_an_http_address_goes_with_its_target_only(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.BadInput, match="uefi_http"):
        run(session, BootWanted("once", "pxe", http_boot_uri="http://10.0.0.9/boot.efi"))


# The order


def test_named_options_come_first_and_the_others_stay(bmc: BmcMaker) -> None:
    target = bmc("generic")
    before = shown(target, BootWanted())["order"]
    assert before == ["Boot0000", "Boot0001", "Boot0002", "Boot0003"]
    order = BootWanted(order=("UEFI: http ipv4 port 1", "Boot0001"))
    assert shown(target, order)["order"] == ["Boot0002", "Boot0001", "Boot0000", "Boot0003"]
    assert shown(target, order)["changed"] is False
    assert shown(target, BootWanted(order=tuple(before)))["order"] == before


def test_an_unknown_option_is_refused_with_the_known_ones(bmc: BmcMaker) -> None:
    with bmc("generic").opened() as session, pytest.raises(errors.BadInput) as refused:
        run(session, BootWanted(order=("Windows",)))
    assert "Boot0000 (Debian)" in refused.value.found


def test_an_order_is_refused_where_none_is_told(bmc: BmcMaker) -> None:
    with bmc("openbmc").opened() as session, pytest.raises(errors.Unsupported, match="order"):
        run(session, BootWanted(order=("Boot0001",)))

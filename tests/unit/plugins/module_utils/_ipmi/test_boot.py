# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot flags as bytes, and what is written for what is wanted."""

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.boot import (
    DISABLED,
    SELECTORS,
    TARGETS,
    BootFlags,
    BootWanted,
    plan_boot,
)

PXE = BootFlags(valid=True, persistent=False, uefi=True, selector=1)


def flags(first: int, second: int) -> BootFlags:
    return BootFlags.parsed(bytes((first, second, 0, 0, 0)))


def test_bytes_of_the_standard_example() -> None:
    """What ipmitool sends for `bootdev pxe options=efiboot,persistent`."""
    assert flags(0xE0, 0x04) == BootFlags(True, True, True, 1)
    assert BootFlags(True, True, True, 1).parameter == [0xE0, 0x04, 0, 0, 0]


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_survives_the_way_there_and_back(target: str) -> None:
    planned = plan_boot(DISABLED, BootWanted("once", target))
    assert planned is not None
    again = BootFlags.parsed(bytes(planned.parameter))
    assert again == planned
    assert SELECTORS[str(again.shown()["target"])] == SELECTORS[target]


def test_flags_without_the_valid_bit_count_for_nothing() -> None:
    for found in (flags(0x00, 0x04), flags(0x60, 0x04), flags(0x80, 0x00), flags(0xC0, 0x00)):
        assert not found.active
        assert (found.shown()["state"], found.shown()["target"]) == ("disabled", None)
        assert plan_boot(found, BootWanted("disabled")) is None


def test_other_bits_of_the_second_byte_are_not_the_target() -> None:
    """CMOS clear, keyboard lock, screen blank, reset lock stand around the selector."""
    assert flags(0x80, 0xC3 | 0x18).selector == 6


def test_selector_that_nobody_knows_is_shown_as_such() -> None:
    assert flags(0x80, 13 << 2).shown()["target"] == "selector_13"


def test_only_what_differs_is_written() -> None:
    assert plan_boot(PXE, BootWanted("once", "pxe")) is None
    assert plan_boot(PXE, BootWanted("once", "pxe", "uefi")) is None
    assert plan_boot(PXE, BootWanted("once", "pxe", "legacy")) == BootFlags(True, False, False, 1)
    assert plan_boot(PXE, BootWanted("continuous", "pxe")) == BootFlags(True, True, True, 1)
    assert plan_boot(PXE, BootWanted("disabled")) == DISABLED
    assert plan_boot(PXE, BootWanted()) is None


@pytest.mark.parametrize("written", ["bios_setup", "BiosSetup", "bios-setup", "BIOS SETUP"])
def test_target_may_be_written_in_several_ways(written: str) -> None:
    assert BootWanted("once", written).selector() == 6


@pytest.mark.parametrize("written", [None, "", "none", "tape", "{{ x }}", "p" * 10_000])
def test_unknown_target_lists_those_that_there_are(written: str) -> None:
    with pytest.raises(errors.Unsupported) as raised:
        BootWanted("once", written).selector()
    assert "pxe" in raised.value.found and len(raised.value.msg) < 200

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.identity import label, mac, serial, uuid


@pytest.mark.parametrize(
    "value",
    [
        None, 0, "", " ", "0", "None", "N/A", "null", "Default string", "default string ", "To be filled by O.E.M.",
        "To Be Filled By O.E.M", "0123456789", "123456789", "01234567890123456789AB", "00000000", "0000-0000",
        "FFFFFFFF", "XXXXXXXX", "....................", "System Serial Number", "Not Specified", "unknown",
        "CPLDSerialNumber", "-",
        [], {}, True,
    ],
)  # fmt: skip
def test_serials_that_say_nothing_are_none(value: Any) -> None:
    assert serial(value) is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("CNIVC0014M0388", "CNIVC0014M0388"),
        (" MXQ302099S ", "MXQ302099S"),
        (1662923610124, "1662923610124"),
        ("A1", "A1"),
    ],
)
def test_serials_that_say_something_are_kept(value: Any, kept: str) -> None:
    assert serial(value) == kept


def test_a_serial_is_cleaned() -> None:
    assert serial("AB{{ lookup('pipe','id') }}12") == "AB{ { lookup('pipe','id') } }12"
    assert serial("AB\x1b[31m12\u202e34") == "AB1234"


@pytest.mark.parametrize(
    "value",
    [
        None, "", 7, "x", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009", "03000200040005000006000700080009", "not-a-uuid", [], {},
        "38947555-7742-3448-3784-82334782383",
    ],
)  # fmt: skip
def test_uuids_that_say_nothing_are_none(value: Any) -> None:
    assert uuid(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "4C4C4544-0035-3410-8050-C6C04F314733",
        "4c4c4544003534108050c6c04f314733",
        "urn:uuid:4c4c4544-0035-3410-8050-c6c04f314733",
        "{4c4c4544-0035-3410-8050-c6c04f314733}",
    ],
)
def test_uuids_come_in_one_form(value: str) -> None:
    assert uuid(value) == "4c4c4544-0035-3410-8050-c6c04f314733"


@pytest.mark.parametrize("value", ["70:B5:E8:F0:52:DC", "70-b5-e8-f0-52-dc", "70b5e8f052dc"])
def test_macs_come_in_one_form(value: str) -> None:
    assert mac(value) == "70:b5:e8:f0:52:dc"


@pytest.mark.parametrize("value", [None, "", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "70:b5:e8", 7, "Not Available"])
def test_macs_that_are_none_are_none(value: Any) -> None:
    assert mac(value) is None


def test_labels_drop_placeholders_and_keep_short_words() -> None:
    assert label("Free form asset tag") is None
    assert label("Default string") is None
    assert label("....") is None
    assert label("7") == "7"
    assert label("PDX-92381") == "PDX-92381"

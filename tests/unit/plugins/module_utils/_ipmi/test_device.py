# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a BMC's bytes mean, checked against the tables of IPMI 2.0; short answers are nothing, never an error."""

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import device


def test_device_id_tells_firmware_maker_and_version() -> None:
    found = device.device_id(bytes.fromhex("2001831702bf7c2a0081090a0b0c0d"))
    assert found is not None
    assert (found.firmware, found.manufacturer, found.product, found.ipmi_version) == ("3.17", 10876, 0x0981, "2.0")
    assert found.vendor == "Supermicro"


def test_firmware_minor_is_bcd_with_two_digits() -> None:
    found = device.device_id(bytes.fromhex("2001020302bf0000000000"))
    assert found is not None and found.firmware == "2.03"


def test_unknown_maker_is_none() -> None:
    found = device.device_id(bytes.fromhex("2001020302bfffff0f0000"))
    assert found is not None and found.vendor is None


@pytest.mark.parametrize("length", range(11))
def test_short_device_id_is_none(length: int) -> None:
    assert device.device_id(bytes(length)) is None


def test_guid_has_the_byte_order_of_smbios() -> None:
    assert device.guid(bytes.fromhex("33221100554477668899aabbccddeeff")) == "00112233-4455-6677-8899-aabbccddeeff"


@pytest.mark.parametrize("length", [0, 15, 17])
def test_guid_of_another_length_is_none(length: int) -> None:
    assert device.guid(bytes(length)) == ""


@pytest.mark.parametrize(("status", "state"), [(b"\x00\x00\x00", "off"), (b"\x61\x00\x00", "on"), (b"", None)])
def test_power_state(status: bytes, state: str) -> None:
    assert device.power_state(status) == state


def test_chassis_faults_are_named() -> None:
    assert device.chassis_faults(b"\x09\x00\x0c") == ("power fault", "drive fault", "cooling fault")
    assert device.chassis_faults(b"\x01\x00\x40") == ()
    assert device.chassis_faults(b"\x02") == ("power overload",)
    assert device.chassis_faults(b"") == ()


def test_event_log_count() -> None:
    assert device.sel_entries(bytes.fromhex("51340280002a5b6a002a5b6a0002")) == 0x0234
    assert device.sel_entries(b"\x51\x34") is None


def test_lan_mac() -> None:
    assert device.lan_mac(bytes.fromhex("11aabbcc010203")) == "aa:bb:cc:01:02:03"
    assert device.lan_mac(b"\x11\xaa") == ""

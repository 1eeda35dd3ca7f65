# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sushy-emulator (OpenStack sushy-tools): Redfish in front of libvirt, with which people try things out."""

from __future__ import annotations

from .record import Platform, Sign

SUSHY_TOOLS = Platform(
    name="sushy_tools",
    signs=(Sign(detail=("Id", r"^RedvirtService$")),),
    # No SessionService; with a password file a POST to where it would be is answered with 401 as everything is, so that
    # it looks like a wrong password (seen with 2.2; field notes §2.11: "Missing: sessions, ETags, events, accounts").
    login="basic",
    # It ignores BootSourceOverrideEnabled, writes the target into the domain's definition and shows "Continuous"; None
    # is no target there (main.py and set_boot_device of 2.2).
    boot_stays="Hdd",
)

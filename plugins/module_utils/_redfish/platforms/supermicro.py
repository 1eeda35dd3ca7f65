# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Supermicro X11 to X14, H11 to H14."""

from __future__ import annotations

from .record import BootReplacement, Platform, Sign

SUPERMICRO = Platform(
    name="supermicro",
    vendor="Supermicro",
    signs=(
        # most firmware omits Vendor and Product (field notes §6; capture supermicro)
        Sign(oem=r"^(Supermicro|Smc)$"),
        Sign(vendor=r"Supermicro|Super Micro"),
    ),
    lockout_threshold=3,  # capture supermicro: AccountLockoutThreshold 3
    # The root advertises $expand; nobody has published proof that it works on collections, so it stays unused.
    expand="",
    # Processors lists CPUs only; GPUs are PCIe devices of the chassis named GPU1… (capture supermicro).
    gpu_places=("processors", "pcie_devices"),
    gpu_id=r"^GPU",
    # Virtual media are a USB CD here: "Cd" is offered and does not boot from them. The ARS-111GL-NHR knows "Cd" alone
    # (field notes §6).
    boot_replacements=(BootReplacement("Cd", "UsbCd", but_not=r"ARS-111GL-NHR"),),
    # field notes §6: image URL must not contain ? or =
    media_url_refuses="?=",
)

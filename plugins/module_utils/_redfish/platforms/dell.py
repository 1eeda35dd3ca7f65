# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dell iDRAC 9 and iDRAC 10."""

from __future__ import annotations

from dataclasses import replace

from .record import BootReplacement, Platform, Refinement, Sign

IDRAC9 = Platform(
    name="idrac9",
    vendor="Dell",
    signs=(
        Sign(vendor=r"^Dell"),
        Sign(oem=r"^Dell$"),
        Sign(product=r"Integrated Dell Remote Access Controller"),
    ),
    refinements=(
        # Both generations answer with the same Product; the manager's Model is the server generation ("16G Monolithic",
        # "17G Monolithic"): 17G is iDRAC 10.
        Refinement(of="manager", key="Model", pattern=r"\b(1[7-9]|[2-9]\d)G\b|iDRAC ?1\d", becomes="idrac10"),
    ),
    # About 8 sessions; the refusal is RAC0218 (field notes §5, check_redfish#198).
    session_limit=8,
    session_full=r"RAC0218|SessionLimitExceeded|maximum number of (user )?sessions",
    # $expand works with one level (field notes §6: "Expand level 1"; capture dell: MaxLevels 1).
    expand="$expand=*($levels=1)",
    # The service tag, printed on the machine and called the serial number by DMI, is not Redfish's SerialNumber (the
    # board's own number): it stands in SKU and, anonymously, here (capture dell).
    root_facts=(("mac", "Oem/Dell/ManagerMACAddress"), ("service_tag", "Oem/Dell/ServiceTag")),
    # GPUs are processors named "Video.Slot.2-1" or "ProcessorAccelerator.Slot.7-1" (capture dell).
    gpu_id=r"^Video\.|Accelerator|GPU",
    no_gpu_id=r"^CPU\.",
    # The XE9680 boots from the network by HTTP only (field notes §6).
    boot_replacements=(BootReplacement("Pxe", "UefiHttp", model=r"XE9680"),),
)

IDRAC10 = replace(
    IDRAC9,
    name="idrac10",
    signs=(Sign(vendor=r"^Dell", product=r"(Controller|iDRAC) ?1\d"),),
    refinements=(),
)

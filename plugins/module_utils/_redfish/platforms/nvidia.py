# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA's own machines: DGX H100 on AMI's firmware; GH200, GB200, BlueField and switch trays on OpenBMC."""

from __future__ import annotations

from dataclasses import replace

from .ami import MEGARAC
from .record import Platform, Refinement, Sign

# Everything behind the HGX controller is aggregated; it answers 503 as long as the host is off
# (field notes §5: infra-controller#6412).
_BEHIND_HGX = r"/HGX_"

DGX_H100 = replace(
    MEGARAC,
    name="dgx_h100",
    vendor="NVIDIA",
    # Nothing in the root tells it from other boards with this firmware: MEGARAC's refinement finds it by its system.
    signs=(),
    refinements=(),
    # Until the BMC is reset, collections may list members that are not there (field notes §6: "bogus members");
    # nv-redfish keeps the list of the real ones.
    bogus_members=r"/Systems/(?!DGX$|HGX_Baseboard_0$)[^/]+$|/Managers/(?!BMC$|HGX_BMC_0$|HGX_FabricManager_0$)[^/]+$",
    asleep=_BEHIND_HGX,
    # infra-controller#1838
    boot_order_hint="This BMC is known to misreport its boot order: look at the machine's own setup.",
)

NVIDIA = Platform(
    name="nvidia",  # a machine of theirs that is not known by name: Vera Rubin and what comes after
    vendor="NVIDIA",
    signs=(Sign(vendor=r"^NVIDIA$"),),
    refinements=(
        Refinement(of="system", key="Model", pattern=r"GB[23]00", becomes="gb200"),
        Refinement(of="system", key="Model", pattern=r"GH[23]00", becomes="gh200"),
        Refinement(of="system", key="Model", pattern=r"^N5\d\d\d|Switch", becomes="nvswitch"),
    ),
    # The root advertises six levels; expanding the aggregated half has been seen to time out (field notes §8.12 asks
    # for proof, and there is none).
    expand="",
    asleep=_BEHIND_HGX,
    no_gpu_id=r"^(HGX_)?(CPU|FPGA)",
    session_context=True,  # bmcweb: see openbmc.py
)

GH200 = replace(
    NVIDIA,
    name="gh200",
    # P3809 is the BMC module, which GB200 trays and switch trays carry, too (field notes §6: "P3809 ambiguous"): where
    # the system names itself, that decides.
    signs=(Sign(vendor=r"^NVIDIA$", product=r"GH[23]00|P3809"),),
    refinements=tuple(r for r in NVIDIA.refinements if r.becomes != "gh200"),
)

GB200 = replace(
    NVIDIA,
    name="gb200",
    signs=(
        Sign(vendor=r"^NVIDIA$", product=r"GB[23]00"),
        Sign(vendor=r"WIWYNN", product=r"GB[23]00|NVL"),  # their trays name themselves as vendor (nv-redfish)
    ),
    refinements=(),
    # System_0 has no serial and links to the BMC's board; the tray itself is Chassis_0 (mockup of a GB200 NVL).
    machine_chassis=("Chassis_0",),
)

NVSWITCH = replace(NVIDIA, name="nvswitch", signs=(), refinements=(), system_kind="switch")

BLUEFIELD = replace(
    NVIDIA,
    name="bluefield",
    # Vendor is spelled "Nvidia" there; Members may be null and UUIDs empty (field notes §6)
    signs=(Sign(product=r"BlueField|Nvidia-BMCMezz"),),
    refinements=(),
    system_kind="dpu",
    lockout_threshold=10,  # mockup of a BlueField-3: AccountLockoutThreshold 10
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AMI MegaRAC SP-X and OneTree, as ASUS, ASRockRack, Gigabyte and others build it in."""

from __future__ import annotations

from dataclasses import replace

from .record import Platform, Refinement, Sign

MEGARAC = Platform(
    name="megarac",
    vendor="AMI",
    signs=(
        Sign(oem=r"^Ami$"),
        Sign(vendor=r"^(AMI|American Megatrends)"),
        Sign(server=r"AMI MegaRAC"),
    ),
    refinements=(
        # The boards' makers leave "AMI" in the root, and NVIDIA's DGX H100 shares even RedfishVersion and RtpVersion
        # with others of its time: the system tells.
        Refinement(of="system", key="Model", pattern=r"^DGX ?H100", becomes="dgx_h100"),
        Refinement(of="system", key="Manufacturer", pattern=r"GIGA.?BYTE", becomes="megarac_gigabyte"),
        Refinement(of="system", key="Manufacturer", pattern=r"ASRock", becomes="megarac_asrockrack"),
        Refinement(of="system", key="Manufacturer", pattern=r"ASUS", becomes="megarac_asus"),
    ),
    lockout_threshold=5,  # the default policy of the firmware: captures nvidia_viking and Gigabyte H262
    # $expand is advertised and drops required properties of the members: DGX H100, GB300 with RtpVersion 13.09.1
    # (field notes §6, §8.12). The root alone cannot tell those from their sisters, so none of the family expands.
    expand="",
    # field notes §6: whole Boot object must be sent
    boot_whole=True,
)

GIGABYTE = replace(
    MEGARAC,
    name="megarac_gigabyte",
    signs=(Sign(vendor=r"GIGA.?BYTE"), Sign(oem=r"^(Gbt|Gigabyte)$")),
    refinements=(),
)
ASROCKRACK = replace(
    MEGARAC, name="megarac_asrockrack", signs=(Sign(vendor=r"ASRock"), Sign(oem=r"ASRock")), refinements=()
)
ASUS = replace(MEGARAC, name="megarac_asus", signs=(Sign(vendor=r"ASUS"), Sign(oem=r"ASUS")), refinements=())

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HPE iLO 4 to 7."""

from __future__ import annotations

from dataclasses import replace

from .record import Platform, Refinement, Sign

_GENERATION = "Oem/Hpe/Manager/0/ManagerType"

ILO5 = Platform(
    name="ilo5",
    vendor="HPE",
    signs=(
        Sign(detail=(_GENERATION, r"iLO ?5")),
        # an iLO that does not say which one: treated as the oldest that is still sold
        Sign(oem=r"^Hpe$"),
        Sign(vendor=r"^HPE$", product=r"ProLiant|Synergy|Apollo|Edgeline|Superdome|Compute"),
        Sign(server=r"^HPE-iLO-Server"),
    ),
    refinements=(
        Refinement(of="manager", key="Model", pattern=r"iLO ?6", becomes="ilo6"),
        Refinement(of="manager", key="Model", pattern=r"iLO ?7", becomes="ilo7"),
    ),
    session_full=r"SessionLimitExceeded|MaxSessions|NoMoreSessions",
    # Connections that are kept break before iLO 7 (field notes §5: infra-controller#465).
    keep_alive=False,
    # "Accept-Encoding: identity" is answered with 406 (field notes §6; sushy drops the header on 406), and iLO 4
    # compresses unasked: so gzip is asked for, which all of them can do.
    headers=(("Accept-Encoding", "gzip"),),
    # One level without links, and only this form (field notes §6: "Expand NoLinks depth 1").
    expand="$expand=.",
    root_facts=(("firmware", "Oem/Hpe/Manager/0/ManagerFirmwareVersion"),),
    # GPUs are no processors before iLO 6: they stand in HPE's own device list of the chassis.
    gpu_places=("chassis_devices", "processors"),
)

ILO4 = replace(
    ILO5,
    name="ilo4",
    signs=(
        Sign(detail=("Oem/Hp/Manager/0/ManagerType", r"iLO")),
        Sign(oem=r"^Hp$"),  # the OEM key was Hp before the split of the company (field notes §6)
        Sign(server=r"^HP-iLO-Server"),
    ),
    refinements=(),
    expand="",  # deny list of old iLOs (field notes §8.12)
    root_facts=(("firmware", "Oem/Hp/Manager/0/ManagerFirmwareVersion"),),
)

ILO6 = replace(
    ILO5,
    name="ilo6",
    signs=(Sign(detail=(_GENERATION, r"iLO ?6")), Sign(vendor=r"^HPE$", product=r"Gen11")),
    refinements=(),
    gpu_places=("processors", "chassis_devices"),
)

ILO7 = replace(
    ILO6,
    name="ilo7",
    signs=(Sign(detail=(_GENERATION, r"iLO ?7")), Sign(vendor=r"^HPE$", product=r"Gen12")),
    keep_alive=True,
    gpu_places=("processors",),
)

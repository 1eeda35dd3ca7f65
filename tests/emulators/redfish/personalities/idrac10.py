# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dell iDRAC 10 (17th generation): as iDRAC 9, with the newer sensor model alone, boot settings behind a settings
object, virtual media at the system only, and 409 for On right after off."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import idrac9
from tests.emulators.redfish.personality import Personality, Tree, link
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.boot import BootChoices
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import FIRMWARE as INVENTORY

FIRMWARE = "1.20.60.50"
BIOS = "1.3.2"

PLAN = replace(
    idrac9.PLAN,
    model="PowerEdge R670",
    part_number="0K5H9XA01",
    chassis_part="0K5H9XA01",
    bios_version=BIOS,
    firmware=FIRMWARE,
    bmc_model="17G Monolithic",
    cpu=parts.XEON_6787,
    dimm=parts.DDR5_64_FAST,
    ports=(Port("NIC.Slot.1-1-1", 2), Port("NIC.Slot.1-2-1", 3), Port("NIC.Embedded.1-1-1", 4, 1000, link_up=False)),
    subsystems=(idrac9.drives(8, parts.NVME_3T84),),
    boot=BootChoices(
        targets=("None", "Pxe", "Cd", "Hdd", "BiosSetup", "Utilities", "UefiTarget", "UefiHttp"),
        enabled_values=None,
        mode_values=None,
        options=idrac9.OPTIONS,
    ),
    led="active",
    old_model=False,
    software=f"Installed-25227-{FIRMWARE}__iDRAC.Embedded.1-1",
    media=(),
    media_at="system",
)


def tree() -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True))
    built = idrac9.build(made, PLAN, "1.20.1", idrac9.images(FIRMWARE, BIOS, parts.NVME_3T84, 8))
    built[f"{INVENTORY}/{idrac9.PREVIOUS_BIOS}"]["ReleaseDate"] = "00:00:00Z"  # field notes §6: zero dates
    # Boot changes go to the settings object, not to the system (field notes §6).
    settings = f"{PLAN.system}/Settings"
    built[PLAN.system]["@Redfish.Settings"] = {
        "@odata.type": "#Settings.v1_3_5.Settings",
        "SettingsObject": link(settings),
        "SupportedApplyTimes": ["OnReset"],
    }
    made.add(
        settings,
        "ComputerSystem",
        "System Settings",
        {
            "Boot": {
                "BootSourceOverrideEnabled": "Disabled",
                "BootSourceOverrideMode": "UEFI",
                "BootSourceOverrideTarget": "None",
            }
        },
    )
    return built


PERSONALITY = Personality(
    name="idrac10",
    tree=tree,
    serial_pattern="CNFCP00#%#####",
    manners=replace(
        idrac9.PERSONALITY.manners,
        power_off_seconds=1.0,
        boot_at="settings",  # field notes §6: boot via Settings
        reached_state="refused_409",  # field notes §6: 409 for On right after off
    ),
)

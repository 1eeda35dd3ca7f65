# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a personality does against the standard on purpose, because the machine that it stands for does: each with its
reason. Everything else that a validator finds is a bug of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.emulators.redfish.personalities import asrockrack, dgx_h100, gb200, idrac9, multi_node
from tests.emulators.redfish.resources import baseboard
from tests.emulators.redfish.resources.chassis import CHASSIS
from tests.emulators.redfish.resources.system import SYSTEMS
from tests.emulators.redfish.resources.update import FIRMWARE


@dataclass(frozen=True)
class Violation:
    """A property of one resource that breaks the schema."""

    path: str  # of the resource
    pointer: str  # of the property as the DMTF's validator prints it: "/UUID"; a longer pointer may follow. "" = the
    # resource itself (it answers 404)
    reason: str

    def covers(self, path: str, pointer: str) -> bool:
        if path.rstrip("/") != self.path:
            return False
        return pointer == self.pointer or bool(self.pointer) and pointer.startswith(f"{self.pointer}/")


VIOLATIONS: Mapping[str, tuple[Violation, ...]] = {
    "idrac10": (
        Violation(f"{FIRMWARE}/{idrac9.PREVIOUS_BIOS}", "/ReleaseDate", "zero dates, 00:00:00Z (field notes §6, Dell)"),
    ),
    "dgx_h100": (
        *(
            Violation(path, pointer, "modules without Name and ChassisType (field notes §6, DGX H100)")
            for path in dgx_h100.NAMELESS
            for pointer in ("/Name", "/ChassisType")
        ),
        Violation(CHASSIS, "/Members", "a member that is not there (field notes §6, DGX H100: bogus members)"),
        Violation(dgx_h100.BOGUS_MEMBER, "", "the member that is not there"),
        Violation(
            baseboard.MANAGER, "/Id", "the HMC's own service calls its manager bmc, the host's BMC only relays it"
        ),
    ),
    "gb200": (
        Violation(baseboard.SYSTEM, "/UUID", "empty UUID (field notes §6, GB200)"),
        Violation(gb200.NICS, "/Members", "Members null (field notes §6, GB200)"),
    ),
    "multi_node": tuple(
        Violation(f"{SYSTEMS}/{name}", "/UUID", "UUIDs are empty on real boards (issue 3 §4)")
        for name, uuid in zip(multi_node.NODES, multi_node.UUIDS, strict=True)
        if not uuid
    ),
}

# Links that lead nowhere: target → reason.
BOGUS_LINKS: Mapping[str, Mapping[str, str]] = {
    "dgx_h100": {dgx_h100.BOGUS_MEMBER: "field notes §6, DGX H100: bogus members"},
}

# Serials and UUIDs that say nothing and that machines of a kind share: value → reason.
SHARED_IDENTITIES: Mapping[str, Mapping[str, str]] = {
    "asrockrack": {
        asrockrack.UNFILLED: "the board's maker left it to the integrator",
        asrockrack.EXAMPLE_UUID: "AMI's example UUID, the same on every board",
    },
    "gb200": {"": "empty UUID of the baseboard (field notes §6)"},
    "multi_node": dict.fromkeys(multi_node.UUIDS, "empty or equal UUIDs (issue 3 §4)"),
}

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a BMC tells of a machine, by subset, for people and playbooks. Nothing is changed.

A subset that the platform does not have is None; what could not be read of it is a warning of the session.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .._core.errors import BadInput
from .access import ChosenSystem, Session
from .boot_evidence import booted_at
from .chassis import chassis_of
from .document import Document, health_word, items, part, state, text
from .drives import drives_of
from .host_record import BmcView, MachineView, power_state, server_record
from .info_boot import boot_info, media_info
from .info_parts import accounts_info, firmware_info, memory_info, processors_info
from .info_readings import logs_info, sensors_info
from .managers import bmc_macs, manager_of
from .nics import nics_of
from .platforms.index import refined
from .power import offered_resets
from .processors import processors_of
from .security import secure_boot_of, tpm_of
from .systems import machines_of

Info = Dict[str, Any]

# hearth_server's keys that tell who a machine is; the others have subsets of their own.
_WHO = (
    "kind",
    "manufacturer",
    "model",
    "serial",
    "chassis_serial",
    "service_tag",
    "uuid",
    "sku",
    "part_number",
    "asset_tag",
    "hostname",
    "bios_version",
    "location",
)


def read_info(session: Session, subsets: Sequence[str]) -> Info:
    """The subsets asked for, each under its name."""
    unknown = [name for name in subsets if name not in SUBSETS]
    if unknown:
        raise BadInput("unknown subset", expected=", ".join(SUBSETS), found=", ".join(unknown), where="subset")
    reading = Reading(session)
    return {name: _READERS[name](reading) for name in SUBSETS if name in subsets}


class Reading:
    """The documents that several subsets need, each read when the first one asks for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.client = session.client
        self.root = session.root
        self.system: ChosenSystem = session.system()
        self._chassis: Optional[Document] = None
        self._chassis_read = False
        self._manager: Optional[Document] = None
        self._manager_read = False

    @property
    def chassis(self) -> Optional[Document]:
        if not self._chassis_read:
            self._chassis_read = True
            found = chassis_of(self.client, self.root, self.system.document, self.system.path)
            self._chassis = found[1] if found else None
        return self._chassis

    @property
    def baseboards(self) -> List[Document]:
        """The GPU baseboards that belong to this host and are listed as systems beside it."""
        machines = machines_of(self.client, self.root) or []
        own = self.system.path.rstrip("/")
        return [board for one in machines if one.path.rstrip("/") == own for board in one.baseboards]

    @property
    def manager(self) -> Optional[Document]:
        if not self._manager_read:
            self._manager_read = True
            found = manager_of(self.client, self.root, self.system.document, self.system.path)
            if found:
                self._manager = found[1]
                self.client.platform = refined(self.client.platform, "manager", found[1])
        return self._manager


def _system(reading: Reading) -> Info:
    access = reading.session.access
    bmc = BmcView(access.endpoint, access.trust, reading.client.platform, reading.root, systems=1)
    machine = MachineView(
        reading.system.path, dict(reading.system.document), chassis=dict(reading.chassis) if reading.chassis else None
    )
    record = server_record(bmc, machine, datetime.now(timezone.utc))
    return {"id": reading.system.id, "path": reading.system.path, **{key: record[key] for key in _WHO}}


def _power(reading: Reading) -> Info:
    document = reading.system.document
    booted = booted_at(document)
    can_reset = bool(part(document, "Actions", "#ComputerSystem.Reset"))
    return {
        "state": power_state(document.get("PowerState")),
        "resets": offered_resets(reading.session, reading.system) if can_reset else None,
        "restore_policy": text(document.get("PowerRestorePolicy")),
        "boot_progress": text(part(document, "BootProgress").get("LastState")),
        "booted_at": booted.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if booted else None,
    }


def _health(reading: Reading) -> Info:
    document = reading.system.document
    status = part(document, "Status")
    return {
        "health": health_word(status.get("Health")),
        "rollup": health_word(status.get("HealthRollup")),
        "state": text(state(document)),
        "processors": health_word(part(document, "ProcessorSummary", "Status").get("HealthRollup"))
        or health_word(part(document, "ProcessorSummary", "Status").get("Health")),
        "memory": health_word(part(document, "MemorySummary", "Status").get("HealthRollup"))
        or health_word(part(document, "MemorySummary", "Status").get("Health")),
        "chassis": health_word(part(reading.chassis, "Status").get("Health")),
        "conditions": [
            {"message": text(entry.get("Message"), 512), "severity": health_word(entry.get("Severity"))}
            for entry in items(status.get("Conditions"))
            if isinstance(entry, dict)
        ],
    }


def _gpus(reading: Reading) -> Info:
    gpus = processors_of(
        reading.client, [reading.system.document, *reading.baseboards], reading.chassis, each=True
    ).gpus
    return {"count": gpus.count, "model": gpus.model, "devices": gpus.devices}


def _bmc(reading: Reading) -> Optional[Info]:
    manager = reading.manager
    if manager is None:
        return None
    return {
        "platform": reading.client.platform.name,
        "redfish_version": text(reading.root.get("RedfishVersion"), 32),
        "model": text(manager.get("Model")),
        "firmware": text(manager.get("FirmwareVersion")),
        "health": health_word(part(manager, "Status").get("Health")),
        "time": text(manager.get("DateTime"), 64),
        "macs": bmc_macs(reading.client, manager),
    }


def _security(reading: Reading) -> Info:
    system = reading.system.document
    return {
        "secure_boot": secure_boot_of(reading.client, system),
        "tpm": tpm_of(reading.client, system, reading.chassis, each=True),
    }


_READERS: Mapping[str, Callable[[Reading], Any]] = {
    "system": _system,
    "power": _power,
    "health": _health,
    "bmc": _bmc,
    "security": _security,
    "processors": lambda reading: processors_info(reading.client, reading.system.document),
    "gpus": _gpus,
    "memory": lambda reading: memory_info(reading.client, reading.system.document),
    "nics": lambda reading: nics_of(reading.client, reading.system.document, reading.chassis),
    "drives": lambda reading: drives_of(reading.client, reading.system.document),
    "firmware": lambda reading: firmware_info(reading.client, reading.root),
    "boot": lambda reading: boot_info(reading.session, reading.system),
    "media": lambda reading: media_info(reading.client, reading.system.document, reading.manager),
    "sensors": lambda reading: sensors_info(reading.client, reading.chassis),
    "logs": lambda reading: logs_info(reading.client, reading.system.document, reading.manager),
    "accounts": lambda reading: accounts_info(reading.client, reading.root),
}
SUBSETS: List[str] = list(_READERS)
DEFAULT_SUBSETS = ("system", "power", "health")

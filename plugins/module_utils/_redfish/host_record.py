# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two variables of a discovered host, ``hearth_bmc`` and ``hearth_server``: JSON only, every string cleaned.

None means: not read at this level, not offered, or nothing that says anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

from .._core.endpoint import Endpoint
from .._core.errors import HearthError
from .._core.hostile import clean
from .._core.identity import label, mac, serial, uuid
from .._core.trust import Peer, Trust
from .chassis import is_part
from .document import first_text, health_word, last_segment, number, part, text, word
from .location import location_of
from .login import sessions_of
from .platforms.index import at_path
from .platforms.record import Platform
from .processors import Processors, cpu_facts

Record = Dict[str, Any]
Document = Mapping[str, Any]

_POWER = {
    "on": "on",
    "off": "off",
    "poweringon": "powering_on",
    "poweringoff": "powering_off",
    "paused": "paused",
}
_KINDS = {"dpu": "dpu"}  # by SystemType; the others leave it to the platform's record
_WORST = ("critical", "warning", "ok")
_NOTHING: Record = {}


@dataclass
class BmcView:
    """What is known of the BMC itself, whatever the system."""

    endpoint: Endpoint
    trust: Trust
    platform: Platform
    root: Document = field(default_factory=dict)
    peer: Optional[Peer] = None
    credential: str = ""
    systems: Optional[int] = None
    macs: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)


@dataclass
class MachineView:
    """The documents that were read for one host; what was not read is None."""

    path: str = ""
    system: Document = field(default_factory=dict)
    kind: str = ""  # where it is known otherwise than by the system
    manager_path: str = ""
    manager: Optional[Document] = None
    chassis_path: str = ""
    chassis: Optional[Document] = None
    containers: List[Document] = field(default_factory=list)
    baseboards: List[Document] = field(default_factory=list)
    processors: Optional[Processors] = None
    secure_boot: Optional[Record] = None
    tpm: Optional[Record] = None
    nics: Optional[List[Record]] = None
    drives: Optional[List[Record]] = None


def bmc_record(bmc: BmcView, machine: MachineView, *, state: str = "ok", error: Optional[HearthError] = None) -> Record:
    """``hearth_bmc``: how to reach this BMC, whether it may be trusted, and what it is."""
    root, manager, peer = bmc.root, machine.manager or _NOTHING, bmc.peer
    facts = {name: at_path(root, path) for name, path in bmc.platform.root_facts}
    root_mac = mac(facts.get("mac"))
    spoke = bool(root)
    return {
        "address": bmc.endpoint.host,
        "port": bmc.endpoint.port,
        "scheme": bmc.endpoint.scheme,
        "protocol": "redfish" if spoke else "",
        "platform": bmc.platform.name if spoke else "",
        "vendor": (label(root.get("Vendor")) or bmc.platform.vendor or None) if spoke else None,
        "product": label(root.get("Product")),
        "redfish_version": text(root.get("RedfishVersion"), 32),
        "firmware": first_text(manager.get("FirmwareVersion"), facts.get("firmware")),
        "model": label(manager.get("Model")),
        "uuid": uuid(root.get("UUID")) or uuid(manager.get("UUID")),
        "mac": bmc.macs or ([root_mac] if root_mac else []),
        "sessions": clean(sessions_of(root), 512) if spoke else "",
        "system": clean(machine.path, 512),
        "system_id": system_id(machine),
        "manager": clean(machine.manager_path, 512),
        "chassis": clean(machine.chassis_path, 512),
        "systems": bmc.systems,
        "trust": bmc.trust.mode,
        "ca_path": bmc.trust.ca_path,
        "fingerprint": {
            "spki_sha256": peer.spki_sha256 if peer else "",
            "cert_sha256": peer.cert_sha256 if peer else "",
        },
        "verified": bool(peer and peer.trusted and peer.how in ("ca", "pin")),
        "credential": bmc.credential,
        "state": state,
        "error": error_record(error) if error is not None else None,
        "warnings": list(bmc.warnings),
    }


def server_record(bmc: BmcView, machine: MachineView, observed_at: datetime) -> Record:
    """``hearth_server``: what the BMC says about the machine."""
    system, chassis = machine.system, machine.chassis or _NOTHING
    whole = _NOTHING if is_part(chassis) else chassis  # a part's names are not the machine's
    board = machine.baseboards[0] if machine.baseboards else _NOTHING
    status = part(system or chassis, "Status")
    processors = machine.processors or Processors()
    cpus = cpu_facts(processors, part(system, "ProcessorSummary"))
    memory = number(part(system, "MemorySummary").get("TotalSystemMemoryGiB"))
    tag = label(at_path(bmc.root, dict(bmc.platform.root_facts).get("service_tag", "-")))
    return {
        "kind": machine.kind or _kind(system, bmc.platform),
        "manufacturer": label(system.get("Manufacturer"))
        or label(whole.get("Manufacturer"))
        or label(board.get("Manufacturer"))
        or label(chassis.get("Manufacturer")),
        "model": label(system.get("Model"))
        or label(whole.get("Model"))
        or label(board.get("Model"))
        or label(chassis.get("Model")),
        "serial": serial(system.get("SerialNumber"))
        or serial(chassis.get("SerialNumber"))
        or serial(board.get("SerialNumber")),
        "chassis_serial": serial(whole.get("SerialNumber")),
        "service_tag": tag if bmc.systems == 1 else None,
        "uuid": uuid((system or chassis).get("UUID")),
        "sku": label(system.get("SKU")) or label(whole.get("SKU")),
        "part_number": label(system.get("PartNumber")) or label(whole.get("PartNumber")),
        "asset_tag": label(system.get("AssetTag")) or label(whole.get("AssetTag")),
        "hostname": label(system.get("HostName")),
        "bios_version": text(system.get("BiosVersion")),
        "health": worst_health(status.get("Health"), status.get("HealthRollup")),
        "power_state": power_state(system.get("PowerState") if system else chassis.get("PowerState")),
        "observed_at": observed_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpus": cpus.count,
        "cpu_model": cpus.model,
        "cores": cpus.cores,
        "memory_gib": memory if memory else None,
        "gpus": _gpus(processors),
        "nics": machine.nics,
        "drives": machine.drives,
        "tpm": machine.tpm,
        "secure_boot": machine.secure_boot,
        "location": location_of(system, chassis, *machine.containers),
    }


def error_record(error: HearthError) -> Record:
    """The error as JSON; what a peer put into it is cleaned."""
    return {key: clean(value, 512) for key, value in error.as_dict().items()}


def system_id(machine: MachineView) -> str:
    """The Id that the system gives itself, else the last segment of its path; "" for what is no system."""
    if not machine.path:
        return ""
    return text(machine.system.get("Id"), 128) or clean(last_segment(machine.path), 128)


def power_state(value: Any) -> Optional[str]:
    return _POWER.get(word(value))


def worst_health(*values: Any) -> Optional[str]:
    """The worst of several health words: a machine is as healthy as its sickest part."""
    words = {health_word(value) for value in values}
    return next((word for word in _WORST if word in words), None)


def _kind(system: Document, platform: Platform) -> str:
    return _KINDS.get(word(system.get("SystemType")), "") or platform.system_kind or "server"


def _gpus(processors: Processors) -> Record:
    gpus = processors.gpus
    record: Record = {"count": gpus.count, "model": gpus.model}
    if gpus.devices is not None:
        record["devices"] = gpus.devices
    return record

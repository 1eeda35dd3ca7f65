# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processors and GPUs of a system: how many of which model.

Redfish knows a GPU as a Processor of type GPU; some platforms list it elsewhere (``gpu_places`` of their record). With
``each`` unset, only as many documents are read as the question takes: processors whose ids, or whose number, say that
they are CPUs stay unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .._core.identity import label, serial
from .client import RedfishClient
from .document import absent, count, first_text, health_word, items, last_segment, link, links, part, text, word

_MOST = 128  # GPUs that are looked at in one machine
_NO_GPU = re.compile(r"NV ?Switch|Baseboard|\bHGX\b|Retimer", re.IGNORECASE)  # listed among GPUs by some device lists

Document = Dict[str, Any]


@dataclass
class Gpus:
    """``count`` is None where it could not be learned. ``devices`` is filled when each was asked for."""

    count: Optional[int] = None
    model: Optional[str] = None
    devices: Optional[List[Dict[str, Optional[str]]]] = None


@dataclass
class Processors:
    """CPUs as far as their own documents were read; GPUs by whatever place has them.

    ``listed``: how many processors, of all kinds, the host's own collection has; None: it was not read. ``complete``:
    each of them was read.
    """

    gpus: Gpus = field(default_factory=Gpus)
    cpus: List[Document] = field(default_factory=list)
    listed: Optional[int] = None
    complete: bool = False
    gpus_among_them: int = 0


def processors_of(
    client: RedfishClient,
    systems: Sequence[Mapping[str, Any]],
    chassis: Optional[Mapping[str, Any]],
    *,
    each: bool,
) -> Processors:
    """What ``systems`` (a host, and the baseboards that belong to it) compute with."""
    found = Processors()
    unread: List[str] = []  # named like GPUs and not readable: they are there, and count
    documents: List[Document] = []
    answered, incomplete = False, False  # whether a place could be asked, and whether one that has GPUs could not
    if each and client.platform.gpu_places[0] != "processors":
        listed = _in_processors(client, systems[0], chassis, each)  # for the CPUs
        if listed is not None:
            _own_cpus(found, listed, 0)
    for place in client.platform.gpu_places:
        for system in systems:
            listed = _PLACES[place](client, system, chassis, each)
            if listed is None:
                # A baseboard that can't be asked (asleep, 503) has GPUs: no number is better than one without them.
                incomplete = incomplete or (place == "processors" and system is not systems[0])
                continue
            answered = True
            gpus = [document for document in listed.documents if _is_gpu(client, document, place)]
            documents.extend(gpus)
            unread.extend(listed.unread)
            if place == "processors" and system is systems[0]:
                _own_cpus(found, listed, len(gpus))
        if documents or unread or (answered and place in _EXHAUSTIVE):
            break
    if answered:
        found.gpus = _summary(client, documents, unread, each)
    if incomplete:
        found.gpus.count = None
    return found


@dataclass
class _Listed:
    documents: List[Document]
    unread: List[str]
    total: int = 0  # members of the collection, read or not


def _own_cpus(found: Processors, listed: _Listed, gpus: int) -> None:
    found.cpus = [document for document in listed.documents if word(document.get("ProcessorType")) == "cpu"]
    found.listed = listed.total
    found.complete = len(listed.documents) == listed.total
    found.gpus_among_them = gpus


def _in_processors(
    client: RedfishClient, system: Mapping[str, Any], unused: Optional[Mapping[str, Any]], each: bool
) -> Optional[_Listed]:
    path = link(system.get("Processors"))
    if not path:
        return None
    expanded = client.expanded(path)
    if expanded:
        return _Listed(expanded, [], len(expanded))
    page = client.try_get(path, "processors")
    if page is None:
        return None
    uris = client.member_links(path, "processors")
    if not uris:
        return None  # a machine without any processor has not been looked at since its BMC started
    listed = _read(client, uris if each else _worth_reading(client, uris, system))
    listed.total = len(uris)
    return listed


def _worth_reading(client: RedfishClient, uris: List[str], system: Mapping[str, Any]) -> List[str]:
    """The processors that may be GPUs. None of them if the summary counts as many CPUs as there are members."""
    looks_like_gpu = re.compile(client.platform.gpu_id, re.IGNORECASE)
    surely_none = re.compile(client.platform.no_gpu_id, re.IGNORECASE)
    doubtful = [uri for uri in uris if not surely_none.search(last_segment(uri))]
    if len(uris) == count(part(system, "ProcessorSummary").get("Count")):
        return [uri for uri in doubtful if looks_like_gpu.search(last_segment(uri))]
    return doubtful


def _in_pcie_devices(
    client: RedfishClient, system: Mapping[str, Any], chassis: Optional[Mapping[str, Any]], unused: bool
) -> Optional[_Listed]:
    """PCIe devices whose ids say GPU: of the chassis, or those that the system lists."""
    path = link((chassis or {}).get("PCIeDevices")) or link(system.get("PCIeDevices"))
    if path:
        if client.try_get(path, "PCIe devices") is None:
            return None
        uris = client.member_links(path, "PCIe devices")
    else:
        uris = links(system.get("PCIeDevices"))
        if not items(system.get("PCIeDevices")):
            return None
    looks_like_gpu = re.compile(client.platform.gpu_id, re.IGNORECASE)
    return _read(client, [uri for uri in uris if looks_like_gpu.search(last_segment(uri))])


def _in_chassis_devices(
    client: RedfishClient, unused: Mapping[str, Any], chassis: Optional[Mapping[str, Any]], each: bool
) -> Optional[_Listed]:
    """HPE's device list: Chassis Oem.Hpe.Devices or Oem.Hpe.Links.Devices, each with a DeviceType."""
    hpe = part(chassis or {}, "Oem", "Hpe") or part(chassis or {}, "Oem", "Hp")
    path = link(hpe.get("Devices")) or link(part(hpe, "Links").get("Devices"))
    return _Listed(list(client.members(path, "devices")), []) if path else None


_EXHAUSTIVE = frozenset(("chassis_devices",))  # places that list every device: no GPU there is no GPU at all

_Place = Callable[[RedfishClient, Mapping[str, Any], Optional[Mapping[str, Any]], bool], Optional[_Listed]]
_PLACES: Dict[str, _Place] = {
    "processors": _in_processors,
    "pcie_devices": _in_pcie_devices,
    "chassis_devices": _in_chassis_devices,
}


def _read(client: RedfishClient, uris: Sequence[str]) -> _Listed:
    looks_like_gpu = re.compile(client.platform.gpu_id, re.IGNORECASE)
    listed = _Listed([], [])
    for uri in uris[:_MOST]:
        document = client.try_get(uri, "processor or GPU")
        if document is not None:
            listed.documents.append(document)
        elif not client.is_missing(uri) and looks_like_gpu.search(last_segment(uri)):
            listed.unread.append(uri)
    return listed


def _is_gpu(client: RedfishClient, document: Mapping[str, Any], place: str) -> bool:
    if absent(document):
        return False
    if place == "pcie_devices":
        return True
    if place == "chassis_devices":
        named = f"{word(document.get('Name'))} {word(document.get('Location'))}"
        return word(document.get("DeviceType")) == "gpu" and not _NO_GPU.search(named)
    kind = word(document.get("ProcessorType"))
    return kind == "gpu" if kind else bool(re.search(client.platform.gpu_id, word(document.get("Id")), re.IGNORECASE))


def _summary(client: RedfishClient, documents: List[Document], unread: List[str], each: bool) -> Gpus:
    models = [model for model in (_model(document) for document in documents) if model]
    if documents and not models:
        # Lenovo's GPUs name their model only as a PCIe device: one more request tells it for all.
        device = client.try_get(link(part(documents[0], "Links").get("PCIeDevice")), "GPU's PCIe device")
        models = [first_text(device.get("Model"), device.get("Name")) or ""] if device else []
    kinds = sorted(set(filter(None, models)), key=lambda model: (-models.count(model), model))
    gpus = Gpus(count=len(documents) + len(unread), model=text(", ".join(kinds)) if kinds else None)
    if each:
        gpus.devices = [_device(document) for document in documents]
    return gpus


def _model(document: Mapping[str, Any]) -> Optional[str]:
    model = label(document.get("Model"))
    if model is None and "DeviceType" in document:
        model = label(document.get("Name"))  # HPE's devices carry the model in Name
    return model


def _device(document: Mapping[str, Any]) -> Dict[str, Optional[str]]:
    return {
        "id": text(document.get("Id")) or text(last_segment(link(document))),
        "model": _model(document),
        "manufacturer": label(document.get("Manufacturer")),
        "serial": serial(document.get("SerialNumber")),
        "part_number": label(document.get("PartNumber")),
        "firmware": text(document.get("FirmwareVersion")),
        "health": health_word(part(document, "Status").get("Health")),
    }


@dataclass
class CpuFacts:
    count: Optional[int] = None
    model: Optional[str] = None
    cores: Optional[int] = None


def cpu_facts(processors: Processors, summary: Mapping[str, Any]) -> CpuFacts:
    """Number, model and cores of the CPUs: by their own documents, where all were read, else by ProcessorSummary."""
    summed = count(summary.get("Count"))
    present = [document for document in processors.cpus if not absent(document)]
    model = next((found for found in (label(document.get("Model")) for document in present) if found), None)
    facts = CpuFacts(summed, model or label(summary.get("Model")), count(summary.get("CoreCount")))
    if processors.complete and present:
        facts.count = len(present)
        if facts.cores is None:
            facts.cores = sum(count(document.get("TotalCores")) or 0 for document in present) or None
    elif summed and summed == processors.listed and processors.gpus_among_them < summed:
        facts.count = summed - processors.gpus_among_them  # HPE's Cray EX counts the GPUs, too
    return facts

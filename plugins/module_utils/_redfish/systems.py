# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machines stand behind a BMC: its systems, each a host, except the GPU baseboards that belong to one.

None is lost: a system that is listed and can't be read is a host without details; only what the BMC says does not
exist (404 beside others that do) is left out, with a warning.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

from .._core.errors import AccessDenied, AuthenticationFailed, HearthError, NotFound, Unreachable
from .client import FATAL, ROOT, RedfishClient
from .document import absent, last_segment, link, word
from .host_record import MachineView, system_id
from .platforms.index import refined

_MOST = 64  # systems behind one BMC; the fullest enclosure that we know of has 16


def machines_of(client: RedfishClient, root: Mapping[str, Any]) -> Optional[List[MachineView]]:
    """The hosts behind the BMC, baseboards attached to theirs.

    Empty: none is known, with a warning that says why. None: it is no BMC of systems at all (there is no Systems
    collection). Sets the client's platform to what the systems' own documents tell. Raises Unreachable,
    AuthenticationFailed or AccessDenied when the collection can't be read for that reason: then nothing can.
    """
    path = link(root.get("Systems"))
    if not path:
        # Firmware forgets the navigation property (field notes §6, DGX H100): the specification's own path decides.
        path = f"{ROOT}Systems"
        try:
            client.get(path)
        except NotFound:
            return None
        except FATAL:
            raise
        except HearthError:
            return None
        client.warn("the service root does not link to Systems, and they are there")
    expanded = client.expanded(path)
    if expanded is not None:
        uris = [link(document) for document in expanded if link(document)]
    else:
        try:
            client.get(path)
        except (*FATAL, Unreachable, AuthenticationFailed, AccessDenied):
            raise
        except NotFound:
            return None
        except HearthError as error:
            client.note(error, "systems")
            return []
        uris = client.member_links(path, "systems")
    if not uris:
        client.warn("the BMC lists no systems now: one that was reset lists them again after 90 to 200 seconds")
    return _sorted_out(client, _read(client, list({uri.rstrip("/"): uri for uri in uris}.values())))


def _read(client: RedfishClient, uris: List[str]) -> List[MachineView]:
    if len(uris) > _MOST:
        client.warn(f"{len(uris)} systems behind one BMC; the first {_MOST} are read")
    machines, ghosts = [], []
    for uri in uris[:_MOST]:
        try:
            document: Dict[str, Any] = client.get(uri)
        except NotFound:
            if len(uris) > 1:
                ghosts.append(uri)
                continue
            client.warn("the only system that is listed does not exist; the BMC may still be starting")
            document = {}
        except FATAL:
            raise
        except HearthError as error:
            client.note(error, f"system {last_segment(uri)[:64]}")
            document = {}
        else:
            if not is_system(document):
                client.warn(f"system {last_segment(uri)[:64]} is listed and is something else")
                continue
            client.platform = refined(client.platform, "system", document)
        if absent(document) and len(uris) > 1:
            client.warn(f"system {last_segment(uri)[:64]} is absent: an empty slot")
            continue
        machines.append(MachineView(path=uri, system=document))
    known = re.compile(client.platform.bogus_members or r"(?!)")  # by now the systems have told the platform
    for uri in ghosts:
        if not known.search(uri):
            client.warn(f"system {last_segment(uri)[:64]} is listed and does not exist")
    return machines


def is_system(document: Mapping[str, Any]) -> bool:
    """Whether a member of Systems is a system: links of a broken or hostile BMC lead to its collections again."""
    said = word(document.get("@odata.type"))
    return "Members" not in document and (not said or said.lstrip("#").startswith("computersystem."))


def _sorted_out(client: RedfishClient, machines: List[MachineView]) -> List[MachineView]:
    """Hosts, with the baseboards among the systems attached to theirs, whatever the order in which they are listed."""
    pattern = re.compile(client.platform.baseboard)
    boards = [machine for machine in machines if pattern.search(system_id(machine))]
    hosts = [machine for machine in machines if machine not in boards]
    if not hosts:
        for board in boards:
            board.kind = "baseboard"
        return boards
    for board in boards:
        owner = _owner(board, hosts)
        # the path keeps an unread one (503 while the host is off) recognisable
        owner.baseboards.append(board.system or {"@odata.id": board.path})
    return hosts


def _owner(board: MachineView, hosts: List[MachineView]) -> MachineView:
    """The host with the number of the baseboard, else the first that is no DPU."""
    servers = [host for host in hosts if host.system.get("SystemType") != "DPU"] or hosts
    number = re.search(r"\d+$", system_id(board))
    same = [host for host in servers if number and system_id(host).endswith(f"_{number.group()}")]
    return (same or servers)[0]

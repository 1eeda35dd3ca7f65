# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One BMC, from its address to the records of its hosts.

connect → anonymous service root → platform → (trusted?) login → details → records → logout.

What each level reads, and the requests that it takes for a BMC with one system that links to its manager and chassis
(``+`` where only some have it). Tested against a server that counts: tests/unit/…/_redfish/test_request_counts.py.

======== ======================================================== =====================================================
level    reads                                                    requests
======== ======================================================== =====================================================
minimal  root, login, Systems, each system, logout                5; 4 where $expand works; one less with Basic
standard minimal + manager, chassis, Secure Boot, Processors      9; 8 where $expand works; besides, where there is such
                                                                  + 1 for each GPU and each processor whose Id does not
                                                                  say what it is (none where $expand works);
                                                                  + 1 for an enclosure around a chassis without a rack;
                                                                  + 2 for a GPU baseboard; + 1 where the platform lists
                                                                  GPUs in a second place (Supermicro, iLO 6)
full     standard + each processor, NICs, storage and drives      standard + 1 for each processor, + 1 + 1 for each
                                                                  NIC, + 1 + 1 for each storage unit + 1 for each
                                                                  drive; where $expand works only + 1 + 1 + 1 for each
                                                                  drive
======== ======================================================== =====================================================

``read_bmc_macs`` adds 1 + the BMC's network interfaces, unless the root tells the MAC (Dell).

A further system behind the same BMC costs only what is its own: a document is read once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Tuple

from .._core.deadline import Deadline
from .._core.endpoint import Endpoint
from .._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadInput,
    CertificateUnverified,
    ConnectionRefused,
    CredentialWithheld,
    HearthError,
    PinMismatch,
)
from .._core.limits import Limits
from .._core.transport import Transport
from .._core.trust import Trust
from .chassis import chassis_of, containers_of
from .client import ROOT, RedfishClient
from .credential import Credential
from .drives import drives_of
from .equipment import equipment_of
from .host_record import BmcView, MachineView, Record, bmc_record, server_record
from .location import location_of
from .managers import bmc_macs, manager_of
from .nics import nics_of
from .platforms.generic import GENERIC
from .platforms.index import platform_of, refined
from .processors import processors_of
from .security import secure_boot_of, tpm_of
from .service_root import no_redfish, root_digest, service_root
from .systems import machines_of
from .untrusted import untrusted

DETAILS = ("minimal", "standard", "full")


class Beat(Protocol):
    """What fan_out hands to its work: says that bytes have arrived."""

    def beat(self) -> None: ...


@dataclass(frozen=True)
class DiscoveryRequest:
    """One BMC to look at. ``connect_timeout`` and ``deadline`` (for all of it) in seconds."""

    endpoint: Endpoint
    trust: Trust
    credentials: Tuple[Credential, ...] = ()
    details: str = "standard"
    connect_timeout: float = 5.0
    deadline: float = 60.0
    plain_http_login: bool = False
    previous_root: str = ""
    read_bmc_macs: bool = False
    remembered: str = ""
    run_directory: Optional[str] = None


@dataclass
class DiscoveryOutcome:
    """What came of it; never an exception. The fields of a host are those of host_record.py.

    ``group``: "" or the group of hosts that could not be read (bmc_unreachable, bmc_unauthorized, bmc_unpinned).
    ``refused``: nobody listens there, or no answer to the TCP connect. ``answered``: some bytes of HTTP came back.
    ``unchanged``: the anonymous root is the one of ``previous_root``, and nothing else was read.
    """

    endpoint: Endpoint
    group: str = ""
    hosts: List[Record] = field(default_factory=list)
    error: Optional[Dict[str, str]] = None
    credential: str = ""
    root_digest: str = ""
    unchanged: bool = False
    counters: Dict[str, int] = field(default_factory=dict)
    is_redfish: bool = False
    refused: bool = False
    answered: bool = False


def discover(
    request: DiscoveryRequest,
    *,
    progress: Optional[Beat] = None,
    cancelled: Optional[threading.Event] = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> DiscoveryOutcome:
    """Look at one BMC. Whatever it does, and an interruption, too, is in the outcome; only BadInput is raised."""
    if request.details not in DETAILS:
        raise BadInput("unknown details", expected=", ".join(DETAILS), found=request.details)
    return _Discovery(request, progress, cancelled, clock, now).run()


class _Discovery:
    """The steps of one discovery, each of which may be the last."""

    def __init__(
        self,
        request: DiscoveryRequest,
        progress: Optional[Beat],
        cancelled: Optional[threading.Event],
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.request = request
        self.progress = progress
        self.cancelled = cancelled
        self.clock = clock
        self.now = now
        self.deadline = Deadline.after(request.deadline, clock)
        self.outcome = DiscoveryOutcome(request.endpoint)
        self.bmc = BmcView(request.endpoint, request.trust, GENERIC)
        self.counters: Dict[str, int] = {"requests": 0, "handshakes": 0, "logins": 0}

    def run(self) -> DiscoveryOutcome:
        transport = self._transport(self._effective_trust())
        try:
            self._look(transport)
        except (CertificateUnverified, PinMismatch, CredentialWithheld) as error:
            self._second_look(error)
        except HearthError as error:
            self._give_up("bmc_unreachable", "unreachable", error)
        finally:
            transport.close()
            self._count(transport)
        self.outcome.refused = bool(
            self.outcome.error
            and not self.outcome.answered
            and (self.outcome.error["type"] == ConnectionRefused.__name__ or not transport.counters.connects)
        )
        self.outcome.counters = self.counters
        return self.outcome

    # Steps

    def _look(self, transport: Transport) -> None:
        self.bmc.peer = transport.connect()
        root = self._root(transport)
        if root is None:
            return
        if not self.bmc.peer.trusted:
            error = untrusted(self.request.endpoint, self.request.trust, self.bmc.peer)
            self._give_up("bmc_unpinned", "unpinned", error)
            return
        if self.request.previous_root and self.request.previous_root == self.outcome.root_digest:
            self.outcome.unchanged = True
            return
        with RedfishClient(
            transport, self.bmc.platform, run_directory=self.request.run_directory, cancelled=self.cancelled
        ) as client:
            try:
                self._log_in_and_read(client, root)
            finally:
                self.counters["logins"] += client.logins
        for host in self.outcome.hosts:  # closing may have had a word, too
            host["hearth_bmc"]["warnings"] = list(client.warnings)

    def _second_look(self, error: HearthError) -> None:
        """What the anonymous root of a peer that failed verification tells, and its key. No credential is used here."""
        transport = self._transport(Trust("anonymous"))
        try:
            self.bmc.peer = transport.connect()
            if self._root(transport) is not None:
                self._give_up("bmc_unpinned", "unpinned", error)
        except HearthError:
            self._give_up("bmc_unpinned", "unpinned", error)
        finally:
            transport.close()
            self._count(transport)

    def _root(self, transport: Transport) -> Optional[Dict[str, Any]]:
        """The anonymous root; None, with the reason in the outcome, where the peer speaks no Redfish."""
        answer = transport.request("GET", ROOT, anonymous=True)
        self.outcome.answered = True
        root = service_root(answer)
        if root is None:
            self._give_up("bmc_unreachable", "unreachable", no_redfish(answer, self.request.endpoint))
            return None
        self.outcome.is_redfish = True
        self.outcome.root_digest = root_digest(root, answer)
        self.bmc.root = root
        self.bmc.platform = platform_of(root, answer.headers.get("Server")[:256])
        return root

    def _log_in_and_read(self, client: RedfishClient, root: Dict[str, Any]) -> None:
        try:
            credential = client.login(self.request.credentials, remembered=self.request.remembered, root=root)
        except (AuthenticationFailed, AccessDenied) as error:
            self._give_up("bmc_unauthorized", "unauthorized", error)
            return
        if "RedfishVersion" not in root:  # it was not to be read without a login
            root = self.bmc.root = client.try_get(ROOT, "service root") or root
            client.platform = platform_of(root)
        self.outcome.credential = self.bmc.credential = credential.name
        try:
            machines = self._machines(client, root)
        except (AuthenticationFailed, AccessDenied) as error:
            self._give_up("bmc_unauthorized", "unauthorized", error)
            return
        observed_at = self.now()
        self.bmc.platform = client.platform
        self.bmc.warnings = client.warnings
        for machine in machines:
            self.outcome.hosts.append(
                {
                    "system_id": "",
                    "hearth_bmc": bmc_record(self.bmc, machine),
                    "hearth_server": server_record(self.bmc, machine, observed_at),
                }
            )
            self.outcome.hosts[-1]["system_id"] = self.outcome.hosts[-1]["hearth_bmc"]["system_id"]

    # Details

    def _machines(self, client: RedfishClient, root: Mapping[str, Any]) -> List[MachineView]:
        machines = machines_of(client, root)
        if not machines:
            self.bmc.systems = 0
            return [equipment_of(client, root, has_systems=machines is not None)]
        self.bmc.systems = len(machines)
        if self.request.details != "minimal":
            for machine in machines:
                self._standard(client, root, machine)
        if self.request.details == "full":
            for machine in machines:
                machine.nics = nics_of(client, machine.system, machine.chassis)
                machine.drives = drives_of(client, machine.system)
        if self.request.read_bmc_macs:
            self._read_macs(client, root, machines)
        return machines

    def _standard(self, client: RedfishClient, root: Mapping[str, Any], machine: MachineView) -> None:
        each = self.request.details == "full"
        manager = manager_of(client, root, machine.system, machine.path)
        if manager:
            machine.manager_path, machine.manager = manager
            client.platform = refined(client.platform, "manager", machine.manager)
        chassis = chassis_of(client, root, machine.system, machine.path)
        if chassis:
            machine.chassis_path, machine.chassis = chassis
            located = location_of(machine.system, machine.chassis)
            if not located or not located["rack"]:
                machine.containers = list(containers_of(client, machine.chassis))
        machine.secure_boot = secure_boot_of(client, machine.system)
        machine.tpm = tpm_of(client, machine.system, machine.chassis, each=each)
        machine.processors = processors_of(client, [machine.system, *machine.baseboards], machine.chassis, each=each)

    def _read_macs(self, client: RedfishClient, root: Mapping[str, Any], machines: List[MachineView]) -> None:
        if any(name == "mac" for name, unused in client.platform.root_facts):
            return  # the record takes it from the root
        for machine in machines:
            if machine.manager is None:
                manager = manager_of(client, root, machine.system, machine.path)
                if manager:
                    machine.manager_path, machine.manager = manager
            if machine.manager is not None:
                self.bmc.macs.extend(
                    address for address in bmc_macs(client, machine.manager) if address not in self.bmc.macs
                )

    # Endings

    def _give_up(self, group: str, state: str, error: HearthError) -> None:
        """One host that says why there is no more of it."""
        self.outcome.group = group
        record = bmc_record(self.bmc, MachineView(), state=state, error=error)
        self.outcome.error = record["error"]
        self.outcome.hosts = [{"system_id": "", "hearth_bmc": record}]

    # Means

    def _effective_trust(self) -> Trust:
        """Over plain HTTP nothing can be verified: trusted only where the user wrote so."""
        request = self.request
        if request.endpoint.scheme == "http" and request.trust.mode != "anonymous" and request.plain_http_login:
            return Trust("off")
        return request.trust

    def _transport(self, trust: Trust) -> Transport:
        return Transport(
            self.request.endpoint,
            trust,
            deadline=self.deadline,
            limits=Limits(connect_timeout=self.request.connect_timeout),
            on_progress=self.progress.beat if self.progress is not None else None,
            cancelled=self.cancelled,
            clock=self.clock,
            now=self.now,
        )

    def _count(self, transport: Transport) -> None:
        self.counters["requests"] += transport.counters.requests
        self.counters["handshakes"] += transport.counters.handshakes

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to one BMC for one task: its turn, the login, the system that is meant, sushy, and the logout at the end.

``opened`` is the way in for every module that acts on a BMC. What it gives is closed whatever happens: the session is
deleted after an error and after an interruption, too.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Type

from .._core.deadline import Deadline
from .._core.endpoint import Endpoint
from .._core.errors import (
    AuthenticationFailed,
    BadInput,
    Busy,
    Cancelled,
    ConnectionLost,
    HearthError,
    NotFound,
    ProtocolViolation,
    Unsupported,
)
from .._core.expected import NO_EXPECTATION, Claim, Identity, refuse_another, same_serial
from .._core.hostile import clean
from .._core.identity import label, serial, uuid
from .._core.limits import Limits
from .._core.transport import Transport
from .._core.trust import Trust
from .._core.turn import Turn, turn
from .chassis import chassis_of
from .client import ROOT, RedfishClient
from .credential import Credential
from .document import Document, last_segment
from .host_record import MachineView, system_id
from .own_sessions import delete_left_behind, note_of
from .platforms.index import at_path, platform_named, platform_of
from .platforms.record import Platform
from .service_root import no_redfish, service_root
from .sushy_connector import SUSHY_ERRORS, service_of, system_of, typed_error
from .systems import is_system, machines_of
from .untrusted import untrusted

_LOGIN_PAUSE = 1.0  # seconds between two logins at a BMC whose session table is full


@dataclass(frozen=True)
class Discovered:
    """What discovery saw of this BMC, which spares the service root: as long as it shows the same key."""

    sessions: str
    """Path of the sessions' collection."""
    spki_sha256: str
    """Of the BMC's key, lower-case hex."""


@dataclass(frozen=True)
class Access:
    """How to reach one BMC, and which machine behind it is meant. Times in seconds."""

    address: str
    port: int = 443
    scheme: str = "https"
    trust: Trust = Trust("verify")
    credentials: Tuple[Credential, ...] = ()
    remembered: str = ""
    """Name of the credential that worked last time: tried first."""
    platform: str = ""
    """What discovery took it for; only a hint."""
    discovered: Optional[Discovered] = None
    system_id: str = ""
    """Id or path of the system; "" where the BMC has one only."""
    deadline: float = 60.0
    """For all of it but what ``Session.grant`` adds."""
    connect_timeout: float = 5.0
    turn_timeout: Optional[float] = None
    """How long to wait for others at the same BMC; None: as long as ``deadline``."""
    identity: Optional[Identity] = None
    lock_directory: Optional[str] = None
    """Where workers take turns (see turn.lock_directory); None: nobody else is at work there."""
    run_directory: Optional[str] = None
    """The run's own, where it remembers which credentials were refused; None: it does not."""

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.address, self.port, self.scheme)


@dataclass(frozen=True)
class ChosenSystem:
    """The system that is meant: its path and what it said when it was read."""

    path: str
    document: Document
    id: str


@dataclass
class Session:
    """A BMC that is logged in to. ``warnings`` belong into the result."""

    access: Access
    client: RedfishClient
    known_root: Optional[Document] = None
    """None until it is needed, where discovery has seen it."""
    cancelled: Optional[threading.Event] = None
    clock: Callable[[], float] = time.monotonic
    _system: Optional[ChosenSystem] = None
    _service: Any = None
    _confirmed: bool = field(default=False)
    lost_logins: List[str] = field(default_factory=list)
    """Contexts of logins that may have opened a session and were not answered."""

    @property
    def warnings(self) -> List[str]:
        return self.client.warnings

    @property
    def root(self) -> Document:
        """The service root. Errors as for reading any document."""
        if self.known_root is None:
            self.known_root = self.client.get(ROOT)
        return self.known_root

    def system(self) -> ChosenSystem:
        """The system that is meant. Several and none chosen, or none of that name: BadInput that lists them."""
        if self._system is None:
            named = self.access.system_id
            self._system = self._system_at(named) if named.startswith("/") else self._system_named(named)
        return self._system

    def confirmed_system(self) -> ChosenSystem:
        """As ``system``, for what changes the machine: IdentityMismatch where it is not the expected one.

        Without an expectation: a warning.
        """
        chosen = self.system()
        if not self._confirmed:
            if self.access.identity is None:
                self.client.warn(NO_EXPECTATION)
            else:
                refuse_another(self.access.identity, self._claim(chosen), f"{self.access.endpoint.url}{chosen.path}")
            self._confirmed = True
        return chosen

    def sushy(self) -> Any:
        """The BMC as a ``sushy.Sushy`` with this session's login. MissingLibrary where sushy is not installed.

        sushy's errors become ours when they leave ``opened``.
        """
        if self._service is None:
            self._service = service_of(self.client, self._known())
        return self._service

    def sushy_system(self) -> Any:
        """The chosen system as a ``sushy.resources.system.System``, for its own actions: it has no root.

        What has been read of it (what its actions take, too) is not read again. Errors as for ``sushy``.
        """
        chosen = self.system()
        return system_of(self.client, chosen.path, self.client.documents)

    def fresh(self, path: str) -> Dict[str, Any]:
        """The document as it is now."""
        return self.client.fresh(path)

    def grant(self, seconds: float) -> Deadline:
        """From here on a fresh deadline: for a wait that has one of its own."""
        self.client.transport.deadline = Deadline.after(seconds, self.clock)
        return self.client.transport.deadline

    def rest(self, seconds: float) -> None:
        """Wait, unless the run is interrupted: Cancelled."""
        if self.cancelled is None:
            time.sleep(seconds)
        elif self.cancelled.wait(seconds):
            raise Cancelled("interrupted", where=self.access.endpoint.url)

    # The system

    def _system_at(self, path: str) -> ChosenSystem:
        try:
            document = self.client.get(path)
        except NotFound:
            raise self._no_such_system(self._machines()) from None
        if not is_system(document):
            raise self._no_such_system(self._machines())
        return ChosenSystem(path, document, system_id(MachineView(path, document)))

    def _system_named(self, named: str) -> ChosenSystem:
        machines = self._machines()
        if named:
            chosen = [one for one in machines if named in (system_id(one), last_segment(one.path))]
        else:
            chosen = machines if len(machines) == 1 else []
        if len(chosen) != 1:
            raise self._no_such_system(machines)
        path = chosen[0].path
        # One that is listed and could not be read is worth an error of its own.
        return ChosenSystem(path, chosen[0].system or self.client.get(path), system_id(chosen[0]))

    def _machines(self) -> List[MachineView]:
        machines = machines_of(self.client, self.root) or []
        boards = [MachineView(str(board["@odata.id"]), board) for one in machines for board in one.baseboards]
        # A GPU baseboard is no host of its own; who names it means it.
        return machines + (boards if self.access.system_id else [])

    def _no_such_system(self, machines: List[MachineView]) -> BadInput:
        named, there = self.access.system_id, [clean(system_id(one)) for one in machines]
        if not there:
            return BadInput(
                "This BMC has no system that could be meant.",
                expected=f"system {named}" if named else "a system",
                found="; ".join(self.warnings) or "no systems",
                where=self.access.endpoint.url,
                next="Some BMCs list none for minutes after a restart: try again, or look at what answers there.",
            )
        return BadInput(
            f"This BMC has no system {named}." if named else "This BMC has several systems and none is chosen.",
            expected=f"system {named}" if named else "the system that is meant",
            found=", ".join(there),
            where=self.access.endpoint.url,
            next="Set system to one of them.",
        )

    def _claim(self, chosen: ChosenSystem) -> Claim:
        """What may stand on this machine's label and nobody else's (as the inventory matches the map's slots)."""
        document, expected = chosen.document, self.access.identity
        own = serial(document.get("SerialNumber"))
        serials = [own]
        tag = dict(self.client.platform.root_facts).get("service_tag", "")
        asked = expected is not None and expected.serial is not None
        # Read further only where the machine's own serial is not the expected one already.
        if asked and not same_serial(expected, own) and (tag or own is None):
            machines = machines_of(self.client, self.root) or []
            if len(machines) == 1:  # what several systems share tells none of them
                if tag:
                    serials.append(label(at_path(self.root, tag)))
                if own is None:
                    chassis = chassis_of(self.client, self.root, document, chosen.path)
                    serials.append(serial(chassis[1].get("SerialNumber")) if chassis else None)
        return Claim([one for one in serials if one], uuid(document.get("UUID")))

    def _known(self) -> Dict[str, Document]:
        known: Dict[str, Document] = {ROOT: self.root}
        if self._system is not None:
            known[self._system.path] = self._system.document
        return known


@contextmanager
def opened(
    access: Access,
    *,
    cancelled: Optional[threading.Event] = None,
    on_progress: Optional[Callable[[], None]] = None,
    clock: Callable[[], float] = time.monotonic,
    transport_type: Type[Transport] = Transport,
) -> Iterator[Session]:
    """Log in to the BMC when it is our turn, and out again at the end. Every error is a HearthError."""
    patience = access.deadline if access.turn_timeout is None else access.turn_timeout
    endpoint = access.endpoint
    with turn(access.lock_directory, endpoint.key, endpoint.url, Deadline.after(patience, clock), cancelled) as ours:
        transport = transport_type(
            access.endpoint,
            access.trust,
            deadline=Deadline.after(access.deadline, clock),
            limits=Limits(connect_timeout=access.connect_timeout),
            on_progress=on_progress,
            cancelled=cancelled,
            clock=clock,
        )
        with transport:
            root, platform = _greeted(access, transport)
            client = RedfishClient(transport, platform, run_directory=access.run_directory, cancelled=cancelled)
            session = Session(access, client, root, cancelled, clock)
            try:
                with client:
                    _log_in(session, ours)
                    try:
                        yield session
                    except SUSHY_ERRORS as error:
                        raise typed_error(error) from error
            finally:
                if client.logged_out and not session.lost_logins:  # else the next one tries to delete it
                    ours.note({})


def _greeted(access: Access, transport: Transport) -> Tuple[Optional[Document], Platform]:
    """The service root of a peer that has proved itself, and the manners of its platform.

    None for the root where the peer has the key of the BMC that discovery saw: it has told all that a login needs.
    """
    peer = transport.connect()
    if not peer.trusted:
        raise untrusted(access.endpoint, access.trust, peer)
    discovered = access.discovered
    if discovered is not None and discovered.spki_sha256 and peer.spki_sha256 == discovered.spki_sha256:
        platform = platform_named(access.platform)
        if platform.name == access.platform:
            return None, platform
    return _anonymous(access, transport)


def _anonymous(access: Access, transport: Transport) -> Tuple[Document, Platform]:
    answer = transport.request("GET", ROOT, anonymous=True)
    root = service_root(answer)
    if root is None:
        raise no_redfish(answer, access.endpoint)
    return root, platform_of(root, answer.headers.get("Server")[:256])


def _log_in(session: Session, ours: Turn) -> None:
    """Log in; a BMC whose session table is full is asked again until the deadline.

    A login whose answer was lost may have opened a session. Where the platform lets us tell it by its Context, we log
    in once more and delete it.
    """
    client, access = session.client, session.access
    note, lost = ours.leftover, session.lost_logins
    while True:
        context = token_hex(16) if client.platform.session_context else ""
        if context:  # written down before it is sent: this process may be killed before the answer
            ours.note({**note, "context": " ".join((*note.get("context", "").split(), *lost, context))})
        try:
            client.login(
                access.credentials,
                remembered=access.remembered,
                root=session.known_root,
                sessions=access.discovered.sessions if session.known_root is None and access.discovered else "",
                context=context,
            )
            break
        except (Unsupported, NotFound):
            if session.known_root is not None:
                raise
            # Not where discovery found them: what the root says now counts.
            session.known_root, client.platform = _anonymous(access, client.transport)
        except Busy as busy:
            if client.transport.deadline.remaining() <= _LOGIN_PAUSE:
                raise busy
            if isinstance(busy.__cause__, AuthenticationFailed):
                # Basic was refused in the session's place: switched off, or a wrong password, which is not sent again.
                client.platform = replace(client.platform, basic_allowed=False)
            session.rest(_LOGIN_PAUSE)
        except (ConnectionLost, ProtocolViolation) as error:
            if not context:
                error.next = f"{error.next}. A session that this login may have opened stays until it ages out."
                raise
            lost.append(context)
            if len(lost) > 1:
                raise
    if session.known_root is not None and "RedfishVersion" not in session.known_root:
        session.known_root = client.get(ROOT)  # it was not to be read without a login
        client.platform = platform_of(session.known_root)
    delete_left_behind(client, note, lost)
    if lost:
        client.warn("the answer to a login was lost; logged in once more")
        lost.clear()
    ours.note(note_of(client))


__all__ = ["Access", "ChosenSystem", "Discovered", "HearthError", "Identity", "Session", "opened"]

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The light that says which machine or which drive is meant.

Two properties: LocationIndicatorActive, which is on or off, and the older IndicatorLED, which can blink. sushy writes
the older one only, so this is a plain document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from .._core.errors import BadInput, NotFound, Unsupported, VerificationFailed
from .._core.hostile import clean
from .access import Session
from .chassis import chassis_of
from .document import Document, flag, items, last_segment, link, links, part, text, word

ACTIVE, LED = "LocationIndicatorActive", "IndicatorLED"
_WORDS = {"lit": "Lit", "off": "Off", "blinking": "Blinking"}

_SETTLE_SECONDS = 10.0
_PAUSE = 0.5
_MOST_DRIVES = 512


@dataclass(frozen=True)
class Light:
    """One resource with a light."""

    kind: str  # system | chassis | drive
    path: str
    document: Document

    @property
    def id(self) -> str:
        return text(self.document.get("Id")) or clean(last_segment(self.path))

    @property
    def properties(self) -> List[str]:
        return [name for name in (ACTIVE, LED) if name in self.document]

    @property
    def state(self) -> Optional[str]:
        """lit, off or blinking; None where the BMC does not know."""
        led = word(self.document.get(LED))
        active = flag(self.document.get(ACTIVE))
        if led in _WORDS and not (active is True and led == "off"):
            return led
        return None if active is None else "lit" if active else "off"

    def offers(self) -> List[str]:
        """The states that it can be put in."""
        if LED not in self.document:
            return ["lit", "off"] if ACTIVE in self.document else []
        said = [word(one) for one in items(self.document.get(f"{LED}@Redfish.AllowableValues"))]
        return [one for one in _WORDS if one in said] or list(_WORDS)

    def is_in(self, state: str) -> bool:
        """Whether it shows what is asked for. Lit is lit, too, where the BMC alone decides that the light blinks."""
        if state == "lit" and ACTIVE in self.document:
            return flag(self.document.get(ACTIVE)) is True
        return self.state == state

    def change(self, state: str) -> Dict[str, Any]:
        """What to write. The older property where only that can blink, else the newer where there is one."""
        if ACTIVE in self.document and state != "blinking":
            return {ACTIVE: state == "lit"}
        return {LED: _WORDS[state]}

    def shown(self, state: Optional[str] = None) -> Dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "path": clean(self.path, 512), "state": state or self.state}


def find_light(session: Session, *, chassis: str = "", drive: str = "") -> Light:
    """The light of the system, or of the chassis or drive that is named. NotFound lists what there is."""
    if drive:
        return _drive(session, drive)
    if chassis:
        return _chassis(session, chassis)
    chosen = session.confirmed_system()
    light = Light("system", chosen.path, chosen.document)
    if light.properties:
        return light
    # Boards that leave it to the chassis that they are in.
    around = chassis_of(session.client, session.root, chosen.document, chosen.path)
    inner = Light("chassis", *around) if around else light
    return inner if inner.properties else light


def refuse_unoffered(session: Session, light: Light, state: str) -> None:
    """Unsupported, with what is offered."""
    if state not in light.offers():
        raise Unsupported(
            f"The light of {light.kind} {light.id} cannot be {state}.",
            expected=state,
            found=", ".join(light.offers()) or f"neither {ACTIVE} nor {LED}",
            where=f"{session.access.endpoint.url}{light.path}",
            next=(
                "Ask for a state that is offered." if light.offers() else "Name a chassis or a drive that has a light."
            ),
        )


def set_light(session: Session, light: Light, state: str) -> Light:
    """Switch it and read it back."""
    session.client.change(light.path, light.change(state))
    until = session.client.transport.deadline.sooner(_SETTLE_SECONDS)
    while True:
        now = Light(light.kind, light.path, session.fresh(light.path))
        if now.is_in(state):
            return now
        if until.remaining() <= _PAUSE:
            break
        session.rest(_PAUSE)
    raise VerificationFailed(
        "The BMC accepted it, and the light does not show it.",
        expected=state,
        found=now.state or "unknown",
        where=f"{session.access.endpoint.url}{light.path}",
        next="Look into the BMC's log.",
    )


def _chassis(session: Session, named: str) -> Light:
    if session.access.identity is not None:
        session.confirmed_system()  # a light at the wrong machine has the wrong machine pulled
    found = []
    for document in session.client.members(link(session.root.get("Chassis")), "chassis"):
        light = Light("chassis", link(document), document)
        if named.casefold() in (light.id.casefold(), last_segment(light.path).casefold()):
            return light
        found.append(light.id)
    raise _not_there("chassis", named, found, session)


def _drive(session: Session, named: str) -> Light:
    """By Id, serial number, or the label of its bay; BadInput where several fit."""
    chosen = session.confirmed_system()
    fitting: List[Light] = []
    seen: List[str] = []
    for path in _drive_paths(session, chosen.document):
        document = session.client.try_get(path, "drive")
        if document is None:
            continue
        light = Light("drive", path, document)
        label = text(part(document, "PhysicalLocation", "PartLocation").get("ServiceLabel"))
        said = [light.id, text(document.get("SerialNumber")), label, text(document.get("Name"))]
        if named.casefold() in [one.casefold() for one in said if one]:
            fitting.append(light)
        seen.append(f"{light.id} (serial {said[1] or 'unknown'}, {label or 'no label'})")
    if len(fitting) > 1:
        raise BadInput(
            f"Several drives are called {clean(named)}.",
            expected="one drive",
            found=", ".join(clean(one.path) for one in fitting),
            where=f"{session.access.endpoint.url}{chosen.path}",
            next="Name the drive by its serial number.",
        )
    if not fitting:
        raise _not_there("drive", named, seen, session)
    return fitting[0]


def _drive_paths(session: Session, system: Document) -> List[str]:
    client = session.client
    paths: List[str] = []
    for unit in client.members(link(system.get("Storage")), "storage"):
        drives = unit.get("Drives")
        paths.extend(client.member_links(link(drives), "drives") if isinstance(drives, dict) else links(drives))
    for uri in links(part(system, "Links").get("Chassis")):
        chassis = client.try_get(uri, "chassis")
        paths.extend(links(part(chassis, "Links").get("Drives")))
    return list(dict.fromkeys(paths))[:_MOST_DRIVES]


def _not_there(what: str, named: str, there: List[str], session: Session) -> NotFound:
    return NotFound(
        f"There is no {what} {clean(named)}.",
        expected=f"{what} {clean(named)}",
        found=", ".join(there[:64]) or f"no {what}",
        where=session.access.endpoint.url,
        next=f"Name one of those that are there.{' By Id, serial number or label.' if what == 'drive' else ''}",
    )

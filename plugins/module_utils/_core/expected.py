# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the machine is the one that the operator means.

What is expected comes from the operator's map or a record, never from what a BMC said a minute ago: a machine that was
swapped says its own serial with the same conviction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .errors import BadInput, IdentityMismatch
from .identity import serial, uuid

NO_EXPECTATION = (
    "nothing says which machine this must be: give identity (serial, uuid), or serial or uuid in the map, and a machine"
    " in the wrong slot is refused"
)


@dataclass(frozen=True)
class Identity:
    """What the machine must say about itself; None: whatever. At least one of them is given."""

    serial: Optional[str] = None
    uuid: Optional[str] = None

    def __post_init__(self) -> None:
        for what, said, read in (("serial", self.serial, serial), ("uuid", self.uuid, uuid)):
            if said is not None and read(said) is None:
                raise BadInput(
                    f"the {what} that is expected of the machine tells it from no other",
                    expected=f"a {what} of one machine",
                    found=ascii(said[:120]),
                    where=f"identity.{what}",
                    next="take it from the machine's label or from its record",
                )
        if self.serial is None and self.uuid is None:
            raise BadInput("an identity that says nothing", expected="serial, uuid or both", where="identity")


@dataclass(frozen=True)
class Claim:
    """What the machine says: every serial that may stand on its label, and its UUID."""

    serials: List[str]
    uuid: Optional[str]


def refuse_another(expected: Identity, claim: Claim, where: str) -> None:
    """IdentityMismatch unless all that is expected is what the machine says; silence is no match."""
    differing: Dict[str, Any] = {}
    if expected.serial is not None and not any(same_serial(expected, one) for one in claim.serials):
        differing["serial"] = (expected.serial, " or ".join(claim.serials) or "none")
    if expected.uuid is not None and uuid(expected.uuid) != claim.uuid:
        differing["uuid"] = (expected.uuid, claim.uuid or "none")
    if differing:
        raise IdentityMismatch(
            "this is not the machine that is expected here; nothing was changed",
            expected=_listed({what: both[0] for what, both in differing.items()}),
            found=_listed({what: both[1] for what, both in differing.items()}),
            where=where,
            next="find out which machine this is, then correct the map or the task",
        )


def same_serial(expected: Optional[Identity], said: Optional[str]) -> bool:
    """Whether a serial is the expected one; machines and people differ in upper and lower case."""
    if expected is None or expected.serial is None or said is None:
        return False
    return _folded(expected.serial) == _folded(said)


def _folded(text: str) -> str:
    return text.strip().lower()


def _listed(said: Mapping[str, str]) -> str:
    return ", ".join(f"{what} {value}" for what, value in said.items())

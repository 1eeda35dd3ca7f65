# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the pins of the store to what an operator wants: read, plan, apply, verify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Optional, Sequence, Tuple

from ..errors import BadInput, PinMismatch, StoreUnavailable, VerificationFailed
from .pins import Pin
from .store import Store


@dataclass(frozen=True)
class WantedPin:
    """What one endpoint is to have."""

    address: str
    """``host:port``, see :func:`.address.store_address`."""
    key: str = ""
    """In the form of :func:`..trust.parse_pin`. For removing: remove this one only; empty: whichever it is."""
    comment: Optional[str] = None
    """None: a comment that is there stays."""
    observed: FrozenSet[str] = frozenset()
    """The forms of the key that the BMC itself has just shown; empty: nobody looked."""


@dataclass(frozen=True)
class PinPlan:
    """What is, and what has to change; nothing to write and nothing to remove: all is as wanted."""

    before: Dict[str, Pin]
    write: Tuple[WantedPin, ...] = ()
    remove: Tuple[WantedPin, ...] = ()

    @property
    def changes(self) -> bool:
        return bool(self.write or self.remove)


def plan_pins(store: Store, wanted: Sequence[WantedPin], *, replace: bool) -> PinPlan:
    """Plan to pin these keys. Everything that speaks against any of them is found before anything is written:

    BadInput: a key is missing, or two keys are wanted for one address. PinMismatch: another key is pinned already and
    ``replace`` is false, or the BMC shows another key than the wanted one.
    """
    _refuse_incomplete(wanted)
    _refuse_unobserved(wanted)
    before = store.pins(pin.address for pin in wanted)
    others = [pin for pin in wanted if pin.address in before and before[pin.address].key != pin.key]
    if others and not replace:
        raise PinMismatch(
            f"Another key is pinned already for {_list(pin.address for pin in others)}.",
            expected=_list(f"{pin.address} {before[pin.address].key}" for pin in others),
            found=_list(f"{pin.address} {pin.key}" for pin in others),
            where=store.location,
            next="A key that changed may be an attack. Find out why it did (a new board, a reset, a new certificate),"
            " check the new fingerprint at the machine itself, then pin it with replace: true.",
        )
    write = tuple(pin for pin in wanted if _differs(before.get(pin.address), pin))
    return PinPlan(before, write=write)


def plan_removal(store: Store, wanted: Sequence[WantedPin]) -> PinPlan:
    """Plan to remove pins; PinMismatch where a key is given and another one is pinned."""
    before = store.pins(pin.address for pin in wanted)
    others = [pin for pin in wanted if pin.key and pin.address in before and before[pin.address].key != pin.key]
    if others:
        raise PinMismatch(
            f"Another key than the given one is pinned for {_list(pin.address for pin in others)}.",
            expected=_list(f"{pin.address} {pin.key}" for pin in others),
            found=_list(f"{pin.address} {before[pin.address].key}" for pin in others),
            where=store.location,
            next="Leave the key out to remove whichever key is pinned.",
        )
    return PinPlan(before, remove=tuple(pin for pin in wanted if pin.address in before))


def apply_plan(store: Store, plan: PinPlan) -> None:
    """Write a plan; to be called inside the transaction that it was made in."""
    store.record_pins(
        {pin.address: pin.key for pin in plan.write},
        comments={pin.address: pin.comment or "" for pin in plan.write},
    )
    for pin in plan.remove:
        store.remove_pin(pin.address, comment=pin.comment or "")


def verify_pins(store: Store, wanted: Sequence[WantedPin], *, present: bool) -> Dict[str, Pin]:
    """Read back after the transaction; VerificationFailed where the store does not hold what was written."""
    after = store.pins(pin.address for pin in wanted)
    if present:
        wrong = [pin.address for pin in wanted if pin.address not in after or after[pin.address].key != pin.key]
    else:
        wrong = list(after)
    if wrong:
        raise VerificationFailed(
            f"The store does not hold what was written for {_list(wrong)}.",
            expected="pinned" if present else "no pin",
            found=_list(after[address].key if address in after else f"{address} no pin" for address in wrong),
            where=store.location,
            next="Somebody else changes the same pins at this moment: run again.",
        )
    return after


def refuse_transient(store: Store) -> None:
    """Pins in a store that ends with its container protect nobody, and discovery does not count them."""
    if not store.persistent:
        raise StoreUnavailable(
            f"Pins are not written into this state store: {store.why_not_persistent}.",
            expected="a state store that outlives this run",
            found=store.why_not_persistent,
            where=store.location,
            next="Point hearth_state at a mounted volume or at PostgreSQL. If this disk does stay, say so:"
            f" hearth_state: sqlite://{store.location}?persistent=yes",
        )


def _refuse_incomplete(wanted: Sequence[WantedPin]) -> None:
    missing = [pin.address for pin in wanted if not pin.key]
    if missing:
        raise BadInput(
            f"There is no key to pin for {_list(missing)}.",
            expected="key: spki-sha256:<64 hex digits> or cert-sha256:<64 hex digits>",
            where="key",
            next="Take it from where it cannot be forged: the machine's label, its console, its maker's list."
            " What the network shows proves nothing by itself.",
        )
    keys: Dict[str, str] = {}
    for pin in wanted:
        if keys.setdefault(pin.address, pin.key) != pin.key:
            raise BadInput(
                f"Two keys are wanted for {pin.address}.",
                expected="one key for one address and port",
                found=f"{keys[pin.address]} and {pin.key}",
                where="pins",
            )


def _refuse_unobserved(wanted: Sequence[WantedPin]) -> None:
    others = [pin for pin in wanted if pin.observed and pin.key not in pin.observed]
    if others:
        raise PinMismatch(
            f"The BMC shows another key than the wanted one at {_list(pin.address for pin in others)}.",
            expected=_list(f"{pin.address} {pin.key}" for pin in others),
            found=_list(f"{pin.address} {' '.join(sorted(pin.observed))}" for pin in others),
            where="observed",
            next="Check the fingerprint that you gave for a slip. If it is right, something else than the BMC answers"
            " at this address.",
        )


def _differs(there: Optional[Pin], wanted: WantedPin) -> bool:
    if there is None or there.key != wanted.key:
        return True
    return wanted.comment is not None and wanted.comment != there.comment


def _list(texts: Iterable[str], most: int = 5) -> str:
    """Some of them by name, the rest as a number: ten thousand addresses are no message."""
    every = list(texts)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module bmc_pin, around the engine in :mod:`.._core.state.pinning`."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from .._core.state.address import store_address
from .._core.state.pinning import (
    PinPlan,
    WantedPin,
    apply_plan,
    plan_pins,
    plan_removal,
    refuse_transient,
    verify_pins,
)
from .._core.state.pins import Pin
from .._core.state.store import Store
from .._core.trust import parse_pin
from .contract import Contract, Outcome, Request
from .state_options import STATE_ARGUMENTS, store_of

_PIN: Dict[str, Dict[str, Any]] = {
    "address": {"type": "str"},
    "port": {"type": "int", "default": 443},
    # A fingerprint: public, whatever its name.
    "key": {"type": "str", "no_log": False},
    "comment": {"type": "str"},
    "observed": {"type": "list", "elements": "str"},
}


def run(request: Request) -> Outcome:
    """Pin or remove, all at one moment."""
    present = request.params["state"] == "present"
    wanted = [_wanted(pin) for pin in request.params["pins"] or [request.params]]
    with store_of(request.params, make=not request.check_mode) as store:
        if present:
            refuse_transient(store)
        with store.consistent() if request.check_mode else store.exclusive():
            plan = _plan(store, wanted, present=present, replace=request.params["replace"])
            if not request.check_mode and plan.changes:
                apply_plan(store, plan)
        if request.check_mode:
            pins = _expected(plan)
        else:
            pins = [_shown(pin) for pin in verify_pins(store, wanted, present=present).values()]
        return Outcome(
            changed=plan.changes,
            nouns={
                "pins": sorted(pins, key=lambda pin: str(pin["address"])),
                "store": {"location": store.location, "persistent": store.persistent},
            },
            before=_keys({address: pin.key for address, pin in plan.before.items()}),
            after=_keys({pin["address"]: pin["key"] for pin in pins}),
        )


def _plan(store: Store, wanted: List[WantedPin], *, present: bool, replace: bool) -> PinPlan:
    return plan_pins(store, wanted, replace=replace) if present else plan_removal(store, wanted)


def _wanted(pin: Mapping[str, Any]) -> WantedPin:
    return WantedPin(
        store_address(pin["address"], pin["port"]),
        parse_pin(pin["key"]) if pin["key"] else "",
        pin["comment"],
        frozenset(parse_pin(key) for key in pin["observed"] or ()),
    )


def _expected(plan: PinPlan) -> List[Dict[str, Any]]:
    """The pins that there would be, for check mode."""
    pins = {address: _shown(pin) for address, pin in plan.before.items()}
    for wanted in plan.write:
        pins[wanted.address] = {
            "address": wanted.address,
            "key": wanted.key,
            "comment": wanted.comment or "",
            "recorded_at": None,
            "recorded_by": None,
        }
    for wanted in plan.remove:
        del pins[wanted.address]
    return list(pins.values())


def _shown(pin: Pin) -> Dict[str, Any]:
    return {
        "address": pin.address,
        "key": pin.key,
        "comment": pin.comment,
        "recorded_at": pin.recorded_at,
        "recorded_by": pin.recorded_by,
    }


def _keys(keys: Dict[str, str]) -> Dict[str, Any]:
    return {"pins": dict(sorted(keys.items()))}


BMC_PIN = Contract(
    "bmc_pin",
    run,
    argument_spec={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **_PIN,
        "pins": {
            "type": "list",
            "elements": "dict",
            "options": {**_PIN, "address": {"type": "str", "required": True}},
        },
        "replace": {"type": "bool", "default": False},
        **STATE_ARGUMENTS,
    },
    required_one_of=[("address", "pins")],
    mutually_exclusive=[("address", "pins"), ("key", "pins"), ("comment", "pins"), ("observed", "pins")],
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every platform under every fault: a BMC for each pair, contracts run on all of them, and a judge who asks the fleet.

What a module said is compared with what the emulated machine is, told by the fleet's admin endpoint past all faults.
"""

from __future__ import annotations

import dataclasses
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, perform
from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES

Result = dict[str, t.Any]

#: they have no system: the modules refuse them, and change nothing
WITHOUT_SYSTEM = ("pdu", "power_shelf")
KEEP_CONTEXT = tuple(name for name, one in PERSONALITIES.items() if one.manners.session_context == "kept")
IMAGE = "http://10.0.0.9/images/live.iso"
# As many as two cores answer for within the time that a machine gets, whatever else they do; few of them wait.
WORKERS = 32

# Fault → its options, chosen so that each strikes and a run takes seconds. Those that act on connections last.
FAULTS: dict[str, dict[str, t.Any]] = {
    "black_hole": {},
    "refused": {},
    "tls_stall": {},
    "changed_certificate": {},
    "restart": {"seconds": 1},
    "random_401": {"rate": 0.3},
    "unavailable": {"times": 3, "retry_after": 1},
    "slow_resource": {"path": "/redfish/v1/Systems", "seconds": 0.2},
    "drop_mid_body": {"rate": 0.2},
    "lost_answer": {"rate": 0.2},
    "forgets": {},
    "truncated": {"rate": 0.2},
    "not_json": {"rate": 0.2},
    "wrong_etag": {},
    "duplicate_etag": {},
    "broken_expand": {},
    "hostile_strings": {},
    "endless_paging": {},
    "endless_links": {},
    "huge_body": {"path": "/redfish/v1/Chassis"},
}
#: with these a module reaches its aim all the same
HARMLESS = ("changed_certificate", "slow_resource", "wrong_etag", "duplicate_etag", "broken_expand")
#: and with these it can only say which of them it met
CERTAIN = {"black_hole": "TimedOut", "refused": "ConnectionRefused", "tls_stall": "TimedOut"}

_TYPES = {name for name, kind in vars(errors).items() if isinstance(kind, type)} - {"HearthError"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One platform under one fault ("" for none)."""

    platform: str
    fault: str
    address: str

    def __str__(self) -> str:
        return f"{self.platform} under {self.fault or 'no fault'}"

    @property
    def system(self) -> str:
        return "Node2" if self.platform == "multi_node" else ""


class Cells:
    """The fleet of all cells."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        addresses: dict[str, list[str]] = {}
        for bmc in fleet.bmcs:
            addresses.setdefault(bmc["platform"], []).append(bmc["address"])
        self.all = [
            Cell(platform, fault, address)
            for platform, own in addresses.items()
            for fault, address in zip(["", *FAULTS], own, strict=True)
        ]

    def of(self, *faults: str) -> list[Cell]:
        return [cell for cell in self.all if cell.fault in faults]

    def arm(self, cells: t.Iterable[Cell]) -> None:
        """Switch their faults on, as if they had never struck; nobody is logged in."""
        for cell in cells:
            self.fleet.admin("POST", f"/bmcs/{cell.address}/end_sessions", {})
            self.fleet.faults(cell.address, **({cell.fault: FAULTS[cell.fault]} if cell.fault else {}))

    def state(self) -> dict[str, Result]:
        return t.cast("dict[str, Result]", self.fleet.admin("GET", "/state"))

    def arguments(self, cell: Cell, **given: t.Any) -> Result:
        return {
            "address": cell.address,
            "port": self.fleet.https_port,
            "ca_path": self.fleet.ca,
            "username": self.fleet.username,
            "password": self.fleet.password,
            "system": cell.system,
            "deadline": 60,
            "connect_timeout": 2,
            **given,
        }

    def run(
        self, contract: Contract, cells: t.Sequence[Cell], given: Result, *, check: bool = False
    ) -> dict[Cell, Result]:
        """What the module says of each cell, many at once."""
        validator = ArgumentSpecValidator(**contract.rules)

        def work(cell: Cell) -> Result:
            validation = validator.validate(self.arguments(cell, **given))
            assert not validation.error_messages, validation.error_messages
            params = {option: validation.validated_parameters.get(option) for option in contract.argument_spec}
            return perform(contract, params, check_mode=check, diff_mode=True)

        with ThreadPoolExecutor(WORKERS) as threads:
            return dict(zip(cells, threads.map(work, cells), strict=True))


def fleet_of_cells(network: str) -> Fleet:
    """The network has to hold some 450 addresses."""
    return Fleet(
        len(PERSONALITIES) * (1 + len(FAULTS)),
        network,
        platforms=dict.fromkeys(PERSONALITIES, 1),
        options=["--power-seconds", "0.1"],
        workers=2,
    )


# The judge


def complaints(cell: Cell, result: Result, before: Result, after: Result) -> list[str]:
    """What is wrong with what a module said, given the true state before and after it ran. Empty: nothing."""
    found = []
    if len(after["sessions"]) > (1 if _told_of_a_session(cell, result) else 0):
        found.append(f"{len(after['sessions'])} sessions left: {str(result)[:400]}")
    if "{{" in str(result):
        found.append(f"a template: {result}")
    if (certain := CERTAIN.get(cell.fault)) and (kind := result.get("error", {}).get("type")) != certain:
        found.append(f"{kind} instead of {certain}: {result}")
    if result.get("failed"):
        found += [f"{said}: {result}" for said in _of_failure(result)]
    else:
        now = _short(cell, after)
        found += [f"{said}; {now}: {str(result)[:600]}" for said in _of_success(cell, result, before, after)]
    return [f"{cell}: {one}" for one in found]


def _told_of_a_session(cell: Cell, result: Result) -> bool:
    """Whether one session may be left that nothing proves to be ours, and the module says that it may be.

    That is where the answer to a login, or all that tells the session's path, was lost, and no Context is kept.
    """
    told = "ages out" in str((result.get("error", {}).get("next"), result.get("warnings")))
    return told and cell.fault in ("lost_answer", "truncated", "drop_mid_body") and cell.platform not in KEEP_CONTEXT


def _of_failure(result: Result) -> t.Iterator[str]:
    error = result.get("error") or {}
    if error.get("type") not in _TYPES:
        yield "an error without its type"
    if not result.get("msg") or not error.get("next"):
        yield "an error that does not say what happened and what to do"
    if result.get("changed"):
        yield "failed and changed"


def _of_success(cell: Cell, result: Result, before: Result, after: Result) -> t.Iterator[str]:
    noun = next((one for one in CLAIMS if one in result), None)
    if noun is None:
        yield "a success that says nothing of what is"
        return
    said, was, now = CLAIMS[noun](cell, result, before, after)
    if said != now:
        yield f"said {said!r}, and it is {now!r}"
    if result["changed"] != (was != now):
        yield f"said changed={result['changed']}, from {was!r} to {now!r}"


Claim = tuple[t.Any, t.Any, t.Any]  # what the module says is so, what was so, what is so


def _power(cell: Cell, result: Result, before: Result, after: Result) -> Claim:
    return result["power"]["state"], *(_switched(cell, state) for state in (before, after))


def _boot(cell: Cell, result: Result, before: Result, after: Result) -> Claim:
    said = result["boot"]
    return (said["state"], said["target"]), *(_override(cell, state) for state in (before, after))


def _media(cell: Cell, result: Result, before: Result, after: Result) -> Claim:
    said = sorted(str(slot["image"]) for slot in result["virtual_media"]["slots"] if slot["inserted"])
    return said, *(_inserted(state) for state in (before, after))


def _light(cell: Cell, result: Result, before: Result, after: Result) -> Claim:
    said = result["indicator"]
    # Whether a light blinks while it is lit is the platform's business.
    return said["state"] != "off", *(_lit(state["lights"][said["path"].rstrip("/")]) for state in (before, after))


def _info(cell: Cell, result: Result, before: Result, after: Result) -> Claim:
    info = result["info"]
    enabled = info["boot"]["enabled"] if info["boot"] else None
    media = sorted(str(slot["image"]) for slot in info["media"] or () if slot["inserted"])
    was, now = ((_switched(cell, state), _override(cell, state)[0], _inserted(state)) for state in (before, after))
    # What could not be read is left out, and a warning names it; what is told all the same must be so.
    unread = " ".join(result.get("warnings", ()))
    if any(what in unread for what in ("virtual media", "manager", "out of time")) and set(media) <= set(now[2]):
        media = now[2]
    if "settings object" in unread or "out of time" in unread:
        enabled = now[1]
    return (info["power"]["state"], enabled, media), was, now


CLAIMS: dict[str, t.Callable[[Cell, Result, Result, Result], Claim]] = {
    "power": _power,
    "boot": _boot,
    "virtual_media": _media,
    "indicator": _light,
    "info": _info,
}


def _system(cell: Cell, values: t.Mapping[str, t.Any]) -> t.Any:
    return next(value for path, value in values.items() if path.endswith(cell.system))


def _switched(cell: Cell, state: Result) -> str:
    return {"On": "on", "Off": "off"}.get(said := _system(cell, state["power"]), said)


def _override(cell: Cell, state: Result) -> tuple[str, str | None]:
    boot = _system(cell, state["boot"])
    enabled = boot["BootSourceOverrideEnabled"].lower()
    return enabled, None if enabled == "disabled" else boot["BootSourceOverrideTarget"].lower()


def _inserted(state: Result) -> list[str]:
    return sorted(slot["Image"] for slot in state["media"].values() if slot.get("Inserted"))


def _lit(light: Result) -> bool:
    return bool(light.get("LocationIndicatorActive")) or light.get("IndicatorLED", "Off") != "Off"


def _short(cell: Cell, state: Result) -> str:
    if cell.platform in WITHOUT_SYSTEM:
        return ""
    return f"{_switched(cell, state)}, {_override(cell, state)}, {_inserted(state)}"

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task for many hosts: the options that such modules share, how many hosts may fail, and one result out of many.

What is done for one host, and its result, is the contract of the module for one host.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence

from .._core.errors import BadInput, HearthError, Unsupported
from .contract import Contract, Outcome, Request, failure

# Documented in the fragment hearth.datacenter._fleet.
FLEET_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "str"},
    "concurrency": {"type": "int", "default": 128},
    "max_fail": {"type": "str", "default": "0"},
}

# They are of one machine and no other: known, so that there is something better to say than that they are not.
OF_ONE_HOST = ("address", "identity")

MOST_AT_ONCE = 1024
_NAMED = 5  # hosts that a message names before it says how many more there are


class HostsFailed(HearthError):
    """More hosts failed than were allowed to."""


def fleet_contract(name: str, one: Contract) -> Contract:
    """The contract of a module that does for many hosts what ``one`` does for one of them."""
    shared = {option: {**spec, "required": False} if option in OF_ONE_HOST else spec
              for option, spec in one.argument_spec.items()}  # fmt: skip
    return Contract(
        name,
        _not_here,
        argument_spec={**shared, **FLEET_ARGUMENTS},
        mutually_exclusive=one.mutually_exclusive,
        required_together=one.required_together,
        required_if=one.required_if,
    )


def refuse_what_is_of_one_host(params: Mapping[str, Any]) -> None:
    """BadInput for an address or an identity that would hold for every host."""
    given = [option for option in OF_ONE_HOST if params.get(option)]
    if given:
        raise BadInput(
            f"{' and '.join(given)} would hold for every host of the batch.",
            expected="what hearth_bmc of each host says",
            found=", ".join(given),
            where=given[0],
            next="Leave it out; for hosts that no inventory knows, set their variable hearth_bmc.",
        )


def _not_here(request: Request) -> Outcome:
    raise Unsupported(
        "A task for a whole fleet runs inside Ansible's own process and nowhere else.",
        expected="a task without delegate_to, or delegated to localhost",
        found="the module itself was run on a machine",
        where="delegate_to",
        next="Leave delegate_to out. Where BMCs are reached from a jump host only, delegate the module for one host.",
    )


def concurrency(params: Mapping[str, Any]) -> int:
    """How many hosts at once; BadInput outside 1 to MOST_AT_ONCE."""
    wanted = int(params["concurrency"])
    if not 1 <= wanted <= MOST_AT_ONCE:
        raise BadInput(
            "concurrency is out of range.",
            expected=f"a number from 1 to {MOST_AT_ONCE}",
            found=str(wanted),
            where="concurrency",
            next="Leave it out, or give the number of BMCs that may be worked on at once.",
        )
    return wanted


def may_fail(wanted: str, hosts: int) -> int:
    """How many of so many hosts may fail; ``wanted`` is a number, or a percentage, which is rounded down."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", wanted)
    if match and float(match[1]) <= 100:
        return int(hosts * float(match[1]) / 100)
    if re.fullmatch(r"\s*\d+\s*", wanted):
        return int(wanted)
    raise BadInput(
        "max_fail is neither a number of hosts nor a percentage.",
        expected="a number like 3, or a percentage from 0% to 100%",
        found=wanted,
        where="max_fail",
        next="Write, for example, max_fail: 2%.",
    )


@dataclass
class Tally:
    """What has come of the hosts so far, by name in the order in which they were named."""

    names: Sequence[str]
    allowed: int
    hosts: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    failed: List[str] = field(default_factory=list)

    def add(self, name: str, result: Dict[str, Any]) -> None:
        self.hosts[name] = result
        if result.get("failed"):
            self.failed.append(name)

    @property
    def exceeded(self) -> bool:
        return len(self.failed) > self.allowed

    def result(self, *, diff_mode: bool) -> Dict[str, Any]:
        """The task's own result. Each host's diff moves from its result into the task's."""
        shown = {name: dict(self.hosts[name]) for name in self.names if name in self.hosts}
        not_begun = [name for name in self.names if name not in self.hosts]
        failed = [name for name in self.names if name in set(self.failed)]
        diffs = {name: result.pop("diff") for name, result in shown.items() if "diff" in result}
        result: Dict[str, Any] = {
            "changed": any(one.get("changed") for one in shown.values()),
            "hosts": shown,
            "failed_hosts": failed,
            "not_begun_hosts": not_begun,
        }
        if diff_mode:
            changed = {name: diff for name, diff in diffs.items() if diff["before"] != diff["after"]}
            result["diff"] = {
                side: {name: diff[side] for name, diff in changed.items()} for side in ("before", "after")
            }
        warnings = self._warnings(shown, failed)
        if warnings:
            result["warnings"] = warnings
        if self.exceeded:
            result = {**failure(self._error(shown, failed, not_begun)), **result}
        return result

    def _warnings(self, shown: Mapping[str, Mapping[str, Any]], failed: Sequence[str]) -> List[str]:
        """What the hosts' results warn of, each once with how many hosts say it, not ten thousand times."""
        said = Counter(warning for one in shown.values() for warning in one.get("warnings", ()))
        first: Dict[str, str] = {}
        for name, one in shown.items():
            for warning in one.get("warnings", ()):
                first.setdefault(warning, name)
        warnings = [
            f"{first[warning]}: {warning}" if count == 1 else f"{first[warning]} and {count - 1} more: {warning}"
            for warning, count in said.items()
        ]
        if failed and not self.exceeded:
            warnings.insert(0, f"{len(failed)} of {len(self.names)} hosts failed: {_reasons(shown, failed)}")
        return warnings

    def _error(
        self, shown: Mapping[str, Mapping[str, Any]], failed: Sequence[str], not_begun: Sequence[str]
    ) -> HearthError:
        rest = f" {len(not_begun)} hosts were not begun." if not_begun else ""
        return HostsFailed(
            f"{len(failed)} of {len(self.names)} hosts failed: {_reasons(shown, failed)}.{rest}",
            expected=f"at most {self.allowed} failed hosts",
            found=f"{len(failed)} failed, {len(not_begun)} not begun",
            where=_listed(failed),
            next="Look at hosts.<name>.error of each of failed_hosts. Running the task again changes only what is not"
            " yet as it should be.",
        )


def _reasons(shown: Mapping[str, Mapping[str, Any]], failed: Sequence[str]) -> str:
    """The kinds of error, each with the hosts that have it."""
    kinds: Dict[str, List[str]] = {}
    for name in failed:
        kinds.setdefault(str(shown[name].get("error", {}).get("type", "")), []).append(name)
    return "; ".join(
        f"{kind} on {_listed(names)}" for kind, names in sorted(kinds.items(), key=lambda one: -len(one[1]))
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

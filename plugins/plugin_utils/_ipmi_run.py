# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second look at those in whom no Redfish was found: does anybody answer IPMI there, and may we log in?

PRIVATE to the collection. Expected BMCs that answer nothing become sightings here, with their reason.
"""

from __future__ import annotations

import functools
import threading
import typing as t

from ..module_utils._core.attempts import attempts
from ..module_utils._core.deadline import Deadline
from ..module_utils._core.errors import AuthenticationFailed, CredentialWithheld, HearthError, Unreachable
from ..module_utils._core.fanout import Progress, fan_out
from ..module_utils._core.state.address import store_address
from ..module_utils._core.state.bmc_memory import BmcMemory
from ..module_utils._ipmi.presence import IPMI_PORT, presence_many
from ..module_utils._ipmi.record import read_bmc
from ..module_utils._ipmi.session import key_of
from ._candidates import Candidate, Silent
from ._progress import ProgressLine
from ._run_directory import run_directory
from ._settings import Settings
from ._sighting import Sighting, nobody

PING_TIMEOUT = 2.0
# each one is a child process with its own interpreter
CHILDREN = 8


def ipmi_sightings(
    settings: Settings,
    silent: t.Sequence[Silent],
    memories: t.Mapping[str, BmcMemory],
    deadline: Deadline | None,
    cancelled: threading.Event,
    progress: ProgressLine,
) -> t.Iterator[Sighting]:
    """Sightings of those who answer IPMI, and of those who are expected and answer nothing."""
    ping = [entry.candidate for entry in silent if _may_ping(settings, entry.candidate, memories)]
    present = presence_many(
        ((candidate.address, IPMI_PORT) for candidate in ping),
        timeout=PING_TIMEOUT,
        deadline=deadline,
        cancelled=cancelled,
    )
    logins: list[Candidate] = []
    for entry in silent:
        candidate = entry.candidate
        if (candidate.address, IPMI_PORT) in present:
            if _may_log_in(settings, candidate):
                logins.append(candidate)
            else:
                yield _not_logged_in(candidate)
        elif candidate.why:
            yield _expected_and_gone(entry)
    for candidate, result in fan_out(
        logins, functools.partial(_read, settings), concurrency=CHILDREN, hard_limit=CHILDREN, cancelled=cancelled
    ):
        progress.asked()
        if isinstance(result, Sighting):
            yield result
        elif isinstance(result, AuthenticationFailed):
            yield _failed(candidate, result, group="bmc_unauthorized", state="unauthorized")
        else:
            yield _failed(candidate, result)


def _may_ping(settings: Settings, candidate: Candidate, memories: t.Mapping[str, BmcMemory]) -> bool:
    if any(memories[key].seen_redfish for key in _keys(candidate) if key in memories):
        return False  # it speaks Redfish; whoever silences that must not get us to speak something weaker
    if candidate.slot is not None and candidate.slot.protocol:
        return candidate.slot.protocol == "ipmi"
    return settings.ipmi != "never" and _is_address(candidate.address)


def _keys(candidate: Candidate) -> list[str]:
    return [store_address(candidate.address, port) for _scheme, port in candidate.ports]


def _is_address(text: str) -> bool:
    return not text.strip("0123456789.") or ":" in text


def _may_log_in(settings: Settings, candidate: Candidate) -> bool:
    return settings.ipmi == "login" or (candidate.slot is not None and candidate.slot.ipmi_login)


def _not_logged_in(candidate: Candidate) -> Sighting:
    error = CredentialWithheld(
        f"{candidate.address} answers only IPMI, where a login does not verify the BMC; no credential was sent.",
        expected="Redfish, or a login over IPMI that you allowed",
        found="an RMCP presence pong",
        where=f"{candidate.address}:{IPMI_PORT}",
        next="Write ipmi: login in the inventory file, or ipmi_login: true in its slot of the map.",
    )
    return _failed(candidate, error, group="bmc_unpinned", state="unpinned")


def _expected_and_gone(entry: Silent) -> Sighting:
    candidate = entry.candidate
    ports = ", ".join(str(port) for _scheme, port in candidate.ports)
    error = (
        entry.error
        or Unreachable(
            f"{candidate.address} ({candidate.why}) does not listen on {ports}.",
            expected=f"a BMC on port {ports}",
            found="nobody",
            where=candidate.address,
            next="Check power and network of the BMC, or take it out of targets, map or leases.",
        ).as_dict()
    )
    return nobody(candidate.address, candidate.ports[0][1], error, candidate.slot_name)


def _failed(
    candidate: Candidate, error: HearthError, group: str = "bmc_unreachable", state: str = "unreachable"
) -> Sighting:
    sighting = nobody(candidate.address, IPMI_PORT, error.as_dict(), candidate.slot_name, protocol="ipmi")
    bmc = {**sighting.hosts[0]["hearth_bmc"], "state": state}
    return Sighting(
        candidate.address, IPMI_PORT, group, ({"system_id": "", "hearth_bmc": bmc},), slot=candidate.slot_name
    )


def _read(settings: Settings, candidate: Candidate, progress: Progress) -> Sighting:
    slot = candidate.slot
    credentials = settings.credentials.serving(candidate.address, slot.credential if slot is not None else None)
    if not credentials:
        raise AuthenticationFailed(
            f"No credential is given for {candidate.address}.", where=candidate.address, next="Add one to credentials."
        )
    # One attempt: IPMI has no way to ask how many failures lock the account.
    chosen = credentials[0]
    deadline = Deadline.after(settings.deadline)
    with attempts(
        run_directory(),
        key_of(candidate.address, IPMI_PORT),
        [chosen],
        1,
        deadline=deadline,
        cancelled=progress.cancelled,
    ) as tried:
        if tried.next() is None:
            raise tried.refusal(candidate.address)
        try:
            host = read_bmc(
                candidate.address,
                chosen.username,
                chosen.password,
                deadline=deadline,
                details=settings.details,
                read_bmc_macs=settings.slots.by_mac_needed,
                credential=chosen.name,
                cancelled=progress.cancelled,
            )
        except AuthenticationFailed:
            tried.refused(chosen)
            raise
        tried.worked(chosen)
    host.pop("counters", None)
    return Sighting(candidate.address, IPMI_PORT, "", (host,), credential=chosen.name, slot=candidate.slot_name)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Power: which resets are chosen, that the state is read back, and that a refusal is judged by the state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    Busy,
    HearthError,
    IdentityMismatch,
    Refused,
    Unsupported,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.expected import Identity
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.boot_evidence import (
    BootEvidence,
    booted_at,
    moment,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.power import PowerOutcome, power
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.power_plan import (
    METHODS,
    STATES,
    Step,
    WantedPower,
    plan_power,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.sushy_connector import SUSHY_MISSING
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EVERY_PLATFORM, EmulatedBmc, bmc_of

pytestmark = pytest.mark.skipif(SUSHY_MISSING is not None, reason="sushy is not installed")

EVERYTHING = (
    "On",
    "ForceOff",
    "ForceOn",
    "GracefulShutdown",
    "GracefulRestart",
    "ForceRestart",
    "PowerCycle",
    "PushPowerButton",
    "Nmi",
    "Resume",
)
WITH_POWER = [name for name in EVERY_PLATFORM if name not in ("pdu", "power_shelf")]


# ---- the plan


def planned(state: str, wanted: WantedPower, offered: tuple[str, ...] = EVERYTHING) -> list[str]:
    """``A|B`` where B is done when A does not lead there."""

    def shown(step: Step | None) -> str:
        if step is None:
            return ""
        return step.reset_type + ("|" + shown(step.otherwise) if step.otherwise else "")

    return [shown(step) for step in plan_power(state, wanted, offered, lambda warning: None)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", ["on", "off"])
def test_nothing_is_done_where_the_state_is_reached(state: str, method: str) -> None:
    assert planned(state, WantedPower(state, method)) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", ["on", "restarted", "power_cycled"])
def test_a_machine_that_is_off_is_switched_on(state: str, method: str) -> None:
    assert planned("off", WantedPower(state, method)) == ["On"]


@pytest.mark.parametrize(
    ("state", "method", "steps"),
    [
        ("off", "graceful", ["GracefulShutdown"]),
        ("off", "force", ["ForceOff"]),
        ("off", "graceful_then_force", ["GracefulShutdown|ForceOff"]),
        ("restarted", "graceful", ["GracefulRestart"]),
        ("restarted", "force", ["ForceRestart"]),
        ("restarted", "graceful_then_force", ["GracefulRestart|ForceRestart"]),
        ("power_cycled", "graceful", ["GracefulShutdown", "On"]),
        ("power_cycled", "force", ["PowerCycle"]),
        ("power_cycled", "graceful_then_force", ["GracefulShutdown|ForceOff", "On"]),
    ],
)
def test_each_method_takes_its_own_resets(state: str, method: str, steps: list[str]) -> None:
    assert planned("on", WantedPower(state, method)) == steps
    assert planned("on", WantedPower(state, method), ()) == steps  # a BMC that does not say what it offers


@pytest.mark.parametrize(
    ("state", "method", "offered", "steps"),
    [
        ("off", "graceful", ("On", "ForceOff", "PushPowerButton"), ["PushPowerButton"]),
        ("off", "graceful_then_force", ("On", "ForceOff"), ["ForceOff"]),
        ("off", "graceful_then_force", ("On", "GracefulShutdown"), ["GracefulShutdown"]),
        ("restarted", "graceful", ("On", "ForceOff", "GracefulShutdown", "ForceRestart"), ["GracefulShutdown", "On"]),
        ("restarted", "force", ("On", "ForceOff"), ["ForceOff", "On"]),
        ("restarted", "graceful_then_force", ("On", "ForceOff"), ["ForceOff", "On"]),
        ("power_cycled", "force", ("On", "ForceOff"), ["ForceOff", "On"]),
        ("power_cycled", "force", ("On", "ForceOff", "FullPowerCycle"), ["FullPowerCycle"]),
        ("on", "graceful", ("ForceOn",), []),
    ],
)
def test_what_is_not_on_offer_is_done_another_way(
    state: str, method: str, offered: tuple[str, ...], steps: list[str]
) -> None:
    assert planned("on", WantedPower(state, method), offered) == steps


@pytest.mark.parametrize(
    ("now", "state", "method", "offered"),
    [
        ("on", "off", "graceful", ("On", "ForceOff")),
        ("on", "off", "force", ("On", "GracefulShutdown")),
        ("on", "restarted", "graceful", ("On", "ForceRestart", "ForceOff")),
        ("off", "on", "graceful", ("ForceOff", "Nmi")),
        ("paused", "on", "graceful", ("On", "ForceOff")),
    ],
)
def test_no_way_is_an_error_that_lists_what_is_on_offer(
    now: str, state: str, method: str, offered: tuple[str, ...]
) -> None:
    with pytest.raises(Unsupported) as caught:
        planned(now, WantedPower(state, method), offered)
    assert caught.value.found == ", ".join(offered)
    assert "nothing was changed" in caught.value.msg


def test_power_is_never_cut_without_that_word() -> None:
    for state in STATES:
        for now in ("on", "off"):
            try:
                steps = plan_power(now, WantedPower(state, "graceful"), EVERYTHING, lambda warning: None)
            except Unsupported:
                continue
            assert all(step.otherwise is None and not step.reset_type.startswith("Force") for step in steps)
            assert "PowerCycle" not in [step.reset_type for step in steps]


def test_a_named_reset_type_is_taken_and_no_other() -> None:
    assert planned("on", WantedPower("off", reset_type="ForceOff")) == ["ForceOff"]
    assert planned("off", WantedPower("off", reset_type="ForceOff")) == []
    assert planned("on", WantedPower("power_cycled", reset_type="PowerCycle")) == ["PowerCycle"]
    with pytest.raises(BadInput) as unknown:
        planned("on", WantedPower("off", reset_type="Explode"))
    assert unknown.value.expected == ", ".join(EVERYTHING)
    with pytest.raises(BadInput, match="does not lead to state on"):
        planned("on", WantedPower("on", reset_type="ForceOff"))
    with pytest.raises(BadInput, match="does not lead to state restarted"):
        planned("on", WantedPower("restarted", reset_type="Nmi"))


# ---- what tells of a boot


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-11-21T15:04:05Z", datetime(2026, 11, 21, 15, 4, 5, tzinfo=timezone.utc)),
        ("2026-11-21T15:04:05+01:00", datetime(2026, 11, 21, 14, 4, 5, tzinfo=timezone.utc)),
        ("2026-11-21T15:04:05", datetime(2026, 11, 21, 15, 4, 5, tzinfo=timezone.utc)),
        ("0000-00-00T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("00:00:00Z", None),
        ("x" * 1000, None),
        ("", None),
        (None, None),
        (1700000000, None),
    ],
)
def test_times_of_bmcs(said: object, read: datetime | None) -> None:
    assert moment(said) == read
    assert booted_at({"LastResetTime": said}) == read


@pytest.mark.parametrize(
    ("before", "after", "restarted"),
    [
        ({"PowerState": "On"}, {"PowerState": "On"}, False),
        ({"PowerState": "On"}, {"PowerState": "PoweringOff"}, False),
        ({"PowerState": "On"}, {"PowerState": "Off"}, True),
        ({"PowerState": "On"}, {"PowerState": "PoweringOn"}, True),
        ({"LastResetTime": "2026-11-21T15:00:00Z"}, {"LastResetTime": "2026-11-21T15:00:00Z"}, False),
        ({"LastResetTime": "2026-11-21T15:00:00Z"}, {"LastResetTime": "2026-11-21T15:00:01Z"}, True),
        ({"LastResetTime": "2026-11-21T15:00:00Z"}, {"LastResetTime": "2026-11-20T15:00:00Z"}, False),
        ({"BootProgress": {"LastState": "OSRunning"}}, {"BootProgress": {"LastState": "None"}}, True),
        ({"BootProgress": {"LastState": "OSBootStarted"}}, {"BootProgress": {"LastState": "OSRunning"}}, False),
        ({"BootProgress": {"LastState": "OSRunning"}}, {"BootProgress": {"LastState": "OEM"}}, False),
        ({"BootProgress": {"LastState": "OSRunning"}}, {"BootProgress": None}, False),
        ({}, {"BootProgress": {"LastState": "None"}}, False),
    ],
)
def test_evidence_of_a_restart(before: dict[str, Any], after: dict[str, Any], restarted: bool) -> None:
    evidence = BootEvidence(before)
    evidence.see(after)
    assert evidence.restarted is restarted


# ---- emulated BMCs


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    platforms = {**dict.fromkeys(EVERY_PLATFORM, 1), "openbmc": 2}
    with Fleet(
        sum(platforms.values()), "127.61.20.0/24", platforms=platforms, options=["--power-seconds", "0.2"]
    ) as running:
        yield running


@pytest.fixture(params=WITH_POWER)
def bmc(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[EmulatedBmc]:
    yield from switched_on(bmc_of(fleet, request.param))


@pytest.fixture
def openbmc(fleet: Fleet) -> Iterator[EmulatedBmc]:
    yield from switched_on(bmc_of(fleet, "openbmc"))


@pytest.fixture
def liar(fleet: Fleet) -> EmulatedBmc:
    """An OpenBMC of its own for tests that make it say what is not so, since that stays."""
    return EmulatedBmc(fleet, [one["address"] for one in fleet.bmcs if one["platform"] == "openbmc"][1])


@pytest.fixture
def idrac(fleet: Fleet) -> Iterator[EmulatedBmc]:
    yield from switched_on(bmc_of(fleet, "idrac10"))


def switched_on(bmc: EmulatedBmc) -> Iterator[EmulatedBmc]:
    bmc.manners()
    bmc.order("power", {"reset_type": "ForceOn"})
    wait_for_state(bmc, "On")
    yield bmc
    bmc.fleet.faults(bmc.address)
    bmc.manners()
    assert bmc.open_sessions == 0


def machine_state(bmc: EmulatedBmc) -> str:
    """What the emulated machine itself says, of its first system."""
    return str(next(iter(bmc.fleet.admin("GET", f"/bmcs/{bmc.address}")["power"].values())))


def wait_for_state(bmc: EmulatedBmc, state: str) -> None:
    until = time.monotonic() + 10
    while machine_state(bmc) != state:
        assert time.monotonic() < until, machine_state(bmc)
        time.sleep(0.02)


def switch(bmc: EmulatedBmc, state: str, method: str = "graceful", **more: Any) -> PowerOutcome:
    check_mode = more.pop("check_mode", False)
    access = {name: more.pop(name) for name in ("identity", "system_id", "deadline") if name in more}
    if "multi_node" in [one["platform"] for one in bmc.fleet.bmcs if one["address"] == bmc.address]:
        access.setdefault("system_id", "Node1")
    wanted = WantedPower(state, method, **{"graceful_timeout": 8.0, "force_timeout": 8.0, **more})
    with bmc.opened(**access) as session:
        return power(session, wanted, check_mode=check_mode)


def test_check_run_run_again_on_every_platform(bmc: EmulatedBmc) -> None:
    for state, method in (("off", "graceful_then_force"), ("on", "graceful"), ("off", "force"), ("on", "force")):
        check = switch(bmc, state, method, check_mode=True)
        assert machine_state(bmc) == ("On" if state == "off" else "Off")
        first, second = switch(bmc, state, method), switch(bmc, state, method)
        assert machine_state(bmc).lower() == state
        assert (check.changed, first.changed, second.changed) == (True, True, False)
        assert (check.after, check.resets) == (first.after, first.resets) and first.after == state
        assert (second.before, second.after, second.resets) == (state, state, [])


def test_restart_and_power_cycle_on_every_platform(bmc: EmulatedBmc) -> None:
    for state in ("restarted", "power_cycled"):
        outcome = switch(bmc, state, "force", force_timeout=2.0)
        assert outcome.changed and outcome.resets and outcome.after == "on"
        assert machine_state(bmc) == "On"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", ["restarted", "power_cycled"])
@pytest.mark.parametrize("platform", ["idrac10", "supermicro", "gb200"])
def test_every_method_of_restarting(fleet: Fleet, platform: str, state: str, method: str) -> None:
    bmc = bmc_of(fleet, platform)
    try:
        outcome = switch(bmc, state, method, graceful_timeout=2.0, force_timeout=2.0)
    except Unsupported as error:
        assert method == "graceful" and error.found
        return
    assert outcome.changed and outcome.after == "on"


def test_a_restart_that_does_not_happen_is_no_success(liar: EmulatedBmc) -> None:
    """A BMC that tells when the machine booted, accepts, and does nothing."""
    with liar.opened() as session:
        path = session.system().path
    says = {"PowerState": "On", "BootProgress": {"LastState": "OSRunning"}}
    liar.overlay(path, LastResetTime="2026-01-01T00:00:00+00:00", **says)
    with pytest.raises(VerificationFailed, match="ForceRestart did not bring"):
        switch(liar, "restarted", "force", force_timeout=1.5)


def test_a_restart_that_has_been_done_is_not_repeated(openbmc: EmulatedBmc) -> None:
    time.sleep(1.1)  # the BMC tells whole seconds
    since = datetime.now(timezone.utc) - timedelta(seconds=1)
    assert switch(openbmc, "restarted", "force", unless_booted_since=since).changed is True
    assert switch(openbmc, "restarted", "force", unless_booted_since=since).changed is False
    later = datetime.now(timezone.utc) + timedelta(seconds=60)
    assert switch(openbmc, "restarted", "force", unless_booted_since=later, check_mode=True).changed is True


def test_a_bmc_that_cannot_tell_when_it_booted_is_not_restarted(idrac: EmulatedBmc) -> None:
    with pytest.raises(Unsupported, match="does not tell when the machine booted"):
        switch(idrac, "restarted", "force", unless_booted_since=datetime.now(timezone.utc))


@pytest.mark.parametrize("manner", ["refused_400", "refused_409"])
def test_a_refusal_of_a_machine_that_is_there_is_success(idrac: EmulatedBmc, manner: str) -> None:
    """Somebody else was faster: between our look and our reset the machine has reached the state."""
    idrac.manners(reached_state=manner)
    with idrac.opened() as session:
        session.system()
        idrac.order("power", {"reset_type": "ForceOff"})
        wait_for_state(idrac, "Off")
        outcome = power(session, WantedPower("off", "force", force_timeout=5.0))
    assert (outcome.after, machine_state(idrac)) == ("off", "Off")


@pytest.mark.parametrize("offered", [["On", "ForceOff", "Explode"], ["On", "ForceOff"]])
def test_an_unknown_reset_type_changes_nothing(openbmc: EmulatedBmc, offered: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        switch(openbmc, "off", reset_type="Explode")
    assert "ForceOff" in caught.value.expected and machine_state(openbmc) == "On"
    assert openbmc.fleet.admin("GET", f"/bmcs/{openbmc.address}")["power"]


def test_several_systems_and_none_chosen_changes_nothing(fleet: Fleet) -> None:
    bmc = bmc_of(fleet, "multi_node")
    with pytest.raises(BadInput, match="several systems"):
        switch(bmc, "off", "force", system_id="")
    states = bmc.fleet.admin("GET", f"/bmcs/{bmc.address}")["power"].values()
    assert "Off" not in states and bmc.open_sessions == 0


def test_another_machine_is_not_touched(openbmc: EmulatedBmc) -> None:
    for state in STATES:
        with pytest.raises(IdentityMismatch):
            switch(openbmc, state, "force", identity=Identity(serial="NOT-THIS-ONE"))
    assert machine_state(openbmc) == "On"


def test_a_shutdown_that_hangs_is_forced_only_with_that_word(openbmc: EmulatedBmc) -> None:
    openbmc.manners(graceful_off_seconds=60.0)
    with pytest.raises(VerificationFailed, match="GracefulShutdown did not bring"):
        switch(openbmc, "off", "graceful", graceful_timeout=0.8)
    openbmc.order("power", {"reset_type": "ForceOff"})
    wait_for_state(openbmc, "Off")
    openbmc.order("power", {"reset_type": "ForceOn"})
    wait_for_state(openbmc, "On")
    outcome = switch(openbmc, "off", "graceful_then_force", graceful_timeout=0.8)
    assert outcome.resets == ["GracefulShutdown", "ForceOff"]
    assert machine_state(openbmc) == "Off"


def test_a_machine_on_its_way_is_waited_for(openbmc: EmulatedBmc) -> None:
    openbmc.order("power", {"reset_type": "ForceOff"})
    wait_for_state(openbmc, "Off")
    openbmc.manners(power_on_seconds=1.0)
    openbmc.order("power", {"reset_type": "On"})
    outcome = switch(openbmc, "on")
    assert (outcome.changed, outcome.before, outcome.after) == (False, "powering_on", "on")


def test_the_state_is_read_back_while_the_bmc_is_away(openbmc: EmulatedBmc) -> None:
    threading.Timer(0.3, openbmc.order, ("restart", {"seconds": 1.5})).start()
    openbmc.manners(graceful_off_seconds=1.0)
    outcome = switch(openbmc, "off", "graceful", deadline=20.0)
    assert (outcome.after, machine_state(openbmc)) == ("off", "Off")


@pytest.mark.parametrize("reading", [None, "", "Unknown", 7])
def test_without_a_power_state_nothing_is_done(liar: EmulatedBmc, reading: object) -> None:
    with liar.opened() as session:
        path = session.system().path
    liar.overlay(path, PowerState=reading)
    with pytest.raises(Unsupported, match="does not tell the machine's power state"):
        switch(liar, "off", "force")


FAULTS: dict[str, dict[str, Any]] = {
    "random_401": {"rate": 0.3},
    "unavailable": {"retry_after": 1, "times": 2},
    "slow_resource": {"seconds": 0.3},
    "drop_mid_body": {"rate": 0.3, "methods": ["GET", "DELETE"]},  # an unheard login's session stays
    "truncated": {"rate": 0.3},
    "not_json": {"rate": 0.3},
    "wrong_etag": {},
    "duplicate_etag": {},
    "broken_expand": {},
    "hostile_strings": {},
    "endless_paging": {},
    "endless_links": {},
    "huge_body": {"bytes": 40_000_000},
    "restart": {"seconds": 0.5},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_power_cycle_under_a_fault_is_a_typed_error_or_the_truth(fleet: Fleet, fault: str) -> None:
    """That a machine is switched off is asked for under every fault by tests/integration."""
    bmc = bmc_of(fleet, "generic")
    cleared: Callable[[], None] = lambda: fleet.faults(bmc.address)  # noqa: E731
    bmc.order("power", {"reset_type": "ForceOn"})
    wait_for_state(bmc, "On")
    fleet.faults(bmc.address, **{fault: FAULTS[fault]})
    try:
        outcome = switch(bmc, "power_cycled", "force", force_timeout=4.0, deadline=8.0)
    except HearthError as error:
        assert error.type != "HearthError" and error.msg
    else:
        assert outcome.changed and machine_state(bmc) == "On"
    finally:
        cleared()
    until = time.monotonic() + 3
    while bmc.open_sessions and time.monotonic() < until:
        time.sleep(0.1)
    assert bmc.open_sessions == 0


@pytest.mark.parametrize("platform", ["openbmc", "supermicro"])
def test_nothing_is_read_twice_but_the_state(fleet: Fleet, platform: str) -> None:
    """On both the ResetTypes are in a document of their own, which sushy wants to see, too."""
    for bmc in switched_on(bmc_of(fleet, platform)):
        path = "/redfish/v1/Systems/system" if platform == "openbmc" else "/redfish/v1/Systems/1"
        with bmc.opened(system_id=path) as session:
            fleet.reset_statistics()
            power(session, WantedPower("off", "force"))
            seen = fleet.statistics()["per_method"]
        polls = seen["GET"] - 2  # the system and its ResetActionInfo
        assert seen["POST"] == 1 and 1 <= polls <= 2


def test_busy_and_refused_are_told_apart(openbmc: EmulatedBmc) -> None:
    fault = {"methods": ["POST"], "path": "/redfish/v1/Systems", "retry_after": 30}
    openbmc.fleet.faults(openbmc.address, unavailable=fault)
    with pytest.raises((Busy, Refused)) as caught:
        switch(openbmc, "off", "force", force_timeout=2.0)
    assert caught.value.type == "Busy" and machine_state(openbmc) == "On"


def test_a_reset_whose_answer_is_lost_is_judged_by_the_state(openbmc: EmulatedBmc) -> None:
    fault = {"methods": ["POST"], "path": "/redfish/v1/Systems"}
    openbmc.fleet.faults(openbmc.address, drop_mid_body=fault)
    for state in ("off", "on"):
        try:
            outcome = switch(openbmc, state, "force", force_timeout=3.0)
        except VerificationFailed:
            assert machine_state(openbmc).lower() != state
        else:
            assert outcome.after == machine_state(openbmc).lower() == state

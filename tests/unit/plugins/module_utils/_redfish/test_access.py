# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to one BMC: which machine is meant, and that nothing is left open, whatever happens."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AuthenticationFailed,
    BadInput,
    Busy,
    Cancelled,
    CertificateUnverified,
    CredentialWithheld,
    HearthError,
    IdentityMismatch,
    PinMismatch,
    PinUnknown,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.expected import (
    Claim,
    Identity,
    refuse_another,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._core.turn import AT_ONCE, lock_directory
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Discovered
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.login import SESSIONS
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.sushy_connector import SUSHY_MISSING
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EmulatedBmc, bmc_of

SYSTEM = "/redfish/v1/Systems/system"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    platforms = {"openbmc": 2, "idrac9": 1, "multi_node": 1, "gb200": 1, "pdu": 1, "generic": 1}
    with Fleet(sum(platforms.values()), "127.61.10.0/24", platforms=platforms, http_port=8080) as running:
        yield running


@pytest.fixture
def openbmc(fleet: Fleet) -> Iterator[EmulatedBmc]:
    bmc = bmc_of(fleet, "openbmc")
    yield bmc
    fleet.faults(bmc.address)
    bmc.manners()
    assert bmc.open_sessions == 0


def serial_of(bmc: EmulatedBmc) -> str:
    return next(str(one["serial"]) for one in bmc.fleet.bmcs if one["address"] == bmc.address)


# ---- which system


def test_the_only_system_needs_no_name(openbmc: EmulatedBmc) -> None:
    with openbmc.opened() as session:
        assert (session.system().id, session.system().path) == ("system", SYSTEM)


@pytest.mark.parametrize("named", ["system", SYSTEM, SYSTEM + "/"])
def test_a_system_is_named_by_its_id_or_its_path(openbmc: EmulatedBmc, named: str) -> None:
    with openbmc.opened(system_id=named) as session:
        assert session.system().document["Id"] == "system"


def test_several_systems_and_none_chosen_are_listed(fleet: Fleet) -> None:
    with bmc_of(fleet, "multi_node").opened() as session, pytest.raises(BadInput) as caught:
        session.system()
    assert caught.value.found == "Node1, Node2, Node3, Node4"
    with bmc_of(fleet, "multi_node").opened(system_id="Node3") as session:
        assert session.system().path.endswith("/Node3")


@pytest.mark.parametrize("named", ["Node9", "/redfish/v1/Systems/Node9", "/redfish/v1/Chassis/Node1", "/redfish/v1"])
def test_an_unknown_system_is_refused_with_those_that_there_are(fleet: Fleet, named: str) -> None:
    with bmc_of(fleet, "multi_node").opened(system_id=named) as session, pytest.raises(BadInput) as caught:
        session.system()
    assert "Node1, Node2, Node3, Node4" in caught.value.found


def test_a_gpu_baseboard_is_no_choice_unless_it_is_named(fleet: Fleet) -> None:
    with bmc_of(fleet, "gb200").opened() as session:
        assert session.system().id == "System_0"
    with bmc_of(fleet, "gb200").opened(system_id="HGX_Baseboard_0") as session:
        assert session.system().id == "HGX_Baseboard_0"


def test_a_bmc_without_systems_says_so(fleet: Fleet) -> None:
    with bmc_of(fleet, "pdu").opened() as session, pytest.raises(BadInput, match="no system"):
        session.system()


# ---- sushy


@pytest.mark.skipif(SUSHY_MISSING is not None, reason="sushy is not installed")
def test_sushy_acts_with_the_same_login_and_reads_nothing_twice(openbmc: EmulatedBmc) -> None:
    openbmc.fleet.reset_statistics()
    with openbmc.opened() as session:
        session.system()
        before = openbmc.fleet.statistics()["requests"]
        assert session.sushy_system().identity == "system"
        assert session.sushy().redfish_version
        assert openbmc.fleet.statistics()["requests"] == before
    assert openbmc.fleet.statistics()["logins"] == 1


@pytest.mark.skipif(SUSHY_MISSING is not None, reason="sushy is not installed")
def test_what_sushy_raises_leaves_as_one_of_our_errors(openbmc: EmulatedBmc) -> None:
    with pytest.raises(HearthError) as caught, openbmc.opened() as session:
        session.sushy().get_system("/redfish/v1/Systems/nowhere")
    assert caught.value.type == "NotFound"


@pytest.mark.skipif(SUSHY_MISSING is not None, reason="sushy is not installed")
def test_a_session_that_the_bmc_dropped_is_opened_again_for_sushy(openbmc: EmulatedBmc) -> None:
    with openbmc.opened() as session:
        machine = session.sushy_system()
        openbmc.order("end_sessions", {})
        machine.refresh(force=True)
        assert machine.identity == "system"
        assert session.client.logins == 2


# ---- identity: every clause, and the attack that gets through without it


def test_the_expected_machine_is_accepted_in_any_spelling(openbmc: EmulatedBmc) -> None:
    with openbmc.opened(identity=Identity(serial=f" {serial_of(openbmc).lower()} ")) as session:
        assert session.confirmed_system().id == "system"
        assert session.warnings == []


def test_no_expectation_is_a_warning(openbmc: EmulatedBmc) -> None:
    with openbmc.opened() as session:
        session.confirmed_system()
        assert len(session.warnings) == 1 and "which machine this must be" in session.warnings[0]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        pytest.param({"SerialNumber": "HRT9999999"}, Identity(serial="HRT0000001"), id="another serial"),
        pytest.param({"SerialNumber": ""}, Identity(serial="HRT0000001"), id="no serial"),
        pytest.param({"SerialNumber": None}, Identity(serial="HRT0000001"), id="null"),
        pytest.param(
            {"SerialNumber": "Default string"}, Identity(serial="HRT0000001"), id="a serial that says nothing"
        ),
        pytest.param({"SerialNumber": "HRT0000001 "[:-2]}, Identity(serial="HRT0000001"), id="the beginning of it"),
        pytest.param({"SerialNumber": ["HRT0000001"]}, Identity(serial="HRT0000001"), id="a list with it"),
        pytest.param({"SKU": "HRT0000001"}, Identity(serial="HRT0000001"), id="the serial in another place"),
        pytest.param(
            {"UUID": "11111111-2222-3333-4444-555555555555"},
            Identity(uuid="6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"),
            id="another UUID",
        ),
        pytest.param({"UUID": ""}, Identity(uuid="6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"), id="no UUID"),
        pytest.param(
            {"SerialNumber": "HRT0000001", "UUID": "11111111-2222-3333-4444-555555555555"},
            Identity("HRT0000001", "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"),
            id="the serial and another UUID",
        ),
        pytest.param(
            {"SerialNumber": "HRT0000002", "UUID": "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"},
            Identity("HRT0000001", "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"),
            id="the UUID and another serial",
        ),
    ],
)
def test_another_machine_is_refused(fleet: Fleet, says: dict[str, object], expected: Identity) -> None:
    bmc = bmc_of(fleet, "generic")
    with bmc.opened() as session:
        path = session.system().path
    bmc.overlay(path, **says)
    try:
        with bmc.opened(identity=expected) as session, pytest.raises(IdentityMismatch) as caught:
            session.confirmed_system()
    finally:
        bmc.overlay(path)
    assert "nothing was changed" in caught.value.msg
    assert caught.value.where.endswith(path)


def test_dells_service_tag_is_a_serial_and_only_dells(fleet: Fleet) -> None:
    bmc = bmc_of(fleet, "idrac9")
    with bmc.opened() as session:
        tag = session.root["Oem"]["Dell"]["ServiceTag"]
    with bmc.opened(identity=Identity(serial=tag)) as session:
        assert session.confirmed_system().id
    multi = bmc_of(fleet, "multi_node")
    with multi.opened(system_id="Node1", identity=Identity(serial=tag)) as session, pytest.raises(IdentityMismatch):
        session.confirmed_system()


def test_the_chassis_that_several_systems_share_tells_none_of_them(fleet: Fleet) -> None:
    """Without this, whoever expects the enclosure's serial could switch off any of its nodes."""
    bmc = bmc_of(fleet, "multi_node")
    with bmc.opened(system_id="Node1") as session:
        path, chassis = session.system().path, session.client.get("/redfish/v1/Chassis")
        first = session.client.get(chassis["Members"][0]["@odata.id"])
        own = session.system().document["SerialNumber"]
    bmc.overlay(path, SerialNumber="")
    try:
        expected = Identity(serial=str(first["SerialNumber"]))
        with bmc.opened(system_id="Node1", identity=expected) as session, pytest.raises(IdentityMismatch):
            session.confirmed_system()
    finally:
        bmc.overlay(path, SerialNumber=own)


def test_a_neighbour_in_the_same_enclosure_is_told_by_its_uuid(fleet: Fleet) -> None:
    """All four systems of this enclosure say its serial number: with that alone system is what tells them apart."""
    bmc = bmc_of(fleet, "multi_node")
    said = {}
    for node in ("Node1", "Node2", "Node3", "Node4"):
        with bmc.opened(system_id=node) as session:
            said[node] = session.system().document
    assert len({document["SerialNumber"] for document in said.values()}) == 1
    serial, own = str(said["Node1"]["SerialNumber"]), "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"
    bmc.overlay("/redfish/v1/Systems/Node1", UUID=own)
    try:
        for identity in (Identity(uuid=own), Identity(serial, own)):
            with bmc.opened(system_id="Node1", identity=identity) as session:
                session.confirmed_system()
            for other in ("Node2", "Node3", "Node4"):
                with bmc.opened(system_id=other, identity=identity) as session, pytest.raises(IdentityMismatch):
                    session.confirmed_system()
    finally:
        bmc.overlay("/redfish/v1/Systems/Node1", UUID=said["Node1"]["UUID"])


@pytest.mark.parametrize("said", [{"serial": "Default string"}, {"serial": "0000000"}, {"uuid": "no uuid"}, {}])
def test_an_expectation_that_fits_every_machine_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        Identity(**said)


def test_both_must_match() -> None:
    uuid = "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"
    refuse_another(Identity("A1B2", uuid.upper().replace("-", "")), Claim(["a1b2", "TAG"], uuid), "here")
    with pytest.raises(IdentityMismatch):
        refuse_another(Identity("A1B2", uuid), Claim(["A1B2"], None), "here")
    with pytest.raises(IdentityMismatch):
        refuse_another(Identity("A1B2", uuid), Claim([], uuid), "here")


# ---- trust and login


def test_no_credential_goes_to_a_bmc_that_is_not_trusted(openbmc: EmulatedBmc, fleet: Fleet) -> None:
    fleet.reset_statistics()
    for trust, port, scheme, kind in (
        (Trust("verify"), fleet.https_port, "https", CertificateUnverified),
        (Trust("pin"), fleet.https_port, "https", PinUnknown),
        (Trust("pin", pins=frozenset(("spki-sha256:" + "00" * 32,))), fleet.https_port, "https", PinMismatch),
        (Trust("verify", ca_path=fleet.ca), fleet.http_port, "http", CredentialWithheld),
        (Trust("pin"), fleet.http_port, "http", CredentialWithheld),
    ):
        with pytest.raises(kind), openbmc.opened(trust=trust, port=port, scheme=scheme):
            raise AssertionError("opened")
    assert (fleet.statistics()["logins"], fleet.statistics()["failed_logins"]) == (0, 0)


def test_a_wrong_password_is_tried_once(openbmc: EmulatedBmc, fleet: Fleet) -> None:
    fleet.reset_statistics()
    wrong = (Credential("wrong", "hearth", "not it"),)
    with pytest.raises(AuthenticationFailed), openbmc.opened(credentials=wrong):
        raise AssertionError("opened")
    assert fleet.statistics()["failed_logins"] == 1


WRONG = Credential("wrong", "hearth", "not it")


def refused(bmc: EmulatedBmc, *credentials: Credential, **access: object) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as caught, bmc.opened(credentials=credentials, **access):
        raise AssertionError("opened")
    return caught.value


def test_a_wrong_password_in_every_task_of_a_run_does_not_lock_the_account(
    openbmc: EmulatedBmc, fleet: Fleet, tmp_path: Path
) -> None:
    openbmc.manners(lockout_threshold=3)
    fleet.reset_statistics()
    run = str(tmp_path)
    for _task in range(5):
        error = refused(openbmc, WRONG, run_directory=run)
    assert "not tried again" in error.msg and error.found == "refused before: wrong"
    assert fleet.statistics()["failed_logins"] == 1
    # Somebody corrected the variable within the run: another credential.
    with openbmc.opened(run_directory=run) as session:
        assert session.system().id == "system"
    assert fleet.statistics()["failed_logins"] == 1
    # Without the record the same five tasks lock the account: then the right password is refused, too.
    for _task in range(5):
        refused(openbmc, WRONG)
    with pytest.raises(AuthenticationFailed), openbmc.opened():
        raise AssertionError("opened")
    openbmc.order("credentials", {"username": "hearth"})


def test_a_password_that_was_changed_within_the_run_is_tried(openbmc: EmulatedBmc, tmp_path: Path) -> None:
    """Onboarding: the site's password is refused at first and right after the account was changed by the other one."""
    run, (right,) = str(tmp_path), openbmc.access.credentials
    site = Credential("site", right.username, "the-sites-password")
    with openbmc.opened(credentials=(site, right), run_directory=run):
        openbmc.order("credentials", {"username": right.username, "password": site.password})
    try:
        for _task in range(2):
            with openbmc.opened(credentials=(site, right), run_directory=run) as session:
                assert session.client.username == right.username
    finally:
        openbmc.order("credentials", {"username": right.username, "password": right.password})


def test_a_full_session_table_does_not_have_a_wrong_password_sent_by_basic_again_and_again(
    openbmc: EmulatedBmc, fleet: Fleet
) -> None:
    openbmc.manners(session_limit=0, basic_auth=False)
    fleet.reset_statistics()
    with pytest.raises(Busy), openbmc.opened(deadline=4.0):
        raise AssertionError("opened")
    assert fleet.statistics()["per_method"]["POST"] >= 3
    # Basic was asked once: the root, and one GET.
    assert fleet.statistics()["per_method"]["GET"] == 2


# ---- nothing is left


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(1), Busy("busy")])
def test_the_session_is_deleted_after_every_end(openbmc: EmulatedBmc, error: BaseException) -> None:
    with pytest.raises(type(error)), openbmc.opened():
        assert openbmc.open_sessions == 1
        raise error
    assert openbmc.open_sessions == 0


def test_the_session_is_deleted_after_the_deadline(openbmc: EmulatedBmc) -> None:
    with pytest.raises(HearthError), openbmc.opened(deadline=0.5) as session:
        time.sleep(0.6)
        session.system()
    assert openbmc.open_sessions == 0


def test_an_interruption_ends_a_rest_and_the_session(openbmc: EmulatedBmc) -> None:
    from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import opened

    cancelled = threading.Event()
    with pytest.raises(Cancelled), opened(openbmc.access, cancelled=cancelled) as session:
        threading.Timer(0.1, cancelled.set).start()
        session.rest(30.0)
    assert openbmc.open_sessions == 0


def test_what_a_killed_worker_left_behind_is_deleted_by_the_next(openbmc: EmulatedBmc, tmp_path: Path) -> None:
    locks = lock_directory(str(tmp_path))
    child = os.fork()
    if not child:
        with openbmc.opened(lock_directory=locks):
            signal.pause()
    # The note of a login on its way is another; who is killed between login and this one: test_own_sessions.
    wait_until(lambda: any('"session"' in file.read_text() for file in Path(locks).iterdir()))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert openbmc.open_sessions == 1
    with openbmc.opened(lock_directory=locks):
        assert openbmc.open_sessions == 1  # its own
    assert openbmc.open_sessions == 0


def test_a_session_of_somebody_else_is_not_deleted(openbmc: EmulatedBmc, tmp_path: Path) -> None:
    """A killed worker's note may name a session that is another user's by now."""
    locks = Path(lock_directory(str(tmp_path)))
    openbmc.order("credentials", {"username": "other", "password": "other-password"})
    with openbmc.opened(credentials=(Credential("other", "other", "other-password"),)) as theirs:
        path = theirs.client.session_path
        for number in range(AT_ONCE):
            lock = locks / f"{openbmc.address}_{openbmc.fleet.https_port}.{number}.lock"
            lock.write_text('{"session": "%s", "username": "%s"}' % (path, openbmc.fleet.username))
        with openbmc.opened(lock_directory=str(locks)):
            pass
        assert openbmc.open_sessions == 1


def test_a_full_session_table_is_waited_for(fleet: Fleet) -> None:
    bmc = EmulatedBmc(fleet, [one["address"] for one in fleet.bmcs if one["platform"] == "openbmc"][1])
    bmc.manners(session_limit=1, session_overflow="refused_503", basic_auth=False)
    with bmc.opened() as first:
        with pytest.raises(Busy), bmc.opened(deadline=1.5):
            raise AssertionError("a second session")
        threading.Timer(0.5, first.client.close).start()
        with bmc.opened(deadline=10.0) as second:
            assert second.system().id == "system"
    assert bmc.open_sessions == 0


def wait_until(is_so: object, seconds: float = 10.0) -> None:
    assert callable(is_so)
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


# ---- what discovery saw


def shown_key(bmc: EmulatedBmc) -> str:
    with bmc.opened() as session:
        peer = session.client.transport.peer
    assert peer is not None
    return peer.spki_sha256


@pytest.mark.parametrize("platform", ["openbmc", "idrac9"])
def test_the_root_of_a_bmc_that_discovery_saw_is_not_read(fleet: Fleet, platform: str) -> None:
    bmc = bmc_of(fleet, platform)
    discovered = Discovered(SESSIONS, shown_key(bmc))
    fleet.reset_statistics()
    with bmc.opened(platform=platform, discovered=discovered) as session:
        assert session.client.platform.name == platform
        assert fleet.statistics()["per_method"].get("GET", 0) == 0
        assert session.root["RedfishVersion"]  # for whoever needs it
    assert (fleet.statistics()["logins"], bmc.open_sessions) == (1, 0)


@pytest.mark.parametrize(("platform", "key"), [("openbmc", "00" * 32), ("openbmc", ""), ("nobody", None), ("", None)])
def test_the_root_is_read_of_a_bmc_with_another_key_and_of_an_unknown_platform(
    openbmc: EmulatedBmc, platform: str, key: str | None
) -> None:
    discovered = Discovered("/redfish/v1/elsewhere", shown_key(openbmc) if key is None else key)
    openbmc.fleet.reset_statistics()
    with openbmc.opened(platform=platform, discovered=discovered) as session:
        assert session.client.platform.name == "openbmc"
    assert openbmc.fleet.statistics()["per_method"]["GET"] == 1
    assert openbmc.fleet.statistics()["logins"] == 1


def test_sessions_that_are_elsewhere_by_now_are_found_by_the_root(openbmc: EmulatedBmc) -> None:
    discovered = Discovered("/redfish/v1/SessionService/Moved", shown_key(openbmc))
    openbmc.fleet.reset_statistics()
    with openbmc.opened(platform="openbmc", discovered=discovered) as session:
        assert session.client.session_path and not session.client.basic
    served = openbmc.fleet.statistics()
    assert (served["logins"], served["failed_logins"], served["sessions_created"]) == (1, 0, 1)


def test_a_wrong_password_is_tried_once_where_discovery_saw_the_bmc(openbmc: EmulatedBmc, fleet: Fleet) -> None:
    discovered = Discovered(SESSIONS, shown_key(openbmc))
    fleet.reset_statistics()
    refused(openbmc, WRONG, platform="openbmc", discovered=discovered)
    assert fleet.statistics()["failed_logins"] == 1

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of logging in, each against a BMC that would show it if one were broken."""

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import login as login_module
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.login import in_order
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.record import Platform
from tests.unit.plugins.module_utils._redfish.looking import OTHER, SITE, WRONG, look, look_at, only
from tests.unit.plugins.module_utils._redfish.replay import PASSWORD, SESSIONS, USER, Manners, Replay
from tests.unit.plugins.module_utils._redfish.trees import plain


def test_a_session_is_opened_used_and_deleted() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc)
        assert outcome.error is None
        assert bmc.created == 1
        assert bmc.open_sessions == {}
        assert all(entry.startswith("X-Auth-Token") for entry in bmc.credentials_seen)


def test_the_password_shows_in_no_representation() -> None:
    assert PASSWORD not in repr(SITE)
    assert PASSWORD not in str(look_at(plain()).hosts)


@pytest.mark.parametrize("location", ["path", "absolute", "none"])
def test_a_session_is_deleted_wherever_the_bmc_tells_its_path(location: str) -> None:
    with Replay(plain(), Manners(location=location)) as bmc:
        assert look(bmc).error is None
        assert bmc.open_sessions == {}


def test_a_session_whose_path_nobody_tells_works_and_is_reported() -> None:
    with Replay(plain(), Manners(location="none", session_body=False)) as bmc:
        outcome = look(bmc)
        assert outcome.error is None
        assert any("session could not be deleted" in warning for warning in only(outcome)[0]["warnings"])


def test_a_session_path_on_another_host_is_not_followed() -> None:
    with Replay(plain(), Manners(location="elsewhere")) as bmc:
        outcome = look(bmc)
        assert outcome.error is None
        assert [entry for entry in bmc.requests if entry[0] == "DELETE"] == []


def test_credentials_are_tried_in_order_and_the_one_that_worked_is_named() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc, credentials=(WRONG, SITE))
        assert outcome.credential == "site"
        assert only(outcome)[0]["credential"] == "site"
        assert [password for user, password in bmc.logins] == ["wrong", PASSWORD]


def test_the_remembered_credential_goes_first() -> None:
    with Replay(plain()) as bmc:
        assert look(bmc, credentials=(WRONG, SITE), remembered="site").error is None
        assert [password for user, password in bmc.logins] == [PASSWORD]


def test_each_credential_is_tried_once_even_under_two_names() -> None:
    twin = Credential("twin", WRONG.username, WRONG.password)
    with Replay(plain()) as bmc:
        outcome = look(bmc, credentials=(WRONG, twin, SITE))
        assert outcome.credential == "site"
        assert len(bmc.logins) == 2


def test_a_wrong_password_makes_an_unauthorized_host_with_its_reason() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc, credentials=(WRONG,))
        assert outcome.group == "bmc_unauthorized"
        (host,) = outcome.hosts
        assert host["hearth_bmc"]["state"] == "unauthorized"
        assert host["hearth_bmc"]["error"]["type"] == "AuthenticationFailed"
        assert "old" in host["hearth_bmc"]["error"]["next"]
        assert "wrong" not in str(host)
        assert outcome.is_redfish


def test_no_credential_at_all_is_said_so_and_nothing_is_tried() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc, credentials=())
        assert outcome.group == "bmc_unauthorized"
        assert "no credential" in outcome.error["msg"]
        assert bmc.logins == []


@pytest.mark.parametrize("sessions", [True, False], ids=["session", "basic"])
@pytest.mark.parametrize("status", [{}, {"/redfish/v1/Chassis/1": 500}], ids=["login", "document"])
def test_a_bmc_that_says_the_password_back_does_not_get_it_into_the_inventory(
    sessions: bool, status: dict[str, int]
) -> None:
    secret = Credential("long", USER, "Tr0ub4dor&3-and-more")
    for credentials in ((secret,), (secret, SITE)):
        echo = " ".join(credential.password for credential in credentials)
        with Replay(plain(), Manners(echo=echo, status=status, sessions=sessions)) as bmc:
            outcome = str(look(bmc, credentials=credentials))
            assert not any(credential.password in outcome for credential in credentials)


# The attempt limit


def test_attempts_stop_below_the_lockout_threshold() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc, credentials=(WRONG, OTHER, SITE))
        assert outcome.group == "bmc_unauthorized"
        assert len(bmc.logins) == 2


def test_without_the_attempt_limit_the_account_would_be_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack getting through: three wrong passwords lock the account of a BMC that locks after three failures."""
    third = Credential("third", USER, "wrong as well")
    tree = plain({"Oem": {"Supermicro": {}}})  # AccountLockoutThreshold 3
    with Replay(tree, Manners(lockout_after=3)) as bmc:
        look(bmc, credentials=(WRONG, OTHER, third))
        assert look(bmc).error is None, "two failures lock nothing"
    monkeypatch.setattr(Platform, "attempts", lambda self: 99)
    with Replay(tree, Manners(lockout_after=3)) as bmc:
        look(bmc, credentials=(WRONG, OTHER, third))
        assert look(bmc).group == "bmc_unauthorized", "the right password is refused now"


def test_a_platform_with_a_known_threshold_allows_more_credentials() -> None:
    ami = Platform(name="five", lockout_threshold=5)
    many = [Credential(str(i), USER, f"p{i}") for i in range(9)]
    assert [credential.name for credential in in_order(many, "7", ami)] == ["7", "0", "1", "2"]


# Basic


@pytest.mark.parametrize("status", [503, 400])
def test_basic_stands_in_where_the_session_table_is_full(status: int) -> None:
    with Replay(plain(), Manners(session_limit=0, session_full=status)) as bmc:
        outcome = look(bmc)
        assert outcome.error is None
        assert only(outcome)[1]["model"] == "E-100"
        assert any(entry.startswith("Authorization: Basic") for entry in bmc.credentials_seen)


def test_idrac_says_that_its_table_is_full_in_its_own_words() -> None:
    tree = plain({"Vendor": "Dell", "Oem": {"Dell": {}}})
    manners = Manners(session_limit=0, session_full=400, session_full_id="IDRAC.2.8.RAC0218")
    assert look_at(tree, manners).error is None


def test_a_full_table_without_basic_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Replay(plain(), Manners(session_limit=0, basic=False)) as bmc:
        outcome = look(bmc)
        assert outcome.error["type"] == "Busy"
        assert outcome.group == "bmc_unreachable"


def test_basic_stands_in_where_there_are_no_sessions() -> None:
    with Replay(plain(), Manners(sessions=False)) as bmc:
        assert look(bmc).error is None
        assert bmc.created == 0


def test_basic_proves_the_credential_with_a_document_that_is_needed_anyway() -> None:
    with Replay(plain(), Manners(sessions=False)) as bmc:
        look(bmc)
        assert bmc.asked("/redfish/v1/Systems") == 1


def test_a_refused_credential_is_never_tried_again_by_basic() -> None:
    with Replay(plain()) as bmc:
        assert look(bmc, credentials=(WRONG,)).group == "bmc_unauthorized"
        assert bmc.credentials_seen == []
        assert len(bmc.logins) == 1


def test_a_wrong_password_by_basic_is_tried_once() -> None:
    with Replay(plain(), Manners(sessions=False)) as bmc:
        outcome = look(bmc, credentials=(WRONG,))
        assert outcome.group == "bmc_unauthorized"
        assert len(bmc.credentials_seen) == 1


# A password that must be changed


@pytest.mark.parametrize("when", ["refused", "in_session", "later"])
def test_a_password_that_must_be_changed_says_where_to_change_it(when: str) -> None:
    with Replay(plain(), Manners(password_change=when)) as bmc:
        outcome = look(bmc)
        assert outcome.group == "bmc_unauthorized"
        assert outcome.error["type"] == "PasswordChangeRequired"
        assert "/redfish/v1/AccountService/Accounts/1" in outcome.error["next"]
        assert bmc.open_sessions == {}


def test_after_a_password_change_demand_no_other_credential_is_tried() -> None:
    with Replay(plain(), Manners(password_change="refused")) as bmc:
        look(bmc, credentials=(SITE, OTHER))
        assert len(bmc.logins) == 1


# A login that the BMC drops


@pytest.mark.parametrize("details", ["standard", "full"])
def test_a_401_at_random_costs_a_repetition_and_no_login(details: str) -> None:
    """Every second GET is answered 401, the session stays."""
    with Replay(plain(), Manners(every_second_401=True)) as bmc:
        outcome = look(bmc, details=details)
        assert only(outcome)[0]["warnings"] == []
        assert len(bmc.logins) == 1
        assert bmc.open_sessions == {}


def test_a_401_to_the_logout_is_not_believed() -> None:
    with Replay(plain(), Manners(delete_401=2)) as bmc:
        assert look(bmc).error is None
        assert bmc.open_sessions == {}


def test_a_dropped_session_leads_to_one_more_login_with_the_same_credential() -> None:
    with Replay(plain(), Manners(random_401=1)) as bmc:
        outcome = look(bmc, credentials=(SITE, WRONG))
        assert outcome.error is None
        assert only(outcome)[1]["serial"] == "SN-1-77"
        assert bmc.logins == [(USER, PASSWORD)] * 2
        assert outcome.counters["logins"] == 2


def test_a_bmc_that_always_answers_401_is_asked_to_log_in_twice_at_most() -> None:
    with Replay(plain(), Manners(random_401=10**6)) as bmc:
        outcome = look(bmc)
        assert len(bmc.logins) == 2
        assert outcome.group == "bmc_unauthorized"
        assert bmc.open_sessions == {}


# The end of a session


def test_the_session_is_deleted_when_reading_fails() -> None:
    with Replay(plain(), Manners(raw={"/redfish/v1/Systems": b"<html>"})) as bmc:
        look(bmc)
        assert bmc.created == 1
        assert bmc.open_sessions == {}


def test_the_session_is_deleted_when_the_deadline_passes() -> None:
    with Replay(plain(), Manners(slow={"/redfish/v1/Systems/1": 3.0})) as bmc:
        look(bmc, deadline=1.0)
        assert bmc.open_sessions == {}


def test_a_session_that_cannot_be_deleted_is_reported() -> None:
    with Replay(plain(), Manners(delete_status=500)) as bmc:
        outcome = look(bmc)
        assert any("could not be deleted" in warning for warning in only(outcome)[0]["warnings"])


def test_the_session_collection_is_the_one_that_the_root_links_to() -> None:
    with Replay(plain()) as bmc:
        look(bmc)
        assert ("POST", SESSIONS) in bmc.requests
    assert login_module.sessions_of({}) == SESSIONS

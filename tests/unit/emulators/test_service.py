# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service answers: who may do what, changes, ETags, actions; by the book and by each platform's manners."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.personality import Manners
from tests.unit.emulators.conftest import Time
from tests.unit.emulators.in_process import InProcessAnswer, ask, get

MakeBmc = Callable[..., Bmc]
ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
MANAGER = f"{ROOT}/Managers/1"
SESSIONS = f"{ROOT}/SessionService/Sessions"
ACCOUNTS = f"{ROOT}/AccountService/Accounts"


# who may read


@pytest.mark.parametrize("path", ["/redfish", ROOT, f"{ROOT}/", f"{ROOT}/odata", f"{ROOT}/$metadata"])
def test_the_way_in_is_open_to_all(make_bmc: MakeBmc, path: str) -> None:
    assert ask(make_bmc(), "GET", path, credentials=None).status == 200


@pytest.mark.parametrize("path", [f"{ROOT}/Systems", SYSTEM, f"{ROOT}/nothing"])
def test_the_rest_needs_a_login_whether_it_is_there_or_not(make_bmc: MakeBmc, path: str) -> None:
    answer = ask(make_bmc(), "GET", path, credentials=None)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Basic realm="Redfish"'


def test_what_is_not_there_is_404_with_its_path(make_bmc: MakeBmc) -> None:
    answer = get(make_bmc(), f"{ROOT}/nothing")
    assert (answer.status, answer.message_id) == (404, "ResourceMissingAtURI")


def test_wrong_credentials_count_as_failed_login(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    assert ask(bmc, "GET", SYSTEM, credentials=("hearth", "wrong")).status == 401
    assert ask(bmc, "GET", SYSTEM).status == 200
    assert (bmc.counters.logins, bmc.counters.failed_logins) == (1, 1)


def test_wrong_credentials_are_refused_even_where_none_are_needed(make_bmc: MakeBmc) -> None:
    assert ask(make_bmc(), "GET", ROOT, credentials=("hearth", "wrong")).status == 401


def test_a_platform_without_basic(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(basic_auth=False, www_authenticate=False))
    answer = get(bmc, SYSTEM)
    assert (answer.status, answer.header("WWW-Authenticate")) == (401, None)
    assert bmc.counters.failed_logins == 0


@pytest.mark.parametrize("header", ["Basic !!!", "Basic", "Bearer abc", "Basic \xff"])
def test_a_malformed_authorization_is_401(make_bmc: MakeBmc, header: str) -> None:
    assert ask(make_bmc(), "GET", SYSTEM, headers={"Authorization": header}, credentials=None).status == 401


# sessions


def log_in(bmc: Bmc, username: str = "hearth", password: str = "emulated-fleet") -> InProcessAnswer:
    return ask(bmc, "POST", SESSIONS, {"UserName": username, "Password": password}, credentials=None)


def test_a_session_lives_from_post_to_delete(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    made = log_in(bmc)
    token, location = made.header("X-Auth-Token") or "", made.header("Location") or ""
    assert made.status == 201 and token and location == made.json()["@odata.id"]
    headers = {"X-Auth-Token": token}
    assert ask(bmc, "GET", SYSTEM, headers=headers, credentials=None).status == 200
    listed = ask(bmc, "GET", SESSIONS, headers=headers, credentials=None).json()
    assert listed["Members"] == [{"@odata.id": location}]
    assert ask(bmc, "DELETE", location, headers=headers, credentials=None).status == 204
    assert ask(bmc, "GET", SYSTEM, headers=headers, credentials=None).status == 401
    assert (bmc.open_sessions, bmc.counters.sessions_created, bmc.counters.sessions_deleted) == (0, 1, 1)


def test_a_session_ages_out(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc(Manners(session_timeout=60))
    headers = {"X-Auth-Token": log_in(bmc).header("X-Auth-Token") or ""}
    time.passes(59)
    assert ask(bmc, "GET", SYSTEM, headers=headers, credentials=None).status == 200
    time.passes(61)
    assert ask(bmc, "GET", SYSTEM, headers=headers, credentials=None).status == 401
    assert bmc.open_sessions == 0


def test_the_timeout_can_be_set(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc()
    assert ask(bmc, "PATCH", f"{ROOT}/SessionService", {"SessionTimeout": 30}).status == 200
    log_in(bmc)
    time.passes(31)
    assert bmc.open_sessions == 0


@pytest.mark.parametrize(("overflow", "status"), [("refused_503", 503), ("refused_400", 400), ("oldest_dropped", 201)])
def test_the_limit_of_sessions(make_bmc: MakeBmc, overflow: str, status: int) -> None:
    bmc = make_bmc(Manners(session_limit=2, session_overflow=overflow))
    log_in(bmc)
    log_in(bmc)
    answer = log_in(bmc)
    assert answer.status == status
    if status != 201:
        assert answer.message_id == "SessionLimitExceeded"
    assert bmc.open_sessions == 2


@pytest.mark.parametrize(
    ("manner", "starts"),
    [
        ("path", f"{SESSIONS}/"),
        ("absolute", f"https://127.43.0.1{SESSIONS}/"),
        ("none", ""),
        ("trailing_slash", SESSIONS),
    ],
)
def test_the_location_of_a_session(make_bmc: MakeBmc, manner: str, starts: str) -> None:
    location = log_in(make_bmc(Manners(session_location=manner))).header("Location") or ""
    assert location.startswith(starts)
    assert location.endswith("/") == (manner == "trailing_slash")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "MalformedJSON"),
        (b"[]", "UnrecognizedRequestBody"),
        ({"UserName": "hearth"}, "CreateFailedMissingReqProperties"),
        ({"UserName": "hearth", "Password": 1}, "PropertyValueTypeError"),
    ],
)
def test_a_malformed_login_is_400_and_no_failed_login(make_bmc: MakeBmc, body: Any, message: str) -> None:
    bmc = make_bmc()
    answer = ask(bmc, "POST", SESSIONS, body, credentials=None)
    assert (answer.status, answer.message_id, bmc.counters.failed_logins) == (400, message, 0)


def test_nobody_ends_anothers_session_but_an_administrator(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    ask(bmc, "POST", ACCOUNTS, {"UserName": "reader", "Password": "long-enough", "RoleId": "ReadOnly"})
    location = log_in(bmc).header("Location") or ""
    assert ask(bmc, "DELETE", location, credentials=("reader", "long-enough")).status == 403
    own = log_in(bmc, "reader", "long-enough").header("Location") or ""
    assert ask(bmc, "DELETE", own, credentials=("reader", "long-enough")).status == 204
    assert ask(bmc, "DELETE", location).status == 204


# accounts


def test_accounts_come_and_go(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    made = ask(bmc, "POST", ACCOUNTS, {"UserName": "operator", "Password": "long-enough", "RoleId": "Operator"})
    assert made.status == 201
    path = made.header("Location") or ""
    assert path == f"{ACCOUNTS}/operator" and made.json()["Password"] is None
    mine = ("operator", "long-enough")
    assert ask(bmc, "GET", path, credentials=mine).status == 200
    assert ask(bmc, "PATCH", path, {"Password": "another-one"}, credentials=mine).status == 200
    assert ask(bmc, "GET", path, credentials=mine).status == 401
    mine = ("operator", "another-one")
    assert ask(bmc, "PATCH", path, {"RoleId": "Administrator"}, credentials=mine).status == 403
    assert ask(bmc, "POST", RESET, {"ResetType": "ForceRestart"}, credentials=mine).status == 200
    assert ask(bmc, "PATCH", path, {"Enabled": False}).status == 200
    assert ask(bmc, "GET", path, credentials=mine).status == 401
    assert ask(bmc, "DELETE", path).status == 204
    assert get(bmc, path).status == 404


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Password": "short"}, "PropertyValueFormatError"),
        ({"Password": None}, "PropertyValueTypeError"),
        ({"RoleId": "Emperor"}, "PropertyValueNotInList"),
        ({"Enabled": "yes"}, "PropertyValueTypeError"),
        ({"Locked": True}, "PropertyValueNotInList"),
        ({"Shoe": 44}, "PropertyUnknown"),
    ],
)
def test_a_bad_account_change_is_refused(make_bmc: MakeBmc, change: dict[str, Any], message: str) -> None:
    answer = ask(make_bmc(), "PATCH", f"{ACCOUNTS}/hearth", change)
    assert (answer.status, answer.message_id) == (400, message)


def test_a_reader_changes_nothing(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    ask(bmc, "POST", ACCOUNTS, {"UserName": "reader", "Password": "long-enough", "RoleId": "ReadOnly"})
    reader = ("reader", "long-enough")
    assert ask(bmc, "GET", SYSTEM, credentials=reader).status == 200
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "x"}, credentials=reader).status == 403
    assert ask(bmc, "POST", RESET, {"ResetType": "ForceOff"}, credentials=reader).status == 403
    assert ask(bmc, "POST", ACCOUNTS, {}, credentials=reader).status == 403
    assert ask(bmc, "DELETE", f"{ACCOUNTS}/hearth", credentials=reader).status == 403


def test_the_name_of_an_account_is_taken_once(make_bmc: MakeBmc) -> None:
    answer = ask(make_bmc(), "POST", ACCOUNTS, {"UserName": "hearth", "Password": "long-enough", "RoleId": "Operator"})
    assert (answer.status, answer.message_id) == (400, "ResourceAlreadyExists")


def test_slots_are_filled_and_emptied_by_patch(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(account_slots=4, first_account_slot=2))
    assert ask(bmc, "POST", ACCOUNTS, {"UserName": "a", "Password": "long-enough", "RoleId": "Operator"}).status == 405
    fill = {"UserName": "third", "Password": "long-enough", "RoleId": "Operator", "Enabled": True}
    assert ask(bmc, "PATCH", f"{ACCOUNTS}/3", fill).status == 200
    assert ask(bmc, "GET", SYSTEM, credentials=("third", "long-enough")).status == 200
    assert ask(bmc, "DELETE", f"{ACCOUNTS}/3").status == 204
    assert get(bmc, f"{ACCOUNTS}/3").json()["UserName"] == ""


def test_a_factory_password_opens_nothing_but_its_own_account(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(default_account=("root", "factory-pw")))
    factory, own = ("root", "factory-pw"), f"{ACCOUNTS}/root"
    refused = ask(bmc, "GET", SYSTEM, credentials=factory)
    assert (refused.status, refused.message_id) == (403, "PasswordChangeRequired")
    assert refused.json()["error"]["@Message.ExtendedInfo"][0]["MessageArgs"] == [own]
    assert log_in(bmc, *factory).json()["@Message.ExtendedInfo"][0]["MessageArgs"] == [own]
    assert ask(bmc, "PATCH", own, {"Password": "a-new-one"}, credentials=factory).status == 200
    assert ask(bmc, "GET", SYSTEM, credentials=("root", "a-new-one")).status == 200


# methods


def test_a_method_that_is_not_there_is_405_and_says_what_is(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    for method, path, allow in (
        ("DELETE", SYSTEM, "GET, HEAD, PATCH"),
        ("POST", f"{ROOT}/Systems", "GET, HEAD"),
        ("PUT", ACCOUNTS, "GET, HEAD, POST"),
        ("GET", RESET, None),
    ):
        answer = ask(bmc, method, path, {} if method != "GET" else None)
        if allow is None:
            assert answer.status == 404
        else:
            assert (answer.status, answer.header("Allow")) == (405, allow)


def test_options_name_the_methods(make_bmc: MakeBmc) -> None:
    answer = ask(make_bmc(), "OPTIONS", SYSTEM)
    assert (answer.status, answer.header("Allow")) == (204, "GET, HEAD, PATCH")


def test_another_odata_version_is_412(make_bmc: MakeBmc) -> None:
    assert get(make_bmc(), SYSTEM, OData_Version="3.0").status == 412


# changes


def test_what_a_patch_wrote_stays(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    changed = ask(bmc, "PATCH", SYSTEM, {"AssetTag": "rack 7", "Boot": {"BootSourceOverrideEnabled": "Once"}})
    assert changed.status == 200
    body = get(bmc, SYSTEM).json()
    assert body == changed.json()
    assert body["AssetTag"] == "rack 7"
    assert body["Boot"]["BootSourceOverrideEnabled"] == "Once"
    assert body["Boot"]["BootSourceOverrideTarget"] == "None"


def test_a_platform_that_answers_204(make_bmc: MakeBmc) -> None:
    answer = ask(make_bmc(Manners(patch_answer=204)), "PATCH", SYSTEM, {"AssetTag": "x"})
    assert (answer.status, answer.reply.payload()) == (204, b"")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (b"{", "MalformedJSON"),
        (b"[1]", "UnrecognizedRequestBody"),
        ({}, "NoOperation"),
        ({"@odata.type": "x"}, "NoOperation"),
        ({"Colour": "red"}, "PropertyUnknown"),
        ({"SerialNumber": "x"}, "PropertyNotWritable"),
        ({"AssetTag": 7}, "PropertyValueTypeError"),
        ({"AssetTag": "x" * 64}, "PropertyValueFormatError"),
        ({"Boot": "Pxe"}, "PropertyValueTypeError"),
        ({"Boot": {"BootSourceOverrideTarget": "Floppy"}}, "PropertyValueNotInList"),
        ({"Boot": {"BootOrder": ["Boot0000"]}}, "PropertyValueNotInList"),
        ({"AssetTag": "good", "SerialNumber": "bad"}, "PropertyNotWritable"),
    ],
)
def test_a_bad_change_is_refused_and_nothing_is_changed(make_bmc: MakeBmc, change: Any, message: str) -> None:
    bmc = make_bmc()
    before = get(bmc, SYSTEM).json()
    answer = ask(bmc, "PATCH", SYSTEM, change)
    assert (answer.status, answer.message_id) == (400, message)
    assert get(bmc, SYSTEM).json() == before


def test_a_property_that_this_platform_does_not_let_write(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(read_only=frozenset({"ComputerSystem.AssetTag"})))
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "x"}).message_id == "PropertyNotWritable"


def test_array_elements_can_be_kept_and_taken_out(make_bmc: MakeBmc) -> None:
    bmc, path = make_bmc(), f"{MANAGER}/NetworkProtocol"
    ask(bmc, "PATCH", path, {"NTP": {"NTPServers": ["a", "b", "c"]}})
    ask(bmc, "PATCH", path, {"NTP": {"NTPServers": [{}, None, "C"]}})
    assert get(bmc, path).json()["NTP"]["NTPServers"] == ["a", "C"]


def test_the_clock_runs_on_from_what_was_written(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc()
    assert ask(bmc, "PATCH", MANAGER, {"DateTime": "2030-01-01T00:00:00+00:00"}).status == 200
    time.passes(5)
    assert get(bmc, MANAGER).json()["DateTime"] == "2030-01-01T00:00:05+00:00"


# ETags


def test_an_etag_lasts_as_long_as_the_resource_and_changes_with_it(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc()
    first = get(bmc, MANAGER)
    tag = first.header("ETag")
    assert tag and first.json()["@odata.etag"] == tag
    time.passes(100)
    assert get(bmc, MANAGER).header("ETag") == tag, "a running clock is no change"
    tag = get(bmc, SYSTEM).header("ETag") or ""
    assert get(bmc, SYSTEM, If_None_Match=tag).status == 304
    ask(bmc, "PATCH", SYSTEM, {"AssetTag": "x"})
    assert get(bmc, SYSTEM).header("ETag") != tag
    assert get(bmc, SYSTEM, If_None_Match=tag).status == 200


def test_if_match(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    tag = get(bmc, SYSTEM).header("ETag") or ""

    def patch(header: str) -> int:
        return ask(bmc, "PATCH", SYSTEM, {"AssetTag": header}, {"If-Match": header}).status

    assert patch('"nonsense"') == 412
    assert patch(f'{tag}"more') == 412
    assert patch(tag) == 200
    assert patch(tag) == 412, "used once, it is old"
    assert patch("*") == 200
    assert patch(f'"other", {get(bmc, SYSTEM).header("ETag")}') == 200


@pytest.mark.parametrize(
    ("manner", "without", "right", "wrong"),
    [("honoured", 200, 200, 412), ("required", 428, 200, 412), ("refused", 200, 412, 412), ("ignored", 200, 200, 200)],
)
def test_manners_of_if_match(make_bmc: MakeBmc, manner: str, without: int, right: int, wrong: int) -> None:
    bmc = make_bmc(Manners(if_match=manner))
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "a"}).status == without
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "b"}, {"If-Match": '"wrong"'}).status == wrong
    tag = get(bmc, SYSTEM).header("ETag") or ""
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "c"}, {"If-Match": tag}).status == right


@pytest.mark.parametrize(
    ("manner", "shape"),
    [
        ("strong", ['"T"']),
        ("weak", ['W/"T"']),
        ("none", []),
        ("empty", ['""']),
        ("doubly_quoted", ['""T""']),
        ("unquoted", ["T"]),
        ("duplicate", ['"T"', 'W/"T"']),
    ],
)
def test_shapes_of_etags(make_bmc: MakeBmc, manner: str, shape: list[str]) -> None:
    plain = (get(make_bmc(), SYSTEM).header("ETag") or "").strip('"')
    reply = get(make_bmc(Manners(etag=manner)), SYSTEM).reply
    assert [value for name, value in reply.headers if name == "ETag"] == [tag.replace("T", plain) for tag in shape]


# actions


def test_a_reset_takes_its_time(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc(Manners(power_off_seconds=5, power_on_seconds=5))
    assert ask(bmc, "POST", RESET, {"ResetType": "ForceOff"}).status == 200
    assert get(bmc, SYSTEM).json()["PowerState"] == "PoweringOff"
    time.passes(5)
    assert get(bmc, SYSTEM).json()["PowerState"] == "Off"
    assert ask(bmc, "POST", RESET, {"ResetType": "On"}).status == 200
    time.passes(5)
    assert get(bmc, SYSTEM).json()["PowerState"] == "On"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "ActionParameterMissing"),
        (None, "ActionParameterMissing"),
        ({"ResetType": "Explode"}, "ActionParameterValueNotInList"),
        ({"ResetType": 1}, "ActionParameterValueTypeError"),
        (b"nonsense", "MalformedJSON"),
    ],
)
def test_a_bad_reset_is_refused(make_bmc: MakeBmc, body: Any, message: str) -> None:
    answer = ask(make_bmc(), "POST", RESET, body)
    assert (answer.status, answer.message_id) == (400, message)


@pytest.mark.parametrize(("manner", "status"), [("accepted", 200), ("refused_400", 400), ("refused_409", 409)])
def test_a_reset_to_the_state_that_it_has(make_bmc: MakeBmc, manner: str, status: int) -> None:
    assert ask(make_bmc(Manners(reached_state=manner)), "POST", RESET, {"ResetType": "On"}).status == status


@pytest.mark.parametrize("status", [200, 202, 204])
def test_what_a_platform_answers_to_an_action(make_bmc: MakeBmc, status: int) -> None:
    bmc = make_bmc(Manners(action_answer=status))
    assert ask(bmc, "POST", RESET, {"ResetType": "ForceRestart"}).status == status


def test_a_boot_uses_the_override_up(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    ask(bmc, "PATCH", SYSTEM, {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}})
    ask(bmc, "POST", RESET, {"ResetType": "ForceRestart"})
    boot = get(bmc, SYSTEM).json()["Boot"]
    assert (boot["BootSourceOverrideEnabled"], boot["BootSourceOverrideTarget"]) == ("Disabled", "None")


def test_what_was_done_is_in_the_log_until_it_is_cleared(make_bmc: MakeBmc) -> None:
    bmc = make_bmc()
    collection = bmc.platform.tree.first("LogEntryCollection")
    before = get(bmc, collection).json()["Members@odata.count"]
    ask(bmc, "POST", RESET, {"ResetType": "ForceRestart"})
    listed = get(bmc, collection).json()
    assert listed["Members@odata.count"] == before + 1
    entry = get(bmc, listed["Members"][-1]["@odata.id"]).json()
    assert "ForceRestart" in entry["Message"]
    log = collection.rpartition("/")[0]
    assert ask(bmc, "POST", f"{log}/Actions/LogService.ClearLog", {}).status == 200
    assert get(bmc, collection).json()["Members"] == []
    assert get(bmc, entry["@odata.id"]).status == 404


def test_an_action_that_the_resource_does_not_list_is_404(make_bmc: MakeBmc) -> None:
    assert ask(make_bmc(), "POST", f"{SYSTEM}/Actions/Manager.Reset", {}).status == 404


def test_a_platform_that_wants_a_body(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(empty_post_body=False))
    assert ask(bmc, "POST", RESET).message_id == "UnrecognizedRequestBody"


# other manners


def test_what_needs_the_host_is_503_while_it_is_off(make_bmc: MakeBmc, time: Time) -> None:
    bmc = make_bmc(Manners(host_off_503=(f"{ROOT}/Chassis",), retry_after=7))
    assert get(bmc, f"{ROOT}/Chassis").status == 200
    bmc.machine().reset("ForceOff")
    time.passes(60)
    answer = get(bmc, f"{ROOT}/Chassis")
    assert (answer.status, answer.header("Retry-After")) == (503, "7")
    assert get(bmc, SYSTEM).status == 200


def test_compression_when_asked_or_always(make_bmc: MakeBmc) -> None:
    plain = get(make_bmc(), SYSTEM).reply.payload()
    accepted = make_bmc(Manners(compression="accepted"))
    assert get(accepted, SYSTEM).reply.payload() == plain
    asked = get(accepted, SYSTEM, Accept_Encoding="gzip").reply
    assert asked.header("Content-Encoding") == "gzip" and gzip.decompress(asked.payload()) == plain
    always = get(make_bmc(Manners(compression="always")), SYSTEM).reply
    assert gzip.decompress(always.payload()) == plain


def test_a_platform_that_refuses_identity(make_bmc: MakeBmc) -> None:
    assert get(make_bmc(Manners(identity_encoding=False)), SYSTEM, Accept_Encoding="identity").status == 406


@pytest.mark.parametrize(("manner", "status"), [("same", 200), ("not_found", 404), ("redirect", 308)])
def test_trailing_slashes(make_bmc: MakeBmc, manner: str, status: int) -> None:
    answer = get(make_bmc(Manners(trailing_slash=manner)), f"{SYSTEM}/")
    assert answer.status == status
    if status == 308:
        assert answer.header("Location") == SYSTEM


def test_absolute_links(make_bmc: MakeBmc) -> None:
    body = get(make_bmc(Manners(absolute_links=True)), f"{ROOT}/Systems", Host="bmc.example:8443").json()
    assert body["Members"] == [{"@odata.id": f"https://bmc.example:8443{SYSTEM}"}]


def test_plain_http_can_lead_to_https(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(plain_http="redirect"))
    answer = ask(bmc, "GET", f"{SYSTEM}?only", headers={"Host": "127.43.0.1:8080"}, scheme="http")
    assert (answer.status, answer.header("Location")) == (308, f"https://127.43.0.1:8443{SYSTEM}?only")


@pytest.mark.parametrize("style", ["plain", "html"])
def test_errors_without_extended_info(make_bmc: MakeBmc, style: str) -> None:
    answer = get(make_bmc(Manners(error_style=style)), f"{ROOT}/nothing")
    assert answer.status == 404
    assert b"ExtendedInfo" not in answer.reply.payload()


def test_an_open_service_needs_no_login_for_anything(make_bmc: MakeBmc) -> None:
    bmc = make_bmc(Manners(anonymous=True))
    assert ask(bmc, "GET", SYSTEM, credentials=None).status == 200
    assert ask(bmc, "PATCH", SYSTEM, {"AssetTag": "x"}, credentials=None).status == 200


def test_head_can_be_missing(make_bmc: MakeBmc) -> None:
    assert ask(make_bmc(), "HEAD", SYSTEM).status == 200
    assert ask(make_bmc(Manners(head_allowed=False)), "HEAD", SYSTEM).status == 405

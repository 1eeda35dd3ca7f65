# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module bmc_pin through Ansible: in process for a host that is off, and delegated to another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.integration.result_shape import shape
from tests.servers.postgresql import PASSWORD, NotInstalled, PostgresqlServer, running_server

KEY = "spki-sha256:" + "ab" * 32
OTHER_KEY = "spki-sha256:" + "cd" * 32
MODULE = "hearth.datacenter.bmc_pin"


@pytest.fixture(params=["in process", "delegated"])
def pin(request: pytest.FixtureRequest, folder: PlaybookFolder) -> Callable[..., Ran]:
    """Runs one task of the module after another, each with these arguments, by one of the two front ends."""

    def run(*arguments: dict[str, Any], words: tuple[str, ...] = (), **keywords: Any) -> Ran:
        where = {"delegate_to": "jump"} if request.param == "delegated" else {}
        tasks = [{MODULE: one, "ignore_errors": True, **where, **keywords} for one in arguments]
        return folder.run(tasks, *words, hearth_state=folder.store)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> PlaybookFolder:
    return PlaybookFolder(tmp_path)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: no store in PostgreSQL")
    try:
        with running_server() as server:
            yield server
    except NotInstalled as missing:
        pytest.skip(str(missing))


def test_check_then_run_then_run_again(pin: Callable[..., Ran], folder: PlaybookFolder) -> None:
    arguments = {"address": "10.20.0.17", "key": KEY, "comment": "label"}

    checked = pin(arguments, words=("--check", "--diff"))
    assert not (folder.folder / "state.sqlite3").exists()
    ran = pin(arguments, arguments, words=("--diff",))
    (check,), (first, second) = checked.results, ran.results

    assert (check["changed"], first["changed"], second["changed"]) == (True, True, False)
    assert check["diff"] == first["diff"] == {"before": {"pins": {}}, "after": {"pins": {"10.20.0.17:443": KEY}}}
    assert second["diff"]["before"] == second["diff"]["after"] == {"pins": {"10.20.0.17:443": KEY}}
    assert check["pins"] == [
        {"address": "10.20.0.17:443", "key": KEY, "comment": "label", "recorded_at": None, "recorded_by": None}
    ]
    assert first["pins"] == second["pins"]
    assert first["pins"][0]["recorded_at"].endswith("Z")
    assert first["store"] == {"location": str(folder.folder / "state.sqlite3"), "persistent": True}
    assert (checked.code, ran.code) == (0, 0)


def test_removing_is_idempotent_and_checked(pin: Callable[..., Ran]) -> None:
    gone = {"address": "10.20.0.17", "state": "absent"}
    present = {"address": "10.20.0.17", "key": KEY}
    assert [result["changed"] for result in pin(present, gone, gone, present).results] == [True, True, False, True]

    check = pin(gone, words=("--check", "--diff")).results[0]
    assert (check["changed"], check["pins"]) == (True, [])
    assert check["diff"] == {"before": {"pins": {"10.20.0.17:443": KEY}}, "after": {"pins": {}}}
    assert pin(present).results[0]["changed"] is False


def test_another_key_is_replaced_only_when_said_so(pin: Callable[..., Ran]) -> None:
    ran = pin(
        {"address": "10.20.0.17", "key": KEY},
        {"address": "10.20.0.17", "key": OTHER_KEY},
        {"address": "10.20.0.17", "state": "absent", "key": OTHER_KEY},
        {"address": "10.20.0.17", "key": OTHER_KEY, "replace": True},
        {"address": "10.20.0.17", "state": "absent", "key": OTHER_KEY},
    )
    assert ran.outcomes == ["ok", "failed", "failed", "ok", "ok"]
    refused = ran.results[1]
    assert refused["error"]["type"] == "PinMismatch"
    assert KEY in refused["error"]["expected"] and OTHER_KEY in refused["error"]["found"]
    assert "replace: true" in refused["error"]["next"]


def test_many_pins_are_written_at_one_moment_or_not_at_all(pin: Callable[..., Ran]) -> None:
    pins = [{"address": f"10.20.1.{number}", "key": KEY} for number in range(3)]
    ran = pin(
        {"pins": [*pins, {"address": "10.20.1.9"}]},
        {"pins": pins},
        {"pins": [{"address": "10.20.1.7", "key": KEY}, {"address": "10.20.1.0", "key": OTHER_KEY}]},
        {"pins": [{"address": one["address"]} for one in [*pins, {"address": "10.20.1.7"}]], "state": "absent"},
    )
    missing, written, mismatch, removed = ran.results
    assert (missing["error"]["type"], missing["changed"]) == ("BadInput", False)
    assert "10.20.1.9:443" in missing["msg"]
    assert [one["address"] for one in written["pins"]] == ["10.20.1.0:443", "10.20.1.1:443", "10.20.1.2:443"]
    assert mismatch["error"]["type"] == "PinMismatch"
    # The first of the refused call was not pinned: only three are there to be removed.
    assert removed["changed"] is True and removed["pins"] == []


BAD_INPUT: list[tuple[dict[str, Any], str, str]] = [
    ({"address": "10.20.0.17"}, "BadInput", "no key to pin"),
    ({"address": "10.20.0.17", "key": "sha1:abc"}, "BadInput", "not a pin"),
    ({"address": "https://10.20.0.17", "key": KEY}, "BadInput", "address"),
    ({"address": "10.20.0.17", "port": 70000, "key": KEY}, "BadInput", "port"),
    ({"key": KEY}, "BadInput", "one of the following is required: address, pins"),
    ({"address": "10.20.0.17", "pins": []}, "BadInput", "mutually exclusive"),
    ({"address": "10.20.0.17", "state": "pinned"}, "BadInput", "must be one of"),
    ({"address": "10.20.0.17", "keys": KEY}, "BadInput", "Unsupported parameters for (hearth.datacenter.bmc_pin)"),
    ({"address": "10.20.0.17", "port": "https"}, "BadInput", "port"),
    ({"address": "10.20.0.17", "key": KEY, "observed": [OTHER_KEY]}, "PinMismatch", "shows another key"),
    ({"address": "10.20.0.17", "key": KEY, "hearth_state": "/nowhere/s"}, "StoreUnavailable", "does not exist"),
    ({"address": "10.20.0.17", "key": KEY, "hearth_state": "mysql://db/x"}, "BadInput", "scheme"),
]


def test_bad_input_is_a_failed_result_with_a_reason(pin: Callable[..., Ran]) -> None:
    ran = pin(*(arguments for arguments, _kind, _told in BAD_INPUT))
    assert ran.outcomes == ["failed"] * len(BAD_INPUT)
    for (arguments, kind, told), result in zip(BAD_INPUT, ran.results):
        assert result["error"]["type"] == kind, arguments
        assert told in result["msg"], arguments
    assert "Traceback" not in ran.said


def test_a_store_that_does_not_persist_takes_no_pins(pin: Callable[..., Ran], folder: PlaybookFolder) -> None:
    location = f"sqlite://{folder.folder}/state.sqlite3?persistent=no"
    (result,) = pin({"address": "10.20.0.17", "key": KEY, "hearth_state": location}).results
    assert result["error"]["type"] == "StoreUnavailable"
    assert "persistent=yes" in result["error"]["next"]


def test_both_front_ends_give_the_same_keys(folder: PlaybookFolder) -> None:
    arguments: list[dict[str, Any]] = [
        {"address": "10.20.0.17", "key": KEY},
        {"address": "10.20.0.17", "key": OTHER_KEY},
        {"address": "10.20.0.17", "state": "nonsense"},
        {"address": "10.20.0.17", "state": "absent"},
    ]
    results = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: one, "ignore_errors": True, **where} for one in arguments]
        results.append(folder.run(tasks, "--diff", hearth_state=folder.store).results)
    for here, there in zip(*results):
        assert shape(here) == shape(there)


def test_async_is_an_error_unless_delegated(folder: PlaybookFolder) -> None:
    arguments = {"address": "10.20.0.17", "key": KEY}
    for where in ({}, {"delegate_to": "localhost"}):
        ran = folder.run([{MODULE: arguments, "async": 20, "poll": 1, **where}], hearth_state=folder.store)
        assert ran.results[0]["error"]["type"] == "BadInput"
        assert "async is not possible" in ran.results[0]["msg"]
    # Polled by a task of its own: ansible-core 2.19 itself polls with the interpreter of the host that is off.
    finished = {
        "ansible.builtin.async_status": {"jid": "{{ begun.ansible_job_id }}"},
        "register": "ended",
        "until": "ended is finished",
        "retries": 20,
        "delay": 1,
        "delegate_to": "jump",
    }
    begin = {MODULE: arguments, "async": 20, "poll": 0, "delegate_to": "jump", "register": "begun"}
    ran = folder.run([begin, finished], hearth_state=folder.store)
    assert ran.results[-1]["pins"][0]["key"] == KEY
    ran = folder.run(
        [{MODULE: {**arguments, "hearth_state_password": "canary"}, "async": 20, "delegate_to": "jump"}],
        hearth_state=folder.store,
    )
    assert "carries a password" in ran.results[0]["msg"] and "canary" not in ran.said


def test_the_usual_keywords_work(pin: Callable[..., Ran]) -> None:
    looped = pin({"address": "{{ item }}", "key": KEY}, loop=["10.20.0.1", "10.20.0.2"]).results[0]
    assert [one["changed"] for one in looped["results"]] == [True, True]
    retried = pin({"address": "10.20.0.1", "key": KEY}, register="got", until="got is changed", retries=2, delay=0)
    assert retried.outcomes == ["failed"] and retried.results[0]["attempts"] == 2
    hidden = pin({"address": "10.20.0.3", "key": KEY}, no_log=True)
    assert KEY not in hidden.said and hidden.results[0]["changed"] is True


def test_nothing_is_asked_of_the_host(folder: PlaybookFolder) -> None:
    ran = folder.run([{MODULE: {"address": "10.20.0.17", "key": KEY}}], "-vvvv", hearth_state=folder.store)
    assert ran.outcomes == ["ok"]
    assert "ESTABLISH" not in ran.said and "127.44.255.254" not in ran.said
    assert not (folder.folder / "remote-tmp").exists()


def test_where_the_store_lies(folder: PlaybookFolder) -> None:
    def location(ran: Ran) -> str:
        return str(ran.results[0]["store"]["location"])

    task = {MODULE: {"address": "10.20.0.17", "state": "absent"}}
    playbook = folder.folder / "play.yml"

    assert location(folder.run([task])) == str(folder.folder / ".local/state/hearth/state.sqlite3")
    assert oct((folder.folder / ".local/state/hearth").stat().st_mode & 0o777) == "0o700"
    assert location(folder.playbook(str(playbook), XDG_STATE_HOME=str(folder.folder / "xdg"))) == str(
        folder.folder / "xdg/hearth/state.sqlite3"
    )
    assert location(folder.playbook(str(playbook), HEARTH_STATE=str(folder.folder / "env"))) == str(
        folder.folder / "env"
    )
    assert location(folder.run([task], hearth_state="{{ playbook_dir }}/var")) == str(folder.folder / "var")
    option = {MODULE: {**task[MODULE], "hearth_state": str(folder.folder / "option")}}
    assert location(folder.run([option], hearth_state="/nowhere/s")) == str(folder.folder / "option")


@pytest.mark.parametrize("where", [{}, {"delegate_to": "jump"}], ids=["in process", "delegated"])
def test_the_password_of_postgresql_appears_nowhere(
    folder: PlaybookFolder, postgresql: PostgresqlServer, where: dict[str, str]
) -> None:
    url = postgresql.database()
    task = {MODULE: {"address": "10.20.0.17", "key": KEY}, "ignore_errors": True, **where}
    ran = folder.run([task, task], "-vvvv", "--diff", hearth_state=url)
    assert [result["changed"] for result in ran.results] == [True, False]
    assert ran.results[0]["store"]["persistent"] is True
    wrong = folder.run([task], "-vvvv", hearth_state=postgresql.url("nowhere", password="canary-wrong"))
    assert wrong.results[0]["error"]["type"] == "StoreUnavailable"

    for canary in (PASSWORD, "s3cret", "canary-wrong"):
        assert canary not in ran.said and canary not in wrong.said
        assert canary not in str(ran.results) and canary not in str(wrong.results)
        written = [path for path in folder.folder.rglob("*") if path.is_file() and path.name != "variables.yml"]
        assert [path for path in written if canary.encode() in path.read_bytes()] == []

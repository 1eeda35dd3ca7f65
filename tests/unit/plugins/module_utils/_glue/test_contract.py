# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    Unreachable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import (
    HIDDEN,
    Contract,
    Outcome,
    Request,
    invalid_arguments,
    perform,
    secrets_of,
    without_secrets,
)

SPEC: dict[str, dict[str, Any]] = {
    "state": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "accounts": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "secret": {"type": "str", "no_log": True}},
    },
    "vault": {"type": "dict", "options": {"keys": {"type": "list", "elements": "str", "no_log": True}}},
}
PARAMS: dict[str, Any] = {
    "state": "present",
    "password": "canary-one!",
    "accounts": [{"name": "alice", "secret": "canary-two!"}, {"name": "bob", "secret": None}],
    "vault": {"keys": ["canary-three!"]},
}


def contract(outcome: Outcome | Exception) -> Contract:
    def run(_request: Request) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Contract("example", run, SPEC)


def test_a_result_has_the_nouns_and_whether_something_changed() -> None:
    outcome = Outcome(True, {"power": {"state": "on"}}, before={"state": "off"}, after={"state": "on"})
    result = perform(contract(outcome), PARAMS, check_mode=False, diff_mode=False)
    assert result == {"changed": True, "power": {"state": "on"}}


def test_a_diff_is_there_in_diff_mode_and_warnings_where_there_are_any() -> None:
    outcome = Outcome(False, before={"state": "on"}, after={"state": "on"}, warnings=["suite 3"])
    result = perform(contract(outcome), PARAMS, check_mode=False, diff_mode=True)
    assert result == {
        "changed": False,
        "warnings": ["suite 3"],
        "diff": {"before": {"state": "on"}, "after": {"state": "on"}},
    }


def test_an_error_becomes_a_failed_result() -> None:
    error = Unreachable(
        "No answer.", expected="an answer", found="nothing", where="10.0.0.7", next="Look at the cable."
    )
    assert perform(contract(error), PARAMS, check_mode=False, diff_mode=True) == {
        "failed": True,
        "changed": False,
        "msg": "No answer.",
        "error": {
            "type": "Unreachable",
            "expected": "an answer",
            "found": "nothing",
            "where": "10.0.0.7",
            "next": "Look at the cable.",
        },
    }


def test_a_bug_is_not_hidden_as_a_failed_result() -> None:
    with pytest.raises(ZeroDivisionError):
        perform(contract(ZeroDivisionError()), PARAMS, check_mode=False, diff_mode=False)


def test_wrong_arguments_fail_with_the_keys_of_every_failure() -> None:
    result = invalid_arguments("missing required arguments: address")
    assert set(result) == {"failed", "changed", "msg", "error"}
    assert result["error"]["type"] == "BadInput"


def test_secrets_are_found_in_suboptions_and_hidden_in_an_invocation() -> None:
    assert secrets_of(PARAMS, SPEC) == ["canary-one!", "canary-two!", "canary-three!"]
    shown = without_secrets(PARAMS, SPEC)
    assert "canary" not in json.dumps(shown)
    assert shown["accounts"] == [{"name": "alice", "secret": HIDDEN}, {"name": "bob", "secret": None}]
    assert PARAMS["password"] == "canary-one!"


def test_a_secret_in_an_error_is_hidden() -> None:
    error = BadInput("login as 'canary-one!' failed", found="canary-three! and canary-two!")
    assert "canary" not in json.dumps(perform(contract(error), PARAMS, check_mode=False, diff_mode=False))


def test_a_password_that_is_an_ordinary_word_does_not_mask_other_fields() -> None:
    outcome = Outcome(False, {"account": {"name": "admin", "role": "administrator", "password": "admin"}})
    result = perform(contract(outcome), {**PARAMS, "password": "admin"}, check_mode=False, diff_mode=False)
    assert (result["account"]["name"], result["account"]["role"]) == ("admin", "administrator")
    assert result["account"]["password"] != "admin"


def test_an_engine_sees_plain_builtins() -> None:
    class Tagged(str):
        pass

    seen = []

    def run(request: Request) -> Outcome:
        seen.append(request.params)
        return Outcome(False, {"state": request.params["state"]})

    result = perform(Contract("example", run, SPEC), {"state": Tagged("on")}, check_mode=True, diff_mode=False)
    assert [seen[0]["state"].__class__, result["state"].__class__] == [str, str]

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conversation with the child: what it misbehaves in is a typed error, and nothing of it is left."""

from __future__ import annotations

import threading
import time
from typing import Any, List

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import dialogue
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import Login

LOGIN = Login("hearth", "canary-4711-hush")
OPENING = """
import json, sys, time
def say(**answer):
    print(json.dumps(answer), flush=True)
def main(request):
    say(open=True, suite=17, proofs=1)
"""


@pytest.fixture(autouse=True)
def leaves_nothing(nothing_left: None) -> None:
    """Every test here does."""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has the child run another program, whose main gets a body."""

    def have(body: str) -> None:
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        monkeypatch.setattr(
            dialogue, "order_for", lambda *_words, **_more: {"program": [("program", OPENING + lines)], "request": {}}
        )

    return have


def talk(seconds: float = 10.0, **options: Any) -> Any:
    return dialogue.opened("127.63.0.9", LOGIN, deadline=Deadline.after(seconds), **options)


def status(found: dialogue.Dialogue) -> bytes:
    return found.command(0, 1, what="reading the chassis status")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0xC1, errors.Unsupported),
        (0xCC, errors.Unsupported),
        (0xD4, errors.AccessDenied),
        (0xD5, errors.Refused),
        (0xFF, errors.Refused),
        (0x81, errors.Refused),
    ],
)
def test_completion_code_is_a_typed_error(program: Any, code: int, kind: Any) -> None:
    program(f"sys.stdin.readline(); say(code={code}, data='')\nsys.stdin.read()")
    with talk() as found, pytest.raises(kind) as raised:
        status(found)
    assert raised.value.found == f"{code:02X}h"
    assert "command 01h" in raised.value.where and "reading the chassis status" in raised.value.msg


def test_orders_are_answered_one_after_another(program: Any) -> None:
    program("for line in sys.stdin:\n    say(code=0, data=bytes(json.loads(line)['command'][:2]).hex())")
    with talk() as found:
        assert (found.suite, found.proofs, found.warnings) == (17, 1, ())
        assert found.command(0, 1, what="x") == b"\x00\x01"
        assert found.command(6, 7, what="x") == b"\x06\x07"


def test_missing_pyghmi_says_what_to_install(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyghmi.py").write_text("raise ImportError('No module named pyghmi')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(errors.MissingLibrary) as raised, talk():
        raise AssertionError("it opened a session without pyghmi")
    assert "pyghmi" in raised.value.next


def test_child_that_ends_in_the_middle(program: Any) -> None:
    program("sys.stdin.readline(); raise RuntimeError('its last words')")
    with pytest.raises(errors.ProtocolViolation, match="without an answer") as raised, talk() as found:
        status(found)
    assert raised.value.found == "RuntimeError: its last words"


@pytest.mark.parametrize("said", ["nonsense", "[1]", '"x"', "{"])
def test_child_that_says_no_object(program: Any, said: str) -> None:
    program(f"sys.stdin.readline(); print({said!r}, flush=True); sys.stdin.read()")
    with pytest.raises(errors.ProtocolViolation), talk() as found:
        status(found)


def test_answer_without_end_is_cut_off(program: Any) -> None:
    program("sys.stdin.readline()\nwhile True:\n    sys.stdout.write('A' * 65536)")
    with pytest.raises(errors.ProtocolViolation, match="too long"), talk() as found:
        status(found)


def test_complaints_without_end_are_dropped(program: Any) -> None:
    program("sys.stdin.readline(); sys.stderr.write('B' * 3000000); say(code=0, data='01'); sys.stdin.read()")
    with talk() as found:
        assert status(found) == b"\x01"


def test_silent_child_is_ended_at_the_deadline(program: Any) -> None:
    program("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(errors.TimedOut), talk(1.0) as found:
        status(found)
    assert time.monotonic() - began < 3


def test_wait_is_not_longer_than_what_was_granted(program: Any) -> None:
    program("sys.stdin.readline(); time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(errors.TimedOut), talk(60.0) as found:
        found.grant(0.5)
        status(found)
    assert time.monotonic() - began < 3


def test_child_is_asked_to_log_out_when_the_task_fails(program: Any, tmp_path: Any) -> None:
    program(f"sys.stdin.read(); open({str(tmp_path / 'logged-out')!r}, 'w').close(); say(closed=True)")
    with pytest.raises(errors.BadInput), talk():
        raise errors.BadInput("of the task itself")
    assert (tmp_path / "logged-out").exists()


def test_cancelled_wait_ends_at_once(program: Any) -> None:
    program("sys.stdin.readline(); time.sleep(60)")
    cancelled = threading.Event()
    timer = threading.Timer(0.5, cancelled.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(errors.Cancelled), talk(60.0, cancelled=cancelled) as found:
        status(found)
    timer.join()
    assert time.monotonic() - began < 4


def test_busy_is_asked_again_and_not_for_ever(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "_BUSY_PAUSE", 0.01)
    program("count = 0\nfor line in sys.stdin:\n    count += 1\n    say(code=0xC0 if count != 3 else 0, data='07')")
    seen: List[bytes] = []
    with talk() as found:
        seen.append(status(found))
        with pytest.raises(errors.Busy):
            status(found)
    assert seen == [b"\x07"]

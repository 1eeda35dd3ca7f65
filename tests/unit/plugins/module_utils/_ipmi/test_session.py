# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The child process: where the secret goes, what happens when it misbehaves, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Tuple

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import session
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import Login, ask
from tests.unit.plugins.module_utils._ipmi.leftovers import children

SECRET = "canary-4711-hush"


@pytest.fixture
def black_hole() -> Iterator[Tuple[str, int]]:
    """A BMC that takes every datagram and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.45.10.1", 0))
        yield udp.getsockname()


def converse(program: str, seconds: float = 10.0, cancelled: Optional[threading.Event] = None) -> Mapping[str, Any]:
    order = {"program": [("program", program)], "request": {"password": SECRET}}
    return session._converse(order, Deadline.after(seconds), cancelled, "the test")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_secret_is_neither_in_argv_nor_in_the_environment(
    black_hole: Tuple[str, int], monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    """AWX puts passwords into our environment: the child gets what an interpreter needs and nothing else."""
    monkeypatch.setenv("HEARTH_BMC_PASSWORD", SECRET)
    seen: List[bytes] = []

    def look() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until and len(seen) < 20:
            for pid in children():
                try:
                    seen.append(Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes())
                except (FileNotFoundError, ProcessLookupError):
                    continue
            time.sleep(0.02)

    looking = threading.Thread(target=look)
    looking.start()
    with pytest.raises(errors.TimedOut):
        ask(black_hole[0], Login("hearth", SECRET), {}, port=black_hole[1], deadline=Deadline.after(2))
    looking.join()
    # The first moment after the fork still shows this process; what is looked for is the interpreter that was started.
    started = [text for text in seen if b"json.loads" in text]
    assert started
    assert not any(SECRET.encode() in text for text in started)


def test_child_waits_in_the_thread_that_reads(black_hole: Tuple[str, int], nothing_left: None) -> None:
    """pyghmi's own IO thread loses wake-ups, each of which costs up to a second."""
    threads: List[int] = []

    def look() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until and not threads:
            for pid in children():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    started = b"json.loads" in Path(f"/proc/{pid}/cmdline").read_bytes()
                    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
                    if started and any(link.startswith("socket:") for link in links):
                        time.sleep(0.2)
                        threads.append(len(os.listdir(f"/proc/{pid}/task")))
            time.sleep(0.02)

    looking = threading.Thread(target=look)
    looking.start()
    with pytest.raises(errors.TimedOut):
        ask(black_hole[0], Login("hearth", SECRET), {}, port=black_hole[1], deadline=Deadline.after(3))
    looking.join()
    assert threads == [1]


def test_black_hole_times_out_within_the_deadline(black_hole: Tuple[str, int], nothing_left: None) -> None:
    began = time.monotonic()
    with pytest.raises(errors.TimedOut) as raised:
        ask(black_hole[0], Login("hearth", SECRET), {}, port=black_hole[1], deadline=Deadline.after(1.5))
    assert time.monotonic() - began < 2.0
    assert black_hole[0] in raised.value.where
    assert SECRET not in json.dumps(raised.value.as_dict())


def test_expired_deadline_starts_nothing(nothing_left: None) -> None:
    with pytest.raises(errors.TimedOut):
        ask("127.45.10.9", Login("hearth", SECRET), {}, deadline=Deadline.after(0))


def test_stubborn_child_is_killed_at_the_deadline_with_all_its_group(tmp_path: Path, nothing_left: None) -> None:
    program = f"""
import os, signal, subprocess, sys, time
def main(request):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open({str(tmp_path / "inner")!r}, "w").write(str(inner.pid))
    time.sleep(60)
"""
    began = time.monotonic()
    with pytest.raises(errors.TimedOut):
        converse(program, 1.5)
    assert time.monotonic() - began < 2.0
    inner = int((tmp_path / "inner").read_text())
    until = time.monotonic() + 5
    while alive(inner) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(inner)


def test_cancelled_child_may_log_out_first(tmp_path: Path, nothing_left: None) -> None:
    program = f"""
import signal, sys, time
def main(request):
    def leave(number, frame):
        open({str(tmp_path / "logged-out")!r}, "w").close()
        sys.exit()
    signal.signal(signal.SIGTERM, leave)
    open({str(tmp_path / "ready")!r}, "w").close()
    time.sleep(60)
"""
    cancelled = threading.Event()

    def cancel() -> None:
        until = time.monotonic() + 5
        while not (tmp_path / "ready").exists() and time.monotonic() < until:
            time.sleep(0.02)
        cancelled.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    began = time.monotonic()
    with pytest.raises(errors.Cancelled):
        converse(program, 30, cancelled)
    canceller.join()
    assert time.monotonic() - began < 6
    assert (tmp_path / "logged-out").exists()


def test_interrupt_leaves_no_child(monkeypatch: pytest.MonkeyPatch, nothing_left: None) -> None:
    def interrupted(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session._Talk, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        converse("def main(request):\n    import time; time.sleep(60)\n")


def test_answer_without_end_is_cut_off(nothing_left: None) -> None:
    program = """
def main(request):
    while True:
        print("x" * 65536)
"""
    began = time.monotonic()
    with pytest.raises(errors.ProtocolViolation) as raised:
        converse(program)
    assert "too long" in raised.value.msg
    assert time.monotonic() - began < 5


def test_complaints_without_end_are_read_and_dropped(nothing_left: None) -> None:
    program = """
import sys
def main(request):
    sys.stderr.write("y" * 1_000_000)
    print('{"fine": true}')
"""
    assert converse(program) == {"fine": True}


def test_crash_is_a_typed_error_with_its_last_words(nothing_left: None) -> None:
    with pytest.raises(errors.ProtocolViolation) as raised:
        converse("def main(request):\n    raise LookupError('no such {{ thing }}')\n")
    assert raised.value.found == "LookupError: no such { { thing } }"


def test_child_that_is_gone_before_it_has_read_is_a_typed_error(nothing_left: None) -> None:
    order = {"program": [("program", "x" * 5_000_000)], "request": {}}
    with pytest.raises(errors.ProtocolViolation):
        session._converse(order, Deadline.after(10), None, "the test")


@pytest.mark.parametrize("said", ["", "[]", "null", "{", '"x"'])
def test_answer_that_is_no_object_is_a_typed_error(said: str, nothing_left: None) -> None:
    with pytest.raises(errors.ProtocolViolation):
        converse(f"def main(request):\n    print({said!r})\n")


def test_missing_pyghmi_says_what_to_install(
    black_hole: Tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    (tmp_path / "pyghmi.py").write_text("raise ImportError('No module named pyghmi')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(errors.MissingLibrary) as raised:
        ask(black_hole[0], Login("hearth", SECRET), {}, port=black_hole[1], deadline=Deadline.after(10))
    assert "pyghmi" in raised.value.next


@pytest.mark.parametrize(
    "login",
    [
        Login("a" * 17, "x"),
        Login("ä" * 9, "x"),
        Login("hearth", "p" * 21),
        Login("hearth", "a\x00b"),
        Login("hearth", "\udcff"),
    ],
    ids=["name", "name-in-bytes", "password", "zero", "no-text"],
)
def test_account_that_ipmi_cannot_have_is_never_tried(login: Login, nothing_left: None) -> None:
    with pytest.raises(errors.BadInput) as raised:
        ask("127.45.10.9", login, {}, deadline=Deadline.after(10))
    assert login.password not in raised.value.found


@pytest.mark.parametrize("suites", [(), (0,), (17, 0), (1,), (2,), (6,), (15,)])
def test_weak_cipher_suites_are_refused_before_anything_is_sent(suites: Tuple[int, ...], nothing_left: None) -> None:
    with pytest.raises(errors.BadInput) as raised:
        ask("127.45.10.9", Login("hearth", SECRET), {}, deadline=Deadline.after(10), suites=suites)
    assert "17, 3" in raised.value.expected


def test_password_is_not_in_the_representation() -> None:
    assert SECRET not in repr(Login("hearth", SECRET, "site"))

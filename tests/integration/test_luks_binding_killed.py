# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL before and after each program that touches the header: a way in is left, and the next run finishes.

The points are not listed here: a run that is not killed counts them. A killed run dies right before the step's first
program, or right after that program has ended. The steps that clear a killed run's remains away are not among them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import TimedOut
from ansible_collections.hearth.datacenter.plugins.module_utils._core.programs import Programs, node_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import WantTang, WantTpm2
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.systemd import WantSystemdTpm2
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.luks_image import PASSPHRASE, LuksImage
from tests.servers.tang import TangServer

ROOT_PCRS = (7, 8, 9)

# A process of its own, so that it can be killed. It counts what it starts with the header as an argument.
CHILD = """
import os, signal, sys
sys.path[:0] = sys.argv[1].split(":")
from ansible_collections.hearth.datacenter.plugins.module_utils._core import programs
from ansible_collections.hearth.datacenter.plugins.module_utils._luks import binding, clevis, cryptsetup
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import WantTang, WantTpm2
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.systemd import WantSystemdTpm2

device, wanted, die_at, when = sys.argv[2], eval(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
steps = 0
dying = False

def reached(step):
    global steps, dying
    steps += 1
    if steps == die_at:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        dying = True

class Dying(programs.Programs):
    def attempt(self, *argv, **more):
        ended = super().attempt(*argv, **more)
        if dying and when == "after" and argv[0] in ("cryptsetup", "systemd-cryptenroll"):
            os.kill(os.getpid(), signal.SIGKILL)
        return ended

runner = Dying(programs.node_environment(os.environ))
binder = binding.Binder(cryptsetup.Luks(device, runner), clevis.Clevis(runner), sys.stdin.buffer.read() or None)
binder.reached = reached
binder.bind(wanted, root=True, exclusive=True)
print(steps)
"""


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


def run(bench: LuksBench, image: LuksImage, wanted: object, die_at: int, when: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    paths = f"{root}:{root / 'build' / 'dev'}"
    return subprocess.run(
        [sys.executable, "-c", CHILD, paths, str(image.path), repr(wanted), str(die_at), when],
        env=bench.environment,
        input=PASSPHRASE.decode(),
        capture_output=True,
        text=True,
        check=False,
    )


def old_and_new(bench: LuksBench, kind: str) -> tuple[LuksImage, TangServer, object]:
    """A device that is bound to an old server, and what it is to be bound to instead."""
    image, old = bench.image(), bench.tang()
    bench.binder(image).bind(WantTang(old.url, old.thumbprint), root=True, exclusive=False)
    if kind == "clevis":
        new = bench.tang()
        return image, old, WantTang(new.url, new.thumbprint)
    if kind == "predicted":
        return image, old, WantTpm2(ROOT_PCRS, values=bytes(96))
    assert bench.tpm
    return image, old, WantSystemdTpm2(ROOT_PCRS)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["clevis", "predicted", "systemd"])
def test_killed_at_every_step(bench: LuksBench, kind: str, when: str) -> None:
    if kind != "clevis":
        assert bench.tpm
    image, _old, wanted = old_and_new(bench, kind)
    whole = image.path.read_bytes()
    ended = run(bench, image, wanted, 0, when)
    assert ended.returncode == 0, ended.stderr
    steps = int(ended.stdout)
    assert steps == {"clevis": 7, "predicted": 5, "systemd": 6}[kind]
    done = image.keyslots, image.tokens
    for die_at in range(1, steps + 1):
        image.path.write_bytes(whole)
        killed = run(bench, image, wanted, die_at, when)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        # The recovery passphrase, and one binding at least, open what the killed run left.
        assert image.opens(PASSPHRASE, 0)
        audit = bench.audit(image)
        assert any(binding["opens"] for binding in audit["bindings"]), f"{die_at}: {audit}"
        assert "unknown_keyslot" not in [finding["code"] for finding in audit["findings"]], f"{die_at}: {audit}"
        finished = run(bench, image, wanted, 0, when)
        assert finished.returncode == 0, f"{die_at}: {finished.stderr}"
        assert (len(image.keyslots), image.tokens) == (len(done[0]), done[1]), f"{die_at}: {image.metadata()}"
        before = image.path.read_bytes()
        again = run(bench, image, wanted, 0, when)
        assert (again.returncode, again.stdout.strip()) == (0, "0"), f"{die_at}: {again.stderr}"
        assert image.path.read_bytes() == before


def test_somebody_elses_keyslot_in_the_noted_place_stays(bench: LuksBench) -> None:
    """A run was killed before it added its keyslot, and the number that it had noted was taken meanwhile."""
    image, _old, wanted = old_and_new(bench, "clevis")
    assert run(bench, image, wanted, 2, "before").returncode == -signal.SIGKILL
    assert "hearth-binding-pending" in image.tokens
    image.add(b"a colleague's recovery key", 2)
    assert run(bench, image, wanted, 0, "before").returncode == 0
    assert image.opens(b"a colleague's recovery key", 2)
    assert "hearth-binding-pending" not in image.tokens


def test_nothing_runs_on_after_the_program_timed_out(bench: LuksBench) -> None:
    """A Tang server that accepts and never answers: clevis and its curl end with the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        programs = Programs(node_environment(os.environ), patience=1.0)
        with pytest.raises(TimedOut):
            programs.attempt("clevis", "encrypt", "tang", f'{{"url":"{url}","thp":"x"}}', stdin=b"secret")
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert url.encode() not in process.read_bytes()
        except OSError:
            continue

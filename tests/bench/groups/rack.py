# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual rack and the live image: what building, booting, restoring and taking away cost.

It measures on a rack of its own, beside the one that somebody tries things on.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import tempfile
import time
import typing as t

from tests.lab import rack as lab
from tests.lab import snapshot
from tests.lab.live import IMAGES, Live
from tests.toolchain.environments import SetUpFailed
from tests.toolchain.lab import rack_down, rack_up
from tests.toolchain.scenarios import LAB_RACK

from ..figures import Figure, held, stated

BUILD_SECONDS, IMAGE_MB = 180, 350
BOOT_SECONDS, UP_SECONDS, RESTORE_SECONDS = 120, 60, 20


def measure(context: t.Mapping[str, t.Any]) -> list[Figure]:
    """rack: built, up, booted, saved, restored and down."""
    with LAB_RACK.taken():
        try:
            return _measured(context, LAB_RACK.variables)
        except SetUpFailed as error:
            raise RuntimeError(str(error)) from error
        finally:
            if LAB_RACK.place.exists():
                rack_down(LAB_RACK.variables)


def _measured(context: t.Mapping[str, t.Any], variables: list[str]) -> list[Figure]:
    before = left()
    up = _up(variables)
    rack = lab.read()
    here = {**context, "machines": LAB_RACK.machines, "accelerator": rack.accelerator}
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        live = Live(rack, pathlib.Path(folder))
        figures = [*_image(live, here), held("rack.up_cached", up, "s", UP_SECONDS, here)]
        figures += [stated("rack.up_again", _up(variables), "s", here), *_boot(live, here), *_restore(live, here)]
    began = time.monotonic()
    if rack_down(variables) != 0:
        raise RuntimeError("rack-down failed: see above")
    down = time.monotonic() - began
    remains = {kind: sorted(set(found) - set(before[kind])) for kind, found in left().items()}
    return [
        *figures,
        stated("rack.down", down, "s", here),
        *(held(f"rack.left_{kind}", len(found), "", 0, {**here, "found": found}) for kind, found in remains.items()),
    ]


def left() -> dict[str, list[str]]:
    """What of a rack there is on this machine, by kind."""
    mine = re.compile(re.escape(LAB_RACK.name))
    processes = [
        line
        for line in _said("ps", "-eo", "pid,args").splitlines()
        if mine.search(line) and int(line.split()[0]) != os.getpid()
    ]
    interfaces = [
        line.split(":")[1].strip() for line in _said("ip", "-o", "link").splitlines() if f"{LAB_RACK.bridges}-" in line
    ]
    return {
        "processes": processes,
        "domains": [name for name in _said("virsh", "list", "--all", "--name").split() if mine.search(name)],
        "networks": interfaces + _said("virsh", "net-list", "--all", "--name").split(),
        "pools": _said("virsh", "pool-list", "--all", "--name").split(),
        "files": [str(path) for path in LAB_RACK.place.rglob("*")] if LAB_RACK.place.exists() else [],
    }


def _said(*command: str) -> str:
    """What a program writes; nothing where it does not run (libvirt is down again when no rack is up)."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    return done.stdout if done.returncode == 0 else ""


def _up(variables: list[str]) -> float:
    began = time.monotonic()
    if rack_up(variables) != 0:
        raise RuntimeError("rack-up failed: see above")
    return time.monotonic() - began


def _image(live: Live, here: t.Mapping[str, t.Any]) -> list[Figure]:
    """Built once to have the packages cached, then anew, from the same packages, beside it."""
    live.prepare()
    with tempfile.TemporaryDirectory(prefix="hearth-bench-image-", dir=IMAGES.parent) as anew:
        seconds = live.prepare(pathlib.Path(anew))
        [image] = pathlib.Path(anew).rglob("*.iso")
        size = image.stat().st_size
    live.prepare()
    return [
        held("rack.image_build", seconds, "s", BUILD_SECONDS, here),
        held("rack.image_size", size / 1e6, "MB", IMAGE_MB, here),
    ]


def _boot(live: Live, here: t.Mapping[str, t.Any]) -> list[Figure]:
    machine = live.rack.machines[0]
    began = time.monotonic()
    ran = live.boot(machine, boot_live_reboot=True)
    whole = time.monotonic() - began
    if ran.code != 0:
        raise RuntimeError(f"{machine.name} did not boot: {ran.said[-2000:]}")
    [answered] = re.findall(r"It answers, (\d+) s after power-on", ran.said)
    began = time.monotonic()
    again = live.boot(machine)
    if again.code != 0 or any(result.get("changed") for result in again.results):
        raise RuntimeError(f"a second run changed something: {again.said[-2000:]}")
    return [
        held("rack.power_on_to_ssh", float(answered), "s", BOOT_SECONDS, here),
        stated("rack.boot_live", whole, "s", here),
        stated("rack.boot_live_again", time.monotonic() - began, "s", here),
    ]


def _restore(live: Live, here: t.Mapping[str, t.Any]) -> list[Figure]:
    """A machine in the live image, saved, and back until SSH answers."""
    machine = live.rack.machines[0]
    began = time.monotonic()
    snapshot.save(live.rack, "bench", machine)
    saved = time.monotonic() - began
    boot = live.ssh(machine, "cat /proc/sys/kernel/random/boot_id")
    began = time.monotonic()
    snapshot.restore(live.rack, "bench", machine)
    if live.ssh(machine, "cat /proc/sys/kernel/random/boot_id") != boot:
        raise RuntimeError("the restored machine is in another boot")
    restored = time.monotonic() - began
    snapshot.delete(live.rack, "bench", machine)
    return [
        held("rack.restore_to_ssh", restored, "s", RESTORE_SECONDS, here),
        stated("rack.save", saved, "s", here),
    ]

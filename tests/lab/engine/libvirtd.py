# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt serves. On a machine with systemd it does already; in a container we start it, and stop what we started.

It serves all labs of the machine, so it is on record in a directory of its own: the last lab that needs it stops it,
whichever started it.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from tests.lab.engine import domain, virsh
from tests.lab.engine.daemons import Daemon, Daemons
from tests.lab.engine.errors import LabError

#: pid files and logs of both
DIRECTORY = Path("/run/hearth-lab-libvirt")
# In this order: a QEMU whose console goes through virtlogd cannot start without it. Alone: QEMU outlives libvirtd.
_VIRTLOGD = Daemon("virtlogd", ("virtlogd",), ready="/run/libvirt/virtlogd-sock", alone=True)
_LIBVIRTD = Daemon("libvirtd", ("libvirtd",), ready="/run/libvirt/libvirt-sock", alone=True)


def ensure(daemons: Daemons) -> list[str]:
    """Start what does not run; the names of what was started."""
    if virsh.answers():
        return []
    # A virtlogd may serve without a libvirtd: somebody else's, which then serves ours, too.
    started = [
        daemon.name for daemon in (_VIRTLOGD, _LIBVIRTD) if not _accepts(daemon.ready) and daemons.ensure(daemon)
    ]
    if not virsh.answers():
        raise LabError(f"libvirtd runs and does not answer on {virsh.URI}; see {daemons.directory}/libvirtd.log")
    return started


def stop(daemons: Daemons) -> tuple[list[str], str]:
    """Stop what labs started, unless others work with it: (names stopped, why it was left)."""
    if daemons.running(_LIBVIRTD.name) is not None and virsh.answers():
        # Another lab's machines may be off, and its BMCs ask libvirtd for them all the same.
        used = {*virsh.running_domains(), *virsh.active_networks(), *_machines_of_labs()}
        if used:
            return [], f"{', '.join(sorted(used))} of others still use libvirtd"
    stopped = [daemon.name for daemon in (_LIBVIRTD, _VIRTLOGD) if daemons.stop(daemon.name, alone=True)]
    shutil.rmtree(daemons.directory, ignore_errors=True)
    return stopped, ""


def _machines_of_labs() -> list[str]:
    definitions = {name: virsh.definition(name) for name in virsh.domains()}
    return [name for name, each in definitions.items() if each is not None and domain.mark_of(each) is not None]


def _accepts(path: str) -> bool:
    """Whether a process serves on a socket: its file stays when the process is killed."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a file outlives the run: a container's own disk and memory file systems do not.

Pins and leases in a store that vanishes protect nobody. What is looked at, in this order:

1. The mount that holds the file (``/proc/self/mountinfo``). tmpfs and ramfs are memory. overlay (also FUSE's) and aufs
   are the writable layer of a container or of a live system. A Kubernetes ``emptyDir`` is an ordinary file system of
   the node, which shows its kind in the path that is mounted.
2. Where the file lies on the root mount itself: whether this is a container (``/.dockerenv``, ``/run/.containerenv``,
   ``KUBERNETES_SERVICE_HOST``). That finds containers whose root is a block device, btrfs or ZFS.

A volume mounted into a container is a mount of its own and counts as persistent. LXC and systemd-nspawn leave none of
these marks: they are machines. Where this is wrong, the location says so: ``sqlite:///path?persistent=yes``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional

_MEMORY = ("tmpfs", "ramfs")
_LAYERED = ("overlay", "fuse.fuse-overlayfs", "aufs")
_MARKS = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: which path of the file system (root) is seen where (point)."""

    root: str
    point: str
    filesystem: str


def parse_mountinfo(text: str) -> List[Mount]:
    """The mounts of a mountinfo text, in its order (proc(5)); lines that cannot be read are left out."""
    mounts = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if separator and len(fields) >= 6 and kinds:
            mounts.append(Mount(_unescape(fields[3]), _unescape(fields[4]), kinds[0]))
    return mounts


def mount_of(path: str, mounts: List[Mount]) -> Optional[Mount]:
    """The mount that a path lies on: the longest mount point above it; of equal ones the last, which hides the rest."""
    found: Optional[Mount] = None
    for mount in mounts:
        below = path == mount.point or path.startswith(mount.point.rstrip("/") + "/")
        if below and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def why_not_persistent(
    path: str,
    *,
    mountinfo: Optional[str] = None,
    environ: Optional[Mapping[str, str]] = None,
    exists: Callable[[str], bool] = os.path.exists,
) -> str:
    """Why a file at this path will be gone, in words for the user; empty when it will stay or nothing is known."""
    if mountinfo is None:
        mountinfo = _read_mountinfo()
    if environ is None:
        environ = os.environ
    mount = mount_of(os.path.realpath(path), parse_mountinfo(mountinfo))
    if mount is None:
        return ""
    if mount.filesystem in _MEMORY:
        return f"it lies in memory ({mount.filesystem} at {mount.point})"
    if mount.filesystem in _LAYERED:
        return f"it lies on a container's or live system's own disk ({mount.filesystem} at {mount.point})"
    if "/kubernetes.io~empty-dir/" in mount.root:
        return f"it lies in a Kubernetes emptyDir (at {mount.point}), which ends with the pod"
    if mount.point == "/":
        marks = [mark for mark in _MARKS if exists(mark)]
        if environ.get("KUBERNETES_SERVICE_HOST"):
            marks.append("$KUBERNETES_SERVICE_HOST")
        if marks:
            return f"it lies on a container's own disk (there is {' and '.join(marks)})"
    return ""


def _read_mountinfo() -> str:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        # No /proc, not Linux: nothing is known.
        return ""


def _unescape(field: str) -> str:
    """mountinfo writes space, tab, newline and backslash as octal, \\040 and the like."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field)

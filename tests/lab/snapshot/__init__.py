# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of the rack's machines: disks, firmware variables, TPM and, of one that runs, its memory.

Saving gives the disks to the snapshot and lays an empty layer over them, so it copies nothing, and restoring throws
that layer away. QEMU cannot save an NVMe controller, so it is unplugged while memory is written and plugged in again
after, as after every restore: a machine that is saved running must not have its NVMe disk in use.
"""

from tests.lab.snapshot.restoring import restore
from tests.lab.snapshot.saving import save
from tests.lab.snapshot.store import Snapshot, SnapshotError, delete, find, listing

__all__ = ["Snapshot", "SnapshotError", "delete", "find", "listing", "restore", "save"]

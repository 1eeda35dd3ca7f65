# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a run keeps what its tasks have to know of one another.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible import constants


def run_directory() -> str:
    """The temporary directory of this run of Ansible: made when it starts, seen by all workers, gone when it ends."""
    return str(constants.DEFAULT_LOCAL_TMP)

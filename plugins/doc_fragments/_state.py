# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that use the state store. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hearth_state:
    description:
      - Where the state store lies, as a path, C(sqlite:///path), or C(postgresql://user@host:port/database).
      - If not set, the variable C(hearth_state) counts, then the environment variable E(HEARTH_STATE) of the machine
        where the task runs, then C($XDG_STATE_HOME/hearth/state.sqlite3), which is
        C(~/.local/state/hearth/state.sqlite3) unless set otherwise.
      - The default's directory is made with mode 0700. Any other directory must exist. The file is made with mode 0600.
      - C(?persistent=yes) behind a URL says that the store outlives the run where that cannot be seen,
        C(?persistent=no) that it does not.
      - A PostgreSQL URL may hold a password, which is shown nowhere. Special characters in it must be percent-encoded.
    type: str
  hearth_state_password:
    description:
      - The password of PostgreSQL, where O(hearth_state) does not hold it.
      - E(PGPASSWORD) and C(~/.pgpass) work, too.
    type: str
requirements:
  - psycopg >= 3.1 (only for a state store in PostgreSQL)
"""

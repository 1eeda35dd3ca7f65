# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the state store lies, for what runs on the controller.

PRIVATE to the collection. An option or the variable ``hearth_state`` counts first, then the environment variable
``HEARTH_STATE``, then ``$XDG_STATE_HOME/hearth/state.sqlite3`` (``~/.local/state/…`` where XDG_STATE_HOME is not set).
"""

from __future__ import annotations

import os
import typing as t

from ..module_utils._core.state.location import chosen_location

VARIABLE = "hearth_state"


def state_location(given: t.Any = None, *, make: bool = True) -> str:
    """The location that counts, given what an option says (None or empty: nothing).

    The directory of the default is made, mode 0700, unless ``make`` is False (check mode).
    """
    return chosen_location(str(given or ""), os.environ, make=make)


def location_of_task(task_vars: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> str:
    """What the variable ``hearth_state`` says in a task's variables; empty when it is not set."""
    said = template(task_vars[VARIABLE]) if VARIABLE in task_vars else None
    return str(said or "")

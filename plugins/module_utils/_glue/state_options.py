# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of every module that uses the state store, and opening the store that they name."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping

from .._core.state.location import chosen_location
from .._core.state.opening import open_store
from .._core.state.store import Store

# Documented in the fragment hearth.datacenter.state.
STATE_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "hearth_state": {"type": "str"},
    "hearth_state_password": {"type": "str", "no_log": True},
}


def store_of(params: Mapping[str, Any], *, make: bool) -> Store:
    """Open the store of a module's parameters on the machine where this runs."""
    location = chosen_location(params.get("hearth_state") or "", os.environ, make=make)
    return open_store(location, password=params.get("hearth_state_password") or "", make=make)

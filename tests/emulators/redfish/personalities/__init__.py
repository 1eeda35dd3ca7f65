# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file a platform (or a family): each module here has ``PERSONALITIES``, a tuple of Personality."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tests.emulators.redfish.personality import Personality


@cache
def personalities() -> dict[str, Personality]:
    """All personalities by name; a second one of the same name is an error of this checkout."""
    found: dict[str, Personality] = {}
    for module in pkgutil.iter_modules(__path__):
        for personality in importlib.import_module(f"{__name__}.{module.name}").PERSONALITIES:
            if personality.name in found:
                raise ValueError(f"two personalities are called {personality.name}")
            found[personality.name] = personality
    return found

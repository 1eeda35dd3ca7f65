# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cached result of a discovery, and what ``refresh`` makes of it.

PRIVATE to the collection.

One cache entry holds one inventory source, as JSON text: cache plugins copy and compare what they hold, and a text is
cheap to copy. It holds what was found, not names or groups: the map, remembered names, ``filter`` and groups are
applied afresh at every run. It holds no credential; the name of the one that worked is in it.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ._discovery_run import discover_all
from ._settings import Settings
from ._sighting import Sighting
from ._state_memory import StateMemory

FORMAT = 1


def outcomes(plugin: t.Any, settings: Settings, memory: StateMemory, path: str, cache: bool) -> list[Sighting]:
    """Sightings from the cache or from the network; ``cache`` is false after ``--flush-cache``."""
    if not plugin.get_option("cache"):
        return discover_all(settings, {}, memory, plugin.display)
    key = plugin.get_cache_key(path)
    scope = cache_scope(settings)
    cached = _load(plugin, key, scope) if cache and settings.refresh != "all" else None
    if cached is not None and settings.refresh == "none":
        return cached
    known = {sighting.key: sighting for sighting in cached or ()}
    found = discover_all(settings, known, memory, plugin.display)
    payload = json.dumps([sighting.as_json() for sighting in found], separators=(",", ":"))
    plugin._cache[key] = {"format": FORMAT, "scope": scope, "payload": payload}
    return found


def cache_scope(settings: Settings) -> str:
    """A digest of everything that decides who is asked and what is read: a cache from other settings is not used."""
    parts = [
        repr(settings.blocks),
        settings.ports,
        sorted(settings.credentials.names()),
        settings.trust,
        settings.ca_path,
        settings.details,
        [repr(entry) for entry in settings.slots.entries],
        repr(settings.shard),
        settings.ipmi,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _load(plugin: t.Any, key: str, scope: str) -> list[Sighting] | None:
    try:
        entry = plugin._cache[key]
        if entry["format"] != FORMAT or entry["scope"] != scope:
            return None
        return [Sighting.from_json(value) for value in json.loads(entry["payload"])]
    except KeyError:
        return None
    except (TypeError, ValueError) as error:
        plugin.display.warning(f"The inventory cache of this source cannot be read and is made anew: {error}")
        return None

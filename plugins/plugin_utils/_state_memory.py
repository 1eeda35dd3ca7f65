# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What discovery takes from the state store and leaves there: pins are read, names and memories of BMCs are kept.

PRIVATE to the collection. Discovery never writes a pin. It also works without a store: with a warning, with the pins of
the map alone, and with names that are not remembered.
"""

from __future__ import annotations

import contextlib
import typing as t

from ..module_utils._core.errors import HearthError, StoreUnavailable, StoreVersionTooNew
from ..module_utils._core.state.bmc_memory import BmcMemory
from ..module_utils._core.state.opening import open_store
from ..module_utils._core.state.store import Store
from ._settings import Settings
from ._sighting import Sighting


class StateMemory:
    """The store as one discovery sees it; every failure after opening is a warning, not the end of the inventory."""

    def __init__(self, store: Store | None, settings: Settings, display: t.Any) -> None:
        self._store = store
        self._settings = settings
        self._display = display

    @classmethod
    @contextlib.contextmanager
    def opened(cls, settings: Settings, display: t.Any) -> t.Iterator[StateMemory]:
        """Opens the store of ``settings`` and closes it; a store of a newer version is an error, a missing one a
        warning."""
        store: Store | None = None
        try:
            store = open_store(settings.state)
        except StoreVersionTooNew:
            raise
        except StoreUnavailable as error:
            if settings.state_given:
                raise
            display.warning(f"Without a state store names and pins are not remembered: {error.msg} {error.next}")
        try:
            yield cls(store, settings, display)
        finally:
            if store is not None:
                store.close()

    def pins(self) -> dict[str, frozenset[str]]:
        """Pinned keys by ``address:port``; none from a store that ends with its container, where anybody could have
        begun it."""
        if self._store is None:
            return {}
        if not self._store.persistent:
            if self._settings.trust == "pin":
                self._display.warning(
                    f"The state store {self._store.location} does not persist, so only pins of the map count: "
                    f"{self._store.why_not_persistent} Set hearth_state to a mounted path or a postgresql:// URL."
                )
            return {}
        return {key: frozenset((pin.key,)) for key, pin in self._store.pins(None).items()}

    def bmcs(self) -> t.Mapping[str, BmcMemory]:
        return self._store.bmcs(None) if self._store is not None else {}

    def names(self, frus: t.Collection[str]) -> t.Mapping[str, str]:
        return self._store.names(frus) if self._store is not None and frus else {}

    def remember_names(self, names: t.Mapping[str, str]) -> None:
        if self._store is not None and names:
            self._kept("names", lambda store: store.remember_names(names))

    def remember_bmcs(self, sightings: t.Iterable[Sighting]) -> None:
        """Keeps what a later run wants to know of a BMC: that it spoke Redfish, and which credential worked."""
        fresh = [
            BmcMemory(sighting.key, seen_redfish=True, credential=sighting.credential, root_digest=sighting.root_digest)
            for sighting in sightings
            if sighting.is_redfish
        ]
        if fresh:
            self._kept("BMCs", lambda store: store.remember_bmcs(fresh))

    def _kept(self, what: str, write: t.Callable[[Store], t.Any]) -> None:
        if self._store is None:
            return
        try:
            write(self._store)
        except HearthError as error:
            self._display.warning(f"The {what} of this discovery are not remembered: {error.msg} {error.next}")

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state store's interface: what must outlive a run. Backends differ below :mod:`.database` only."""

from __future__ import annotations

from types import TracebackType
from typing import ContextManager, Dict, Optional, Type

from .bmc_memory import BmcMemories
from .export import export_to, import_from
from .leases import Leases
from .names import Names
from .pins import Pins
from .records import Records
from .schema import version_of


class Store(Pins, Names, BmcMemories, Records, Leases):
    """An open store; close it, or use it in a ``with`` statement. Made by :func:`.opening.open_store`.

    ``owner`` is who writes: it stands in every row, and holds leases that name no other owner.
    """

    @property
    def location(self) -> str:
        """Where it lies, without a password."""
        return self._database.shown

    @property
    def schema_version(self) -> int:
        return version_of(self._database)

    @property
    def persistent(self) -> bool:
        """False: it ends with a container or with the machine's next start (see :mod:`.persistence`)."""
        return self._database.persistent

    @property
    def why_not_persistent(self) -> str:
        """The reason in words; empty when it is persistent."""
        return self._database.why_not_persistent

    def exclusive(self) -> ContextManager[None]:
        """Read, decide and write as one step: nobody else writes in between, and an exception undoes all of it."""
        return self._database.transaction(write=True)

    def consistent(self) -> ContextManager[None]:
        """Read several things as they stood at one moment."""
        return self._database.transaction(write=False)

    def export(self, directory: str) -> Dict[str, int]:
        """Write everything as plain files into a new or empty directory, as it stood at one moment; rows by file."""
        return export_to(self._database, directory, at=self._stamp(), by=self.owner)

    def import_(self, directory: str) -> Dict[str, int]:
        """Take over what :meth:`export` wrote, wholly or not at all; rows added by file. See :mod:`.export` for what
        happens to a store that is not empty."""
        return import_from(self._database, directory)

    def close(self) -> None:
        """Leave no thread and no file open. May be called twice."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

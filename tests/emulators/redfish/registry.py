# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where keepers, actions and PATCH hooks are found by name: what a later issue needs is one more file in their folder.

- A *keeper* owns the members of a collection that come and go (sessions, accounts, log entries).
- An *action* answers POST to ``<resource>/Actions/<Name>`` where the resource lists it.
- A *hook* sees a validated PATCH of a resource type, and takes out what it deals with itself.
- A *route* answers a path that is not in any tree.
- A *log watcher* is told of each entry that the BMC writes into its log.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.personality import Json, Template

if TYPE_CHECKING:
    from tests.emulators.redfish.accounts import Account
    from tests.emulators.redfish.bmc import Bmc, LogEntry


class Keeper(Protocol):
    """Of the collections of one type. A method that a collection has not is left out of ``methods``."""

    methods: tuple[str, ...]  # of the collection beyond GET: ("POST",)
    member_methods: tuple[str, ...]  # of a member beyond GET: ("PATCH", "DELETE")

    def members(self, bmc: Bmc, collection: str) -> list[str]:
        """Ids in the order of the collection."""

    def read(self, bmc: Bmc, collection: str, member: str) -> Template | None: ...

    def create(self, bmc: Bmc, collection: str, request: Request, account: Account | None) -> Reply: ...

    def change(self, bmc: Bmc, collection: str, member: str, change: dict[str, Json], account: Account) -> None: ...

    def delete(self, bmc: Bmc, collection: str, member: str, account: Account) -> None: ...


Action = Callable[["Bmc", str, dict[str, Json]], Reply]  # (bmc, path of the resource, parameters)
Hook = Callable[["Bmc", str, dict[str, Json]], None]  # (bmc, path, change): may take keys out of change
Route = Callable[["Bmc", Request], Reply]
LogWatcher = Callable[["Bmc", str, "LogEntry"], None]  # (bmc, path of the collection of entries, entry)

KEEPERS: dict[str, Keeper] = {}  # collection type -> keeper
ACTIONS: dict[str, Action] = {}  # "ComputerSystem.Reset" -> handler
HOOKS: dict[str, Hook] = {}  # resource type -> hook
ROUTES: dict[str, Route] = {}  # path -> handler of GET
LOG_WATCHERS: list[LogWatcher] = []


def keeper(kind: str) -> Callable[[type[Any]], type[Any]]:
    """Decorator of a class: keeps the collections of that type (``SessionCollection``)."""

    def register(made: type[Any]) -> type[Any]:
        KEEPERS[kind] = made()
        return made

    return register


def action(name: str) -> Callable[[Action], Action]:
    def register(handler: Action) -> Action:
        ACTIONS[name] = handler
        return handler

    return register


def hook(kind: str) -> Callable[[Hook], Hook]:
    def register(handler: Hook) -> Hook:
        HOOKS[kind] = handler
        return handler

    return register


def route(path: str) -> Callable[[Route], Route]:
    def register(handler: Route) -> Route:
        ROUTES[path] = handler
        return handler

    return register


def log_watcher(watcher: LogWatcher) -> LogWatcher:
    LOG_WATCHERS.append(watcher)
    return watcher


def load(package: ModuleType) -> None:
    """Imports every module of a package, so that what it registers is known."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log services. The entries themselves are the server's to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.emulators.redfish.personality import Template, clock, volatile
from tests.emulators.redfish.resources.tree import TreeBuilder


@dataclass(frozen=True)
class Log:
    identifier: str
    name: str
    entry_type: str | None = None  # "SEL" | "Event" | "Multiple"
    clearable: bool = True
    records: int = 1000


def log_services(tree: TreeBuilder, owner: str, logs: Iterable[Log]) -> Template:
    made = tree.collect(f"{owner}/LogServices", "LogService", "Log Service Collection")
    for log in logs:
        path = f"{owner}/LogServices/{log.identifier}"
        actions: Template = {"#LogService.ClearLog": {"target": f"{path}/Actions/LogService.ClearLog"}}
        tree.add(
            path,
            "LogService",
            log.name,
            {
                "LogEntryType": log.entry_type,
                "MaxNumberOfRecords": log.records,
                "OverWritePolicy": "WrapsWhenFull",
                "ServiceEnabled": True,
                "DateTime": volatile(clock),
                "DateTimeLocalOffset": "+00:00",
                "Status": {"State": "Enabled", "Health": "OK"},
                "Entries": tree.collect(f"{path}/Entries", "LogEntry", f"{log.name} Entries"),
                "Actions": actions if log.clearable else None,
            },
        )
    return made

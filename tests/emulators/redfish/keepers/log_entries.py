# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LogServices/*/Entries: what the BMC wrote down, beside the entries that a tree holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json, Template
from tests.emulators.redfish.registry import keeper

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


@keeper("LogEntryCollection")
class LogEntries:
    methods: tuple[str, ...] = ()
    member_methods: tuple[str, ...] = ()

    def members(self, bmc: Bmc, collection: str) -> list[str]:
        return [entry.id for entry in bmc.logs.get(collection, ())]

    def read(self, bmc: Bmc, collection: str, member: str) -> Template | None:
        for entry in bmc.logs.get(collection, ()):
            if entry.id == member:
                return {
                    "@odata.type": "#LogEntry.v1_17_0.LogEntry",
                    "Id": entry.id,
                    "Name": f"Log entry {entry.id}",
                    "EntryType": "Event",
                    "Created": entry.created,
                    "Severity": entry.severity,
                    "Message": entry.message,
                }
        return None

    def create(self, bmc: Bmc, collection: str, request: Request, account: Account | None) -> Reply:
        raise Refusal(405, "OperationNotAllowed")

    def change(self, bmc: Bmc, collection: str, member: str, change: dict[str, Json], account: Account) -> None:
        raise Refusal(405, "OperationNotAllowed")

    def delete(self, bmc: Bmc, collection: str, member: str, account: Account) -> None:
        raise Refusal(405, "OperationNotAllowed")

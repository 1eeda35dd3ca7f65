# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manager.Reset, the BMC's clock, and clearing its logs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.emulators.redfish import changing
from tests.emulators.redfish.http1 import Reply
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import action, hook

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


@action("Manager.Reset")
def reset_manager(bmc: Bmc, manager: str, parameters: dict[str, Json]) -> Reply:
    """Answers first; then the BMC is away."""
    reset_type = parameters.get("ResetType", "GracefulRestart")
    if not isinstance(reset_type, str):
        raise Refusal(400, "ActionParameterValueTypeError", reset_type, "ResetType", "Manager.Reset")
    reply = changing.done(bmc)
    reply.close = True
    reply.after = bmc.restart
    return reply


@action("LogService.ClearLog")
def clear_log(bmc: Bmc, log: str, parameters: dict[str, Json]) -> Reply:
    body = bmc.body(log) or {}
    collection = body.get("Entries", {}).get("@odata.id", f"{log}/Entries").rstrip("/")
    bmc.logs.pop(collection, None)
    bmc.hidden.update(bmc.platform.tree.children.get(collection, ()))
    return changing.done(bmc)


@hook("Manager")
def set_clock(bmc: Bmc, manager: str, change: dict[str, Json]) -> None:
    """The clock runs on from what was written, so the property itself is not kept."""
    written = change.pop("DateTime", None)
    if isinstance(written, str):
        moment = datetime.fromisoformat(written)
        bmc.set_clock(moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc))

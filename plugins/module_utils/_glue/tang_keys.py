# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module tang_keys, around :mod:`.._tang.keys`."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any, Dict, List

from .._core.programs import Programs, node_environment
from .._tang import backup
from .._tang.key_directory import SIGN, Contents, KeyDirectory
from .._tang.keys import Keys, Plan
from .contract import Contract, Outcome, Request


def run(request: Request) -> Outcome:
    """Make, hide and delete keys, then see what is advertised."""
    params = request.params
    recipients = [] if params["backup_to"] is None else backup.checked_recipients(params["backup_to"])
    programs = Programs(node_environment(os.environ), params["timeout"])
    directory = KeyDirectory(params["directory"])
    keys = Keys(directory, programs, params["url"] or "", params["timeout"], request.check_mode)
    report = keys.manage(params["hidden"], params["deleted"])
    plan = report.plan
    before = _shown(report.before)
    after = _foreseen(before, plan) if request.check_mode else _shown(report.after)
    saved = None
    if recipients and report.advertisement is not None:
        moment = datetime.now(timezone.utc)
        document = backup.sealed(programs, params["directory"], report.after, recipients, moment)
        saved = {"name": backup.name_of(report.after), "document": document}
    noun: Dict[str, Any] = {
        "directory": params["directory"],
        **after,
        "signing": [
            key.thumbprint
            for key in report.after.advertised
            if key.use == SIGN and key.thumbprint in after["advertised"]
        ],
        "details": [key.as_dict() for key in report.after.keys],
        "made": report.made,
        "hid": [key.thumbprint for key in plan.hide],
        "removed": [key.thumbprint for key in plan.delete],
        "advertisement": report.advertisement,
        "backup": saved,
    }
    return Outcome(not plan.empty, {"tang_keys": noun}, before, after, report.warnings)


def _shown(contents: Contents) -> Dict[str, List[str]]:
    return {
        "advertised": [key.thumbprint for key in contents.advertised],
        "hidden": [key.thumbprint for key in contents.hidden],
    }


def _foreseen(before: Dict[str, List[str]], plan: Plan) -> Dict[str, List[str]]:
    """After the plan; a key that is still to be made has no thumbprint yet."""
    hide = [key.thumbprint for key in plan.hide]
    delete = [key.thumbprint for key in plan.delete]
    made = [f"a new key to {use}" for use in plan.make]
    return {
        "advertised": [one for one in before["advertised"] if one not in hide] + made,
        "hidden": [one for one in before["hidden"] if one not in delete] + hide,
    }


TANG_KEYS = Contract(
    "tang_keys",
    run,
    argument_spec={
        "directory": {"type": "path", "required": True},
        "hidden": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "deleted": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "url": {"type": "str"},
        "backup_to": {"type": "list", "elements": "dict"},
        "timeout": {"type": "float", "default": 60.0},
    },
)

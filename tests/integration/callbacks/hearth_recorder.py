# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hearth_recorder
type: notification
short_description: Writes each task's result as a line of JSON
description:
  - For tests, which then see a result as every callback sees it. The file is named by E(HEARTH_TEST_RESULTS).
"""

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "hearth_recorder"

    def _record(self, outcome: str, result: Any) -> None:
        # ansible-core 2.19 renamed what was _task and _result.
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        fields = getattr(result, "result", None) or result._result
        with open(os.environ["HEARTH_TEST_RESULTS"], "a", encoding="utf-8") as file:
            line = {"outcome": outcome, "host": host.get_name(), "task": task.get_name(), "result": fields}
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""live_image_verdict: asks the module of the same name on the node, and judges here; documented in the module."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, HearthError
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import failure, invalid_arguments
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.live_image_verdict import LIVE_IMAGE_VERDICT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.plain import plain
from ansible_collections.hearth.datacenter.plugins.plugin_utils._verdict_dialogue import verdict_on_machine
from ansible_collections.hearth.datacenter.plugins.plugin_utils._verdict_expectation import expectation_of


class ActionModule(ActionBase):
    _supports_check_mode = True
    # Not to have it, but to say ourselves why not.
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            result.update(self._verdict(plain(self._task.args), task_vars or {}))
        except HearthError as error:
            result.update(failure(error))
        return result

    def _verdict(self, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        validation = ArgumentSpecValidator(**LIVE_IMAGE_VERDICT.rules).validate(arguments)
        if validation.error_messages:
            return invalid_arguments(str(validation.errors.msg))
        params = validation.validated_parameters
        if params["evidence"] is not None or self._task.async_val:
            raise BadInput(
                "live_image_verdict asks the machine itself, and waits for the answer",
                expected="a task without evidence and without async",
                found="async" if self._task.async_val else "evidence",
                next="Leave it out.",
            )

        def ask(evidence: dict[str, t.Any]) -> dict[str, t.Any]:
            return self._execute_module(
                module_name="hearth.datacenter.live_image_verdict",
                module_args={"evidence": evidence},
                task_vars=variables,
            )

        return verdict_on_machine(ask, expectation_of(params), params)

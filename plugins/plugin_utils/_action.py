# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The in-process runner: an API module's work done inside the worker that Ansible forked for the task.

PRIVATE to the collection. A task of an API module runs on the controller, whatever its host's connection, ``become``
or interpreter are: the host may be off. Only ``delegate_to`` another machine runs the real module, there. An action
plugin derives from :class:`InProcessAction` and names its contract; its engine is imported at the top of its file, so
that it is loaded once, before the workers fork.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ..module_utils._core.errors import BadInput, HearthError
from ..module_utils._glue.contract import (
    Contract,
    failure,
    invalid_arguments,
    perform,
    secrets_of,
)
from ..module_utils._glue.plain import plain
from ._run_directory import run_directory

COLLECTION = "hearth.datacenter"


_OPENERS = ("{{", "{%", "{#")


def may_be_template(value: t.Any) -> bool:
    """Whether there may be a template anywhere in a value."""
    if isinstance(value, str):
        # Each of the openers begins with the brace: most strings are done after one look.
        return "{" in value and any(opener in value for opener in _OPENERS)
    if value is None or isinstance(value, (int, float)):
        return False
    # Ansible's tagged types are builtins. Whether something else is a mapping takes Python a walk through all classes
    # that are, anew in each worker.
    inner: t.Iterable[t.Any]
    if isinstance(value, dict) or (not isinstance(value, (list, tuple)) and isinstance(value, Mapping)):
        inner = value.values()
    elif isinstance(value, (list, tuple)):
        inner = value
    else:
        return False
    return any(map(may_be_template, inner))


class InProcessAction(ActionBase):
    """Runs a contract in process, or its module on the machine that the task is delegated to."""

    # Set by each action plugin.
    contract: t.ClassVar[Contract]
    # Made once, before the workers fork: it copies and walks through the whole specification.
    _validator: t.ClassVar[ArgumentSpecValidator]

    def __init_subclass__(cls, **keywords: t.Any) -> None:
        super().__init_subclass__(**keywords)
        if "contract" in vars(cls):
            cls._validator = ArgumentSpecValidator(**cls.contract.rules)

    # No connection is started for a host that may be off.
    _requires_connection = False
    _supports_check_mode = True
    # Not to have async without delegate_to, but to say ourselves what is wrong with it.
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            arguments = self.arguments(plain(self._task.args), variables)
            if self._is_elsewhere():
                self._refuse_async_secrets(arguments)
                result.update(self._run_module(arguments, variables))
            else:
                self._refuse_async()
                result.update(self._run_here(arguments))
        except HearthError as error:
            result.update(failure(error))
        return result

    def arguments(self, given: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The task's arguments completed from variables. Overridden by actions whose options have such defaults."""
        return given

    def template(self, value: t.Any) -> t.Any:
        """A variable's value, its templates resolved.

        Ansible walks through a value twice to find that there are none, and what a BMC says never looks like one.
        """
        return self._templar.template(value) if may_be_template(value) else value

    def _is_elsewhere(self) -> bool:
        """Whether the task is delegated to another machine, by name: one with connection local counts, too."""
        return bool(self._task.delegate_to) and str(self._task.delegate_to) not in constants.LOCALHOST

    def _refuse_async(self) -> None:
        if self._task.async_val:
            raise BadInput(
                f"{COLLECTION}.{self.contract.name} runs inside Ansible's own process, where async is not possible.",
                expected="a task without async",
                found=f"async: {self._task.async_val}",
                where="async",
                next="Leave async out; to run it in the background of another machine, delegate the task to it.",
            )

    def _refuse_async_secrets(self, arguments: dict[str, t.Any]) -> None:
        # An asynchronous module's arguments lie on the machine's disk until the job is over.
        if self._task.async_val and secrets_of(arguments, self.contract.argument_spec):
            raise BadInput(
                "A task that carries a password is not run with async.",
                expected="a task without async, or without a password",
                found=f"async: {self._task.async_val}",
                where="async",
                next="Leave async out.",
            )

    def _run_module(self, arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return t.cast(
            "dict[str, t.Any]",
            self._execute_module(
                module_name=f"{COLLECTION}.{self.contract.name}",
                module_args=arguments,
                task_vars=dict(variables),
                wrap_async=bool(self._task.async_val),
            ),
        )

    def _run_here(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        validation = self._validator.validate(arguments)
        if validation.error_messages:
            return invalid_arguments(self._said_of(validation))
        # By name: aliases, and what Ansible does not hand to modules, stay out.
        params = {option: validation.validated_parameters.get(option) for option in self.contract.argument_spec}
        return perform(
            self.contract,
            params,
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
            run_directory=run_directory(),
        )

    def _said_of(self, validation: ValidationResult) -> str:
        """In AnsibleModule's words."""
        if isinstance(validation.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({COLLECTION}.{self.contract.name}) module: {validation.errors.msg}"
        return str(validation.errors.msg)

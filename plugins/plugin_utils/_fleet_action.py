# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task for all hosts of the batch: their BMCs are worked on at once, inside the worker that Ansible forked for it.

PRIVATE to the collection. For thousands of hosts the fork per host is what a task costs; this forks once. What is done
for one host is the contract of the module for one host, with that host's own variables.
"""

from __future__ import annotations

import contextvars
import dataclasses
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils.display import Display

from ..module_utils._core.errors import BadInput, HearthError
from ..module_utils._core.fanout import Progress, fan_out
from ..module_utils._core.state.opening import open_store
from ..module_utils._glue import fleet
from ..module_utils._glue.contract import failure, invalid_arguments, perform
from ._action import COLLECTION
from ._batch import Batch, HostVariables
from ._bmc_action import BmcAction
from ._run_directory import run_directory

_SAY_EVERY = 10.0  # seconds between two lines about how far it is


class ForOneHost(BmcAction):
    """Mixed into the action for one host: it sees the variables of one host of the batch after the other."""

    def __init__(self, *given: t.Any, **named: t.Any) -> None:
        super().__init__(*given, **named)
        self.sight: HostVariables | None = None
        self._stores: dict[str, dict[str, str]] = {}

    def template(self, value: t.Any) -> t.Any:
        return super().template(value) if self.sight is None else self.sight.template(value)

    def _pinned(self, location: str, address: str) -> list[str]:
        """As for one host, with each store opened once and read as a whole."""
        if location not in self._stores:
            with open_store(location, make=False) as store:
                pins = store.pins(None) if store.persistent else {}
            self._stores[location] = {key: pin.key for key, pin in pins.items()}
        pinned = self._stores[location].get(address)
        return [pinned] if pinned else []

    def completed(self, shared: t.Mapping[str, t.Any], sight: HostVariables) -> dict[str, t.Any]:
        """The arguments of the module for one host: what the task says, and what the host's variables add."""
        self.sight = sight
        return self.arguments(dict(shared), sight.variables)


@dataclasses.dataclass(frozen=True)
class _Host:
    """A host whose turn has come: the validated arguments, or what is wrong with them."""

    name: str
    params: dict[str, t.Any]
    wrong: dict[str, t.Any] | None = None


class FleetAction(BmcAction):
    """``contract`` is the fleet module's, ``one`` the action of the module for one host."""

    BYPASS_HOST_LOOP = True
    one: t.ClassVar[type[ForOneHost]]

    #: the variables that the actions for one host read
    reads: t.ClassVar[t.Collection[str]] = (
        "hearth_bmc",
        "hearth_bmc_credentials",
        "hearth_bmc_username",
        "hearth_bmc_password",
        "hearth_state",
    )

    def arguments(self, given: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Nothing is completed from the variables of the one host that the task happens to run for."""
        self._variables = variables
        return given

    def _run_module(self, arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        raise BadInput(
            f"{COLLECTION}.{self.contract.name} runs on the controller and is not delegated to another machine.",
            expected="a task without delegate_to",
            found=f"delegate_to: {self._task.delegate_to}",
            where="delegate_to",
            next=f"Leave delegate_to out, or delegate {COLLECTION}.{self.one.contract.name}, one task for each host.",
        )

    def _run_here(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        validation = ArgumentSpecValidator(**self.contract.rules).validate(arguments)
        if validation.error_messages:
            return invalid_arguments(self._said_of(validation))
        params = validation.validated_parameters
        fleet.refuse_what_is_of_one_host(params)
        batch = Batch(self._task, self._variables, self._templar, self.reads)
        if params["hosts"] is not None:
            batch.only(params["hosts"])
        tally = fleet.Tally(batch.names, fleet.may_fail(params["max_fail"], len(batch.names)))
        shared = {option: value for option, value in arguments.items() if option not in fleet.FLEET_ARGUMENTS}
        self._work_on(batch, shared, fleet.concurrency(params), tally)
        result = tally.result(diff_mode=bool(self._task.diff))
        if self._task.register and not self._task.run_once and len(batch.names) > 1:
            result.setdefault("warnings", []).append(
                f"the result is registered for {self._variables['inventory_hostname']} only; write run_once: true"
                " beside register to have it for every host"
            )
        return result

    def _work_on(self, batch: Batch, shared: dict[str, t.Any], concurrency: int, tally: fleet.Tally) -> None:
        said_at = time.monotonic()
        hosts = self._hosts(batch, shared, tally)
        for host, result in fan_out(hosts, self._work, concurrency=concurrency):
            tally.add(host.name, failure(result) if isinstance(result, HearthError) else result)
            if time.monotonic() - said_at > _SAY_EVERY:
                said_at = time.monotonic()
                Display().display(
                    f"{COLLECTION}.{self.contract.name}: {len(tally.hosts)} of {len(batch.names)} hosts done,"
                    f" {len(tally.failed)} failed"
                )

    def _hosts(self, batch: Batch, shared: dict[str, t.Any], tally: fleet.Tally) -> t.Iterator[_Host]:
        """Each host when its turn comes, none any more once too many have failed.

        The threads of the fan-out take turns at this, so what ansible-core keeps by thread (whose task is it that is
        being templated) is carried over to them.
        """
        context = contextvars.copy_context()
        one = self.one(
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        validator = ArgumentSpecValidator(**one.contract.rules)
        for name in batch.names:
            if tally.exceeded:
                return
            yield context.run(_prepared, one, validator, batch, name, shared)

    def _work(self, host: _Host, progress: Progress) -> dict[str, t.Any]:
        if host.wrong is not None:
            return host.wrong
        return perform(
            self.one.contract,
            host.params,
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
            cancelled=progress.cancelled,
            on_progress=progress.beat,
            run_directory=run_directory(),
        )


def _prepared(
    one: ForOneHost, validator: ArgumentSpecValidator, batch: Batch, name: str, shared: t.Mapping[str, t.Any]
) -> _Host:
    try:
        arguments = one.completed(shared, batch.host(name))
    except HearthError as error:
        return _Host(name, {}, failure(error))
    except AnsibleError as error:  # a template in the host's variables that cannot be resolved
        return _Host(name, {}, failure(BadInput(str(error), where=f"the variables of {name}")))
    validation = validator.validate(arguments)
    if validation.error_messages:
        return _Host(name, {}, invalid_arguments(one._said_of(validation)))
    params = {option: validation.validated_parameters.get(option) for option in one.contract.argument_spec}
    return _Host(name, params)

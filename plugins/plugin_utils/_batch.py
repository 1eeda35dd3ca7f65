# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the current batch and each one's variables, as a task that ran for that host would see them.

PRIVATE to the collection. ``hostvars`` leaves out what play, role and task say (``vars:``, ``vars_files:``), and that
is where passwords often are. Everything that a host sees costs a millisecond and more of CPU, ``hostvars`` a quarter of
one: for ten thousand hosts the difference is a quarter of a minute. So a host is looked at through ``hostvars`` where
that is enough, and it is enough unless a name that is wanted is set by the play, or a value is a template.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import BadInput
from ..module_utils._glue.plain import plain
from ._action import may_be_template


class Batch:
    """``variables`` are those of the task that runs once for all hosts of the batch."""

    def __init__(
        self, task: t.Any, variables: t.Mapping[str, t.Any], templar: t.Any, wanted: t.Collection[str]
    ) -> None:
        self._task = task
        self._templar = templar
        self._hostvars = variables["hostvars"]
        self._play = task.get_play()
        self.names: list[str] = [str(name) for name in variables["ansible_play_batch"]]
        self.always_all = self._hangs_on_the_play(set(wanted))

    def only(self, names: t.Sequence[str]) -> None:
        """These hosts and no others; BadInput where one is not in the batch."""
        strange = [name for name in names if name not in set(self.names)]
        if strange:
            raise BadInput(
                "A host is not in the current batch of the play.",
                expected="hosts of ansible_play_batch",
                found=", ".join(strange[:5]),
                where="hosts",
                next="Leave hosts out for the whole batch, or name hosts of the play that have not failed.",
            )
        self.names = list(dict.fromkeys(names))

    def host(self, name: str) -> HostVariables:
        return HostVariables(self, name)

    def _hangs_on_the_play(self, wanted: set[str]) -> bool:
        """Whether play, roles or task set a name that is wanted, or may do so. Extra variables are in hostvars, too."""
        if any(may_be_template(file) for file in self._play.get_vars_files()):
            return True  # which file it is may hang on the host
        # Private names of ansible-core, which offers no other way to a host's variables in a running play.
        manager = self._hostvars._variable_manager
        said = set(manager.get_vars(play=self._play, task=self._task, include_hostvars=False))
        return bool((said - set(manager.extra_vars)) & wanted)

    def some_variables(self, name: str) -> t.Mapping[str, t.Any]:
        return self._hostvars.raw_get(name)

    def all_variables(self, name: str) -> t.Mapping[str, t.Any]:
        return self._hostvars._variable_manager.get_vars(
            play=self._play, host=self._hostvars._inventory.get_host(name), task=self._task
        )

    def templar_for(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        return self._templar.copy_with_new_env(available_variables=variables)


class HostVariables:
    """One host's variables; ``template`` resolves a value of theirs in this host's sight."""

    def __init__(self, batch: Batch, name: str) -> None:
        self._batch = batch
        self._name = name
        self._complete = batch.always_all
        self.variables = batch.all_variables(name) if self._complete else batch.some_variables(name)

    def template(self, value: t.Any) -> t.Any:
        if not may_be_template(value):
            return plain(value)
        if not self._complete:
            self._complete = True
            self.variables = self._batch.all_variables(self._name)
        return self._batch.templar_for(self.variables).template(value)

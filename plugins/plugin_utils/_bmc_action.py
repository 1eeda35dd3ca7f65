# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What actions of modules that act on a BMC add to their arguments: what the inventory knows of the host's BMC.

PRIVATE to the collection. Address, trust and platform come from the variable ``hearth_bmc``, the pinned keys from it
and from the state store, credentials from ``hearth_bmc_credentials`` or ``hearth_bmc_username`` and
``hearth_bmc_password``, then from the environment of the controller. What the task says counts before all of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import typing as t

from ..module_utils._core.attempts import Attempts, attempts
from ..module_utils._core.deadline import Deadline
from ..module_utils._core.endpoint import DEFAULT_PORTS
from ..module_utils._core.errors import AuthenticationFailed, BadInput
from ..module_utils._core.state.address import store_address
from ..module_utils._core.state.opening import open_store
from ..module_utils._glue.plain import plain
from ..module_utils._redfish.credential import Credential
from ._action import InProcessAction
from ._before_fork import prepare
from ._credential_list import CredentialList, read_credentials
from ._run_directory import run_directory
from ._state_location import location_of_task, state_location

prepare()

_RECORD_SECONDS = 10.0  # to wait for another worker that is writing down what was refused
# Option of the module: key of hearth_bmc.
_FROM_HEARTH_BMC = {"port": "port", "scheme": "scheme", "trust": "trust", "ca_path": "ca_path", "platform": "platform"}


class BmcAction(InProcessAction):
    """Fills in how to reach the host's BMC. A subclass may name other options in ``from_hearth_bmc``."""

    from_hearth_bmc: t.ClassVar[t.Mapping[str, str]] = _FROM_HEARTH_BMC

    def arguments(self, given: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        arguments = {option: value for option, value in given.items() if value is not None}
        bmc = self._hearth_bmc(variables)
        # Whoever names another address means another BMC, about which hearth_bmc says nothing.
        if str(arguments.get("address") or bmc.get("address") or "") == str(bmc.get("address") or ""):
            self._add_bmc(arguments, bmc)
        if "pins" in self.contract.argument_spec:
            self._add_pins(arguments, variables)
        if not any(arguments.get(option) for option in ("username", "password", "credentials")):
            self._add_credentials(arguments, variables, str(bmc.get("credential") or ""))
        return arguments

    def _run_module(self, arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Elsewhere, where nothing is known of this run: what was refused there before is not sent there again."""
        given = _credentials_of(arguments)
        if not given:
            return super()._run_module(arguments, variables)
        address, elsewhere = arguments.get("address"), self._task.delegate_to
        protocol = self.contract.name.partition("_")[0]
        reached = f"{elsewhere}/{protocol}/{address}:{arguments.get('port') or ''}"
        with self._attempts(reached, given) as before:
            if before.next() is None:
                raise before.refusal(f"{address}, from {elsewhere}")
            untried = [one for one in given if not before.was_refused(one)]
        if untried != given:
            rest = [{"name": one.name, "username": one.username, "password": one.password} for one in untried]
            arguments = {**arguments, "username": None, "password": None, "credentials": rest}
        result = super()._run_module(arguments, variables)
        error = result.get("error")
        with self._attempts(reached, untried) as after:
            if isinstance(error, dict) and error.get("type") == AuthenticationFailed.__name__:
                for one in untried:
                    after.refused(one)
            elif error is None and len(untried) == 1:
                after.worked(untried[0])
        return result

    def _attempts(
        self, reached: str, credentials: t.Sequence[Credential]
    ) -> contextlib.AbstractContextManager[Attempts[Credential]]:
        # The module itself knows how many the platform lets one try.
        deadline = Deadline.after(_RECORD_SECONDS)
        return attempts(run_directory(), reached, credentials, sys.maxsize, deadline=deadline)

    def _hearth_bmc(self, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found = self._variable(variables, "hearth_bmc")
        return found if isinstance(found, dict) else {}

    def _variable(self, variables: t.Mapping[str, t.Any], name: str) -> t.Any:
        return plain(self.template(variables[name])) if name in variables else None

    def _add_bmc(self, arguments: dict[str, t.Any], bmc: t.Mapping[str, t.Any]) -> None:
        said = {"address": bmc.get("address"), "system": bmc.get("system") or bmc.get("system_id")}
        said.update({option: bmc.get(key) for option, key in self.from_hearth_bmc.items()})
        if "pins" in self.contract.argument_spec:
            said["pins"] = bmc.get("pins")
        if "discovered" in self.contract.argument_spec:
            seen = {"sessions": bmc.get("sessions"), "spki_sha256": _part(bmc.get("fingerprint"), "spki_sha256")}
            said["discovered"] = seen if all(seen.values()) else None
        expected = bmc.get("expected")
        if isinstance(expected, dict) and any(expected.values()):
            said["identity"] = {what: expected.get(what) for what in ("serial", "uuid")}
        for option, value in said.items():
            if value not in (None, "", []):
                arguments.setdefault(option, value)

    def _add_pins(self, arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> None:
        """From the state store, where neither task nor map have them."""
        if arguments.get("trust") != "pin" or arguments.get("pins") or not arguments.get("address"):
            return
        scheme = str(arguments.get("scheme") or "https")
        port = arguments.get("port") or DEFAULT_PORTS.get(scheme, 443)
        if not str(port).isdecimal():
            return  # the argument specification says so better
        address = store_address(str(arguments["address"]), int(port))
        location = state_location(location_of_task(variables, self.template), make=False)
        arguments["pins"] = self._pinned(location, address)

    def _pinned(self, location: str, address: str) -> list[str]:
        """The keys that the state store holds for an address."""
        with open_store(location, make=False) as store:
            # A store that ends with its container was begun by whoever came first.
            pins = store.pins([address]) if store.persistent else {}
        return [pin.key for pin in pins.values()]

    def _add_credentials(self, arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any], remembered: str) -> None:
        listed = self._credential_list(variables)
        serving = listed.serving(str(arguments.get("address") or ""))
        if serving:
            # The one that worked last time is tried first.
            arguments["credentials"] = [
                {"name": one.name, "username": one.username, "password": one.password}
                for one in sorted(serving, key=lambda one: one.name != remembered)
            ]

    def _credential_list(self, variables: t.Mapping[str, t.Any]) -> CredentialList:
        names = ("hearth_bmc_credentials", "hearth_bmc_username", "hearth_bmc_password")
        said = [self._variable(variables, name) for name in names]
        if any(said):
            return read_credentials(*said)
        return read_credentials(
            _parsed(os.environ.get("HEARTH_BMC_CREDENTIALS", "")),
            os.environ.get("HEARTH_BMC_USERNAME"),
            os.environ.get("HEARTH_BMC_PASSWORD"),
        )


def _part(holder: t.Any, key: str) -> t.Any:
    return holder.get(key) if isinstance(holder, dict) else None


def _credentials_of(arguments: t.Mapping[str, t.Any]) -> list[Credential]:
    """Those of a task; none where they are not what the module takes, which it says itself."""
    listed = arguments.get("credentials") or []
    entries = [{"name": "default", **{name: arguments.get(name) for name in ("username", "password")}}]
    entries = [*(entries if arguments.get("username") else []), *(listed if isinstance(listed, list) else [None])]
    found = []
    for entry in entries:
        said = entry if isinstance(entry, dict) else {}
        username, password = said.get("username"), said.get("password")
        if not (isinstance(username, str) and isinstance(password, str)):
            return []
        found.append(Credential(str(said.get("name") or username), username, password))
    return found


def _parsed(text: str) -> t.Any:
    """The list of credentials that an environment variable holds as JSON."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise BadInput(
            "HEARTH_BMC_CREDENTIALS is no JSON.",
            expected="a list of {name, username, password, targets (optional)}",
            where="environment variable HEARTH_BMC_CREDENTIALS",
            next="Correct it, or use the variable hearth_bmc_credentials.",
        ) from None

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result contract: what a module of this collection takes, and what it and its in-process action give back.

A front end validates arguments by the contract's specification and calls :func:`perform`. A HearthError becomes a
failed result in :func:`failure` and nowhere else. Keys of a result: ``changed``, ``<noun>``, ``diff{before,after}`` (in
diff mode), ``warnings`` (where there are any). On failure: ``failed``, ``changed``, ``msg`` and
``error{type,expected,found,where,next}``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .._core.errors import BadInput, HearthError
from .._core.redaction import Redactor
from .plain import plain

# What AnsibleModule itself shows instead of such a value.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@dataclass(frozen=True)
class Request:
    """One call of a module: validated parameters as plain builtins."""

    params: Mapping[str, Any]
    check_mode: bool
    cancelled: Optional[threading.Event] = None
    """Set when the run is interrupted: work stops soon, and leaves no session behind."""
    on_progress: Optional[Callable[[], None]] = None
    """Called when the peer's bytes arrive: among many, one that is silent gives up its place."""
    run_directory: Optional[str] = None
    """A directory that lasts as long as the run and is seen by all its workers (see _core/attempts.py)."""


@dataclass
class Outcome:
    """What a module did, or in check mode would have done."""

    changed: bool
    nouns: Mapping[str, Any] = field(default_factory=dict)
    """What the module is about, by the names that its RETURN documents."""
    before: Any = None
    after: Any = None
    """Shown in diff mode; both None: there is nothing to compare, since the module changes nothing."""
    warnings: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class Contract:
    """One module: its name without the collection, its arguments as AnsibleModule takes them, and what it does."""

    name: str
    run: Callable[[Request], Outcome]
    argument_spec: Mapping[str, Mapping[str, Any]]
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()

    @property
    def rules(self) -> Dict[str, Any]:
        """The keyword arguments that AnsibleModule and ArgumentSpecValidator share."""
        return {
            "argument_spec": {option: dict(spec) for option, spec in self.argument_spec.items()},
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_together": [list(names) for names in self.required_together],
            "required_if": [tuple(rule) for rule in self.required_if],
        }


def perform(
    contract: Contract,
    params: Mapping[str, Any],
    *,
    check_mode: bool,
    diff_mode: bool,
    cancelled: Optional[threading.Event] = None,
    on_progress: Optional[Callable[[], None]] = None,
    run_directory: Optional[str] = None,
) -> Dict[str, Any]:
    """Do what a contract says with validated parameters; the result, plain and without secrets."""
    request = Request(plain(params), check_mode, cancelled, on_progress, run_directory)
    redactor = Redactor(secrets_of(request.params, contract.argument_spec))
    try:
        outcome = contract.run(request)
    except HearthError as error:
        result = failure(error)
    else:
        result = {"changed": outcome.changed, **outcome.nouns}
        if outcome.warnings:
            result["warnings"] = outcome.warnings
        if diff_mode and not (outcome.before is None and outcome.after is None):
            result["diff"] = {"before": outcome.before, "after": outcome.after}
    shown = redactor.data(plain(result))
    return shown if isinstance(shown, dict) else {}


def failure(error: HearthError) -> Dict[str, Any]:
    """The failed result of an error."""
    fields = error.as_dict()
    return {"failed": True, "changed": False, "msg": fields.pop("msg"), "error": fields}


def invalid_arguments(message: str) -> Dict[str, Any]:
    """The failed result of arguments that the specification does not admit; the message is Ansible's own."""
    return failure(
        BadInput(message, expected="arguments as the module documents them", next="Correct the task's arguments.")
    )


def secrets_of(params: Mapping[str, Any], argument_spec: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """The values of all no_log options, also below suboptions."""
    secrets: List[str] = []
    for option, spec in argument_spec.items():
        value = params.get(option)
        if spec.get("no_log"):
            secrets.extend(_texts(value))
        elif "options" in spec:
            for suboptions in value if isinstance(value, list) else [value]:
                if isinstance(suboptions, Mapping):
                    secrets.extend(secrets_of(suboptions, spec["options"]))
    return secrets


def without_secrets(params: Mapping[str, Any], argument_spec: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """Parameters as they may be shown (a result's ``invocation``)."""
    shown: Dict[str, Any] = {}
    for option, value in params.items():
        spec = argument_spec.get(option, {})
        if spec.get("no_log") and value is not None:
            shown[option] = HIDDEN
        elif "options" in spec and isinstance(value, list):
            shown[option] = [
                without_secrets(one, spec["options"]) if isinstance(one, Mapping) else one for one in value
            ]
        elif "options" in spec and isinstance(value, Mapping):
            shown[option] = without_secrets(value, spec["options"])
        else:
            shown[option] = value
    return shown


def _texts(value: Any) -> List[str]:
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in _texts(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]

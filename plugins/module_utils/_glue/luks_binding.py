# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module luks_binding, around :mod:`.._luks.binding`."""

from __future__ import annotations

from typing import Any, Dict

from .._core.errors import BadInput
from .._luks.binding import Binder
from .._luks.systemd import WantSystemdTpm2
from .contract import Contract, Outcome, Request
from .luks_options import DEVICE_OPTIONS, PIN_OPTIONS, PINS, passphrase_of, refuse_async, tools, wanted_pin


def run(request: Request) -> Outcome:
    """Bind the device, or take the binding off."""
    params = request.params
    refuse_async(bool(params["passphrase"] or params["pin"]))
    wanted = wanted_pin(params, params["pin"] or "")
    with_pin = bool(params["systemd_tpm2"] and params["systemd_tpm2"]["with_pin"])
    if params["state"] == "present" and with_pin != bool(params["pin"]):
        raise BadInput("pin and with_pin belong together", expected="both or neither", found="one of them")
    luks, clevis = tools(params)
    before = _shown(luks.read())
    binder = Binder(luks, clevis, passphrase_of(params), request.check_mode)
    if params["state"] == "present":
        report = binder.bind(wanted, root=params["root"], exclusive=params["exclusive"])
    else:
        report = binder.unbind(wanted, with_pin=isinstance(wanted, WantSystemdTpm2) and with_pin)
    header = luks.read()
    bound = None if report.keyslot is None else header.keyslots.get(report.keyslot)
    planned = {"recovered": report.recovered, "removed": report.removed, "bound": wanted.as_dict()}
    noun: Dict[str, Any] = {
        "device": luks.device,
        "uuid": header.uuid,
        "pin": wanted.as_dict()["pin"],
        "keyslot": report.keyslot,
        "token": report.token,
        "salt_fingerprint": bound.salt_fingerprint if bound is not None else "",
        "proved": report.proved,
        "removed": report.removed,
        "recovered": report.recovered,
        "fingerprint": header.fingerprint,
        "state_fingerprint": header.state_fingerprint,
    }
    after = {**before, **planned} if report.changed and request.check_mode else _shown(header)
    return Outcome(report.changed, {"luks_binding": noun}, before, after, report.warnings)


def _shown(header: Any) -> Dict[str, Any]:
    """For a diff: no JWE, since nobody can read one."""
    return {
        "keyslots": {str(number): slot.salt_fingerprint for number, slot in sorted(header.keyslots.items())},
        "tokens": {str(number): f"{token.type} {list(token.keyslots)}" for number, token in header.tokens.items()},
    }


LUKS_BINDING = Contract(
    "luks_binding",
    run,
    argument_spec={
        **DEVICE_OPTIONS,
        **PIN_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "root": {"type": "bool", "default": True},
        "exclusive": {"type": "bool", "default": False},
        "pin": {"type": "str", "no_log": True},
    },
    mutually_exclusive=(PINS, ("passphrase", "key_file")),
    required_one_of=(PINS,),
)

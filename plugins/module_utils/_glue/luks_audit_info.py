# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module luks_audit_info, around :mod:`.._luks.audit`."""

from __future__ import annotations

from .._core.errors import BadInput
from .._luks.audit import Audit, Escrowed, Expected
from .contract import Contract, Outcome, Request
from .luks_options import DEVICE_OPTIONS, PIN_OPTIONS, PINS, passphrase_of, refuse_async, tools, wanted_pin


def run(request: Request) -> Outcome:
    """Read, try, judge."""
    params = request.params
    refuse_async(bool(params["passphrase"]))
    policy = None
    if params["policy"] is not None:
        for entry in params["policy"]:
            if sum(entry.get(name) is not None for name in PINS) != 1:
                raise BadInput("an entry of policy is one pin", expected=" or ".join(PINS), found=str(sorted(entry)))
        policy = tuple(
            wanted_pin(entry, "wanted" if (entry["systemd_tpm2"] or {}).get("with_pin") else "")
            for entry in params["policy"]
        )
        for wanted in policy:
            wanted.check(False)
    expected = Expected(
        root=params["root"],
        policy=policy,
        escrow=tuple(Escrowed(one["name"], one["salt_fingerprint"].lower()) for one in params["escrow"]),
        fingerprint=params["fingerprint"] or "",
        state_fingerprint=params["state_fingerprint"] or "",
        retired_salts=frozenset(salt.lower() for salt in params["retired_salt_fingerprints"]),
    )
    luks, clevis = tools(params)
    audit = Audit(luks, clevis, expected, passphrase_of(params), params["prove"])
    return Outcome(changed=False, nouns={"luks_audit": audit.run()})


LUKS_AUDIT_INFO = Contract(
    "luks_audit_info",
    run,
    argument_spec={
        **DEVICE_OPTIONS,
        "root": {"type": "bool", "default": True},
        "prove": {"type": "bool", "default": True},
        "policy": {"type": "list", "elements": "dict", "options": PIN_OPTIONS},
        "escrow": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "salt_fingerprint": {"type": "str", "required": True},
            },
        },
        "fingerprint": {"type": "str"},
        "state_fingerprint": {"type": "str"},
        "retired_salt_fingerprints": {"type": "list", "elements": "str", "default": []},
    },
    mutually_exclusive=(("passphrase", "key_file"),),
)

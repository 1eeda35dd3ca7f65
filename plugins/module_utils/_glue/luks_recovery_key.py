# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module luks_recovery_key, around :mod:`.._luks.recovery_key`."""

from __future__ import annotations

from typing import Any, Dict

from .._core.hostile import clean
from .._luks.header import Header
from .._luks.recovery_key import RecoveryKeys, WantRecovery, moment, read_recovery_keys
from .contract import Contract, Outcome, Request
from .luks_options import DEVICE_OPTIONS, passphrase_of, refuse_async, tools


def run(request: Request) -> Outcome:
    """Make a recovery key where there is none as wanted, or prove one."""
    params = request.params
    refuse_async(bool(params["passphrase"]))
    luks, clevis = tools(params)
    keys = RecoveryKeys(luks, clevis, passphrase_of(params), request.check_mode)
    if params["state"] == "proved":
        keyslot = keys.prove((params["salt_fingerprint"] or "").lower())
        header = luks.read()
        noun = {**_device(luks.device, header), "keyslot": keyslot, "salt_fingerprint": params["salt_fingerprint"]}
        return Outcome(False, {"luks_recovery_key": {**noun, "proved": True}})
    wanted = WantRecovery(
        fru=params["fru"],
        host=params["host"],
        public_key=params["public_key"],
        newer_than=moment(params["newer_than"]) if params["newer_than"] else None,
    )
    wanted.check()
    header = luks.read()
    before = _shown(header)
    report = keys.ensure(wanted, frozenset(salt.lower() for salt in params["escrowed"]))
    header = luks.read()
    after = _shown(header)
    if request.check_mode and report.changed:
        after = {
            "recovery_keys": [one for one in before["recovery_keys"] if one["salt_fingerprint"] not in report.removed]
            + ([] if report.key else [{"salt_fingerprint": "a new one", "made": ""}])
        }
    key = report.key
    result: Dict[str, Any] = {
        **_device(luks.device, header),
        "keyslot": key.keyslot if key else None,
        "token": key.token if key else None,
        "salt_fingerprint": key.salt_fingerprint if key else "",
        "made": clean(key.made, 40) if key else "",
        "document": dict(key.document) if key else None,
        "removed": report.removed,
        "recovered": report.recovered,
        "proved": False,
    }
    return Outcome(report.changed, {"luks_recovery_key": result}, before, after, report.warnings)


def _device(device: str, header: Header) -> Dict[str, Any]:
    return {
        "device": device,
        "uuid": header.uuid,
        "fingerprint": header.fingerprint,
        "state_fingerprint": header.state_fingerprint,
    }


def _shown(header: Header) -> Dict[str, Any]:
    return {
        "recovery_keys": [
            {"salt_fingerprint": key.salt_fingerprint, "made": clean(key.made, 40)}
            for key in read_recovery_keys(header)
        ]
    }


LUKS_RECOVERY_KEY = Contract(
    "luks_recovery_key",
    run,
    argument_spec={
        **DEVICE_OPTIONS,
        "state": {"type": "str", "choices": ["present", "proved"], "default": "present"},
        "fru": {"type": "str"},
        "host": {"type": "str"},
        "public_key": {"type": "dict", "no_log": False},
        "escrowed": {"type": "list", "elements": "str", "default": []},
        "newer_than": {"type": "str"},
        "salt_fingerprint": {"type": "str"},
    },
    mutually_exclusive=(("passphrase", "key_file"),),
    required_if=(
        ("state", "present", ("fru", "host", "public_key")),
        ("state", "proved", ("salt_fingerprint",)),
    ),
)

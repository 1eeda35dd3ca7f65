# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that the LUKS modules share: the device, the secret that opens it, and pins."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from .._core import jose
from .._core.errors import BadInput, NotFound
from .._core.programs import Programs, node_environment
from .._luks.binding import AnyWanted
from .._luks.clevis import Clevis
from .._luks.cryptsetup import Luks
from .._luks.pins import WantPkcs11, WantSss, WantTang, WantTpm2
from .._luks.systemd import WantSystemdTpm2

PINS = ("tang", "tpm2", "sss", "pkcs11", "systemd_tpm2")

_PCRS = {"type": "list", "elements": "int", "default": []}
_TANG = {
    "url": {"type": "str", "required": True},
    "thumbprint": {"type": "str"},
    "advertisement": {"type": "raw"},
}
_TPM2 = {
    "pcr_ids": _PCRS,
    "pcr_bank": {"type": "str", "choices": ["sha256", "sha1", "sha384", "sha512"], "default": "sha256"},
    "pcr_digest": {"type": "str"},
    "hash": {"type": "str", "choices": ["sha256", "sha384", "sha512"], "default": "sha256"},
    "key": {"type": "str", "choices": ["ecc", "rsa"], "default": "ecc"},
}

#: A pin, as an option of its own each.
PIN_OPTIONS: Dict[str, Dict[str, Any]] = {
    "tang": {"type": "dict", "options": _TANG},
    "tpm2": {"type": "dict", "options": _TPM2},
    "sss": {
        "type": "dict",
        "options": {
            "threshold": {"type": "int", "required": True},
            "tang": {"type": "list", "elements": "dict", "options": _TANG, "default": []},
            "tpm2": {"type": "list", "elements": "dict", "options": _TPM2, "default": []},
        },
    },
    "pkcs11": {
        "type": "dict",
        "options": {"uri": {"type": "str", "required": True}, "mechanism": {"type": "str"}},
    },
    "systemd_tpm2": {
        "type": "dict",
        "options": {
            "pcr_ids": _PCRS,
            "with_pin": {"type": "bool", "default": False},
            "public_key": {"type": "path"},
            "public_key_pcr_ids": _PCRS,
            "signature": {"type": "path"},
        },
    },
}

DEVICE_OPTIONS: Dict[str, Dict[str, Any]] = {
    "device": {"type": "path", "required": True},
    "passphrase": {"type": "str", "no_log": True},
    "key_file": {"type": "path", "no_log": False},
    "timeout": {"type": "float", "default": 60.0},
}


def wanted_pin(params: Mapping[str, Any], pin: str = "") -> AnyWanted:
    """The one pin that is given. ``pin``: the PIN of a systemd token."""
    name = next(name for name in PINS if params.get(name) is not None)
    options = params[name]
    if name == "tang":
        return _tang(options)
    if name == "tpm2":
        return _tpm2(options)
    if name == "pkcs11":
        return WantPkcs11(options["uri"], options["mechanism"] or "")
    if name == "sss":
        parts: Tuple[Union[WantTang, WantTpm2], ...] = (
            *(_tpm2(part) for part in options["tpm2"]),
            *(_tang(part) for part in options["tang"]),
        )
        return WantSss(options["threshold"], parts)
    return WantSystemdTpm2(
        pcrs=tuple(sorted(set(options["pcr_ids"]))),
        pin=pin,
        public_key=options["public_key"] or "",
        public_key_pcrs=tuple(sorted(set(options["public_key_pcr_ids"]))),
        signature=options["signature"] or "",
    )


def tools(params: Mapping[str, Any]) -> Tuple[Luks, Clevis]:
    """What works on the device."""
    programs = Programs(node_environment(os.environ), params["timeout"])
    return Luks(params["device"], programs), Clevis(programs)


def passphrase_of(params: Mapping[str, Any]) -> Optional[bytes]:
    """The secret that opens the device, from the task or from a file on the node."""
    if params["key_file"]:
        try:
            with open(params["key_file"], "rb") as file:
                return file.read(8 * 1024 * 1024)
        except OSError as error:
            raise NotFound(
                "the key file cannot be read",
                expected="a file on the node",
                found=error.strerror or "",
                where=params["key_file"],
            ) from error
    return params["passphrase"].encode() if params["passphrase"] else None


def refuse_async(secret_given: bool) -> None:
    """Async writes a module's arguments to the node's disk, and keeps its result there."""
    if secret_given and b"async_wrapper" in _ancestors():
        raise BadInput(
            "a task with a secret does not run in the background",
            expected="a task without async",
            found="async",
            next="Take async off the task. Its arguments lay on the node's disk: change the secret where that matters.",
        )


def _ancestors() -> bytes:
    """Command lines of this process and those above it."""
    said = b""
    pid = os.getpid()
    for _level in range(8):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                said += file.read(4096)
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            break
        if pid <= 1:
            break
    return said


def _tang(options: Mapping[str, Any]) -> WantTang:
    advertisement = options["advertisement"]
    if isinstance(advertisement, str):
        try:
            advertisement = json.loads(advertisement)
        except ValueError as error:
            raise BadInput("the advertisement is not JSON", expected="what GET /adv gives", found=str(error)) from error
    if advertisement is not None and not isinstance(advertisement, Mapping):
        raise BadInput("the advertisement is no JSON object", expected="what GET /adv gives")
    return WantTang(options["url"], options["thumbprint"] or "", advertisement)


def _tpm2(options: Mapping[str, Any]) -> WantTpm2:
    try:
        values = jose.b64_decode(options["pcr_digest"]) if options["pcr_digest"] else None
    except ValueError as error:
        raise BadInput(
            "pcr_digest is not base64url",
            expected="raw PCR values by ascending number, base64url without padding",
            found=options["pcr_digest"],
        ) from error
    pcrs = tuple(sorted(set(options["pcr_ids"])))
    return WantTpm2(pcrs, options["pcr_bank"], values, options["hash"], options["key"])

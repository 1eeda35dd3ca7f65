# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module boot_measurement, around :mod:`.._tpm.measured_boot`."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._core import jose
from .._core.errors import BadInput
from .._core.hostile import clean
from .._core.programs import node_environment
from .._luks.pcr_policy import policy_digest
from .._tpm.algorithm import BANK_NAME, DIGEST_SIZE
from .._tpm.boot_log import EVENT_LOG
from .._tpm.installed_boot import Files, GrubFiles, Mount, UnifiedFiles
from .._tpm.measured_boot import PCRS, Measured, Question, measured_boot
from .._tpm.measurement import BANKS
from .._tpm.secure_boot_forecast import EFI_VARIABLES
from .._tpm.unified_image import PHASES
from .contract import Contract, Outcome, Request

_HEXADECIMAL = re.compile("[0-9a-fA-F]*")
#: What a root disk is bound to (field notes "measured-boot").
_OF_GRUB = (7, 8, 9)
_OF_UNIFIED_IMAGE = (7, 11)


def run(request: Request) -> Outcome:
    """Read, replay, predict, compare."""
    params = request.params
    bank = BANKS[params["pcr_bank"]]
    files = _files(params)
    pcrs = _pcrs(params["pcr_ids"], files)
    question = Question(
        bank=bank,
        pcrs=pcrs,
        event_log=params["event_log"],
        efi_variables=params["efi_variables"],
        files=files,
        have_booted=params["files_of_this_boot"],
        extended_since=_extended_since(params["extended_since"], bank),
        pcr_values={_pcr(pcr): _value(value, bank, f"PCR {pcr}") for pcr, value in params["pcr_values"].items()},
    )
    measured = measured_boot(question, node_environment(os.environ))
    return Outcome(changed=False, nouns={"boot_measurement": _noun(question, measured)})


def _noun(question: Question, measured: Measured) -> Dict[str, Any]:
    name = BANK_NAME[question.bank]
    values = measured.values(question.pcrs)
    return {
        "pcr_bank": name,
        "pcr_ids": list(question.pcrs),
        "pcr_digest": jose.b64_encode(values),
        "policy_digest": policy_digest(name, question.pcrs, values, "sha256"),
        "log": {
            "sha256": measured.log_sha256,
            "banks": [BANK_NAME[bank] for bank in measured.log.banks],
            "events": len(measured.log.events),
        },
        "replayed": _hexadecimal(measured.replay.values),
        "pcrs": _hexadecimal(measured.found),
        "unexplained": [one.as_dict() for one in measured.replay.unexplained],
        "phases": list(measured.replay.phases),
        "secure_boot": measured.secure_boot,
        "predicted": _hexadecimal(measured.predicted),
        "command_line": clean(measured.command_line, 4096),
        "measurements": [{**one.as_dict(), "what": clean(one.what)} for one in measured.measurements],
        "differences": [one.as_dict() for one in measured.differences],
    }


def _hexadecimal(values: Mapping[int, bytes]) -> Dict[str, str]:
    return {str(pcr): value.hex() for pcr, value in sorted(values.items())}


def _files(params: Mapping[str, Any]) -> Optional[Files]:
    grub, unified = params["grub"], params["unified_kernel_image"]
    if grub is not None:
        if not grub["file_systems"]:
            raise BadInput("GRUB is started from some file system", expected="file_systems", found="none")
        return GrubFiles(
            grub=grub["image"],
            file_systems=tuple(
                Mount(one["directory"], one["device"] or "", one["uuid"] or "") for one in grub["file_systems"]
            ),
            shim=grub["shim"] or "",
            prefix=grub["prefix"] or "",
            replacements={one["path"]: one["source"] for one in grub["replacements"]},
        )
    if unified is not None:
        return UnifiedFiles(unified["image"], unified["shim"] or "", tuple(unified["phases"]))
    return None


def _pcrs(wanted: Optional[Sequence[int]], files: Optional[Files]) -> Tuple[int, ...]:
    if wanted is not None:
        if not wanted:
            raise BadInput("no PCR is asked for", expected=f"some of {list(PCRS)}", found="none")
        return tuple(sorted(set(wanted)))
    return _OF_UNIFIED_IMAGE if isinstance(files, UnifiedFiles) else _OF_GRUB


def _extended_since(listed: Sequence[Mapping[str, Any]], bank: int) -> Dict[int, List[bytes]]:
    digests: Dict[int, List[bytes]] = {}
    for one in listed:
        digests.setdefault(one["pcr"], []).append(_value(one["digest"], bank, f"PCR {one['pcr']}"))
    return digests


def _pcr(name: object) -> int:
    text = str(name)
    if not text.isascii() or not text.isdigit() or int(text) not in PCRS:
        raise BadInput("no event log tells of this PCR", expected=f"some of {list(PCRS)}", found=text)
    return int(text)


def _value(text: object, bank: int, where: str) -> bytes:
    digits = 2 * DIGEST_SIZE[bank]
    if not isinstance(text, str) or len(text) != digits or not _HEXADECIMAL.fullmatch(text):
        raise BadInput(
            "this is no value of the bank",
            expected=f"{digits} hexadecimal digits for {BANK_NAME[bank]}",
            found=str(text)[:160],
            where=where,
        )
    return bytes.fromhex(text)


BOOT_MEASUREMENT = Contract(
    "boot_measurement",
    run,
    argument_spec={
        "pcr_ids": {"type": "list", "elements": "int"},
        "pcr_bank": {"type": "str", "choices": list(BANKS), "default": "sha256"},
        "event_log": {"type": "path", "default": EVENT_LOG},
        "efi_variables": {"type": "path", "default": EFI_VARIABLES},
        "pcr_values": {"type": "dict", "default": {}},
        "extended_since": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "pcr": {"type": "int", "required": True},
                "digest": {"type": "str", "required": True},
            },
        },
        "grub": {
            "type": "dict",
            "options": {
                "shim": {"type": "path"},
                "image": {"type": "path", "required": True},
                "prefix": {"type": "str"},
                "file_systems": {
                    "type": "list",
                    "elements": "dict",
                    "required": True,
                    "options": {
                        "directory": {"type": "path", "required": True},
                        "device": {"type": "str"},
                        "uuid": {"type": "str"},
                    },
                },
                "replacements": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": {
                        "path": {"type": "path", "required": True},
                        "source": {"type": "path", "required": True},
                    },
                },
            },
        },
        "unified_kernel_image": {
            "type": "dict",
            "options": {
                "shim": {"type": "path"},
                "image": {"type": "path", "required": True},
                "phases": {"type": "list", "elements": "str", "choices": list(PHASES), "default": []},
            },
        },
        "files_of_this_boot": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("grub", "unified_kernel_image"),),
)

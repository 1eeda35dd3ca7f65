# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module tpm_info, around the readers in :mod:`.._tpm`."""

from __future__ import annotations

import dataclasses
import os
import ssl
from typing import Any, Dict, Mapping

from .._core.errors import NotFound, ProtocolViolation
from .._core.programs import node_environment
from .._tpm.boot_log import EVENT_LOG, read_boot_log
from .._tpm.capabilities import lockout, ownership, read_maker, read_pcrs, read_variable
from .._tpm.ek_store import StoredCertificate, stored_certificates
from .._tpm.event_log import parse_event_log
from .._tpm.log_summary import LogSummary, summary
from .._tpm.tpm2_tools import Tpm2Tools
from .contract import Contract, Outcome, Request

Pcrs = Mapping[str, Mapping[int, bytes]]


def run(request: Request) -> Outcome:
    """Read all of it; what fails to be read beside the TPM itself says so in its place."""
    # No program here reads or writes a file, so that any directory will do.
    tools = Tpm2Tools("/", node_environment(os.environ))
    variable = read_variable(tools)
    pcrs = read_pcrs(tools)
    tpm: Dict[str, Any] = {
        **dataclasses.asdict(read_maker(tools)),
        **dataclasses.asdict(ownership(variable)),
        "lockout": dataclasses.asdict(lockout(variable)),
        "pcr_banks": {bank: {str(pcr): value.hex() for pcr, value in one.items()} for bank, one in pcrs.items()},
        "endorsement_certificates": [_certificate(one) for one in stored_certificates(tools)],
        "event_log": _event_log(request.params["event_log"], pcrs),
    }
    return Outcome(changed=False, nouns={"tpm": tpm})


def _certificate(stored: StoredCertificate) -> Dict[str, Any]:
    return {
        "nv_index": f"{stored.index:#010x}",
        "key": stored.key,
        "problem": stored.problem,
        "pem": None if stored.problem else ssl.DER_cert_to_PEM_cert(stored.der),
        "sha256": None if stored.problem else stored.sha256,
        "key_sha256": None if stored.problem else stored.key_sha256,
    }


def _event_log(path: str, pcrs: Pcrs) -> Dict[str, Any]:
    said: Dict[str, Any] = {"path": path, "problem": ""}
    said.update(dict.fromkeys(field.name for field in dataclasses.fields(LogSummary)))
    try:
        found = summary(parse_event_log(read_boot_log(path)), pcrs)
    except (NotFound, ProtocolViolation) as error:
        return {**said, "problem": f"{error.msg}: {error.found}"}
    return {
        **said,
        "banks": found.banks,
        "events": found.events,
        "pcrs": {str(pcr): dataclasses.asdict(one) for pcr, one in found.pcrs.items()},
        "secure_boot": found.secure_boot,
    }


TPM_INFO = Contract("tpm_info", run, argument_spec={"event_log": {"type": "path", "default": EVENT_LOG}})

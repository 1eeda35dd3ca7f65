# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of live_image_verdict: ask the machine twice, then judge. PRIVATE to the collection.

``ask`` runs the module of the same name on the machine and gives its result back.
"""

from __future__ import annotations

import secrets
import typing as t

from ..module_utils._core.errors import AttestationRefused, ProtocolViolation
from ..module_utils._core.hostile import clean, clean_json
from ..module_utils._glue.contract import failure
from ..module_utils._tpm.case import Case, Expectation
from ..module_utils._tpm.clauses import SECURE_BOOT_IS_ON
from ..module_utils._tpm.credential import make_credential
from ..module_utils._tpm.evidence import NONCE_SIZE, SECRET_SIZE, Challenge, answer_of, encoded, identity_of
from ..module_utils._tpm.public_area import parse_public
from ..module_utils._tpm.verdict import Verdict, judge

Ask = t.Callable[[t.Dict[str, t.Any]], t.Dict[str, t.Any]]

NO_TPM = "NoTpm"


def verdict_on_machine(ask: Ask, expectation: Expectation, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The task's result. Each run has a nonce and a secret of its own."""
    log = {"event_log": params["event_log"]}
    algorithms = {name: params[name] for name in ("ek_algorithm", "ak_algorithm")}
    introduction = ask({"step": "introduce", **log, **algorithms})
    if introduction.get("failed"):
        return _without_evidence(introduction, expectation, params)
    said = introduction.get("evidence")
    place = said.get("place") if isinstance(said, dict) else None
    challenge = Challenge(secrets.token_bytes(SECRET_SIZE), secrets.token_bytes(NONCE_SIZE))
    try:
        identity = identity_of(said)
        credential = make_credential(
            parse_public(identity.endorsement_key, "endorsement key"),
            parse_public(identity.attestation_key, "attestation key").name,
            challenge.secret,
            random=secrets.token_bytes,
        )
    except ProtocolViolation:
        ask({"step": "forget", "place": place})
        raise
    answered = ask(
        {
            "step": "answer",
            "place": place,
            "credential": encoded(credential.as_file()),
            "nonce": encoded(challenge.nonce),
            **log,
        }
    )
    if answered.get("failed"):
        # The module has cleaned up where it ran; where it was not reached, the next reset of the TPM does.
        return answered
    case = Case(expectation, challenge, identity, answer_of(answered.get("evidence")))
    return _judged(judge(case), expectation)


def _judged(verdict: Verdict, expectation: Expectation) -> dict[str, t.Any]:
    noun = {
        "verdict": "ok" if verdict.ok else "refused",
        "image": expectation.boots.name,
        "reasons": [{"clause": reason.clause, "msg": clean(reason.msg, 512)} for reason in verdict.reasons],
        "differences": [clean_json(one.as_dict(), limit=512) for one in verdict.differences],
        "ek": {
            "certificate_sha256": verdict.ek_certificate_sha256,
            "key_sha256": verdict.ek_key_sha256,
            "subject": clean(verdict.ek_subject),
            "trusted_by": verdict.ek_trusted_by,
        },
        "firmware_programs": [clean_json(one.as_dict(), limit=512) for one in verdict.firmware_programs],
        "pcrs": {str(pcr): value for pcr, value in sorted(verdict.pcrs.items())},
        "secure_boot": verdict.secure_boot,
        "node_document": "checked" if expectation.node_document else "none",
    }
    if not verdict.ok:
        first = verdict.reasons[0].msg
        more = f" (and {len(verdict.reasons) - 1} more)" if len(verdict.reasons) > 1 else ""
        error = AttestationRefused(
            f"the machine does not prove that it runs this image: {clean(first, 512)}{more}",
            expected=f"a quote of image {expectation.boots.name}",
            found=", ".join(dict.fromkeys(reason.clause for reason in verdict.reasons)),
            next=_next(verdict),
        )
        return {**failure(error), "live_image_verdict": noun}
    return {"changed": False, "live_image_verdict": noun}


def _next(verdict: Verdict) -> str:
    if any(not program.allowed for program in verdict.firmware_programs):
        return (
            "Send no secret there and write nothing. What the firmware started in front of the image is in "
            "live_image_verdict.firmware_programs: where a program's digest is that of the maker's, and it takes no "
            "commands as a UEFI shell does, name the digest in allowed_firmware_programs."
        )
    return "Send no secret there and write nothing. Compare live_image_verdict.differences with what was booted."


def _without_evidence(
    introduction: dict[str, t.Any], expectation: Expectation, params: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Without a TPM only the user's word lets a machine pass; every other failure stays one."""
    error = introduction.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    why = clean(str(introduction.get("msg", "")))
    if kind == AttestationRefused.__name__:
        # The machine itself says what is against it.
        reason = {"clause": SECURE_BOOT_IS_ON.name, "msg": why}
        return {**introduction, "live_image_verdict": _noun_without_evidence("refused", reason, expectation, False)}
    if kind != NO_TPM:
        return introduction
    noun = _noun_without_evidence("unverified", {"clause": "tpm", "msg": why}, expectation, None)
    if params["unverified"] != "accept":
        return {**introduction, "live_image_verdict": noun}
    return {
        "changed": False,
        "live_image_verdict": noun,
        "warnings": [f"Nothing proves what this machine runs, and the task accepts that: {why}"],
    }


def _noun_without_evidence(
    verdict: str, reason: dict[str, str], expectation: Expectation, secure_boot: bool | None
) -> dict[str, t.Any]:
    return {
        "verdict": verdict,
        "image": expectation.boots.name,
        "reasons": [reason],
        "differences": [],
        "ek": {"certificate_sha256": "", "key_sha256": "", "subject": "", "trusted_by": ""},
        "firmware_programs": [],
        "pcrs": {},
        "secure_boot": secure_boot,
        "node_document": "",
    }

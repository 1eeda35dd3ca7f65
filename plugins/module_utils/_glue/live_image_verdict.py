# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of live_image_verdict, and what its module does on the node: one of the steps of :mod:`.._tpm.attester`.

What is judged is judged on the controller, by the action plugin of the same name.
"""

from __future__ import annotations

import os
from typing import Any, Mapping

from .._core.errors import BadInput
from .._tpm.attester import answer, forget, introduce
from .._tpm.boot_log import EVENT_LOG
from .._tpm.evidence import decoded, encoded
from .contract import Contract, Outcome, Request

EVIDENCE_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "step": {"type": "str", "choices": ["introduce", "answer", "forget"], "required": True},
    "place": {"type": "path"},
    "credential": {"type": "str"},
    "nonce": {"type": "str"},
    "ek_algorithm": {"type": "str", "choices": ["auto", "rsa", "ecc"], "default": "auto"},
    "ak_algorithm": {"type": "str", "choices": ["rsa", "ecc"], "default": "ecc"},
    "event_log": {"type": "path", "default": EVENT_LOG},
}


def run(request: Request) -> Outcome:
    """One step on the node. It makes keys that the TPM forgets, so that it runs in check mode as well."""
    evidence = request.params["evidence"]
    if evidence is None:
        raise BadInput(
            "live_image_verdict judges on the controller",
            expected="its action plugin, which asks this module for evidence",
            found="the module alone",
            next="Write the task with the collection's name: hearth.datacenter.live_image_verdict.",
        )
    step, place, log = evidence["step"], evidence["place"] or "", evidence["event_log"]
    if step == "introduce":
        introduction = introduce(evidence["ek_algorithm"], evidence["ak_algorithm"], log, os.environ)
        identity = introduction.identity
        said = {
            "place": introduction.place,
            "endorsement_key": encoded(identity.endorsement_key),
            "endorsement_certificate": encoded(identity.endorsement_certificate),
            "attestation_key": encoded(identity.attestation_key),
        }
    elif step == "answer":
        credential = decoded(evidence["credential"], "credential")
        answered = answer(place, credential, decoded(evidence["nonce"], "nonce"), log, os.environ)
        said = {
            "activation": encoded(answered.activation),
            "attestation": encoded(answered.attestation),
            "signature": encoded(answered.signature),
            "pcr_values": encoded(answered.pcr_values),
            "event_log": encoded(answered.event_log),
        }
    else:
        forget(place)
        said = {}
    return Outcome(changed=False, nouns={"evidence": said})


LIVE_IMAGE_VERDICT = Contract(
    "live_image_verdict",
    run,
    argument_spec={
        "manifest": {"type": "raw"},
        "node_document_sha256": {"type": "str"},
        "ek_roots": {"type": "list", "elements": "path", "default": []},
        "ek_certificate_sha256": {"type": "list", "elements": "str", "default": []},
        # Of a public key: ansible-test asks for a word on what is called a key.
        "ek_key_sha256": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "allowed_firmware_programs": {"type": "list", "elements": "str", "default": []},
        "expected_pcrs": {"type": "dict", "default": {}},
        "unverified": {"type": "str", "choices": ["refuse", "accept"], "default": "refuse"},
        "ek_algorithm": EVIDENCE_ARGUMENTS["ek_algorithm"],
        "ak_algorithm": EVIDENCE_ARGUMENTS["ak_algorithm"],
        "event_log": EVIDENCE_ARGUMENTS["event_log"],
        "evidence": {"type": "dict", "options": EVIDENCE_ARGUMENTS},
    },
    required_one_of=[("manifest", "evidence")],
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a live image's manifest says of how it boots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Mapping, Tuple

from .._core.errors import BadInput
from .prediction import ExpectedEvent, event_from_dict

_SCHEMA = 1
_SHA256 = re.compile("[0-9a-f]{64}")
#: Nothing else of a boot is compared.
PREDICTED_PCRS = (4, 8, 9)


@dataclass(frozen=True)
class ExpectedBoots:
    """An image, and the ways in which it may boot."""

    name: str
    alternatives: Tuple[Tuple[ExpectedEvent, ...], ...]


def expected_boots(manifest: Mapping[str, object]) -> ExpectedBoots:
    """From a manifest of schema 1; BadInput for one that leaves a PCR out."""
    if manifest.get("schema") != _SCHEMA:
        raise _no_manifest(f"schema {_SCHEMA}", str(manifest.get("schema")))
    others = manifest.get("expected_events_alternatives", [])
    if not isinstance(others, list):
        raise _no_manifest("a list as expected_events_alternatives", type(others).__name__)
    alternatives = tuple(_events(one) for one in (manifest.get("expected_events"), *others))
    return ExpectedBoots(str(manifest.get("name", "")), alternatives)


def _events(listed: object) -> Tuple[ExpectedEvent, ...]:
    if not isinstance(listed, list):
        raise _no_manifest("a list as expected_events", type(listed).__name__)
    events: List[ExpectedEvent] = []
    for one in listed:
        if not isinstance(one, Mapping):
            raise _no_manifest("events as dictionaries", type(one).__name__)
        pcr = one.get("pcr")
        if isinstance(pcr, bool) or pcr not in PREDICTED_PCRS:
            raise _no_manifest("events of PCR 4, 8 and 9", f"PCR {pcr}")
        if not isinstance(one.get("what"), str) or not isinstance(one.get("event_type"), str):
            raise _no_manifest("what and event_type of each event", str(sorted(one)))
        event = event_from_dict(one)
        if event.digest_sha256 and not _SHA256.fullmatch(event.digest_sha256):
            raise _no_manifest("digest_sha256 as 64 lower-case hexadecimal digits", event.digest_sha256)
        if not event.digest_sha256 and event.pcr != 8:
            raise _no_manifest("a digest of each event of PCR 4 and 9", event.what)
        events.append(event)
    missing = [pcr for pcr in PREDICTED_PCRS if all(event.pcr != pcr for event in events)]
    if missing:
        raise _no_manifest("events of PCR 4, 8 and 9", f"none of PCR {missing[0]}")
    return tuple(events)


def _no_manifest(expected: str, found: str) -> BadInput:
    return BadInput(
        "this manifest does not say how its image boots",
        expected=expected,
        found=found,
        where="manifest",
        next="Give the manifest that live_image wrote beside the image.",
    )

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service root: whether there is one, and whether it is still the one of last time."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Mapping, Optional

from .._core.endpoint import Endpoint
from .._core.errors import HearthError, ProtocolViolation
from .._core.response import Response
from .client import ROOT
from .document import items, text, word

# Parts of a root that change although nothing did: clocks (HPE), and what its ETag header tells as well.
_VOLATILE = frozenset(("Time", "DateTime", "DateTimeLocalOffset", "@odata.etag", "@odata.context"))


def root_digest(root: Mapping[str, Any], answer: Optional[Response] = None) -> str:
    """SHA-256 of the service root as it says what the BMC is: without clocks, with the ETag that came along."""
    stable = _without_clocks(root, 6)
    etag = answer.etag if answer is not None else ""
    return hashlib.sha256((json.dumps(stable, sort_keys=True) + etag).encode("utf-8", "replace")).hexdigest()


def _without_clocks(value: Any, depth: int) -> Any:
    if isinstance(value, dict) and depth:
        return {key: _without_clocks(inner, depth - 1) for key, inner in value.items() if key not in _VOLATILE}
    if isinstance(value, list) and depth:
        return [_without_clocks(inner, depth - 1) for inner in value]
    return value


def service_root(answer: Response) -> Optional[Dict[str, Any]]:
    """The service root that the answer is; an empty one where the BMC guards even that; None where it is no Redfish."""
    try:
        document = answer.json()
    except ProtocolViolation:
        return None
    if answer.status == 200:
        spoken = text(document.get("RedfishVersion")) or "serviceroot" in word(document.get("@odata.type"))
        return document if spoken else None
    if answer.status in (401, 403) and (items(document.get("error")) or document.get("@Message.ExtendedInfo")):
        return {"@odata.id": ROOT}
    return None


def no_redfish(answer: Response, endpoint: Endpoint) -> HearthError:
    if answer.status >= 500:
        return answer.error(f"{endpoint.url}{ROOT}")
    return ProtocolViolation(
        "something answers there, and it is no Redfish service",
        expected="a Redfish service root",
        found=f"HTTP {answer.status}, {text(answer.headers.get('Content-Type'), 64) or 'no Content-Type'}",
        where=f"{endpoint.url}{ROOT}",
        next="leave the address out (exclude), or give the port of its BMC (ports)",
    )

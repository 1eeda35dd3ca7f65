# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values out of a JSON document of unknown honesty.

Every function takes what is there: a wrong type is treated as absent, a number written as a string is a number. None
of them raises. Text that leaves this package has passed ``text`` and with it ``hostile.clean``.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Optional, Union

from .._core.hostile import clean

Document = Mapping[str, Any]

_NOTHING: Dict[str, Any] = {}

# Strings by which a BMC says that it does not know; compared in lower case.
_UNKNOWN = frozenset(("", "null", "none", "n/a", "na", "unknown", "not available", "not specified", "unspecified"))


def text(value: Any, limit: int = 256) -> Optional[str]:
    """A cleaned string that says something, else None. Numbers are written out."""
    if isinstance(value, str):
        cleaned = clean(value, limit)
        return None if cleaned.lower() in _UNKNOWN else cleaned
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return None


def first_text(*values: Any) -> Optional[str]:
    """The first of the values that says something."""
    for value in values:
        said = text(value)
        if said is not None:
            return said
    return None


def word(value: Any) -> str:
    """A keyword (a type, a state) in lower case for comparing with our own; "" for what is no string. Not cleaned."""
    return value[:128].strip().lower() if isinstance(value, str) else ""


def number(value: Any) -> Union[int, float, None]:
    """A finite number, also one written as a string; whole ones as int."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip()[:32])
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) >= 2**63:
        return None
    return int(value) if value == int(value) else value


def count(value: Any) -> Optional[int]:
    """A number of things, 1 or more. BMCs whose host is off say 0 and mean that they do not know."""
    said = number(value)
    return int(said) if said is not None and said >= 1 else None


def flag(value: Any) -> Optional[bool]:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "enabled": True, "false": False, "disabled": False}.get(word(value))
    return None


def part(document: Any, *keys: str) -> Document:
    """The object at that path, an empty one where there is none."""
    for key in keys:
        if not isinstance(document, dict):
            return _NOTHING
        document = document.get(key)
    return document if isinstance(document, dict) else _NOTHING


def items(value: Any) -> List[Any]:
    """A list as it is; null, a lone object and anything else as BMCs mean them."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def link(value: Any) -> str:
    """The URI of a reference (``{"@odata.id": …}``; older firmware: a bare string, or ``href``), else ""."""
    if isinstance(value, dict):
        value = value.get("@odata.id", value.get("href"))
    return value if isinstance(value, str) and value.strip() else ""


def links(value: Any) -> List[str]:
    """The URIs of a list of references, each once, in order."""
    found = [link(entry) for entry in items(value)]
    return list(dict.fromkeys(uri for uri in found if uri))


def last_segment(path: str) -> str:
    """``Self`` of ``/redfish/v1/Systems/Self/``."""
    return path.split("?", 1)[0].split("#", 1)[0].rstrip("/").rpartition("/")[2]


def state(document: Document) -> str:
    """Status.State in lower case, "" where it is not told."""
    return word(part(document, "Status").get("State"))


def absent(document: Document) -> bool:
    """Whether the part that the document describes is not plugged in."""
    return state(document) == "absent"


def health_word(value: Any) -> Optional[str]:
    """ok, warning or critical; None for anything else."""
    said = word(value)
    return said if said in ("ok", "warning", "critical") else None

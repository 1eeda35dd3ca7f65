# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strings that a BMC, plug, UPS or agent gives are hostile; this is their one way in.

An asset tag may hold a template that runs a command, an escape sequence that rewrites a terminal, or a megabyte of
either. What has passed ``clean`` is short, printable and no template, whatever reads it afterwards.
"""

from __future__ import annotations

import math
import re
from typing import Dict, List, Optional

#: Control sequences as ECMA-48 has them, introduced by ESC or by one C1 character; the strings (OSC, DCS, SOS, PM,
#: APC) end with BEL or ST. A string that does not end loses its introducer only.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
#: A brace that begins or ends one of Jinja's marks together with its neighbour.
_OPENER = re.compile(r"\{(?=[{%#])")
_CLOSER = re.compile(r"[}%#](?=\})")
_BRACES = re.compile(r"[{}]")
_NO_HOST_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_HOST_NAME = 128
_ELLIPSIS = "\u2026"


def clean(value: str, limit: int = 256) -> str:
    """``value`` without anything that could act: at most ``limit`` printable characters, stripped.

    Removed: terminal sequences, control characters, format characters (bidirectional overrides, zero-width ones),
    surrogates, private and unassigned code points; other white space becomes a space. Jinja's marks, the six of
    ``{{ {% {# }} %} #}``, are split by a space, after the removals, which could have brought their halves together.
    What is too long is cut and ends in an ellipsis.
    """
    if value.isascii() and value.isprintable() and len(value) <= limit and not _BRACES.search(value):
        return value.strip()
    return _clean_slowly(value, limit)


def _clean_slowly(value: str, limit: int) -> str:
    # What follows is linear; on a string far beyond the limit even that is too much.
    bound = 16 * limit + 1024
    cut = len(value) > bound
    if cut:
        value = value[:bound]
    if not value.isprintable():
        value = _TERMINAL.sub("", value)
        value = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in value)
    value = _CLOSER.sub(r"\g<0> ", _OPENER.sub("{ ", value)).strip()
    if len(value) > limit or cut:
        value = value[: max(0, limit - 1)].rstrip() + _ELLIPSIS
    return value


def clean_json(value: object, *, limit: int = 256, depth: int = 16, items: int = 10000) -> object:
    """``value`` as plain JSON data with every string cleaned, keys too.

    No more than ``items`` values in all and ``depth`` levels: what lies beyond is left out. Numbers that JSON has no
    word for become None, things that JSON has no word for become cleaned strings.
    """
    return _Cleaner(limit, items).clean(value, depth)


class _Cleaner:
    def __init__(self, limit: int, items: int) -> None:
        self._limit = limit
        self._left = items

    def clean(self, value: object, depth: int) -> object:
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return clean(value, self._limit)
        if isinstance(value, int):
            return value if -(2**63) <= value < 2**64 else None
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, dict):
            return self._mapping(value, depth - 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(list(value), depth - 1)
        return clean(str(value), self._limit)

    def _mapping(self, value: Dict[object, object], depth: int) -> Optional[Dict[str, object]]:
        if depth < 0:
            return None
        result: Dict[str, object] = {}
        for key, inner in value.items():
            if self._left <= 0:
                break
            name = clean(str(key), self._limit)
            if name.startswith("__ansible"):  # a type tag to Ansible's own JSON readers
                name = name.lstrip("_")
            result[name] = self.clean(inner, depth)
        return result

    def _sequence(self, value: List[object], depth: int) -> Optional[List[object]]:
        if depth < 0:
            return None
        result: List[object] = []
        for inner in value:
            if self._left <= 0:
                break
            result.append(self.clean(inner, depth))
        return result


def host_name(text: str) -> str:
    """``text`` as an inventory host's name: letters, digits, ".", "_" and "-" only; "" if nothing is left.

    Runs of others become one "-". Neither end carries punctuation: "-rf" and ".." are no names.
    """
    name = _NO_HOST_NAME.sub("-", clean(text, _LONGEST_HOST_NAME).rstrip(_ELLIPSIS))
    return name.strip("-._")

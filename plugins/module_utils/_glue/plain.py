# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain builtins out of whatever Ansible hands over.

ansible-core tags values (where they come from, whether they may be templated) by subclasses of str, int, dict and so
on. Engines and libraries below get none of that: database drivers, json and equality of types treat them differently.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence, Set
from typing import Any

from .._core.errors import BadInput

#: of exactly these types, and no subclass of them
_PLAIN = frozenset((str, int, float, bool, type(None)))


def plain(value: Any) -> Any:
    """A copy made of dict, list, str, int, float, bool and None only; BadInput for what is none of these."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key if type(key) in _PLAIN else plain(key): plain(inner) for key, inner in value.items()}
    if kind is list:
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        # Not str(value): of a subclass that returns what it likes.
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (datetime.date, datetime.time)):
        # YAML reads 2026-11-21 as a date.
        return value.isoformat()
    # Builtins, of which Ansible's tagged types are made, before the abstract classes: whether a class is one of those
    # is a long search when it is first asked, which each worker does anew.
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (bytes, bytearray)):
        return [plain(inner) for inner in value]
    raise BadInput(
        "A value is no plain data.",
        expected="text, number, boolean, list, dictionary or nothing",
        found=type(value).__name__,
    )

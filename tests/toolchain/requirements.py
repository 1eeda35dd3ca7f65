# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the requirement files, the one place where a dependency and its lower bound are declared."""

from __future__ import annotations

import re
from pathlib import Path

# psycopg[binary]: one more part of what another file declares with its bound, which is said once.
_EXTRA = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*\[[^\]]+\]\s*(?:#.*)?$")
_LINE = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*>=\s*(?P<version>[0-9][0-9.]*)\s*(?:#.*)?$")


def lower_bounds(path: Path) -> dict[str, str]:
    """Name (as pip normalises it) and lower bound of each requirement of a file.

    Raises ValueError for a line of another form: a requirement without a lower bound is not declared but hoped for.
    """
    bounds = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#") or _EXTRA.match(line):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"{path}: expected 'name>=version', found {line!r}")
        bounds[normalised(match["name"])] = match["version"]
    return bounds


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

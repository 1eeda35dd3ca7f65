# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of a benchmark and the file that holds them."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured number. ``name`` is stable from its first release on; it begins with its group and a dot.

    ``goal`` is what the number is held against, as text ("<= 4"); "" for a number that is only stated. ``ok`` is None
    for
    those. ``context`` says whatever the number hangs on.
    """

    name: str
    value: float | None
    unit: str
    goal: str
    ok: bool | None
    context: t.Mapping[str, t.Any]

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


def held(name: str, value: float, unit: str, at_most: float, context: t.Mapping[str, t.Any]) -> Figure:
    """A figure with a goal: at most so much."""
    return Figure(name, round(value, 4), unit, f"<= {at_most:g}", value <= at_most, context)


def stated(name: str, value: float, unit: str, context: t.Mapping[str, t.Any]) -> Figure:
    """A figure without a goal."""
    return Figure(name, round(value, 4), unit, "", None, context)


def not_run(group: str, reason: str, context: t.Mapping[str, t.Any]) -> Figure:
    """What a group leaves that could not run."""
    return Figure(f"{group}.not_run", None, "", "", False, {**context, "reason": reason})


def merge(path: pathlib.Path, group: str, figures: t.Sequence[Figure]) -> None:
    """Replaces the rows of ``group`` in the file, and only those, in one step."""
    rows = json.loads(path.read_text()) if path.exists() else []
    rows = [row for row in rows if row["name"].partition(".")[0] != group]
    rows.extend(dataclasses.asdict(figure) for figure in figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(rows, indent=1) + "\n")
    os.replace(temporary, path)


def table(figures: t.Sequence[Figure]) -> str:
    """The figures for a person."""
    lines = []
    for figure in figures:
        value = "-" if figure.value is None else f"{figure.value:g} {figure.unit}"
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.ok]
        reason = f"  ({figure.context['reason']})" if "reason" in figure.context else ""
        lines.append(f"{figure.name:<52} {value:>18}  {figure.goal:<10} {verdict}{reason}")
    return "\n".join(lines)

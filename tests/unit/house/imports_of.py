# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what Python files import, without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported module: its dotted name, and how many dots stood before it (0: absolute)."""

    file: Path
    line: int
    module: str
    level: int

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'.' * self.level}{self.module}"


def imports_of(file: Path) -> Iterator[Import]:
    """Every import statement of a file, wherever it stands: at the top, guarded, or in a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, 0)
        elif isinstance(node, ast.ImportFrom):
            yield Import(file, node.lineno, node.module or "", node.level)


def imports_below(directory: Path) -> Iterator[Import]:
    for file in sorted(directory.rglob("*.py")):
        yield from imports_of(file)

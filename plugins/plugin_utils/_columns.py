# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of cells in columns, in plain text.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t


def columns(head: t.Sequence[str], rows: t.Iterable[tuple[t.Sequence[str], str]]) -> str:
    """A line for each row under a head: its cells in columns, and behind its last cell a text that needs none."""
    table: list[tuple[t.Sequence[str], str]] = [(head, ""), *rows]
    widths = [max((len(cells[column]) for cells, _tail in table if column < len(cells))) for column in range(len(head))]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths)), tail]).rstrip() for cells, tail in table
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)

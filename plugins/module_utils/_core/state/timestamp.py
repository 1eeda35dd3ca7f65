# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as the state store writes them: UTC, ISO 8601, microseconds; always 27 characters, so text sorts as time."""

from __future__ import annotations

from datetime import datetime, timezone

from ..errors import BadInput


def stamp(moment: datetime) -> str:
    """The text of a moment; a moment without a zone is BadInput, since nobody could say when it was."""
    if moment.tzinfo is None:
        raise BadInput("A time in the state store needs its zone.", found=repr(moment))
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The moment of a text that :func:`stamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module media_progress_info, around the reader in :mod:`.._nginx.progress`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, List

from .._core.errors import BadInput, NotFound
from .._nginx.progress import read_progress
from .contract import Contract, Outcome, Request

_PUBLICATION = re.compile(r"[0-9a-f]{32}")


def run(request: Request) -> Outcome:
    """Read the log, with the one that was rotated away before it."""
    wanted = request.params["publications"]
    for publication in wanted or ():
        if not _PUBLICATION.fullmatch(publication):
            raise BadInput(
                "That is no publication.",
                expected="32 hexadecimal digits in lower case",
                found=publication[:64],
                where="publications",
                next="Give what was published under, without server and name.",
            )
    log = Path(request.params["log"])
    media = read_progress(_lines([log.with_name(f"{log.name}.1"), log]), wanted)
    return Outcome(changed=False, nouns={"media_progress": [medium.shown() for medium in media]})


def _lines(logs: List[Path]) -> Iterator[str]:
    older, newest = logs
    for log in (older, newest):
        try:
            # A client chooses part of what is logged: it may be no UTF-8.
            with log.open(encoding="utf-8", errors="replace") as lines:
                yield from lines
        except FileNotFoundError as error:
            if log == newest:
                raise NotFound(
                    f"There is no log {log}.",
                    expected="the access log that the role media_server configures",
                    where=str(log),
                    next="Start the media server, or correct log.",
                ) from error
        except OSError as error:
            raise BadInput(
                f"The log {log} cannot be read: {error.strerror}.",
                expected="a file that this task may read",
                where=str(log),
                next="Run the task as the media server's owner, or with become.",
            ) from error


MEDIA_PROGRESS_INFO = Contract(
    "media_progress_info",
    run,
    argument_spec={
        "log": {"type": "path", "required": True},
        "publications": {"type": "list", "elements": "str"},
    },
)

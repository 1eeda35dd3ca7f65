# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line between the supervisor and a worker: one JSON document a line, over a socket pair; EOF means: end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

LIMIT = 64 * 1024 * 1024


class WorkerFailed(RuntimeError):
    """A worker could not do what it was asked."""


class WorkerLine:
    """The supervisor's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = asyncio.Lock()

    async def ask(self, what: str, **arguments: Any) -> Any:
        """Raises WorkerFailed with the worker's reason, KeyError or ValueError where the worker raised one."""
        async with self._lock:
            self._writer.write(json.dumps({"ask": what, **arguments}).encode() + b"\n")
            await self._writer.drain()
            line = await self._reader.readline()
        if not line:
            raise WorkerFailed("a worker has ended")
        answer = json.loads(line)
        if "error" in answer:
            kind = {"KeyError": KeyError, "ValueError": ValueError}.get(answer["error"], WorkerFailed)
            raise kind(answer["reason"])
        return answer["answer"]

    def close(self) -> None:
        self._writer.close()


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Callable[[str, dict[str, Any]], Any]
) -> None:
    """The worker's end: answers until the supervisor is gone."""
    while line := await reader.readline():
        asked = json.loads(line)
        what = asked.pop("ask")
        try:
            answer = {"answer": handle(what, asked)}
        except (KeyError, ValueError, OSError) as error:
            reason = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
            answer = {"error": type(error).__name__, "reason": reason}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()

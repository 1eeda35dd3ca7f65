# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The BMC that the child is logged in to."""

from __future__ import annotations

import time
from typing import Any, Dict, Sequence

from .endings import Failure, OutOfTime


class Bmc:
    """A session in the shape that pyghmi's FRU and sensor readers want, with a moment after which they give up."""

    def __init__(self, session: Any, error: Any, event_constants: Any) -> None:
        self._session = session
        self._error = error
        self._event_constants = event_constants
        self.until = float("inf")
        self.commands = 0

    def raw_command(self, netfn: int, command: int, data: Sequence[int] = (), rslun: int = 0) -> Dict[str, Any]:
        if time.monotonic() > self.until:
            raise OutOfTime
        self.commands += 1
        try:
            answer = self._session.raw_command(netfn=netfn, command=command, data=data, rslun=rslun)
        except self._error as error:
            if "no longer connected" not in str(error):
                raise
            answer = None
        if answer is None or answer.get("code") == 0xFFFF:
            raise Failure("TimedOut", "the BMC stopped answering")
        return dict(answer)

    def xraw_command(self, netfn: int, command: int, data: Sequence[int] = (), rslun: int = 0) -> Dict[str, Any]:
        answer = self.raw_command(netfn, command, data, rslun)
        self.data(answer)
        return answer

    def get_event_constants(self) -> Any:
        return self._event_constants

    def data(self, answer: Dict[str, Any]) -> bytes:
        if "error" in answer:
            raise self._error(answer["error"], answer["code"])
        return bytes(answer["data"])

    def hex(self, netfn: int, command: int, data: Sequence[int] = ()) -> str:
        """The answer's data as hex; "" where the BMC refuses the command."""
        answer = self.raw_command(netfn, command, data)
        return "" if "error" in answer else bytes(answer["data"]).hex()

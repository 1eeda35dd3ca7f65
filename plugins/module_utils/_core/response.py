# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP answer, and what it means in Redfish's terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple


class Headers:
    """Header fields; names compare without case. ``get`` gives the first field of a name, ``get_all`` all of them."""

    __slots__ = ("_fields",)

    def __init__(self, fields: List[Tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str: ...
    def get_all(self, name: str) -> List[str]: ...
    def __contains__(self, name: str) -> bool: ...
    def __iter__(self) -> Iterator[Tuple[str, str]]: ...


class Message(NamedTuple):
    """One entry of @Message.ExtendedInfo; hostile text, cleaned."""

    id: str
    text: str
    severity: str
    args: Tuple[str, ...]
    resolution: str


class Response:
    __slots__ = ("status", "headers", "body", "url")

    def __init__(self, status: int, headers: Headers, body: bytes, url: str = "") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url

    def json(self) -> Dict[str, Any]:
        """The JSON object; ProtocolViolation when it is none. Numbers are finite and fit in 64 bits, else None."""
        raise NotImplementedError

    @property
    def etag(self) -> str:
        raise NotImplementedError

    def retry_after(self, now: datetime) -> Optional[float]:
        """Seconds to wait; None when the peer did not say."""
        raise NotImplementedError

    def messages(self) -> List[Message]:
        raise NotImplementedError

    def raise_for_status(self, where: str) -> None:
        raise NotImplementedError

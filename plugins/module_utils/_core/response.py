# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP answer, and what it means in Redfish's terms."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Tuple, Type

from .errors import (
    AccessDenied,
    AuthenticationFailed,
    Busy,
    HearthError,
    NotFound,
    PasswordChangeRequired,
    PreconditionFailed,
    ProtocolViolation,
    Refused,
    ServerFailure,
    Unsupported,
)
from .hostile import clean

#: Redfish nests about ten deep; the parser of json recurses in C, on a thread's small stack.
DEEPEST_JSON = 200
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPENERS = b"[{"
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MOST_MESSAGES = 32

_ERRORS: Dict[int, Type[HearthError]] = {
    401: AuthenticationFailed,
    403: AccessDenied,
    404: NotFound,
    405: Unsupported,
    409: Busy,
    410: NotFound,
    412: PreconditionFailed,
    428: PreconditionFailed,
    429: Busy,
    501: Unsupported,
    503: Busy,
}
_NEXT: Dict[Type[HearthError], str] = {
    AuthenticationFailed: "check the user name and the password",
    AccessDenied: "give the account the privilege, or use another",
    PasswordChangeRequired: "change the account's password, then try again",
    Busy: "try again later",
    PreconditionFailed: "read the resource again, somebody else may have changed it",
    ServerFailure: "try again; if it stays, restart the BMC or look for newer firmware",
}


class Headers:
    """Header fields; names compare without case. ``get`` gives the first field of a name, ``get_all`` all of them."""

    __slots__ = ("_fields", "_first")

    def __init__(self, fields: List[Tuple[str, str]]) -> None:
        """``fields``: names in lower case."""
        self._fields = fields
        self._first: Dict[str, str] = dict(reversed(fields))

    def get(self, name: str, default: str = "") -> str:
        return self._first.get(name.lower(), default)

    def get_all(self, name: str) -> List[str]:
        name = name.lower()
        if name not in self._first:
            return []
        return [value for key, value in self._fields if key == name]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first

    def __iter__(self) -> Iterator[Tuple[str, str]]:
        return iter(self._fields)


class Message(NamedTuple):
    """One entry of @Message.ExtendedInfo (DSP0266, section "Error responses"); hostile text, cleaned."""

    #: for example "Base.1.8.GeneralError"
    id: str
    text: str
    severity: str
    args: Tuple[str, ...]
    resolution: str


class Response:
    """Status, header fields and body of one answer, the body already free of transfer and content encodings."""

    __slots__ = ("status", "headers", "body", "url", "_redact")

    def __init__(
        self, status: int, headers: Headers, body: bytes, url: str = "", redact: Callable[[str], str] = str
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
        self._redact = redact

    def json(self) -> Dict[str, Any]:
        """The JSON object that the body is; ProtocolViolation when it is none, or is nested too deep.

        Strings are as the peer sent them: hostile. Numbers are finite and below 10^18 in size; others, and NaN and its
        like, come as None.
        """
        if not self.body:
            raise self._not_json("an empty body")
        if self.body.count(b"{") + self.body.count(b"[") > DEEPEST_JSON and _too_deep(self.body):
            raise self._not_json("nested too deep")
        try:
            document = _DECODER.decode(self.body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError) as exc:
            raise self._not_json(clean(str(exc), 80)) from exc
        if not isinstance(document, dict):
            raise self._not_json(f"a JSON {type(document).__name__}")
        return document

    @property
    def etag(self) -> str:
        """The first non-empty ETag as it stands in the header field, "" when there is none."""
        for value in self.headers.get_all("etag"):
            if value.strip():
                return value.strip()
        return ""

    def retry_after(self, now: datetime) -> Optional[float]:
        """Seconds that the peer asks to wait, from a number or a date; None when it did not say so legibly."""
        value = self.headers.get("retry-after").strip()
        if not value:
            return None
        try:
            seconds = float(value)
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
            except (TypeError, ValueError, IndexError):
                return None
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=timezone.utc)
            seconds = (moment - now).total_seconds()
        return max(0.0, seconds) if math.isfinite(seconds) else None

    def messages(self) -> List[Message]:
        """Redfish's own words on what happened; empty when there are none, never an error."""
        try:
            document = self.json()
        except ProtocolViolation:
            return []
        error = document.get("error")
        found = _extended_info(error) if isinstance(error, dict) else []
        found += _extended_info(document)
        if not found and isinstance(error, dict):
            found = [Message(_text(error.get("code")), _text(error.get("message")), "", (), "")]
        return found

    def raise_for_status(self, where: str = "") -> None:
        """Nothing below 300; a typed error for everything else."""
        if 200 <= self.status < 300:
            return
        self._raise(where or self.url)

    def error(self, where: str = "") -> HearthError:
        """The typed error for a status that is none of success."""
        messages = self.messages()
        kind = _ERRORS.get(self.status, ServerFailure if self.status >= 500 else Refused)
        if self.status < 400:
            kind = ProtocolViolation
        if self.status == 403 and any(message.id.endswith("PasswordChangeRequired") for message in messages):
            kind = PasswordChangeRequired
        said = "; ".join(message.text or message.id for message in messages[:3])
        resolution = next((message.resolution for message in messages if message.resolution), "")
        return kind(
            f"HTTP {self.status}" + (f": {self._redact(said)}" if said else ""),
            expected="success (HTTP 2xx)",
            found=self._redact(", ".join(message.id for message in messages[:3] if message.id))
            or f"HTTP {self.status}",
            where=where or self.url,
            next=_NEXT.get(kind, "") or self._redact(resolution),
        )

    def _raise(self, where: str) -> NoReturn:
        raise self.error(where)

    def _not_json(self, found: str) -> ProtocolViolation:
        return ProtocolViolation("the answer is no JSON object", expected="a JSON object", found=found, where=self.url)


def _too_deep(body: bytes) -> bool:
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENERS else -1
        if depth > DEEPEST_JSON:
            return True
    return False


def _integer(text: str) -> Optional[int]:
    return int(text) if len(text) <= 18 else None


def _float(text: str) -> Optional[float]:
    value = float(text)
    return value if abs(value) < 1e18 else None


def _constant(_text: str) -> None:
    """NaN, Infinity, -Infinity: no JSON, and sent by some for "no reading"."""


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _extended_info(holder: Dict[str, Any]) -> List[Message]:
    entries = holder.get("@Message.ExtendedInfo")
    if isinstance(entries, dict):  # some send the one message bare
        entries = [entries]
    if not isinstance(entries, list):
        return []
    found = []
    for entry in entries[:_MOST_MESSAGES]:
        if isinstance(entry, dict):
            args = entry.get("MessageArgs")
            found.append(
                Message(
                    _text(entry.get("MessageId")),
                    _text(entry.get("Message")),
                    _text(entry.get("Severity") or entry.get("MessageSeverity")),
                    tuple(_text(arg) for arg in args[:_MOST_MESSAGES]) if isinstance(args, list) else (),
                    _text(entry.get("Resolution")),
                )
            )
    return found


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""

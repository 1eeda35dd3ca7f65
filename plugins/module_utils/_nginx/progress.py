# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far clients have read what a media server publishes, from nginx's access log in JSON.

A line is what the role media_server's ``log_format`` writes. nginx logs a request when it ends, so a client that
fetches an image in one request shows nothing before its end; firmware and BMCs fetch in ranges.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Dict, Iterable, List, Optional, Tuple

# /<publication>/<name>: what the server's location takes, and nothing else.
_PATH = re.compile(r"/([0-9a-f]{32})/([A-Za-z0-9._-]{1,128})")
# RFC 9110 §14.4
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_LONGEST_LINE = 16_384
_MOST_REFUSALS = 64


@dataclass(frozen=True)
class Request:
    """One line of the log."""

    publication: str
    name: str
    client: str
    method: str
    status: int
    first_byte: int
    """offset in the image of the first byte sent"""
    sent: int
    """bytes of the image sent, also by a request that broke"""
    size: Optional[int]
    """of the whole image, where the answer tells it"""
    began: float
    ended: float
    """seconds since 1970"""


@dataclass
class Progress:
    """What clients have read of one medium of one publication."""

    publication: str
    name: str
    size_bytes: Optional[int] = None
    requests: int = 0
    sent_bytes: int = 0
    began: Optional[float] = None
    ended: Optional[float] = None
    clients: List[str] = field(default_factory=list)
    refused: Dict[Tuple[str, int], int] = field(default_factory=dict)
    read: List[Tuple[int, int]] = field(default_factory=list)
    """Half-open ranges of the image, in the order of the log."""

    def add(self, request: Request) -> None:
        if request.status >= 400:
            key = (request.client, request.status)
            # Whoever guesses URLs may come from many addresses; the log has them all.
            if key in self.refused or len(self.refused) < _MOST_REFUSALS:
                self.refused[key] = self.refused.get(key, 0) + 1
            return
        self.requests += 1
        self.sent_bytes += request.sent
        self.size_bytes = request.size if request.size is not None else self.size_bytes
        self.began = request.began if self.began is None else min(self.began, request.began)
        self.ended = request.ended if self.ended is None else max(self.ended, request.ended)
        if request.client not in self.clients:
            self.clients.append(request.client)
        if request.sent:
            self.read.append((request.first_byte, request.first_byte + request.sent))

    def distinct_bytes(self) -> int:
        """Bytes of the image that were sent at least once."""
        total = reached = 0
        for start, end in sorted(self.read):
            if end > reached:
                total += end - max(start, reached)
                reached = end
        return total

    def shown(self) -> Dict[str, object]:
        distinct = self.distinct_bytes()
        return {
            "publication": self.publication,
            "name": self.name,
            "size_bytes": self.size_bytes,
            "distinct_bytes": distinct,
            "share": round(distinct / self.size_bytes, 4) if self.size_bytes else None,
            "finished": self.size_bytes is not None and distinct >= self.size_bytes,
            "requests": self.requests,
            "sent_bytes": self.sent_bytes,
            "first_request": _iso(self.began),
            "last_request": _iso(self.ended),
            "clients": list(self.clients),
            "refused": [
                {"client": client, "status": status, "requests": count}
                for (client, status), count in sorted(self.refused.items())
            ],
        }


def read_progress(lines: Iterable[str], publications: Optional[Iterable[str]] = None) -> List[Progress]:
    """Progress by medium, in the order in which each was first asked for; only of these publications, if given."""
    wanted = None if publications is None else frozenset(publications)
    found: Dict[Tuple[str, str], Progress] = {}
    for line in lines:
        match = _PATH.search(line)
        if match is None or (wanted is not None and match.group(1) not in wanted):
            continue
        request = parse(line)
        if request is None or (wanted is not None and request.publication not in wanted):
            continue
        key = (request.publication, request.name)
        if key not in found:
            found[key] = Progress(*key)
        found[key].add(request)
    return list(found.values())


def parse(line: str) -> Optional[Request]:
    """None for what is no request of a publication: another path, or a line that is not whole."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    path = _PATH.fullmatch(str(entry.get("path", "")))
    status, sent = _whole(entry.get("status")), _whole(entry.get("sent"))
    ended, seconds = _number(entry.get("ended")), _number(entry.get("seconds"))
    if path is None or status is None or sent is None or ended is None or seconds is None:
        return None
    head = entry.get("method") == "HEAD"
    first, size = 0, None
    if status == 206:
        content_range = _CONTENT_RANGE.fullmatch(str(entry.get("content_range", "")))
        if content_range is None:
            return None
        first = int(content_range.group(1))
        size = None if content_range.group(3) == "*" else int(content_range.group(3))
    elif status == 200:
        size = _whole(entry.get("content_length"))
    return Request(
        publication=path.group(1),
        name=path.group(2),
        client=str(entry.get("client", ""))[:64],
        method=str(entry.get("method", ""))[:16],
        status=status,
        first_byte=first,
        sent=0 if head or status >= 300 else sent,
        size=size,
        began=ended - seconds,
        ended=ended,
    )


def _whole(value: object) -> Optional[int]:
    return int(value) if isinstance(value, (int, str)) and re.fullmatch(r"\d{1,18}", str(value)) else None


def _number(value: object) -> Optional[float]:
    return (
        float(value) if isinstance(value, (int, float, str)) and re.fullmatch(r"\d{1,12}(\.\d+)?", str(value)) else None
    )


def _iso(moment: Optional[float]) -> Optional[str]:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["Progress", "Request", "parse", "read_progress"]

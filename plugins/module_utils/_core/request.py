# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request before it is sent: what goes on the wire, and whether it carries a secret."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from .endpoint import Endpoint
from .errors import BadInput

Body = Union[Mapping[str, Any], List[Any], bytes, None]

USER_AGENT = "hearth.datacenter"
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
#: Header fields that are a credential by themselves, in lower case.
CREDENTIAL_FIELDS = frozenset(("authorization", "proxy-authorization", "x-auth-token", "cookie"))

_METHOD = re.compile(r"[A-Z]{1,16}")
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_|~]{1,128}")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_SECRET_KEYS = ("password", "passphrase", "secret", "privatekey")


class Request:
    """One request to one endpoint; ``target`` and ``accept_encoding`` may change between attempts."""

    __slots__ = (
        "method",
        "target",
        "body",
        "fields",
        "anonymous",
        "secret",
        "secrets",
        "repeatable",
        "timeout",
        "accept_encoding",
    )

    def __init__(
        self,
        method: str,
        target: str,
        body: Body,
        headers: Optional[Mapping[str, Optional[str]]],
        *,
        anonymous: bool = False,
        secret_body: bool = False,
        idempotent: Optional[bool] = None,
        timeout: float = 30.0,
    ) -> None:
        if not _METHOD.fullmatch(method):
            raise BadInput("not an HTTP method", found=ascii(method[:40]))
        self.method = method
        self.target = target
        self.anonymous = anonymous
        #: a caller's own header fields: lower-case name → value, None where a default is to be left out
        self.fields: Dict[str, Optional[str]] = {}
        for name, value in (headers or {}).items():
            self.fields[name.lower()] = None if value is None else field_value(name, value)
        self.body: Optional[bytes] = None
        if body is not None:
            self.body = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        #: values that no error message may show
        self.secrets = _secrets(body)
        self.secret = secret_body or bool(self.secrets) or not CREDENTIAL_FIELDS.isdisjoint(self.fields)
        self.repeatable = method in SAFE_METHODS if idempotent is None else idempotent
        self.timeout = timeout
        self.accept_encoding = True

    def wire(self, common: str, authorization: str) -> bytes:
        """The bytes to send. ``common``: see common_fields; ``authorization``: a finished field line or ""."""
        if not self.fields and self.body is None and self.accept_encoding and self.method in SAFE_METHODS:
            return f"{self.method} {self.target} HTTP/1.1\r\n{common}{authorization}\r\n".encode("latin-1")
        own = dict(self.fields)
        lines = [f"{self.method} {self.target} HTTP/1.1\r\n"]
        for line in common.splitlines(keepends=True):
            name = line.split(":", 1)[0].lower()
            if name not in own and (self.accept_encoding or name != "accept-encoding"):
                lines.append(line)
        lines.append(authorization)
        lines.extend(f"{name}: {value}\r\n" for name, value in own.items() if value is not None)
        if self.body is not None and "content-type" not in own:
            lines.append("Content-Type: application/json\r\n")
        if self.body is not None or self.method not in SAFE_METHODS:
            lines.append(f"Content-Length: {len(self.body or b'')}\r\n")
        lines.append("\r\n")
        return "".join(lines).encode("latin-1") + (self.body or b"")


def common_fields(endpoint: Endpoint, keep_alive: bool) -> str:
    """The header fields that every request to an endpoint has. Identity: compression makes many BMCs' ETags weak."""
    return (
        f"Host: {endpoint.authority}\r\n"
        "Accept: application/json\r\n"
        "Accept-Encoding: identity\r\n"
        "OData-Version: 4.0\r\n"
        f"User-Agent: {USER_AGENT}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
    )


def field_value(name: str, value: str) -> str:
    """``value`` if it may stand in a header field; a line break in it would be a second field."""
    if not _FIELD_NAME.fullmatch(name) or name.lower() in ("host", "content-length", "transfer-encoding"):
        raise BadInput("not a header field that may be set", found=ascii(name[:80]))
    if not _FIELD_VALUE.fullmatch(value):
        # The value may be a credential: it is not shown.
        raise BadInput(f"characters that a header field cannot carry in {name}", expected="printable Latin-1")
    return value


def _secrets(body: Body) -> Tuple[str, ...]:
    """The values of a JSON body that its keys call secret: they are guarded even where a caller forgot to say so."""
    found: List[str] = []
    holders: List[Any] = [body]
    while holders:
        holder = holders.pop()
        if isinstance(holder, list):
            holders.extend(holder)
        elif isinstance(holder, Mapping):
            for key, value in holder.items():
                if isinstance(value, str):
                    if value and any(word in str(key).lower() for word in _SECRET_KEYS):
                        found.append(value)
                else:
                    holders.append(value)
    return tuple(found)

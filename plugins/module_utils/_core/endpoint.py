# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a service listens, and which URIs belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote, urlsplit

from .errors import BadInput, ProtocolViolation
from .hostile import clean

DEFAULT_PORTS = {"https": 443, "http": 80}

# RFC 3986 unreserved, reserved and "%": what may stand in a request target as it is (a "#" may not).
_TARGET = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]]*")
_TARGET_SAFE = "/?%-._~!$&'()*+,;=:@[]"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._\-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.\-]+)?")
LONGEST_TARGET = 8192


@dataclass(frozen=True)
class Endpoint:
    """Host (name, IPv4, or IPv6 without brackets), TCP port and scheme of one service."""

    host: str
    port: int = 443
    scheme: str = "https"

    def __post_init__(self) -> None:
        if self.scheme not in DEFAULT_PORTS:
            raise BadInput("unknown scheme", expected="https or http", found=self.scheme)
        if not _HOST.fullmatch(self.host):
            raise BadInput("not a host name or an address", expected="a DNS name, IPv4 or IPv6", found=ascii(self.host))
        if not 0 < self.port < 65536:
            raise BadInput("not a TCP port", expected="1-65535", found=str(self.port))

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From ``host``, ``host:port``, ``[v6]:port`` or a URL without its path; the port defaults to the scheme's."""
        split = urlsplit(text if "://" in text else "https://" + text)
        try:
            host, port = split.hostname or "", split.port
        except ValueError as exc:
            raise BadInput(f"not an endpoint: {exc}", expected="host, host:port or a URL", found=ascii(text)) from exc
        if split.username is not None:
            raise BadInput("an endpoint carries no credentials", expected="host, host:port or a URL")
        if port is None:
            port = DEFAULT_PORTS.get(split.scheme, 443)
        return cls(host, port, split.scheme)

    @property
    def authority(self) -> str:
        """Host and port as the Host header wants them: without the scheme's own port, without an IPv6 zone."""
        host = f"[{self.host.split('%', 1)[0]}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def key(self) -> str:
        """``host:port``: the name under which the state store knows this endpoint."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.url

    def target(self, uri: str) -> str:
        """The request target (path and query) for a path or for an absolute URI of this very endpoint.

        Links come from the peer, so anything that leads elsewhere, or that could smuggle a second header or request
        into ours, is a ProtocolViolation. A fragment is dropped, what may not stand in a target is percent-encoded.
        """
        if _TARGET.fullmatch(uri) and not uri.startswith("//") and len(uri) <= LONGEST_TARGET:
            return uri
        return self._target_slowly(uri)

    def _target_slowly(self, uri: str) -> str:
        if len(uri) > LONGEST_TARGET or _CONTROL.search(uri):
            raise ProtocolViolation("a link that is no URI", found=clean(uri, 80), where=self.url)
        uri = uri.split("#", 1)[0]
        try:
            split = urlsplit(uri)
            scheme, host, port = split.scheme, split.hostname, split.port
        except ValueError as exc:
            raise ProtocolViolation(f"a link that is no URI: {exc}", found=clean(uri, 80), where=self.url) from exc
        if scheme or split.netloc:
            self._same_origin(uri, scheme or self.scheme, host, port, split.username)
        path = split.path if split.path.startswith("/") else "/" + split.path
        # urlsplit has taken one "//authority" off; a path that still begins so would be read as another authority.
        path = "/" + path.lstrip("/") if path.startswith("//") else path
        target = path + ("?" + split.query if split.query else "")
        return quote(target, safe=_TARGET_SAFE)

    def _same_origin(
        self, uri: str, scheme: str, host: Optional[str], port: Optional[int], username: Optional[str]
    ) -> None:
        same = (
            scheme == self.scheme
            and (host or "") == self.host.lower()
            and (port or DEFAULT_PORTS[self.scheme]) == self.port
            and username is None
        )
        if not same:
            raise ProtocolViolation(
                "a link leads to another host and is not followed",
                expected=self.url,
                found=clean(uri, 200),
                where=self.url,
            )

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS contexts: one for each trust setting, built when first needed and then shared."""

from __future__ import annotations

import os
import ssl
import threading
from typing import Dict, Optional, Tuple

from .errors import BadInput
from .trust import Trust

#: (name, modified, size) of each file that a CA setting consists of
Stamp = Tuple[Tuple[str, int, int], ...]


class TlsContexts:
    """Cache of SSLContext objects. Thread-safe; an SSLContext may serve any number of threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: Dict[bool, ssl.SSLContext] = {}
        self._by_ca: Dict[str, Tuple[Stamp, ssl.SSLContext]] = {}
        self._spare: Optional[ssl.SSLContext] = None

    def prepare(self) -> None:
        """Before processes are forked: the system's trust, and an empty context for a CA that only they will know."""
        self.get(Trust("verify"))
        with self._lock:
            self._spare = self._spare or _client_context()

    def get(self, trust: Trust) -> ssl.SSLContext:
        """The context for a trust setting. A CA file that has changed since is read again."""
        verified = trust.mode == "verify"
        if verified and trust.ca_path is not None:
            return self._for_ca(trust.ca_path)
        context = self._shared.get(verified)
        if context is None:
            with self._lock:  # the first of 128 threads builds it, the others wait for that one
                context = self._shared.get(verified)
                if context is None:
                    context = _system_trust() if verified else _unverified()
                    self._shared[verified] = context
        return context

    def _for_ca(self, path: str) -> ssl.SSLContext:
        stamp = _stamp(path)
        known = self._by_ca.get(path)
        if known is None or known[0] != stamp:
            with self._lock:
                known = self._by_ca.get(path)
                if known is None or known[0] != stamp:
                    empty, self._spare = self._spare or _client_context(), None
                    known = (stamp, _explicit_trust(path, stamp, empty))
                    self._by_ca[path] = known
        return known[1]


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _unverified() -> ssl.SSLContext:
    context = _client_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _system_trust() -> ssl.SSLContext:
    context = _client_context()
    context.load_default_certs()
    return context


def _explicit_trust(path: str, stamp: Stamp, context: ssl.SSLContext) -> ssl.SSLContext:
    """Trust in exactly the certificates of a file, or of the files of a directory; the environment has no say.

    ``context`` is empty before.
    """
    # An operator who lists an intermediate CA, or one BMC's own certificate, means that one and not its issuer.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for name, _modified, _size in stamp:
        try:
            with open(name, "rb") as file:  # as text it would cost each worker the import of a codec
                pem = file.read().decode("ascii", "replace")
            if "-----BEGIN" not in pem and name != path:
                continue  # a README or a CRL beside the certificates
            context.load_verify_locations(cadata=pem)
        except (OSError, ssl.SSLError, ValueError) as exc:
            raise BadInput(
                f"cannot read CA certificates: {exc}", expected="a PEM file", found=name, where="ca_path"
            ) from exc
    if not context.cert_store_stats()["x509"]:
        raise BadInput("no certificate in it", expected="CA certificates in PEM", found=path, where="ca_path")
    return context


def _stamp(path: str) -> Stamp:
    try:
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                files = sorted(entry.path for entry in entries if entry.is_file())
        else:
            files = [path]
        stamp = []
        for name in files:
            status = os.stat(name)
            stamp.append((name, status.st_mtime_ns, status.st_size))
    except OSError as exc:
        raise BadInput(
            f"cannot read CA certificates: {exc.strerror}",
            expected="a PEM file or a directory of them",
            found=path,
            where="ca_path",
        ) from exc
    return tuple(stamp)


#: The one module-level object of this collection's engines: building the default context costs 35 ms of CPU, and
#: workers that are forked after it was built inherit it.
CONTEXTS = TlsContexts()

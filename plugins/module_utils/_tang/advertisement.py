# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advertisements of a Tang server: made from its keys, fetched from it, and their signatures checked by jose.

An advertisement says which keys to bind to, signed by all signing keys. It proves that whoever made it has those keys;
whose they are is said by a thumbprint that somebody wrote down.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, FrozenSet, Mapping, Sequence
from urllib.parse import urlsplit

from .._core import jose
from .._core.deadline import Deadline
from .._core.endpoint import Endpoint
from .._core.errors import BadInput, ProtocolViolation, VerificationFailed
from .._core.limits import Limits
from .._core.programs import Programs, in_memory
from .._core.transport import Transport
from .._core.trust import Trust
from .key_directory import SIGN, TangKey

_LARGEST = 256 * 1024


def compose(programs: Programs, directory: str, keys: Sequence[TangKey]) -> Dict[str, Any]:
    """What the server advertises with these keys, as tangd would make it. The private halves are read by jose."""
    payload = json.dumps({"keys": [key.advertised_as() for key in keys]}).encode()
    argv = ["jose", "jws", "sig", "-I-", "-o-"]
    for key in keys:
        if key.use == SIGN:
            template = {"protected": {"alg": key.algorithm, "cty": "jwk-set+json"}}
            argv += ["-s", json.dumps(template), "-k", os.path.join(directory, key.file)]
    return _document(programs.run(*argv, stdin=payload, where=directory), directory)


def fetch(url: str, patience: float) -> Dict[str, Any]:
    """What a server advertises now. Nothing is trusted because of it."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.netloc or split.query or split.fragment:
        raise BadInput("that is no Tang server", expected="http://host[:port][/path]", found=url, where="url")
    endpoint = Endpoint.parse(f"{split.scheme}://{split.netloc}")
    transport = Transport(
        endpoint,
        Trust("anonymous"),
        deadline=Deadline.after(patience),
        limits=Limits(max_body=_LARGEST),
        keep_alive=False,
    )
    try:
        return transport.get_json(f"{split.path.rstrip('/')}/adv")
    finally:
        transport.close()


def verified(programs: Programs, document: Mapping[str, Any], where: str) -> FrozenSet[str]:
    """SHA-256 thumbprints of all keys in an advertisement that each of its signing keys has signed.

    VerificationFailed where one has not; ProtocolViolation where it is no advertisement."""
    try:
        keys = jose.advertised(document)
        prints = frozenset(jose.thumbprint(key) for key in keys)
    except ValueError as error:
        raise ProtocolViolation(
            "that is no Tang advertisement", expected="a JWS of a JWK set", found="something else", where=where
        ) from error
    signing = [dict(key) for key in keys if "verify" in key.get("key_ops", ())]
    if not signing:
        raise VerificationFailed("the advertisement holds no signing key", expected="at least one", where=where)
    with in_memory(json.dumps({"keys": signing}).encode()) as handle:
        argv = ("jose", "jws", "ver", "-i-", "-a", "-k", f"/proc/self/fd/{handle}")
        ended = programs.attempt(*argv, stdin=json.dumps(document).encode(), handles=(handle,))
    if ended.code:
        raise VerificationFailed(
            "the advertisement is not signed by the keys in it",
            expected="a signature of each signing key",
            found=ended.said or "a signature is missing or wrong",
            where=where,
            next="See who answers there. Bind nothing to these keys.",
        )
    return prints


def _document(text: bytes, where: str) -> Dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProtocolViolation("jose gave no JWS", expected="a JSON object", where=where)
    return document

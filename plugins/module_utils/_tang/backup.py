# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Tang server's keys, hidden ones too, encrypted on the server to keys of the organisation, each of which opens them.

Whoever loses a Tang server's keys loses every disk that needs it; whoever keeps a backup keeps deleted keys alive.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Dict, List, Mapping, Sequence

from .._core import jose
from .._core.errors import BadInput, Refused
from .._core.programs import Programs, in_memory
from .key_directory import Contents

#: One key of the organisation lost must not be every disk lost.
FEWEST = 2
#: Says in the protected header what the document holds.
PURPOSE = "tang-keys"
_ALGORITHM = "ECDH-ES+A256KW"


def checked_recipients(keys: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Public keys of the organisation as jose takes them; BadInput unless they are two different ones or more."""
    found: Dict[str, Dict[str, Any]] = {}
    for key in keys:
        if "d" in key or key.get("kty") != "EC" or not jose.thumbprints(key):
            raise BadInput(
                "that is no public key that a backup can be encrypted to",
                expected="a public JWK on an elliptic curve",
                found="a private key" if "d" in key else f"kty {ascii(key.get('kty'))[:20]}",
                where="backup_to",
                next="Make one for each holder: jose jwk gen, then give what jose jwk pub shows.",
            )
        members = {name: str(key[name]) for name in ("crv", "kty", "x", "y")}
        found[jose.thumbprint(key)] = {**members, "alg": _ALGORITHM}
    if len(found) < FEWEST:
        raise BadInput(
            "a backup is for two or more keys of the organisation, so that one lost key loses nothing",
            expected=f"at least {FEWEST} different public keys",
            found=str(len(found)),
            where="backup_to",
        )
    return list(found.values())


def name_of(contents: Contents) -> str:
    """Which keys a backup holds: the same for the same keys."""
    return hashlib.sha256("\n".join(sorted(key.thumbprint for key in contents.keys)).encode()).hexdigest()[:16]


def sealed(
    programs: Programs, directory: str, contents: Contents, recipients: Sequence[Mapping[str, Any]], now: datetime
) -> Dict[str, Any]:
    """The backup, as JWE (RFC 7516). Its content is JSON: ``{"keys": {file name: JWK}}``."""
    keys = {key.file: _read(os.path.join(directory, key.file)) for key in contents.keys}
    protected = {
        "enc": "A256GCM",
        "purpose": PURPOSE,
        "keys": name_of(contents),
        "made": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    argv = ["jose", "jwe", "enc", "-i", json.dumps({"protected": protected}), "-I-", "-o-"]
    with ExitStack() as stack:
        handles = [stack.enter_context(in_memory(json.dumps(key).encode())) for key in recipients]
        for handle in handles:
            argv += ["-k", f"/proc/self/fd/{handle}"]
        text = programs.run(*argv, stdin=json.dumps({"keys": keys}).encode(), handles=handles, where=directory)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or len(document.get("recipients", ())) != len(recipients):
        raise Refused("jose made no backup", expected=f"a JWE for {len(recipients)} keys", where=directory)
    return document


def _read(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return json.loads(file.read())
    except (OSError, ValueError) as error:
        raise Refused(
            "a key changed while it was read", expected="a key file", found=type(error).__name__, where=path
        ) from error

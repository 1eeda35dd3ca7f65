# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON Web Encryption (RFC 7516) in its JSON form: one ciphertext, and its content key wrapped for each recipient.

Written here though libraries for it exist: theirs want the private key in memory, ours asks a token or a key manager to
unwrap the content key. The cryptography itself is the library's. `jose jwe dec` opens what is made here, and the other
way round: test_jwe.py runs it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, Union

from .._core.cryptography_library import require_cryptography
from .._core.errors import BadInput, DecryptionFailed
from . import base64url

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

ENCRYPTION = "A256GCM"
CONTENT_KEY = 32
_NONCE = 12
_TAG = 16
#: A recovery key has a few dozen bytes; nothing that is read here comes near this.
LARGEST = 1024 * 1024
_MOST_RECIPIENTS = 64
#: Header parameters with a meaning in RFC 7515 to 7518: a context can't use them.
RESERVED = frozenset("alg apu apv b64 crit cty enc epk iv jku jwk kid p2c p2s tag typ x5c x5t x5t#S256 x5u zip".split())


@dataclass(frozen=True)
class Recipient:
    """One way to the content key: which key and how, and the content key wrapped that way."""

    header: Mapping[str, Any]
    encrypted_key: bytes

    @property
    def algorithm(self) -> str:
        return str(self.header.get("alg", ""))

    @property
    def kid(self) -> str:
        """Empty where whoever encrypted it did not say."""
        return str(self.header.get("kid", ""))


@dataclass(frozen=True)
class Jwe:
    """One encrypted document. ``protected_text`` is what the tag authenticates, byte by byte."""

    protected_text: str
    protected: Mapping[str, Any]
    recipients: Tuple[Recipient, ...]
    iv: bytes
    ciphertext: bytes
    tag: bytes

    def as_json(self) -> bytes:
        """The general serialization (RFC 7516, section 7.2.1), also for one recipient."""
        document = {
            "protected": self.protected_text,
            "recipients": [
                {"header": dict(one.header), "encrypted_key": base64url.encode(one.encrypted_key)}
                for one in self.recipients
            ],
            "iv": base64url.encode(self.iv),
            "ciphertext": base64url.encode(self.ciphertext),
            "tag": base64url.encode(self.tag),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")

    def plaintext(self, content_key: bytes) -> bytes:
        """DecryptionFailed where the key is another one, or a byte of document or header was changed."""
        require_cryptography("keeping keys")
        if len(content_key) == CONTENT_KEY:
            try:
                return AESGCM(content_key).decrypt(
                    self.iv, self.ciphertext + self.tag, self.protected_text.encode("ascii")
                )
            except InvalidTag:
                pass
        raise DecryptionFailed(
            "The document does not open: it was changed, or its content key is another one.",
            expected=f"a document as it was encrypted ({ENCRYPTION})",
            next="Take another copy of it.",
        )


def encrypt(
    plaintext: bytes,
    context: Mapping[str, object],
    recipients: Sequence[Callable[[bytes], Recipient]],
    *,
    random: Callable[[int], bytes],
) -> Jwe:
    """Encrypt once for all recipients: each function wraps the content key its own way.

    ``context`` becomes part of the protected header: readable by everybody, changed by nobody.
    """
    require_cryptography("keeping keys")
    protected = {**checked_context(context), "enc": ENCRYPTION}
    text = base64url.encode(json.dumps(protected, sort_keys=True, separators=(",", ":")).encode("ascii"))
    content_key, iv = random(CONTENT_KEY), random(_NONCE)
    wrapped = tuple(wrap(content_key) for wrap in recipients)
    sealed = AESGCM(content_key).encrypt(iv, plaintext, text.encode("ascii"))
    return Jwe(text, protected, wrapped, iv, sealed[:-_TAG], sealed[-_TAG:])


def checked_context(context: Mapping[str, object]) -> Dict[str, object]:
    """What may be said about a secret beside it: text and whole numbers, under names that JWE itself has no use for."""
    for name, value in context.items():
        if name in RESERVED:
            raise BadInput(
                f"A context can't be called {name}: that is a header parameter of JWE.", found=name, where="context"
            )
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise BadInput(
                "A context holds text and whole numbers.", found=type(value).__name__, where=f"context {name}"
            )
    return dict(context)


def parse(document: Union[bytes, str], where: str) -> Jwe:
    """Read the general or the flattened JSON form; BadInput says what is wrong with it and shows none of it."""
    if len(document) > LARGEST:
        raise BadInput("The document is too large.", expected=f"at most {LARGEST} bytes", where=where)
    said = _object(document, where)
    text = said.get("protected")
    protected = _object(base64url.decode(text, "the protected header"), where)
    if protected.get("enc") != ENCRYPTION or "zip" in protected or "crit" in protected:
        raise BadInput(
            "The document is encrypted in a way that is not used here.",
            expected=f"enc {ENCRYPTION}, no compression, no critical extension",
            found=f"enc {ascii(protected.get('enc'))[:40]}",
            where=where,
        )
    shared = said.get("unprotected", {})
    iv = base64url.decode(said.get("iv"), "the iv")
    tag = base64url.decode(said.get("tag"), "the tag")
    if len(iv) != _NONCE or len(tag) != _TAG:
        raise BadInput("The nonce or the tag has the wrong length.", expected="12 and 16 bytes", where=where)
    return Jwe(
        protected_text=str(text),
        protected=protected,
        recipients=tuple(_recipient(one, protected, shared, where) for one in _recipients(said, where)),
        iv=iv,
        ciphertext=base64url.decode(said.get("ciphertext"), "the ciphertext"),
        tag=tag,
    )


def _recipients(said: Mapping[str, Any], where: str) -> List[Any]:
    if "recipients" not in said:
        return [{name: said[name] for name in ("header", "encrypted_key") if name in said}]
    found = said["recipients"]
    if not isinstance(found, list) or not 0 < len(found) <= _MOST_RECIPIENTS:
        raise BadInput(
            "The document has no list of recipients.", expected=f"1 to {_MOST_RECIPIENTS} recipients", where=where
        )
    return found


def _recipient(said: object, protected: Mapping[str, Any], shared: object, where: str) -> Recipient:
    own = said.get("header", {}) if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(own, dict) or not isinstance(shared, dict):
        raise BadInput("A recipient is not what RFC 7516 says.", expected="an object with header", where=where)
    # Section 7.2.1: the three headers must not name one parameter twice, else it is open which one holds.
    if set(own) & set(protected) or set(shared) & set(protected) or set(own) & set(shared):
        raise BadInput("A header parameter stands in two headers of the document.", where=where)
    header = {name: value for name, value in protected.items() if name in RESERVED and name != "enc"}
    return Recipient({**header, **shared, **own}, base64url.decode(said.get("encrypted_key", ""), "an encrypted key"))


def _object(text: Union[bytes, str], where: str) -> Dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput(
            "That is no encrypted document.", expected="JWE in JSON form (RFC 7516, section 7.2)", where=where
        )
    return found


def _once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found

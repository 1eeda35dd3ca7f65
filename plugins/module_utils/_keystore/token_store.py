# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store in a PKCS#11 token (an HSM, a smart card, SoftHSM): each machine has a key pair there that never leaves it.

What tokens can do differs, so the mechanism is the user's choice, and a new key is tried before anything is sealed with
it: SoftHSM 2.6.1 computes RSA-OAEP with SHA-1 only (CKR_ARGUMENTS_BAD for SHA-256), and ECDH with raw or DER points.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from .._core.cryptography_library import require_cryptography
from .._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadInput,
    DecryptionFailed,
    HearthError,
    KeyNotFound,
    NotFound,
    ServerFailure,
    Unsupported,
    VerificationFailed,
)
from .._core.missing_library import missing_library
from . import jwe, key_wrapping
from .jwk import EC_ALGORITHM, PublicKey, public_of
from .secret_file import read_pin
from .store import KeyStore

try:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters
except ImportError as error:
    PKCS11_IMPORT_ERROR = str(error)
else:
    PKCS11_IMPORT_ERROR = ""

try:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

ECDH = "ECDH"
#: What the user chooses: the algorithm in the JWE that seals.
MECHANISMS = {
    ECDH: EC_ALGORITHM,
    key_wrapping.RSA_OAEP: key_wrapping.RSA_OAEP,
    key_wrapping.RSA_OAEP_256: key_wrapping.RSA_OAEP_256,
}
_RSA_BITS = 3072
_POINT = 65
_SHARED_BITS = 256
#: Bytes in the document that a new key is tried with.
_TRIAL = 32


@dataclass(frozen=True)
class Token:
    """Which token, and how to log in to it."""

    module: str
    """Path of the PKCS#11 library, as /usr/lib/softhsm/libsofthsm2.so."""
    label: str
    pin_file: str
    """A file with the user's PIN, mode 0600, best on a tmpfs."""
    mechanism: str = ECDH

    @property
    def shown(self) -> str:
        return f"token {self.label} of {self.module}"


def require_pkcs11() -> None:
    """MissingLibrary unless python-pkcs11 is here."""
    if PKCS11_IMPORT_ERROR:
        raise missing_library(
            "python-pkcs11", "key stores in a PKCS#11 token", PKCS11_IMPORT_ERROR, requirement="'python-pkcs11>=0.9.0'"
        )


class TokenStore(KeyStore):
    """Logs in when it is first needed; ``close`` logs out. A PKCS#11 library does not live through a fork: make the
    store in the process that uses it."""

    kind = "pkcs11"

    def __init__(self, directory: str, token: Token, *, random: Callable[[int], bytes] = os.urandom) -> None:
        require_pkcs11()
        require_cryptography("keeping keys")
        super().__init__(directory, random=random)
        if token.mechanism not in MECHANISMS:
            raise BadInput(
                "There is no such mechanism.", expected=" or ".join(MECHANISMS), found=ascii(token.mechanism)[:40]
            )
        self._token = token
        self._opened: Any = None

    def describe(self) -> Dict[str, object]:
        self.directory.require()
        with self._asking("look at the token"):
            found = self._session().token
            return {
                "kind": self.kind,
                "directory": self.directory.path,
                "module": self._token.module,
                "token": self._token.label,
                "serial": found.serial.decode("ascii", "replace").strip("\0 "),
                "mechanism": self._token.mechanism,
                "reaches_copies": self.reaches_copies,
                "unwraps": True,
            }

    def close(self) -> None:
        if self._opened is not None:
            opened, self._opened = self._opened, None
            with self._asking("log out"):
                opened.close()

    def _require(self, fru: str) -> None:
        wanted = (
            (pkcs11.Mechanism.EC_KEY_PAIR_GEN, pkcs11.Mechanism.ECDH1_DERIVE)
            if self._token.mechanism == ECDH
            else (pkcs11.Mechanism.RSA_PKCS_KEY_PAIR_GEN, pkcs11.Mechanism.RSA_PKCS_OAEP)
        )
        with self._asking("ask for the token's mechanisms"):
            offered = self._session().token.slot.get_mechanisms()
        missing = [one.name for one in wanted if one not in offered]
        if missing:
            raise Unsupported(
                f"The token can't do {self._token.mechanism}.",
                expected=", ".join(missing),
                where=self._token.shown,
                next="Choose another mechanism: " + ", ".join(MECHANISMS),
            )

    def _seal(self, plaintext: bytes, fru: str, context: Mapping[str, object]) -> jwe.Jwe:
        public = self._public(fru) or self._new_pair(fru)
        recipient = key_wrapping.for_public_key(public, rsa_algorithm=self._token.mechanism)
        return jwe.encrypt(plaintext, context, [recipient], random=self._random)

    def _content_key(self, document: jwe.Jwe, fru: str) -> bytes:
        recipient = document.recipients[0]
        private = self._objects(fru, pkcs11.ObjectClass.PRIVATE_KEY)
        public = self._public(fru)
        if not private or public is None:
            raise KeyNotFound(
                "The token has no key of this machine: it was destroyed, and the machine's secrets with it, or this is"
                " another token.",
                expected=f"key {recipient.kid}",
                where=self._token.shown,
                next="See whether this is the token; where the key was destroyed, there is no way back.",
            )
        if len(document.recipients) != 1 or recipient.kid != public.kid:
            raise DecryptionFailed(
                "The private half in the key file was sealed by another key than the token's.",
                expected=recipient.kid,
                found=public.kid,
                where=self._token.shown,
            )
        if recipient.algorithm == EC_ALGORITHM:
            return key_wrapping.by_exchange(recipient, public, lambda peer: self._exchanged(private[0], peer))
        with self._asking("decrypt with " + recipient.algorithm):
            return bytes(
                private[0].decrypt(
                    recipient.encrypted_key,
                    mechanism=pkcs11.Mechanism.RSA_PKCS_OAEP,
                    mechanism_param=_oaep(recipient.algorithm),
                )
            )

    def _destroy_sealing_key(self, fru: str) -> bool:
        found = False
        # The private key first: when this run is killed in between, what is left opens nothing.
        for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.PUBLIC_KEY):
            for one in self._objects(fru, kind):
                found = True
                with self._asking("destroy the key"):
                    one.destroy()
            if self._objects(fru, kind):
                raise VerificationFailed(
                    "The token said that it destroyed the key, and still has it.", where=self._token.shown
                )
        return found

    def _new_pair(self, fru: str) -> PublicKey:
        # A public key alone is what a killed run left that destroyed the private one.
        self._destroy_sealing_key(fru)
        attribute = pkcs11.Attribute
        told = {"id": _identifier(fru), "label": "hearth " + hashlib.sha256(fru.encode("utf-8")).hexdigest()[:16]}
        private = {attribute.SENSITIVE: True, attribute.EXTRACTABLE: False}
        with self._asking("make a key pair"):
            session = self._session()
            if self._token.mechanism == ECDH:
                curve = {attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
                session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True).generate_keypair(
                    store=True, capabilities=pkcs11.MechanismFlag.DERIVE, private_template=private, **told
                )
            else:
                session.generate_keypair(
                    pkcs11.KeyType.RSA,
                    _RSA_BITS,
                    store=True,
                    capabilities=pkcs11.MechanismFlag.DECRYPT | pkcs11.MechanismFlag.ENCRYPT,
                    private_template=private,
                    **told,
                )
        made = self._public(fru)
        if made is None:
            raise VerificationFailed("The token made a key and does not show it.", where=self._token.shown)
        self._try(made, fru)
        return made

    def _try(self, made: PublicKey, fru: str) -> None:
        """A new key that does not do what it is for goes again, before anything is sealed with it."""
        recipient = key_wrapping.for_public_key(made, rsa_algorithm=self._token.mechanism)
        trial = self._random(_TRIAL)
        document = jwe.encrypt(trial, {}, [recipient], random=self._random)
        try:
            opened = document.plaintext(self._content_key(document, fru))
            if opened != trial:
                raise DecryptionFailed("The token decrypts to something else.")
        except (ServerFailure, DecryptionFailed) as error:
            self._destroy_sealing_key(fru)
            raise Unsupported(
                f"The token can't do {self._token.mechanism}: it made a key, and that key does not open what was"
                " encrypted to it. The key was destroyed again; nothing else was changed.",
                found=error.found or error.msg,
                where=self._token.shown,
                next="Choose another mechanism: " + ", ".join(MECHANISMS),
            ) from error

    def _exchanged(self, private: Any, peer: Any) -> bytes:
        point = peer.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        # The shared secret leaves the token, as the Concat KDF of JWE is not among the token's.
        attribute = pkcs11.Attribute
        template = {attribute.SENSITIVE: False, attribute.EXTRACTABLE: True, attribute.TOKEN: False}
        with self._asking("ECDH1_DERIVE"):
            derived = private.derive_key(
                pkcs11.KeyType.GENERIC_SECRET,
                _SHARED_BITS,
                mechanism=pkcs11.Mechanism.ECDH1_DERIVE,
                mechanism_param=(pkcs11.KDF.NULL, None, point),
                template=template,
            )
            return bytes(derived[attribute.VALUE])

    def _public(self, fru: str) -> Optional[PublicKey]:
        found = self._objects(fru, pkcs11.ObjectClass.PUBLIC_KEY)
        private = self._objects(fru, pkcs11.ObjectClass.PRIVATE_KEY)
        if len(found) > 1 or len(private) > 1 or (private and not found):
            raise VerificationFailed(
                "The token's keys of this machine are no pair.",
                expected="one public and one private key",
                found=f"{len(found)} public, {len(private)} private",
                where=self._token.shown,
                next="Restore the token from its backup; or destroy this machine's key, and its secrets with it.",
            )
        if not private:
            return None
        attribute = pkcs11.Attribute
        with self._asking("read the public key"):
            if found[0].key_type == pkcs11.KeyType.RSA:
                n = int.from_bytes(found[0][attribute.MODULUS], "big")
                e = int.from_bytes(found[0][attribute.PUBLIC_EXPONENT], "big")
                public = public_of(rsa.RSAPublicNumbers(e, n).public_key())
            else:
                public = public_of(_point(bytes(found[0][attribute.EC_POINT])))
        if (public.kind == "EC") != (self._token.mechanism == ECDH):
            raise BadInput(
                "The machine's key in the token is for another mechanism.",
                expected=self._token.mechanism,
                found=f"a key of type {public.kind}",
                where=self._token.shown,
            )
        return public

    def _objects(self, fru: str, kind: Any) -> List[Any]:
        attribute = pkcs11.Attribute
        with self._asking("look for the machine's key"):
            return list(self._session().get_objects({attribute.CLASS: kind, attribute.ID: _identifier(fru)}))

    def _session(self) -> Any:
        if self._opened is None:
            pin = read_pin(self._token.pin_file)
            with self._asking("log in"):
                token = pkcs11.lib(self._token.module).get_token(token_label=self._token.label)
                if token.flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
                    raise AccessDenied(
                        "One more wrong PIN would lock the token; none was tried.",
                        where=self._token.shown,
                        next="Log in with the right PIN by hand, which resets the count.",
                    )
                try:
                    self._opened = token.open(rw=True, user_pin=pin)
                except pkcs11.UserAlreadyLoggedIn:
                    # A login is of the process, not of the session (PKCS#11 2.40, 2.6): the PIN was right before.
                    self._opened = token.open(rw=True)
        return self._opened

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        where = self._token.shown
        try:
            yield
        except HearthError:
            raise
        except pkcs11.PinIncorrect as error:
            raise AuthenticationFailed(
                "The token refused the PIN; it was tried once.",
                where=where,
                next=f"Correct {self._token.pin_file}: a few wrong ones lock the token.",
            ) from error
        except pkcs11.PinLocked as error:
            raise AccessDenied(
                "The token's PIN is locked.", where=where, next="Its security officer unlocks it."
            ) from error
        except (pkcs11.NoSuchToken, pkcs11.MultipleTokensReturned) as error:
            raise NotFound(
                "There is no such token, or several.",
                expected=f"one token with label {self._token.label}",
                where=where,
                next="See what is there: pkcs11-tool --module … --list-token-slots (SoftHSM: is SOFTHSM2_CONF set?)",
            ) from error
        except RuntimeError as error:
            # What a token says is a class of its own for each return code; a library that does not load is neither.
            raise ServerFailure(
                f"The token failed to {what}." if isinstance(error, pkcs11.PKCS11Error) else f"Can't {what}.",
                found=f"{type(error).__name__} {error}".strip(),
                where=where,
            ) from error


def _identifier(fru: str) -> bytes:
    return hashlib.sha256(b"hearth fru key " + fru.encode("utf-8")).digest()[:20]


def _oaep(algorithm: str) -> Any:
    if algorithm == key_wrapping.RSA_OAEP:
        return (pkcs11.Mechanism.SHA_1, pkcs11.MGF.SHA1, None)
    return (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, None)


def _point(said: bytes) -> Any:
    # CKA_EC_POINT is the point in a DER OCTET STRING (PKCS#11 2.40, 2.3.3); some tokens leave the wrapping out.
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), said[-_POINT:])

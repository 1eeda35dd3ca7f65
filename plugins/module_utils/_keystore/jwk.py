# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys as JSON (RFC 7517): public ones that secrets are encrypted to, private ones that open them.

Elliptic curves are what both ends have: jose in Debian 12 (11, no RSA-OAEP among its algorithms) and every token.
RSA keys are for organisations whose card or HSM holds nothing else, and for controllers only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple, Union

from .._core import jose
from .._core.cryptography_library import require_cryptography
from .._core.errors import BadInput
from . import base64url

try:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

#: A public key's own members, by its type.
_REQUIRED = {kind: jose.REQUIRED[kind] for kind in ("EC", "RSA")}
_COORDINATE = {"P-256": 32, "P-384": 48, "P-521": 66}
#: NIST SP 800-131A: shorter moduli protect nothing any more.
_SHORTEST_RSA = 2048
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

#: What a key of ours is: jose makes and reads it, and its public half is short.
OUR_CURVE = "P-256"
#: How content keys are wrapped for an elliptic curve key (RFC 7518, 4.6); without this hint jose picks by the curve.
EC_ALGORITHM = "ECDH-ES+A256KW"


@dataclass(frozen=True)
class PublicKey:
    """A public key, by its members as they stand in JSON; ``kid`` is its SHA-256 thumbprint (RFC 7638)."""

    members: Tuple[Tuple[str, str], ...]

    @property
    def kind(self) -> str:
        return dict(self.members)["kty"]

    @property
    def kid(self) -> str:
        return jose.thumbprint(dict(self.members))

    def as_dict(self) -> Dict[str, str]:
        """For ``jose jwe enc -k``: with its thumbprint, and with the algorithm that we open."""
        said = {**dict(self.members), "kid": self.kid, "use": "enc"}
        if self.kind == "EC":
            said["alg"] = EC_ALGORITHM
        return said

    def native(self) -> Any:
        """The same key as an object of ``cryptography``; BadInput for a point that is not on its curve."""
        require_cryptography("keeping keys")
        said = dict(self.members)
        try:
            if self.kind == "EC":
                x, y = _number(said, "x"), _number(said, "y")
                return ec.EllipticCurvePublicNumbers(x, y, curve_of(said["crv"])).public_key()
            return rsa.RSAPublicNumbers(_number(said, "e"), _number(said, "n")).public_key()
        except ValueError as error:
            raise BadInput("The public key is no valid key.", found=str(error), where=self.kid) from error


@dataclass(frozen=True)
class PrivateKey:
    """A private key; its representation shows the thumbprint only."""

    public: PublicKey
    native: Any = field(repr=False)

    def as_json(self) -> bytes:
        """Secret. Elliptic curve keys only: no other is made here."""
        numbers = self.native.private_numbers()
        size = _COORDINATE[dict(self.public.members)["crv"]]
        d = base64url.encode(numbers.private_value.to_bytes(size, "big"))
        return json.dumps({**self.public.as_dict(), "d": d}, sort_keys=True).encode("ascii")


def public_key(document: Union[bytes, str, Mapping[str, object]], where: str) -> PublicKey:
    """Read one public JWK. BadInput for what is none, for a private key (which has no business there) and for a weak
    one; the message never shows the document."""
    said = _document(document, where)
    if any(member in said for member in _PRIVATE):
        raise BadInput(
            "A private or symmetric key stands where a public key belongs.",
            expected="a public JWK (kty EC or RSA)",
            where=where,
            next="Take the private key away from there, and write what `jose jwk pub -i private.jwk` gives.",
        )
    found = _public(said, where)
    found.native()
    return found


def private_key(document: Union[bytes, str, Mapping[str, object]], where: str) -> PrivateKey:
    """Read one private JWK; BadInput that never shows it."""
    require_cryptography("keeping keys")
    said = _document(document, where)
    public = _public(said, where)
    try:
        d = _number(said, "d")
        if public.kind == "EC":
            native: Any = ec.derive_private_key(d, curve_of(dict(public.members)["crv"]))
        else:
            native = _rsa_private(said, d)
    except ValueError:
        # Not chained: what the library says of a private key is nobody's business.
        raise BadInput("The private key is no valid key.", expected="a private JWK", where=where) from None
    if public_of(native).members != public.members:
        raise BadInput("The private key's two halves do not belong together.", where=where)
    return PrivateKey(public, native)


def new_private_key() -> PrivateKey:
    """A new elliptic curve key, by the library's own randomness."""
    require_cryptography("keeping keys")
    native = ec.generate_private_key(curve_of(OUR_CURVE))
    return PrivateKey(public_of(native), native)


def public_of(native: Any) -> PublicKey:
    """The public half of a key of ``cryptography``, public or private, RSA or elliptic curve."""
    public = native.public_key() if hasattr(native, "public_key") else native
    numbers = public.public_numbers()
    if hasattr(numbers, "n"):
        members = {"kty": "RSA", "n": _minimal(numbers.n), "e": _minimal(numbers.e)}
    else:
        curve = _name_of(public.curve)
        size = _COORDINATE[curve]
        x, y = (base64url.encode(value.to_bytes(size, "big")) for value in (numbers.x, numbers.y))
        members = {"kty": "EC", "crv": curve, "x": x, "y": y}
    return PublicKey(tuple(sorted(members.items())))


def curve_of(name: str) -> Any:
    """The curve of ``cryptography`` by its name in RFC 7518."""
    curves: Dict[str, Any] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
    return curves[name]()


def _name_of(curve: Any) -> str:
    return {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[curve.name]


def _document(document: Union[bytes, str, Mapping[str, object]], where: str) -> Dict[str, object]:
    if not isinstance(document, (bytes, str)):
        return dict(document)
    try:
        said = json.loads(document)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadInput("That is no key.", expected="one JWK: a JSON object (RFC 7517)", where=where)
    return said


def _public(said: Mapping[str, object], where: str) -> PublicKey:
    kind = said.get("kty")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise BadInput(
            "A key of this type is not used here.",
            expected="kty EC (P-256, P-384, P-521) or RSA",
            found=f"kty {ascii(kind)[:40]}",
            where=where,
        )
    members = {}
    for name in _REQUIRED[kind]:
        value = said.get(name)
        if not isinstance(value, str):
            raise BadInput("A member of the key is missing.", expected=f"the member {name}", where=where)
        members[name] = value
    if kind == "EC":
        size = _COORDINATE.get(members["crv"])
        if size is None:
            raise BadInput(
                "The key is on a curve that is not used here.",
                expected="P-256, P-384 or P-521",
                found=ascii(members["crv"])[:40],
                where=where,
            )
        if any(len(base64url.decode(members[name], name)) != size for name in ("x", "y")):
            raise BadInput("A coordinate of the key has the wrong length.", expected=f"{size} bytes", where=where)
    elif _number(members, "n").bit_length() < _SHORTEST_RSA:
        raise BadInput(
            "The RSA key is too short.",
            expected=f"{_SHORTEST_RSA} bits or more",
            found=f"{_number(members, 'n').bit_length()} bits",
            where=where,
        )
    return PublicKey(tuple(sorted(members.items())))


def _rsa_private(said: Mapping[str, object], d: int) -> Any:
    n, e = _number(said, "n"), _number(said, "e")
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, n),
    )
    return numbers.private_key()


def _number(said: Mapping[str, object], member: str) -> int:
    return int.from_bytes(base64url.decode(said.get(member), f"the member {member} of a key"), "big")


def _minimal(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))

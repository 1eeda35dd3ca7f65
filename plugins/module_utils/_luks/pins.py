# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What unlocks a disk: the pins that a token holds, and the pins that a user wants. They are compared by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple, Union

from .._core import jose
from .._core.errors import BadInput
from .._core.hostile import clean
from .pcr_policy import auth_policy, policy_digest


@dataclass(frozen=True)
class Tang:
    """A Tang server by the keys that it had when it was bound."""

    url: str
    signers: FrozenSet[str]
    """Thumbprints (SHA-256 and SHA-1) of its signing keys."""
    kid: str
    """Thumbprint of the exchange key that the secret depends on."""

    def as_dict(self) -> Dict[str, Any]:
        longest = max([len(signer) for signer in self.signers] or [0])
        thumbprints = sorted(signer for signer in self.signers if len(signer) == longest)
        return {"pin": "tang", "url": self.url, "thumbprints": thumbprints, "kid": self.kid}


@dataclass(frozen=True)
class Tpm2:
    """A TPM, and the PCRs that its policy asks for."""

    bank: str
    pcrs: Tuple[int, ...]
    hash: str
    key: str
    policy: str
    """authPolicy of the sealed object, hexadecimal; empty without PCRs."""

    def as_dict(self) -> Dict[str, Any]:
        return {
            "pin": "tpm2",
            "pcr_bank": self.bank,
            "pcr_ids": list(self.pcrs),
            "hash": self.hash,
            "key": self.key,
            "policy_digest": self.policy,
        }


@dataclass(frozen=True)
class Sss:
    """``threshold`` of its parts together."""

    threshold: int
    parts: Tuple[Sealed, ...]

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "sss", "threshold": self.threshold, "parts": [part.pin.as_dict() for part in self.parts]}


@dataclass(frozen=True)
class Pkcs11:
    uri: str

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "pkcs11", "uri": self.uri}


@dataclass(frozen=True)
class Other:
    """A pin that this collection does not make; ``null`` protects nothing."""

    name: str

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": self.name}


Pin = Union[Tang, Tpm2, Sss, Pkcs11, Other]


@dataclass(frozen=True)
class Sealed:
    """A secret as clevis encrypted it (compact JWE), and the pin that opens it."""

    pin: Pin
    jwe: str


def read_sealed(compact: str) -> Sealed:
    """The pin of a JWE, from its protected header; ValueError where that makes no sense."""
    header = jose.protected_header(compact)
    clevis = header.get("clevis")
    if not isinstance(clevis, Mapping) or not isinstance(clevis.get("pin"), str):
        raise ValueError("no clevis pin in the JWE's header")
    name = clevis["pin"]
    config = clevis.get(name, {})
    if not isinstance(config, Mapping):
        raise ValueError(f"the {name} pin has no configuration")
    try:
        return Sealed(_pin(name, config, header), compact)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the {name} pin's configuration is not whole") from error


def _pin(name: str, config: Mapping[str, Any], header: Mapping[str, Any]) -> Pin:
    if name == "tang":
        keys = jose.keys_of(config["adv"])
        return Tang(clean(str(config["url"])), jose.signing_thumbprints(keys), clean(str(header["kid"])))
    if name == "tpm2":
        public = jose.b64_decode(config["jwk_pub"])
        pcrs = tuple(sorted(int(pcr) for pcr in str(config.get("pcr_ids", "")).split(",") if pcr.strip()))
        return Tpm2(
            clean(str(config.get("pcr_bank", "sha1")), 16),
            pcrs,
            clean(str(config["hash"]), 16),
            clean(str(config["key"]), 16),
            auth_policy(public),
        )
    if name == "sss":
        return Sss(int(config["t"]), tuple(read_sealed(part) for part in config["jwe"]))
    if name == "pkcs11":
        return Pkcs11(clean(str(config["uri"]), 1024))
    return Other(clean(name, 64))


@dataclass(frozen=True)
class WantTang:
    """Trusted by a thumbprint of a signing key, or by an advertisement that the user has, or both."""

    url: str
    thumbprint: str = ""
    advertisement: Optional[Mapping[str, Any]] = None

    def check(self, trust_needed: bool) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise BadInput("not a Tang server's URL", expected="http:// or https://", found=self.url)
        if trust_needed and not self.thumbprint and self.advertisement is None:
            raise BadInput(
                "nothing says which keys this Tang server has",
                expected="thumbprint or advertisement",
                found=self.url,
                next="Run tang-show-keys on the server and give its thumbprint: the first answer is never trusted.",
            )
        if self.advertisement is not None and not self._advertised():
            raise BadInput(
                "the advertisement names no signing key", expected="what GET /adv of the server gives", found=self.url
            )

    def config(self) -> Dict[str, Any]:
        config: Dict[str, Any] = {"url": self.url}
        if self.thumbprint:
            config["thp"] = self.thumbprint
        if self.advertisement is not None:
            config["adv"] = dict(self.advertisement)
        return config

    def matches(self, pin: Pin) -> bool:
        if not isinstance(pin, Tang) or pin.url.rstrip("/") != self.url.rstrip("/"):
            return False
        if self.thumbprint and self.thumbprint not in pin.signers:
            return False
        return self.advertisement is None or self._advertised() == pin.signers

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "tang", "url": self.url, "thumbprint": self.thumbprint}

    def _advertised(self) -> FrozenSet[str]:
        try:
            return jose.signing_thumbprints(jose.advertised(self.advertisement or {}))
        except ValueError:
            return frozenset()


@dataclass(frozen=True)
class WantTpm2:
    """``values``: raw PCR values, concatenated by ascending number, that will be there; None: those of now."""

    pcrs: Tuple[int, ...]
    bank: str = "sha256"
    values: Optional[bytes] = None
    hash: str = "sha256"
    key: str = "ecc"

    def check(self, trust_needed: bool) -> None:
        size = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}[self.bank]
        if not all(0 <= pcr < 24 for pcr in self.pcrs):
            raise BadInput("no such PCR", expected="0 to 23", found=str(list(self.pcrs)))
        if self.values is not None and (not self.pcrs or len(self.values) != size * len(self.pcrs)):
            raise BadInput(
                "pcr_digest does not fit pcr_ids and pcr_bank",
                expected=f"{size} raw bytes for each PCR, by ascending number, in base64url",
                found=f"{len(self.values)} bytes for {len(self.pcrs)} PCRs",
            )

    def config(self) -> Dict[str, Any]:
        config = {"hash": self.hash, "key": self.key}
        if self.pcrs:
            config.update(pcr_bank=self.bank, pcr_ids=",".join(str(pcr) for pcr in self.pcrs))
        if self.values is not None:
            config["pcr_digest"] = jose.b64_encode(self.values)
        return config

    def matches(self, pin: Pin) -> bool:
        if not isinstance(pin, Tpm2) or pin.pcrs != self.pcrs or (pin.hash, pin.key) != (self.hash, self.key):
            return False
        if self.pcrs and pin.bank != self.bank:
            return False
        return self.values is None or self.recomputed() == pin.policy

    def recomputed(self) -> str:
        """The policy that the wanted values come to."""
        return policy_digest(self.bank, self.pcrs, self.values or b"", self.hash)

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "tpm2", "pcr_bank": self.bank, "pcr_ids": list(self.pcrs), "predicted": self.values is not None}


@dataclass(frozen=True)
class WantSss:
    threshold: int
    parts: Tuple[Union[WantTang, WantTpm2], ...]

    def check(self, trust_needed: bool) -> None:
        if not 1 <= self.threshold <= len(self.parts):
            raise BadInput(
                "threshold does not fit the pins",
                expected=f"1 to {len(self.parts)}, the number of pins",
                found=str(self.threshold),
            )
        for part in self.parts:
            part.check(trust_needed)

    def config(self) -> Dict[str, Any]:
        pins: Dict[str, List[Dict[str, Any]]] = {}
        for part in self.parts:
            pins.setdefault("tang" if isinstance(part, WantTang) else "tpm2", []).append(part.config())
        return {"t": self.threshold, "pins": pins}

    def matches(self, pin: Pin) -> bool:
        return isinstance(pin, Sss) and pin.threshold == self.threshold and self.paired(pin) is not None

    def paired(self, pin: Sss) -> Optional[List[Tuple[Union[WantTang, WantTpm2], Sealed]]]:
        """Each wanted part with the one that it is, in whatever order; None where they are not the same."""
        left = list(pin.parts)
        pairs = []
        for part in self.parts:
            found = next((sealed for sealed in left if part.matches(sealed.pin)), None)
            if found is None:
                return None
            left.remove(found)
            pairs.append((part, found))
        return None if left else pairs

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "sss", "threshold": self.threshold, "parts": [part.as_dict() for part in self.parts]}


@dataclass(frozen=True)
class WantPkcs11:
    uri: str
    mechanism: str = ""

    def check(self, trust_needed: bool) -> None:
        if not self.uri.startswith("pkcs11:"):
            raise BadInput("not a PKCS#11 URI", expected="pkcs11:...", found=self.uri.split(":")[0])
        if "pin-value" in self.uri:
            raise BadInput(
                "a PIN has no place in the URI",
                expected="pin-source, a file",
                found="pin-value",
                next="The URI would stand unencrypted in the LUKS header. Write the PIN to a file on tmpfs.",
            )

    def config(self) -> Dict[str, Any]:
        return {"uri": self.uri, **({"mechanism": self.mechanism} if self.mechanism else {})}

    def matches(self, pin: Pin) -> bool:
        return isinstance(pin, Pkcs11) and pin.uri == self.uri

    def as_dict(self) -> Dict[str, Any]:
        return {"pin": "pkcs11", "uri": self.uri}


Wanted = Union[WantTang, WantTpm2, WantSss, WantPkcs11]


def name_of(wanted: Wanted) -> str:
    """The pin's name, as clevis takes it."""
    return str(wanted.as_dict()["pin"])


def tpm2_parts(pin: Pin) -> Tuple[Tpm2, ...]:
    """Every TPM in a pin."""
    if isinstance(pin, Sss):
        return tuple(tpm for part in pin.parts for tpm in tpm2_parts(part.pin))
    return (pin,) if isinstance(pin, Tpm2) else ()


def leaves(sealed: Sealed) -> Tuple[Sealed, ...]:
    """The secret's shares that one thing opens each."""
    if isinstance(sealed.pin, Sss):
        return tuple(leaf for part in sealed.pin.parts for leaf in leaves(part))
    return (sealed,)

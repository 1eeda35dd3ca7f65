# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JWE and JWK: against jose, against the vector of RFC 7518, against documents that are wrong."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, DecryptionFailed
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore import jwe, key_wrapping
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.jwk import (
    new_private_key,
    private_key,
    public_key,
    public_of,
)
from tests.servers.kmip_server import RunningKmip

from .conftest import Holders, kmip_of

SECRET = b"canary recovery key \x00\xff"
CONTEXT = {"host": "rack1-u07", "luks_uuid": "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001", "slot": 3}

# RFC 7518, appendix C: Alice's ephemeral key, Bob's key, and the key that they derive.
_ALICE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
}
_BOB = {
    "kty": "EC",
    "crv": "P-256",
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
}
_DERIVED = "VqqN6vgjbSBcIijNcacQGg"


def jose(*arguments: str | Path, given: bytes = b"") -> bytes:
    if shutil.which("jose") is None:
        pytest.skip("jose is not installed")
    done = subprocess.run(["jose", *arguments], input=given, capture_output=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def document(*recipients: Any) -> jwe.Jwe:
    return jwe.encrypt(SECRET, CONTEXT, [key_wrapping.for_public_key(one) for one in recipients], random=os.urandom)


def test_the_concat_kdf_gives_what_rfc_7518_gives() -> None:
    alice, bob = private_key(_ALICE, "alice"), private_key(_BOB, "bob")
    shared = alice.native.exchange(ec.ECDH(), bob.public.native())
    derived = key_wrapping._concat_kdf(shared, "A128GCM", 16, b"Alice", b"Bob")
    assert base64.urlsafe_b64encode(derived).rstrip(b"=").decode() == _DERIVED


def test_a_thumbprint_is_joses(holders: Holders) -> None:
    for path, key in zip(holders.public, holders.keys):
        assert jose("jwk", "thp", "-i", path).decode().strip() == key.public.kid


def test_each_holder_opens_with_jose_what_was_encrypted_here(holders: Holders, tmp_path: Path) -> None:
    encrypted = tmp_path / "secret.jwe"
    encrypted.write_bytes(document(*(key.public for key in holders.keys)).as_json())
    for private in holders.private:
        assert jose("jwe", "dec", "-i", encrypted, "-k", private, "-O", "-") == SECRET


@pytest.mark.parametrize("algorithm", ["ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"])
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_what_jose_encrypts_opens_here(tmp_path: Path, algorithm: str, curve: str) -> None:
    private = [tmp_path / f"{number}.jwk" for number in range(2)]
    public = [tmp_path / f"{number}.pub.jwk" for number in range(2)]
    for secret, open_half in zip(private, public):
        jose("jwk", "gen", "-i", json.dumps({"kty": "EC", "crv": curve}), "-o", secret)
        # Without alg in the key, jose takes the one that fits the curve.
        open_half.write_text(json.dumps({**json.loads(jose("jwk", "pub", "-i", secret)), "alg": algorithm}))
    template = json.dumps({"protected": {"enc": "A256GCM", **CONTEXT}})
    keys = [argument for path in public for argument in ("-k", path)]
    encrypted = jose("jwe", "enc", "-i", template, "-I", "-", *keys, "-o", "-", given=SECRET)
    found = jwe.parse(encrypted, "jose")
    assert {name: found.protected[name] for name in CONTEXT} == CONTEXT
    for secret in private:
        key = private_key(secret.read_bytes(), str(secret))
        assert found.plaintext(key_wrapping.content_key(found, key)) == SECRET


def test_a_node_with_jose_and_the_public_key_encrypts_for_the_machines_store(
    holders: Holders, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    store = holders.store(key_directory)
    public = tmp_path / "fru.pub.jwk"
    public.write_text(json.dumps(store.make_key(fru).as_dict()), encoding="utf-8")
    template = json.dumps({"protected": {"enc": "A256GCM", "fru": fru, **CONTEXT}})
    encrypted = jose("jwe", "enc", "-i", template, "-I", "-", "-k", public, "-o", "-", given=SECRET)
    for holder in (0, 1):
        assert holders.store(key_directory, holder).unwrap(encrypted, fru=fru, context=CONTEXT) == SECRET


def test_with_jose_alone_a_holder_opens_everything(
    holders: Holders, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    """Key file and secret, without this collection: what an auditor or a disaster needs."""
    store = holders.store(key_directory)
    store.make_key(fru)
    secret, sealed, machine = (tmp_path / name for name in ("secret.jwe", "sealed.jwe", "machine.jwk"))
    secret.write_bytes(store.wrap(SECRET, fru=fru, context=CONTEXT))
    kept = json.loads(Path(store.directory.path_of(fru)).read_text(encoding="utf-8"))
    sealed.write_text(json.dumps(kept["sealed"]), encoding="utf-8")
    machine.write_bytes(jose("jwe", "dec", "-i", sealed, "-k", holders.private[1], "-O", "-"))
    assert jose("jwe", "dec", "-i", secret, "-k", machine, "-O", "-") == SECRET


def test_what_a_kmip_server_wrapped_is_a256gcmkw_to_jose(
    kmip: RunningKmip, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    store = kmip_of(kmip, key_directory)
    store.make_key(fru)
    kept = json.loads(Path(store.directory.path_of(fru)).read_text(encoding="utf-8"))
    # PyKMIP's server gives keys out, which a real policy forbids: here it shows that nothing is special about the seal.
    key = store._session()._client.get(kept["sealed"]["recipients"][0]["header"]["kid"]).value
    store.close()
    jwk, sealed = tmp_path / "kmip.jwk", tmp_path / "sealed.jwe"
    jwk.write_text(
        json.dumps({"kty": "oct", "k": base64.urlsafe_b64encode(key).rstrip(b"=").decode()}), encoding="utf-8"
    )
    sealed.write_text(json.dumps(kept["sealed"]), encoding="utf-8")
    opened = json.loads(jose("jwe", "dec", "-i", sealed, "-k", jwk, "-O", "-"))
    assert opened["x"] == kept["public"]["x"] and opened["d"]


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA-OAEP-256"])
def test_rsa_holders_open_with_the_librarys_own_decryption(algorithm: str) -> None:
    native = rsa.generate_private_key(65537, 2048)
    wrap = key_wrapping.for_public_key(public_of(native), rsa_algorithm=algorithm)
    made = jwe.encrypt(SECRET, CONTEXT, [wrap], random=os.urandom)
    digest: Any = hashes.SHA1() if algorithm == "RSA-OAEP" else hashes.SHA256()
    key = native.decrypt(made.recipients[0].encrypted_key, padding.OAEP(padding.MGF1(digest), digest, None))
    assert AESGCM(key).decrypt(made.iv, made.ciphertext + made.tag, made.protected_text.encode()) == SECRET
    assert made.plaintext(key) == SECRET


def test_an_rsa_private_key_as_jwk_opens(tmp_path: Path) -> None:
    path = tmp_path / "rsa.jwk"
    jose("jwk", "gen", "-i", '{"kty":"RSA","bits":2048}', "-o", path)
    key = private_key(path.read_bytes(), "rsa")
    made = document(key.public)
    assert made.plaintext(key_wrapping.content_key(made, key)) == SECRET


def test_a_stranger_opens_nothing(holders: Holders) -> None:
    with pytest.raises(DecryptionFailed):
        key_wrapping.content_key(document(*(key.public for key in holders.keys)), new_private_key())


@pytest.mark.parametrize("member", ["protected", "iv", "ciphertext", "tag"])
def test_one_changed_bit_anywhere_is_found(member: str) -> None:
    key = new_private_key()
    said = json.loads(document(key.public).as_json())
    raw = bytearray(base64.urlsafe_b64decode(said[member] + "=="))
    raw[-2] ^= 1
    said[member] = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    with pytest.raises((DecryptionFailed, BadInput)):
        found = jwe.parse(json.dumps(said), "changed")
        found.plaintext(key_wrapping.content_key(found, key))


@pytest.mark.parametrize(
    "change",
    [
        {"protected": 5},
        {"protected": "e30"},
        {"iv": "AAAA"},
        {"tag": "not base64url!"},
        {"recipients": []},
        {"recipients": "all"},
        {"recipients": [{"header": {"enc": "A256GCM"}}]},
        {"recipients": [{"header": {"alg": "ECDH-ES+A256KW"}}] * 65},
        {"unprotected": []},
    ],
)
def test_a_document_that_is_none_is_named_and_not_shown(change: dict[str, object]) -> None:
    said = {**json.loads(document(new_private_key().public).as_json()), **change}
    with pytest.raises(BadInput) as raised:
        jwe.parse(json.dumps(said), "escrow of rack1-u07")
    assert said["ciphertext"] not in json.dumps(raised.value.as_dict())


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"iv":"AAAA","iv":"AAAA"}', "x" * (jwe.LARGEST + 1)])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        jwe.parse(text, "nothing")


def test_a_private_key_among_the_public_ones_is_refused_and_not_shown(holders: Holders) -> None:
    with pytest.raises(BadInput, match="private") as raised:
        public_key(holders.private[0].read_bytes(), str(holders.private[0]))
    secret = json.loads(holders.private[0].read_text(encoding="utf-8"))["d"]
    assert secret not in json.dumps(raised.value.as_dict()) + repr(holders.keys[0])


def test_a_point_off_its_curve_is_refused() -> None:
    with pytest.raises(BadInput, match="no valid key"):
        public_key({**{name: _ALICE[name] for name in ("kty", "crv", "x")}, "y": _BOB["y"]}, "attacker")


def test_a_short_rsa_key_is_refused() -> None:
    native = rsa.generate_private_key(65537, 1024)
    with pytest.raises(BadInput, match="too short"):
        public_key(public_of(native).as_dict(), "old card")


@pytest.mark.parametrize("context", [{"alg": "none"}, {"slot": 1.5}, {"ok": True}, {"epk": "x"}])
def test_a_context_that_jwe_would_read_otherwise_is_refused(context: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        jwe.checked_context(context)

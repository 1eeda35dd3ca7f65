# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only one kind of store can get wrong: PINs, certificates, mechanisms, too few holders."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadInput,
    CertificateUnverified,
    ConnectionRefused,
    HearthError,
    KeyNotFound,
    NotFound,
    Refused,
    ServerFailure,
    UnsafeSecretFile,
    Unsupported,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.kmip_session import (
    ACTIVE,
    DESTROYED,
    KmipServer,
    KmipSession,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.kmip_store import KmipStore
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.organisation_store import OrganisationStore
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.token_store import Token, TokenStore
from tests.servers.certificates import Authority
from tests.servers.kmip_server import RunningKmip
from tests.servers.softhsm import MODULE, SoftToken

from .conftest import Holders, kmip_of

SECRET = b"canary-recovery-key"
Tokens = dict[str, SoftToken]


def token_store(directory: Path, token: SoftToken, **options: Any) -> TokenStore:
    said = {"module": str(MODULE), "label": token.label, "pin_file": str(token.pin_file), **options}
    return TokenStore(str(directory), Token(**said))


# Key files


def test_one_holder_is_too_few(holders: Holders, key_directory: Path) -> None:
    with pytest.raises(BadInput, match="two or more") as raised:
        OrganisationStore(str(key_directory), [str(holders.public[0])] * 2)
    assert "at least 2" in raised.value.expected


def test_without_a_private_key_one_wraps_and_does_not_unwrap(holders: Holders, key_directory: Path, fru: str) -> None:
    store = holders.store(key_directory, None)
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context={})
    with pytest.raises(BadInput, match="No private key"):
        store.unwrap(wrapped, fru=fru, context={})
    assert holders.store(key_directory, 1).unwrap(wrapped, fru=fru, context={}) == SECRET


def test_sealed_again_a_holder_who_left_opens_nothing_more(
    holders: Holders, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    holders.store(key_directory).make_key(fru)
    wrapped = holders.store(key_directory).wrap(SECRET, fru=fru, context={})
    folder = tmp_path / "new"
    folder.mkdir()
    new = Holders(folder, "carol", "dave")
    change = OrganisationStore(
        str(key_directory), [str(path) for path in new.public], private_key_file=str(holders.private[0])
    )
    change.seal_again(fru)
    assert new.store(key_directory, 1).unwrap(wrapped, fru=fru, context={}) == SECRET
    with pytest.raises(HearthError):
        holders.store(key_directory, 0).unwrap(wrapped, fru=fru, context={})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_a_private_key_that_others_can_read_is_not_used(
    holders: Holders, key_directory: Path, fru: str, mode: int
) -> None:
    holders.private[0].chmod(mode)
    with pytest.raises(UnsafeSecretFile, match="read by others"):
        holders.store(key_directory).make_key(fru)
    assert not [path for path in key_directory.iterdir() if path.suffix == ".json"]


def test_what_a_killed_run_left_of_a_key_file_is_destroyed_with_it(
    holders: Holders, key_directory: Path, fru: str
) -> None:
    store = holders.store(key_directory)
    store.make_key(fru)
    path = Path(store.directory.path_of(fru))
    shutil.copy(path, str(path) + ".new")
    assert store.destroy(fru)
    assert [one.suffix for one in key_directory.iterdir()] == [".lock"]


# KMIP


def test_destroying_an_active_key_is_denied_which_is_why_it_is_revoked_first(
    kmip: RunningKmip, key_directory: Path, fru: str
) -> None:
    store = kmip_of(kmip, key_directory)
    store.make_key(fru)
    [(uid, state)] = store._keys(fru)
    assert state == ACTIVE
    with pytest.raises(AccessDenied) as raised:
        store._session().destroy(uid)
    assert "PERMISSION_DENIED" in raised.value.found
    store.destroy(fru)
    assert store._session().state(uid) == DESTROYED
    store.close()


def test_a_key_that_was_revoked_and_not_destroyed_is_no_reason_to_make_another(
    kmip: RunningKmip, key_directory: Path, fru: str
) -> None:
    store = kmip_of(kmip, key_directory)
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context={})
    [(uid, _state)] = store._keys(fru)
    store._session().revoke(uid)
    with pytest.raises(AccessDenied):
        store.unwrap(wrapped, fru=fru, context={})
    Path(store.directory.path_of(fru)).unlink()
    with pytest.raises(Refused, match="being destroyed"):
        store.make_key(fru)
    assert store.destroy(fru)
    store.make_key(fru)
    store.close()


def test_a_server_with_a_certificate_for_another_name_gets_nothing(
    kmip: RunningKmip, key_directory: Path, fru: str
) -> None:
    # The same server by a name that its certificate does not hold: PyKMIP's own client would go on.
    server = KmipServer("localhost", str(kmip.authority), str(kmip.certificate), str(kmip.key), kmip.port)
    with pytest.raises(CertificateUnverified):
        KmipStore(str(key_directory), server).make_key(fru)
    assert not [path for path in key_directory.iterdir() if path.suffix == ".json"]


def test_a_server_of_another_authority_gets_nothing(
    kmip: RunningKmip, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "another authority")
    server = KmipServer("127.0.0.1", str(other.ca), str(kmip.certificate), str(kmip.key), kmip.port)
    with pytest.raises(CertificateUnverified) as raised:
        KmipStore(str(key_directory), server).make_key(fru)
    assert "nothing was sent" in raised.value.msg


def test_a_client_key_that_others_can_read_is_not_used(
    kmip: RunningKmip, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    key = tmp_path / "client.pem"
    shutil.copy(kmip.key, key)
    key.chmod(0o644)
    server = KmipServer("127.0.0.1", str(kmip.authority), str(kmip.certificate), str(key), kmip.port)
    with pytest.raises(UnsafeSecretFile):
        KmipStore(str(key_directory), server).make_key(fru)


def test_a_server_that_is_not_there_is_named(kmip: RunningKmip, key_directory: Path, fru: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = KmipServer("127.0.0.1", str(kmip.authority), str(kmip.certificate), str(kmip.key), port)
    with pytest.raises(ConnectionRefused) as raised:
        KmipStore(str(key_directory), server).make_key(fru)
    assert str(port) in raised.value.where
    assert not [path for path in key_directory.iterdir() if path.suffix == ".json"]


def test_a_kmip_key_that_somebody_else_destroyed_is_said_to_be_gone(
    kmip: RunningKmip, key_directory: Path, fru: str
) -> None:
    store = kmip_of(kmip, key_directory)
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context={})
    session: KmipSession = store._session()
    [(uid, _state)] = store._keys(fru)
    session.revoke(uid)
    session.destroy(uid)
    with pytest.raises(KeyNotFound, match="was destroyed"):
        store.unwrap(wrapped, fru=fru, context={})
    store.close()


# PKCS#11


def test_a_mechanism_that_the_token_refuses_leaves_no_key_behind(
    softhsm: Tokens, key_directory: Path, fru: str
) -> None:
    store = token_store(key_directory, softhsm["refuses"], mechanism="RSA-OAEP-256")
    with pytest.raises(Unsupported, match="can't do RSA-OAEP-256") as raised:
        store.make_key(fru)
    assert "ArgumentsBad" in raised.value.found
    assert not store._destroy_sealing_key(fru)
    assert not [path for path in key_directory.iterdir() if path.suffix == ".json"]
    store.close()


def test_the_private_key_never_leaves_the_token(softhsm: Tokens, key_directory: Path, fru: str) -> None:
    import pkcs11

    store = token_store(key_directory, softhsm["ecdh"])
    store.make_key(fru)
    [private] = store._objects(fru, pkcs11.ObjectClass.PRIVATE_KEY)
    assert private[pkcs11.Attribute.SENSITIVE] and not private[pkcs11.Attribute.EXTRACTABLE]
    with pytest.raises(pkcs11.AttributeSensitive):
        private[pkcs11.Attribute.VALUE]
    store.close()


def test_a_public_key_without_its_private_one_is_what_a_killed_run_left(
    softhsm: Tokens, key_directory: Path, fru: str
) -> None:
    import pkcs11

    store = token_store(key_directory, softhsm["ecdh"])
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context={})
    [private] = store._objects(fru, pkcs11.ObjectClass.PRIVATE_KEY)
    private.destroy()
    with pytest.raises(KeyNotFound):
        store.unwrap(wrapped, fru=fru, context={})
    assert store.destroy(fru)
    store.make_key(fru)
    store.close()


def test_a_wrong_pin_is_tried_once_and_not_shown(
    softhsm: Tokens, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pin"
    wrong.touch(mode=0o600)
    wrong.write_text("canary-wrong-pin\n", encoding="utf-8")
    with pytest.raises(AuthenticationFailed) as raised:
        token_store(key_directory, softhsm["locks"], pin_file=str(wrong)).make_key(fru)
    assert "canary-wrong-pin" not in json.dumps(raised.value.as_dict())


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_pin_that_others_can_read_is_not_used(
    softhsm: Tokens, key_directory: Path, fru: str, tmp_path: Path, mode: int
) -> None:
    shared = tmp_path / "shared.pin"
    shutil.copy(softhsm["ecdh"].pin_file, shared)
    shared.chmod(mode)
    with pytest.raises(UnsafeSecretFile):
        token_store(key_directory, softhsm["ecdh"], pin_file=str(shared)).make_key(fru)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path.mkdir(), UnsafeSecretFile),
        (lambda path: os.mkfifo(path, 0o600), UnsafeSecretFile),
        (lambda path: path.touch(0o600), BadInput),
        (lambda path: None, BadInput),
        (lambda path: path.write_bytes(b"1234\n5678\n") and path.chmod(0o600), BadInput),
        (lambda path: path.write_bytes(b"\xff\xfe") and path.chmod(0o600), BadInput),
    ],
)
def test_a_pin_file_that_holds_no_pin_is_named(
    softhsm: Tokens,
    key_directory: Path,
    fru: str,
    tmp_path: Path,
    make: Callable[[Path], object],
    error: type[HearthError],
) -> None:
    path = tmp_path / "pin"
    make(path)
    with pytest.raises(error) as raised:
        token_store(key_directory, softhsm["ecdh"], pin_file=str(path)).make_key(fru)
    assert raised.value.where == str(path)


def test_a_token_that_is_not_there_and_a_library_that_is_none(
    softhsm: Tokens, key_directory: Path, fru: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no such token"):
        token_store(key_directory, softhsm["ecdh"], label="nobody").make_key(fru)
    with pytest.raises(ServerFailure):
        token_store(key_directory, softhsm["ecdh"], module=str(tmp_path / "none.so")).make_key(fru)


def test_a_mechanism_that_nobody_knows(softhsm: Tokens, key_directory: Path) -> None:
    with pytest.raises(BadInput, match="no such mechanism"):
        token_store(key_directory, softhsm["ecdh"], mechanism="RSA-PKCS")

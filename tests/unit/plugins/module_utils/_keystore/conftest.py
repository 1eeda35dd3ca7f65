# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every test that asks for ``make_store`` runs on each kind: key files, a real KMIP server, a real PKCS#11 token."""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.jwk import PrivateKey, new_private_key
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.kmip_session import KmipServer
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.kmip_store import KmipStore
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.ledger import Ledger
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.organisation_store import OrganisationStore
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.store import KeyStore
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.token_store import Token, TokenStore
from tests.servers.kmip_server import RunningKmip, kmip_server
from tests.servers.softhsm import MODULE, SoftToken, configure, new_token, require_softhsm

MakeStore = Callable[[], KeyStore]


@pytest.fixture(scope="session")
def kmip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKmip]:
    with kmip_server(tmp_path_factory.mktemp("kmip") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SoftToken]]:
    """Tokens by label. SoftHSM reads its configuration once in a process, when its library is loaded, and sees no token
    that was made after that: so they are all made here."""
    require_softhsm()
    configuration = configure(tmp_path_factory.mktemp("softhsm") / "hsm")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    yield {label: new_token(configuration, label) for label in ("ecdh", "rsa", "refuses", "locks")}
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def key_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "keys"
    directory.mkdir(mode=0o700)
    return directory


class Holders:
    """Two holders of the organisation's keys: public keys for everybody, private ones for themselves."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.public: list[Path] = []
        self.private: list[Path] = []
        self.keys: list[PrivateKey] = []
        for name in names:
            key = new_private_key()
            private, public = directory / f"{name}.jwk", directory / f"{name}.pub.jwk"
            private.touch(mode=0o600)
            private.write_bytes(key.as_json())
            public.write_text(json.dumps(key.public.as_dict()), encoding="utf-8")
            self.public.append(public)
            self.private.append(private)
            self.keys.append(key)

    def store(self, directory: Path, holder: int | None = 0) -> OrganisationStore:
        private = "" if holder is None else str(self.private[holder])
        return OrganisationStore(str(directory), [str(path) for path in self.public], private_key_file=private)


@pytest.fixture
def holders(tmp_path: Path) -> Holders:
    return Holders(tmp_path, "alice", "bob")


def kmip_of(server: RunningKmip, directory: Path) -> KmipStore:
    return KmipStore(
        str(directory),
        KmipServer("127.0.0.1", str(server.authority), str(server.certificate), str(server.key), port=server.port),
    )


@pytest.fixture(params=["files", "kmip", "pkcs11-ecdh", "pkcs11-rsa-oaep"])
def make_store(request: pytest.FixtureRequest, key_directory: Path, holders: Holders) -> Iterator[MakeStore]:
    """Opens the same store once more, as another run does."""
    opened: list[KeyStore] = []
    make: MakeStore
    if request.param == "files":
        make = functools.partial(holders.store, key_directory)
    elif request.param == "kmip":
        make = functools.partial(kmip_of, request.getfixturevalue("kmip"), key_directory)
    else:
        tokens = request.getfixturevalue("softhsm")
        token, mechanism = (tokens["ecdh"], "ECDH") if request.param == "pkcs11-ecdh" else (tokens["rsa"], "RSA-OAEP")
        make = functools.partial(
            TokenStore, str(key_directory), Token(str(MODULE), token.label, str(token.pin_file), mechanism)
        )

    def once_more() -> KeyStore:
        opened.append(make())
        return opened[-1]

    yield once_more
    for store in opened:
        store.close()


@pytest.fixture
def state_store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite://{tmp_path}/state.sqlite3?persistent=yes", owner="test") as store:
        yield store


@pytest.fixture
def ledger(state_store: Store) -> Ledger:
    return Ledger(state_store)


_numbers = itertools.count(1)


@pytest.fixture
def fru() -> str:
    """A machine that no other test has: the servers outlive a test."""
    return f"Dell Inc. PowerEdge R650 serial HD{next(_numbers):05} µ/..\\"

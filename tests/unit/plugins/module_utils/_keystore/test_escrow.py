# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escrow: the store and the ledger of copies say the same, or nothing is done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    IdentityMismatch,
    KeyCopiesRemain,
    KeyNotFound,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.escrow import Escrow
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.ledger import (
    DESTROYED,
    GONE,
    KIND,
    LIVE,
    MADE,
    Ledger,
)
from tests.servers.kmip_server import RunningKmip

from .conftest import Holders, MakeStore, kmip_of

SECRET = b"canary-recovery-key-0815"
CONTEXT = {"host": "rack1-u07", "slot": 3}


def test_every_copy_is_listed_until_it_is_gone(make_store: MakeStore, ledger: Ledger, fru: str, tmp_path: Path) -> None:
    escrow = Escrow(make_store(), ledger)
    kid = escrow.make_key(fru).kid
    document = escrow.wrap(SECRET, fru=fru, context=CONTEXT)
    path = tmp_path / "escrow.jwe"
    copy = escrow.keep(document, str(path), fru=fru)
    in_git = escrow.announce(document, fru=fru, place="git ops/escrow")
    assert [(one.place, one.state, one.kid) for one in escrow.copies(fru)] == [
        (str(path), MADE, kid),
        ("git ops/escrow", "announced", kid),
    ]
    assert path.read_bytes() == document and path.stat().st_mode & 0o777 == 0o600
    assert copy.context == CONTEXT
    escrow.gone(fru, in_git)
    assert [one.place for one in escrow.copies(fru)] == [str(path)]
    destroyed = escrow.destroy(fru)
    assert destroyed.kids == (kid,)
    assert [one.place for one in destroyed.copies] == [str(path)]
    assert [(one.kid, one.state) for one in ledger.keys(fru)] == [(kid, DESTROYED)]


def test_running_everything_again_writes_nothing(
    make_store: MakeStore, state_store: Store, ledger: Ledger, fru: str, tmp_path: Path
) -> None:
    escrow = Escrow(make_store(), ledger)
    escrow.make_key(fru)
    document = escrow.wrap(SECRET, fru=fru, context=CONTEXT)
    escrow.keep(document, str(tmp_path / "one.jwe"), fru=fru)
    first = list(state_store.records(KIND, fru))
    escrow.make_key(fru)
    escrow.keep(document, str(tmp_path / "one.jwe"), fru=fru)
    assert list(state_store.records(KIND, fru)) == first
    escrow.destroy(fru)
    last = list(state_store.records(KIND, fru))
    assert escrow.destroy(fru).kids == ()
    assert list(state_store.records(KIND, fru)) == last


def test_no_record_holds_the_secret_or_the_document(
    make_store: MakeStore, state_store: Store, ledger: Ledger, fru: str, tmp_path: Path
) -> None:
    escrow = Escrow(make_store(), ledger)
    escrow.make_key(fru)
    document = escrow.wrap(SECRET, fru=fru, context=CONTEXT)
    escrow.keep(document, str(tmp_path / "one.jwe"), fru=fru)
    said = json.dumps([dict(one.payload) for one in state_store.records(KIND, fru)])
    assert SECRET.decode() not in said
    assert json.loads(document)["ciphertext"] not in said


def test_a_machine_that_never_had_a_key_is_not_reported_as_erased(
    make_store: MakeStore, ledger: Ledger, fru: str
) -> None:
    with pytest.raises(KeyNotFound, match="never"):
        Escrow(make_store(), ledger).destroy(fru)
    assert ledger.keys(fru) == []


def test_a_replaced_key_file_gets_no_secret(make_store: MakeStore, ledger: Ledger, fru: str) -> None:
    store = make_store()
    escrow = Escrow(store, ledger)
    escrow.make_key(fru)
    store.destroy(fru)
    store.make_key(fru)
    for attempt in (
        lambda: escrow.wrap(SECRET, fru=fru, context=CONTEXT),
        lambda: escrow.public_key(fru),
        lambda: escrow.make_key(fru),
    ):
        with pytest.raises(IdentityMismatch, match="another key than the ledger knows"):
            attempt()


def test_a_lost_key_file_is_not_replaced_in_silence(make_store: MakeStore, ledger: Ledger, fru: str) -> None:
    store = make_store()
    escrow = Escrow(store, ledger)
    escrow.make_key(fru)
    Path(store.directory.path_of(fru)).unlink()
    with pytest.raises(KeyNotFound, match="missing"):
        escrow.make_key(fru)


def test_a_document_from_a_node_must_be_of_the_machine_and_the_slot(
    make_store: MakeStore, ledger: Ledger, fru: str
) -> None:
    escrow = Escrow(make_store(), ledger)
    escrow.make_key(fru)
    document = escrow.wrap(SECRET, fru=fru, context=CONTEXT)
    assert escrow.check(document, fru=fru, context=CONTEXT)["slot"] == 3
    with pytest.raises(IdentityMismatch):
        escrow.check(document, fru=fru, context={"slot": 4})
    other = fru + " other"
    escrow.make_key(other)
    with pytest.raises(IdentityMismatch):
        escrow.announce(document, fru=other, place="anywhere")


def test_a_listed_copy_of_a_key_file_stops_the_destruction_where_it_would_survive_it(
    holders: Holders, key_directory: Path, ledger: Ledger, fru: str, tmp_path: Path
) -> None:
    store = holders.store(key_directory)
    escrow = Escrow(store, ledger)
    escrow.make_key(fru)
    document = escrow.wrap(SECRET, fru=fru, context=CONTEXT)
    copy = escrow.announce_key_file(fru, place="backup of 2026-11-21")
    shutil.copy(store.directory.path_of(fru), tmp_path / "backup")
    escrow.made(fru, copy)
    with pytest.raises(KeyCopiesRemain, match="nothing was") as raised:
        escrow.destroy(fru)
    assert "backup of 2026-11-21" in raised.value.found
    assert escrow.unwrap(document, fru=fru, context=CONTEXT) == SECRET
    assert ledger.keys(fru)[0].state == LIVE
    escrow.gone(fru, copy)
    assert escrow.destroy(fru).copies == ()
    assert ledger.copies(fru)[0].state == GONE


def test_a_listed_copy_of_a_key_file_does_not_matter_where_its_seal_is_destroyed(
    kmip: RunningKmip, key_directory: Path, ledger: Ledger, fru: str
) -> None:
    escrow = Escrow(kmip_of(kmip, key_directory), ledger)
    escrow.make_key(fru)
    copy = escrow.announce_key_file(fru, place="git ops/keys")
    escrow.made(fru, copy)
    assert [one.place for one in escrow.destroy(fru).copies] == ["git ops/keys"]


def test_a_key_is_not_destroyed_with_a_store_of_another_kind(
    holders: Holders, kmip: RunningKmip, key_directory: Path, ledger: Ledger, fru: str
) -> None:
    Escrow(holders.store(key_directory), ledger).make_key(fru)
    other = Escrow(kmip_of(kmip, key_directory), ledger)
    with pytest.raises(BadInput, match="another kind"):
        other.destroy(fru)
    assert ledger.keys(fru)[0].state == LIVE
    assert holders.store(key_directory).key_of(fru) is not None

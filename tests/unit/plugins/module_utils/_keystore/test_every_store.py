# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every kind of key store, shown on real ones."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    DecryptionFailed,
    HearthError,
    IdentityMismatch,
    KeyNotFound,
    LeaseHeld,
)

from .conftest import MakeStore

SECRET = b"canary-recovery-key-0815-cnrdhghtuvkbbfli"
CONTEXT = {"host": "rack1-u07", "luks_uuid": "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001", "slot": 3, "salt_sha256": "ab12"}


def test_what_one_run_wraps_another_unwraps(make_store: MakeStore, fru: str) -> None:
    make_store().make_key(fru)
    wrapped = make_store().wrap(SECRET, fru=fru, context=CONTEXT)
    assert SECRET not in wrapped
    assert make_store().unwrap(wrapped, fru=fru, context=CONTEXT) == SECRET


def test_making_a_key_again_gives_the_same_one(make_store: MakeStore, fru: str) -> None:
    first = make_store().make_key(fru)
    kept = make_store().key_of(fru)
    assert make_store().make_key(fru) == first
    assert make_store().key_of(fru) == kept


def test_without_a_key_nothing_is_wrapped_and_none_is_made(
    make_store: MakeStore, fru: str, key_directory: Path
) -> None:
    with pytest.raises(KeyNotFound):
        make_store().wrap(SECRET, fru=fru, context=CONTEXT)
    assert list(key_directory.iterdir()) == []


def test_a_destroyed_key_opens_no_copy(make_store: MakeStore, fru: str, key_directory: Path, tmp_path: Path) -> None:
    store = make_store()
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context=CONTEXT)
    backup = tmp_path / "backup"
    shutil.copytree(key_directory, backup)
    assert store.destroy(fru)
    with pytest.raises(KeyNotFound):
        make_store().unwrap(wrapped, fru=fru, context=CONTEXT)
    shutil.rmtree(key_directory)
    shutil.copytree(backup, key_directory)
    again = make_store()
    if again.reaches_copies:
        # The key file came back from a backup, and is worth nothing.
        with pytest.raises(KeyNotFound):
            again.unwrap(wrapped, fru=fru, context=CONTEXT)
    else:
        # Key files sealed to the organisation: the copy opens, which is why the ledger has to know of it.
        assert again.unwrap(wrapped, fru=fru, context=CONTEXT) == SECRET


def test_destroying_twice_is_no_error_and_says_so(make_store: MakeStore, fru: str) -> None:
    make_store().make_key(fru)
    assert make_store().destroy(fru)
    assert not make_store().destroy(fru)


def test_a_new_key_after_the_old_one_does_not_open_what_the_old_one_did(make_store: MakeStore, fru: str) -> None:
    old = make_store().make_key(fru)
    wrapped = make_store().wrap(SECRET, fru=fru, context=CONTEXT)
    make_store().destroy(fru)
    assert make_store().make_key(fru) != old
    with pytest.raises(DecryptionFailed):
        make_store().unwrap(wrapped, fru=fru, context=CONTEXT)


def test_destroying_one_machines_key_leaves_anothers(make_store: MakeStore, fru: str) -> None:
    store, other = make_store(), fru + " twin"
    store.make_key(fru)
    store.make_key(other)
    wrapped = store.wrap(SECRET, fru=other, context=CONTEXT)
    store.destroy(fru)
    assert make_store().unwrap(wrapped, fru=other, context=CONTEXT) == SECRET
    store.destroy(other)


@pytest.mark.parametrize("changed", [{"slot": 4}, {"host": "rack1-u08"}, {"more": "than it says"}])
def test_a_document_about_something_else_is_refused(
    make_store: MakeStore, fru: str, changed: dict[str, object]
) -> None:
    store = make_store()
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context=CONTEXT)
    with pytest.raises(IdentityMismatch):
        store.unwrap(wrapped, fru=fru, context={**CONTEXT, **changed})


def test_a_rewritten_header_does_not_open(make_store: MakeStore, fru: str) -> None:
    store = make_store()
    store.make_key(fru)
    document = json.loads(store.wrap(SECRET, fru=fru, context={"slot": 3}))
    other = json.loads(store.wrap(SECRET, fru=fru, context={"slot": 4}))
    document["protected"] = other["protected"]
    with pytest.raises(DecryptionFailed):
        store.unwrap(json.dumps(document).encode(), fru=fru, context={"slot": 4})


def test_another_machines_key_file_does_not_pass_for_this_ones(make_store: MakeStore, fru: str) -> None:
    store, other = make_store(), fru + " attacker"
    store.make_key(fru)
    store.make_key(other)
    wrapped = store.wrap(SECRET, fru=fru, context=CONTEXT)
    mine, theirs = store.directory.path_of(fru), store.directory.path_of(other)
    shutil.copy(theirs, mine)
    with pytest.raises(BadInput):
        store.unwrap(wrapped, fru=fru, context=CONTEXT)
    document = json.loads(Path(theirs).read_text(encoding="utf-8"))
    Path(mine).write_text(json.dumps({**document, "fru": fru}), encoding="utf-8")
    with pytest.raises(IdentityMismatch):
        store.unwrap(wrapped, fru=fru, context=CONTEXT)


def test_a_directory_that_others_may_write_is_refused_before_anything_is_made(
    make_store: MakeStore, fru: str, key_directory: Path
) -> None:
    key_directory.chmod(0o777)
    with pytest.raises(BadInput, match="nobody else can write"):
        make_store().make_key(fru)
    assert list(key_directory.iterdir()) == []


def test_two_runs_do_not_make_one_key(make_store: MakeStore, fru: str) -> None:
    first, second = make_store(), make_store()
    with first.directory.locked(fru), pytest.raises(LeaseHeld):
        second.make_key(fru)


def test_no_secret_in_logs_files_or_descriptions(
    make_store: MakeStore, fru: str, key_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        # A user who has asked PyKMIP for everything: it would log each message byte by byte.
        if name.startswith("kmip."):
            caplog.set_level(logging.DEBUG, logger=name)
    store = make_store()
    store.make_key(fru)
    wrapped = store.wrap(SECRET, fru=fru, context=CONTEXT)
    assert store.unwrap(wrapped, fru=fru, context=CONTEXT) == SECRET
    kept = store.key_of(fru)
    assert kept is not None
    private = json.loads(store._unsealed(kept).as_json())["d"]
    said = caplog.text + repr(store.describe()) + repr(kept) + "".join(os.environ.values())
    assert "KMIPProtocol." not in caplog.text
    files = b"".join(path.read_bytes() for path in key_directory.iterdir())
    for canary in (SECRET.decode(), SECRET.hex(), private, "canary-pin-4711"):
        assert canary not in said
        assert canary.encode() not in files + wrapped


def test_a_damaged_key_file_is_named_and_can_be_destroyed(make_store: MakeStore, fru: str) -> None:
    store = make_store()
    store.make_key(fru)
    Path(store.directory.path_of(fru)).write_bytes(b"\0" * 100)
    with pytest.raises(BadInput, match="damaged") as raised:
        store.make_key(fru)
    assert isinstance(raised.value, HearthError) and raised.value.where == store.directory.path_of(fru)
    assert store.destroy(fru)
    store.make_key(fru)

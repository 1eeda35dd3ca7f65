# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a file has: permissions, damage, copies."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    HearthError,
    StoreDamaged,
    StoreReadOnly,
    StoreUnavailable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.schema import STEPS, migrate
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.sqlite import SqliteDatabase

from .processes import at_once

NOBODY = 65534
KEY = "spki-sha256:ab"


@pytest.fixture
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory that every user may enter (pytest's own are private)."""
    directory = Path(tempfile.mkdtemp(prefix="hearth-store-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def as_another_user(work: Callable[[], object]) -> object:
    """Run as a user who owns nothing; needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user: permissions are not tested")
    return at_once(lambda _number: work(), 1, uid=NOBODY)[0]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with open_store(str(tmp_path / "s")) as store:
            store.record_pin("10.0.0.7:443", KEY)
    finally:
        os.umask(old)
    assert oct((tmp_path / "s").stat().st_mode & 0o777) == "0o600"
    assert os.listdir(tmp_path) == ["s"], "one file is all of it"


def test_a_copy_of_the_one_file_is_the_store(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s")) as store:
        store.record_pin("10.0.0.7:443", KEY)
        shutil.copy(tmp_path / "s", tmp_path / "copy")
    with open_store(str(tmp_path / "copy")) as copy:
        assert copy.pins()["10.0.0.7:443"].key == KEY


def test_who_may_only_read_reads(public: Path) -> None:
    with open_store(str(public / "s")) as store:
        store.record_pin("10.0.0.7:443", KEY)
    (public / "s").chmod(0o644)

    def read() -> object:
        with open_store(str(public / "s")) as store:
            key = store.pins()["10.0.0.7:443"].key
            try:
                store.record_pin("10.0.0.8:443", KEY)
            except StoreReadOnly as error:
                return key, error.where, bool(error.next)
            return None

    assert as_another_user(read) == (KEY, str(public / "s"), True)
    with open_store(str(public / "s")) as store:
        assert list(store.pins()) == ["10.0.0.7:443"]


def test_who_may_only_read_is_told_that_an_older_store_must_be_brought_forward(public: Path) -> None:
    database = SqliteDatabase(str(public / "s"), busy_timeout=1)
    migrate(database, STEPS[:1])
    database.close()
    (public / "s").chmod(0o644)

    answer = as_another_user(lambda: open_store(str(public / "s")))
    assert isinstance(answer, StoreReadOnly) and "older schema" in answer.msg


def test_a_store_on_a_read_only_directory_cannot_be_made(public: Path) -> None:
    answer = as_another_user(lambda: open_store(str(public / "s")))
    assert isinstance(answer, StoreUnavailable), answer
    assert answer.msg == "The state store does not exist and cannot be made."
    assert "HEARTH_STATE" in answer.next and os.listdir(public) == []


def test_a_store_that_this_user_may_not_read(public: Path) -> None:
    open_store(str(public / "s")).close()
    answer = as_another_user(lambda: open_store(str(public / "s")))
    assert isinstance(answer, StoreUnavailable) and answer.expected == "read permission"


def test_a_store_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    open_store(str(tmp_path / "s")).close()
    (tmp_path / "s").chmod(0o666)
    with pytest.raises(StoreUnavailable, match="pins prove nothing") as caught:
        open_store(str(tmp_path / "s"))
    assert "chmod o-w" in caught.value.next


def test_a_directory_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(str(tmp_path / "typo" / "s"))
    assert f"mkdir -m 0700 {tmp_path}/typo" in caught.value.next
    assert os.listdir(tmp_path) == []


def a_directory(path: Path) -> None:
    path.mkdir()


def a_text(path: Path) -> None:
    path.write_text("pins:\n  10.0.0.7: abc\n" * 100)


def a_torn_file(path: Path) -> None:
    with open_store(str(path)) as store:
        store.remember_names({f"serial:{n}": f"web{n}" for n in range(5000)})
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 8192))


def a_cut_file(path: Path) -> None:
    with open_store(str(path)) as store:
        store.remember_names({f"serial:{n}": f"web{n}" for n in range(5000)})
    os.truncate(path, 10_000)


@pytest.mark.parametrize(
    "make, error",
    [
        (a_directory, StoreUnavailable),
        (a_text, StoreDamaged),
        (a_torn_file, StoreDamaged),
        (a_cut_file, StoreDamaged),
    ],
)
def test_what_is_no_store_is_a_clear_error(
    tmp_path: Path, make: Callable[[Path], None], error: type[HearthError]
) -> None:
    make(tmp_path / "s")
    with pytest.raises(error) as caught:
        with open_store(str(tmp_path / "s")) as store:
            store.names()
    assert caught.value.where == str(tmp_path / "s")


def test_another_programs_database_is_not_taken_for_ours(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("CREATE TABLE history (url TEXT)")
    connection.close()
    before = (tmp_path / "s").read_bytes()

    with pytest.raises(StoreDamaged, match="something else"):
        open_store(str(tmp_path / "s"))
    assert (tmp_path / "s").read_bytes() == before

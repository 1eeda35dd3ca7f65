# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    HearthError,
    StoreDamaged,
    StoreVersionTooNew,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.bmc_memory import BmcMemory
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.schema import SCHEMA_VERSION
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store

from .conftest import Clock

KEY = "spki-sha256:" + "ab" * 32


def fill(store: Store) -> None:
    store.record_pins({"10.0.0.7:443": KEY, "10.0.0.8:443": KEY}, comments={"10.0.0.7:443": "Schild abgelesen: ü 漢"})
    store.remove_pin("10.0.0.8:443")
    store.remember_names({"serial:B": "web2", "serial:A": "web1"})
    store.remember_bmcs([BmcMemory("10.0.0.7:443", True, "site", "sha256:1")])
    store.append_records(
        [("journal", f"run:{number % 3}", {"n": number, "x": [1.5, None, "ü\ud800\0"]}) for number in range(1200)]
    )
    store.acquire_lease("site", 600, purpose="rack shutdown")


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "manifest.json"}


def test_the_way_out_and_back_changes_nothing(
    store: Store, new_location: Callable[[], str], clock: Clock, tmp_path: Path
) -> None:
    fill(store)
    counts = store.export(str(tmp_path / "first"))
    assert counts == {"pins.jsonl": 3, "names.jsonl": 2, "bmcs.jsonl": 1, "records.jsonl": 1200, "leases.jsonl": 1}

    with open_store(new_location(), now=clock, owner="bob@ctl2") as other:
        assert other.import_(str(tmp_path / "first")) == counts
        assert (other.pins(), other.names(), other.bmcs(), other.leases()) == (
            store.pins(),
            store.names(),
            store.bmcs(),
            store.leases(),
        )
        assert list(other.records("journal")) == list(store.records("journal"))
        assert other.pin_history("10.0.0.8:443") == store.pin_history("10.0.0.8:443")
        other.export(str(tmp_path / "second"))
        # It goes on where the first one ended.
        assert other.append_record("journal", "run:0", {}).seq == 1201
    assert content(tmp_path / "first") == content(tmp_path / "second")


def test_both_backends_write_the_same_files(store: Store, clock: Clock, tmp_path: Path) -> None:
    fill(store)
    store.export(str(tmp_path / "export"))
    with open_store(str(tmp_path / "file.sqlite3"), now=clock, owner="alice@ctl1") as in_a_file:
        fill(in_a_file)
        in_a_file.export(str(tmp_path / "from-file"))
    assert content(tmp_path / "export") == content(tmp_path / "from-file")


def test_an_auditor_reads_it_with_plain_tools(store: Store, tmp_path: Path) -> None:
    fill(store)
    directory = tmp_path / "export"
    store.export(str(directory))

    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["schema_version"] == SCHEMA_VERSION
    assert (manifest["exported_by"], manifest["exported_at"]) == ("alice@ctl1", "2026-11-21T12:00:00.000000Z")
    for name, listed in manifest["files"].items():
        text = (directory / name).read_bytes()
        assert hashlib.sha256(text).hexdigest() == listed["sha256"]
        assert len(text.splitlines()) == listed["rows"]
    first = json.loads((directory / "pins.jsonl").read_text().splitlines()[0])
    assert first == {
        "seq": 1,
        "address": "10.0.0.7:443",
        "state": "pinned",
        "pinned_key": KEY,
        "reason": "Schild abgelesen: ü 漢",
        "recorded_at": "2026-11-21T12:00:00.000000Z",
        "recorded_by": "alice@ctl1",
    }
    assert oct(directory.stat().st_mode & 0o777) == "0o700"
    assert {oct(path.stat().st_mode & 0o777) for path in directory.iterdir()} == {"0o600"}


def test_an_import_twice_adds_nothing(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.export(str(tmp_path / "export"))

    assert set(store.import_(str(tmp_path / "export")).values()) == {0}


def test_a_store_that_stopped_earlier_catches_up_and_one_that_went_on_loses_nothing(
    store: Store, new_location: Callable[[], str], clock: Clock, tmp_path: Path
) -> None:
    fill(store)
    store.export(str(tmp_path / "early"))
    clock.pass_seconds(60)
    store.record_pin("10.0.0.9:443", KEY)
    store.remember_bmcs([BmcMemory("10.0.0.7:443", root_digest="sha256:2")])
    store.export(str(tmp_path / "late"))

    with open_store(new_location(), now=clock) as other:
        other.import_(str(tmp_path / "early"))
        assert other.import_(str(tmp_path / "late"))["pins.jsonl"] == 1
        assert other.import_(str(tmp_path / "early"))["pins.jsonl"] == 0
        assert other.pins() == store.pins()
        assert other.bmcs() == store.bmcs()


def test_a_history_that_went_another_way_is_refused_as_a_whole(
    store: Store, new_location: Callable[[], str], clock: Clock, tmp_path: Path
) -> None:
    fill(store)
    store.export(str(tmp_path / "export"))
    with open_store(new_location(), now=clock) as other:
        other.remember_names({"serial:C": "web3"})
        other.append_record("journal", "run:0", {"n": "mine"})
        with pytest.raises(VerificationFailed, match="contradict"):
            other.import_(str(tmp_path / "export"))
        assert (other.pins(), other.names()) == ({}, {"serial:C": "web3"})


@pytest.mark.parametrize("names", [{"serial:A": "db1"}, {"serial:Z": "web1"}])
def test_a_name_that_means_another_fru_is_refused(
    store: Store, new_location: Callable[[], str], tmp_path: Path, names: dict[str, str]
) -> None:
    fill(store)
    store.export(str(tmp_path / "export"))
    with open_store(new_location()) as other:
        other.remember_names(names)
        with pytest.raises(VerificationFailed, match="contradict"):
            other.import_(str(tmp_path / "export"))
        assert (other.pins(), other.names()) == ({}, names)


def edit(path: Path, old: bytes, new: bytes) -> None:
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


def fix_manifest(directory: Path, name: str) -> None:
    """Make the manifest agree with a file that was tampered with."""
    manifest = json.loads((directory / "manifest.json").read_text())
    text = (directory / name).read_bytes()
    manifest["files"][name] = {"rows": len(text.splitlines()), "sha256": hashlib.sha256(text).hexdigest()}
    (directory / "manifest.json").write_text(json.dumps(manifest))


def drop_line(directory: Path, number: int) -> None:
    lines = (directory / "pins.jsonl").read_bytes().splitlines(keepends=True)
    (directory / "pins.jsonl").write_bytes(b"".join(lines[:number] + lines[number + 1 :]))


def newer(directory: Path) -> None:
    edit(
        directory / "manifest.json",
        f'"schema_version": {SCHEMA_VERSION}'.encode(),
        f'"schema_version": {SCHEMA_VERSION + 1}'.encode(),
    )


def tamper_one_byte(directory: Path) -> None:
    edit(directory / "pins.jsonl", b"ababab", b"ababac")


def tamper_last_row(directory: Path) -> None:
    drop_line(directory, 2)


def tamper_middle_row(directory: Path) -> None:
    drop_line(directory, 1)
    fix_manifest(directory, "pins.jsonl")


def tamper_type(directory: Path) -> None:
    edit(directory / "pins.jsonl", b'"seq":1', b'"seq":true')
    fix_manifest(directory, "pins.jsonl")


def tamper_field(directory: Path) -> None:
    edit(directory / "pins.jsonl", b'"reason"', b'"raison"')
    fix_manifest(directory, "pins.jsonl")


def tamper_json(directory: Path) -> None:
    edit(directory / "pins.jsonl", b"{", b"(")


def remove_file(directory: Path) -> None:
    (directory / "records.jsonl").unlink()


def unknown_file(directory: Path) -> None:
    edit(directory / "manifest.json", b'"pins.jsonl"', b'"pint.jsonl"')


def remove_manifest(directory: Path) -> None:
    (directory / "manifest.json").unlink()


@pytest.mark.parametrize(
    "tamper, error",
    [
        (newer, StoreVersionTooNew),
        (tamper_one_byte, StoreDamaged),
        (tamper_last_row, StoreDamaged),
        (tamper_middle_row, StoreDamaged),
        (tamper_type, StoreDamaged),
        (tamper_field, StoreDamaged),
        (tamper_json, StoreDamaged),
        (remove_file, StoreDamaged),
        (unknown_file, StoreDamaged),
        (remove_manifest, BadInput),
    ],
)
def test_a_damaged_export_is_refused_and_nothing_of_it_stays(
    store: Store,
    new_location: Callable[[], str],
    tmp_path: Path,
    tamper: Callable[[Path], None],
    error: type[HearthError],
) -> None:
    fill(store)
    store.export(str(tmp_path / "export"))
    tamper(tmp_path / "export")

    with open_store(new_location()) as other:
        with pytest.raises(error) as caught:
            other.import_(str(tmp_path / "export"))
        assert str(tmp_path) in caught.value.where
        assert (other.pins(), other.names(), other.bmcs(), other.leases()) == ({}, {}, {}, {})
        assert list(other.records("journal")) == []


def test_an_export_never_writes_over_files(store: Store, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "mine").write_text("precious")
    with pytest.raises(BadInput, match="new or empty"):
        store.export(str(tmp_path / "export"))
    with pytest.raises(BadInput, match="cannot be written"):
        store.export(str(tmp_path / "missing" / "export"))
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["mine"]

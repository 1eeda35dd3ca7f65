# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state store as plain files, for auditors and for building it anew.

A directory of ``pins.jsonl``, ``names.jsonl``, ``bmcs.jsonl``, ``records.jsonl`` and ``leases.jsonl`` (one JSON object
per line, one line per row, oldest first or by key) and ``manifest.json``, which says the schema version and the number
of rows and the SHA-256 of each file. The files are the same whichever backend wrote them.

An import into a store that holds something already goes by these rules, and is refused as a whole where one is broken:

* pins and records are histories: the one in the store must be the beginning of the exported one, or the other way
  round; what is missing is added.
* names: a FRU or a name that is in both must be the same pair in both.
* BMC memory: the newer memory of an address stays.
* leases: the higher generation stays; of equal ones the store's.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from .. import durable_file
from ..errors import BadInput, StoreDamaged, VerificationFailed
from . import bmc_memory, leases, names, pins, records
from .database import Database, Row
from .schema import SCHEMA_VERSION, refuse_newer

FORMAT = "hearth.datacenter state export"
MANIFEST = "manifest.json"
_PAGE = 1000


@dataclass(frozen=True)
class _Table:
    file: str
    name: str
    columns: Tuple[str, ...]
    history: bool
    """Rows are numbered by ``seq`` and never change; otherwise the first column is the key."""
    conflict: str = ""


def _newer_wins(table: str, columns: Sequence[str], by: str) -> str:
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return f"ON CONFLICT ({columns[0]}) DO UPDATE SET {changes} WHERE excluded.{by} > {table}.{by}"


_TABLES = (
    _Table("pins.jsonl", "hearth_pins", pins.COLUMNS, True),
    _Table("names.jsonl", "hearth_names", names.COLUMNS, False, "ON CONFLICT DO NOTHING"),
    _Table(
        "bmcs.jsonl",
        "hearth_bmcs",
        bmc_memory.COLUMNS,
        False,
        _newer_wins("hearth_bmcs", bmc_memory.COLUMNS, "recorded_at"),
    ),
    _Table("records.jsonl", "hearth_records", records.COLUMNS, True),
    _Table(
        "leases.jsonl",
        "hearth_leases",
        leases.COLUMNS,
        False,
        _newer_wins("hearth_leases", leases.COLUMNS, "generation"),
    ),
)


def export_to(database: Database, directory: str, *, at: str, by: str) -> Dict[str, int]:
    """Write all files; the directory appears only when it is complete."""
    directory = os.path.abspath(directory)
    partial = f"{directory}.partial-{os.getpid()}"
    counts: Dict[str, int] = {}
    files: Dict[str, Dict[str, object]] = {}
    try:
        if os.path.isdir(directory) and os.listdir(directory):
            raise BadInput("The directory of an export must be new or empty.", found="files in it", where=directory)
        os.mkdir(partial, 0o700)
        with database.transaction(write=False):
            for table in _TABLES:
                count, digest = _write_lines(os.path.join(partial, table.file), _lines(database, table))
                counts[table.file] = count
                files[table.file] = {"rows": count, "sha256": digest}
        manifest = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "exported_at": at,
            "exported_by": by,
            "files": files,
        }
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        _write_lines(os.path.join(partial, MANIFEST), iter([text.encode("ascii")]))
        os.rename(partial, directory)
    except OSError as error:
        raise BadInput(
            "The export cannot be written.",
            expected="a new or empty directory that this user may write",
            found=error.strerror or type(error).__name__,
            where=str(error.filename or directory),
            next="An unfinished export is left in a directory named like this one with .partial- behind it.",
        ) from error
    return counts


def import_from(database: Database, directory: str) -> Dict[str, int]:
    """Take over an export in one transaction; rows added by file."""
    listed = _manifest_files(directory)
    added: Dict[str, int] = {}
    with database.transaction(write=True):
        for table in _TABLES:
            if table.file not in listed:
                continue
            before = _count(database, table)
            _import_table(database, table, directory, listed[table.file])
            added[table.file] = _count(database, table) - before
    return added


def _import_table(database: Database, table: _Table, directory: str, listed: Dict[str, object]) -> None:
    path = os.path.join(directory, table.file)
    digest = hashlib.sha256()
    count = 0
    newest = 0
    if table.history:
        newest = int(database.rows(f"SELECT COALESCE(MAX(seq), 0) FROM {table.name}")[0][0])
    for page in _pages(path, table, digest):
        if table.history:
            _check_numbers(page, count, path)
            _append_history(database, table, page, newest, path)
        else:
            _merge(database, table, page, path)
        count += len(page)
    if digest.hexdigest() != listed.get("sha256") or count != listed.get("rows"):
        raise StoreDamaged(
            "A file of the export is not the one that was written.",
            expected=f"{listed.get('rows')} rows, SHA-256 {listed.get('sha256')}",
            found=f"{count} rows, SHA-256 {digest.hexdigest()}",
            where=path,
            next="Use another copy of the export. Nothing was imported.",
        )


def _check_numbers(page: List[Row], before: int, path: str) -> None:
    """The numbers of a history begin at 1 and have no gap."""
    for position, row in enumerate(page, start=before + 1):
        if row[0] != position:
            raise StoreDamaged(
                "A row is missing in an exported history.",
                expected=f"row {position}",
                found=f"row {row[0]}",
                where=path,
                next="Use another copy of the export. Nothing was imported.",
            )


def _append_history(database: Database, table: _Table, page: List[Row], newest: int, path: str) -> None:
    known = [row for row in page if row[0] <= newest]
    if known:
        stored = database.rows(
            f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE seq >= ? AND seq <= ? ORDER BY seq",
            [known[0][0], known[-1][0]],
        )
        for ours, theirs in zip(stored, known):
            if tuple(ours) != tuple(theirs):
                raise _conflict(path, f"row {theirs[0]} as it is in the store: {ours}", str(theirs))
    database.insert(table.name, table.columns, [row for row in page if row[0] > newest])


def _merge(database: Database, table: _Table, page: List[Row], path: str) -> None:
    database.insert(table.name, table.columns, page, table.conflict)
    if table.name != "hearth_names":
        return
    wished = {row[0]: row[1] for row in page}
    have: Dict[str, str] = dict(
        database.rows_for("SELECT fru, host_name FROM hearth_names WHERE fru IN ({keys})", wished)
    )
    for fru, name in wished.items():
        if have.get(fru) != name:
            raise _conflict(path, f"{fru} named {name}", f"{fru} named {have.get(fru, 'nothing: the name is taken')}")


def _conflict(path: str, expected: str, found: str) -> VerificationFailed:
    return VerificationFailed(
        "The export and the store contradict each other.",
        expected=expected,
        found=found,
        where=path,
        next="Import into a new store. Nothing was imported.",
    )


def _count(database: Database, table: _Table) -> int:
    return int(database.rows(f"SELECT COUNT(*) FROM {table.name}")[0][0])


def _lines(database: Database, table: _Table) -> Iterator[bytes]:
    """The rows of a table as lines: histories page by page, the rest sorted here (databases sort text differently)."""
    select = f"SELECT {', '.join(table.columns)} FROM {table.name}"
    if not table.history:
        for row in sorted(database.rows(select)):
            yield _line(table, row)
        return
    seen = 0
    while True:
        rows = database.rows(f"{select} WHERE seq > ? ORDER BY seq LIMIT {_PAGE}", [seen])
        if not rows:
            return
        for row in rows:
            yield _line(table, row)
        seen = int(rows[-1][0])


def _line(table: _Table, row: Row) -> bytes:
    fields: Dict[str, Any] = dict(zip(table.columns, row))
    if "payload" in fields:
        fields["payload"] = json.loads(fields["payload"])
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"


def _pages(path: str, table: _Table, digest: Any) -> Iterator[List[Row]]:
    """The rows of an exported file, some hundred at a time; the digest takes every byte."""
    page: List[Row] = []
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                digest.update(line)
                page.append(_row(line, table, f"{path} line {number}"))
                if len(page) == _PAGE:
                    yield page
                    page = []
    except OSError as error:
        raise StoreDamaged(
            "A file of the export cannot be read.", found=error.strerror or type(error).__name__, where=path
        ) from error
    if page:
        yield page


def _row(line: bytes, table: _Table, where: str) -> Row:
    try:
        fields = json.loads(line.decode("ascii"))
    except ValueError as error:
        raise StoreDamaged("A line of the export is not JSON.", found=str(error), where=where) from error
    if not isinstance(fields, dict) or set(fields) != set(table.columns):
        raise StoreDamaged(
            "A line of the export does not hold the fields of its table.",
            expected=", ".join(table.columns),
            found=", ".join(sorted(map(str, fields))) if isinstance(fields, dict) else type(fields).__name__,
            where=where,
        )
    if isinstance(fields.get("payload"), dict):
        fields["payload"] = records.payload_text(str(fields["kind"]), str(fields["record_key"]), fields["payload"])
    for column, value in fields.items():
        wanted = int if column in ("seq", "ordinal", "generation", "seen_redfish") else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise StoreDamaged(
                f"A line of the export has a wrong type in {column}.",
                expected=wanted.__name__,
                found=type(value).__name__,
                where=where,
            )
    return tuple(fields[column] for column in table.columns)


def _manifest_files(directory: str) -> Dict[str, Dict[str, object]]:
    path = os.path.join(directory, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
    except (OSError, ValueError) as error:
        raise BadInput(
            "This is no export of a state store.",
            expected=f"a directory with a {MANIFEST}",
            found=str(error),
            where=path,
        ) from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or manifest.get("format") != FORMAT:
        raise BadInput("This is no export of a state store.", expected=f'"format": "{FORMAT}"', where=path)
    version = manifest.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise StoreDamaged("The export does not say its schema version.", found=repr(version), where=path)
    refuse_newer(version, SCHEMA_VERSION, path)
    unknown = sorted(set(files) - {table.file for table in _TABLES})
    if unknown or not all(isinstance(listed, dict) for listed in files.values()):
        raise StoreDamaged("The export lists files that no version wrote.", found=", ".join(unknown), where=path)
    return files


def _write_lines(path: str, lines: Iterator[bytes]) -> Tuple[int, str]:
    """Write a new file (mode 0600) to the disk itself: number of lines and SHA-256."""
    digest = hashlib.sha256()
    count = 0
    with durable_file.new(path) as file:
        for line in lines:
            file.write(line)
            digest.update(line)
            count += 1
    return count, digest.hexdigest()

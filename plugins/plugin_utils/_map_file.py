# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file in which an operator writes down the slots, as lists and mappings of text.

PRIVATE to the collection.

A YAML or JSON file with a list under ``slots``, or a CSV file with the same names as its header. Every value is read as
the text that stands there: YAML's own types would make a number of an unquoted MAC address (52:54:00:20:00:12 is one to
the base of 60) and would take the zeros from the front of a serial number.
"""

from __future__ import annotations

import csv
import json
import os
import typing as t

from ..module_utils._core.errors import BadInput, MissingLibrary

try:
    import yaml
except ImportError as import_error:
    YAML_IMPORT_ERROR: ImportError | None = import_error
else:
    YAML_IMPORT_ERROR = None


def load_slots(path: str) -> list[t.Any]:
    """The list of entries, every scalar as text (JSON: true and false stay). Raises BadInput with file and line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise BadInput(
            f"The map {path} cannot be read: {reason}.",
            expected="a YAML, JSON or CSV file",
            found=str(error),
            where=path,
            next="Correct map, or let the user who runs Ansible read the file.",
        ) from error
    kind = os.path.splitext(path)[1].lower()
    if kind == ".csv":
        return _load_csv(path, text)
    document = _load_json(path, text) if kind == ".json" else _load_yaml(path, text)
    slots = document.get("slots") if isinstance(document, dict) else None
    if not isinstance(slots, list) or set(document) != {"slots"}:
        raise BadInput(
            f"The map {path} does not hold one list under slots.",
            expected="slots: and under it a list with one mapping per slot",
            found=kind_of(document) if not isinstance(document, dict) else "keys " + ", ".join(map(shown, document)),
            where=path,
            next="See the guide on slots.",
        )
    return slots


def _load_yaml(path: str, text: str) -> t.Any:
    if YAML_IMPORT_ERROR is not None:
        raise MissingLibrary(
            "The Python library PyYAML is needed to read a map.",
            found=str(YAML_IMPORT_ERROR),
            next="pip install PyYAML",
        )
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path
        problem = str(getattr(error, "problem", None) or "a character that YAML forbids")
        raise _unreadable(path, "YAML", problem, where) from error
    return builder.document


class _Builder:
    """Lists, mappings and text out of YAML's events: no tags, no aliases, no key twice, not deeper than a map is.

    PyYAML's own constructors keep the last of two equal keys, and its C part crashes on some thousand brackets.
    """

    DEPTH = 8

    def __init__(self) -> None:
        self.document: t.Any = None
        self._open: list[t.Any] = []
        self._keys: list[str | None] = []
        """the key whose value comes next, for every open mapping"""
        self._documents = 0

    def take(self, event: t.Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._put(event.value, event)
        elif isinstance(event, yaml.AliasEvent):
            raise self._problem("aliases have no place in a map", event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._problem("there is more than one document", event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            container: t.Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._put(container, event)
            self._open.append(container)
            self._keys.append(None)
            if len(self._open) > self.DEPTH:
                raise self._problem("nested deeper than a map is", event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
            self._keys.pop()

    def _put(self, value: t.Any, event: t.Any) -> None:
        if not self._open:
            self.document = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._keys[-1] is not None:
            self._open[-1][self._keys[-1]] = value
            self._keys[-1] = None
        elif not isinstance(value, str):
            raise self._problem("a key is no text", event)
        elif value in self._open[-1]:
            raise self._problem(f"the key {shown(value)} stands twice", event)
        else:
            self._keys[-1] = value

    @staticmethod
    def _problem(problem: str, event: t.Any) -> Exception:
        return t.cast(Exception, yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark))


def _load_json(path: str, text: str) -> t.Any:
    def once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key stands twice in one object")
        return found

    try:
        return json.loads(text, object_pairs_hook=once, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise _unreadable(path, "JSON", error.msg, f"{path}, line {error.lineno}, column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "JSON", str(error), path) from error


def _load_csv(path: str, text: str) -> list[t.Any]:
    rows = csv.reader(text.splitlines(), strict=True)
    entries: list[t.Any] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        if "slot" not in header or len(set(header)) < len(header):
            raise _unreadable(
                path, "CSV", "the first line is no header with slot in it, each name once", f"{path}, line 1"
            )
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > len(header):
                raise _unreadable(path, "CSV", "more cells than the header", f"{path}, line {rows.line_num}")
            entries.append({name: cell for name, cell in zip(header, row) if cell.strip()})
    except csv.Error as error:
        raise _unreadable(path, "CSV", str(error), f"{path}, line {rows.line_num}") from error
    return entries


def _unreadable(path: str, kind: str, problem: str, where: str) -> BadInput:
    return BadInput(
        f"The map {path} is no valid {kind}: {problem}.",
        expected=f"valid {kind}",
        found=problem,
        where=where,
        next="Correct the file there.",
    )


def kind_of(value: t.Any) -> str:
    """What a person would call this value."""
    names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing", bool: "true or false"}
    return names.get(type(value), type(value).__name__)


def shown(value: t.Any) -> str:
    """The value as it can stand in a message: short and in ASCII."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:80] + "..."

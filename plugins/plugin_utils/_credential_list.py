# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ordered list of credentials that the user wrote, and which of them a given BMC may be offered.

PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ..module_utils._core.errors import BadInput
from ..module_utils._redfish.credential import Credential
from ._targets import AddressBlocks, parse_blocks

KEYS = {"name", "username", "password", "targets"}


@dataclasses.dataclass(frozen=True)
class CredentialList:
    """Credentials in the order in which they are tried; ``blocks`` is None for one that serves every BMC."""

    entries: tuple[tuple[Credential, AddressBlocks | None], ...]

    def serving(self, address: str, named: str | None = None) -> tuple[Credential, ...]:
        """What the BMC at ``address`` may be offered: those restricted to it first; only ``named`` where the map names
        one."""
        if named:
            return tuple(credential for credential, _blocks in self.entries if credential.name == named)
        specific = [credential for credential, blocks in self.entries if blocks is not None and address in blocks]
        general = [credential for credential, blocks in self.entries if blocks is None]
        return tuple(specific + general)

    def names(self) -> frozenset[str]:
        return frozenset(credential.name for credential, _blocks in self.entries)


def read_credentials(entries: t.Any, username: t.Any, password: t.Any) -> CredentialList:
    """Checks what the user wrote in ``credentials``, ``username`` and ``password``. No message holds a password."""
    found: list[tuple[Credential, AddressBlocks | None]] = []
    if isinstance(entries, str) and entries.strip():
        entries = _from_json(entries)
    if entries not in (None, ""):
        if not isinstance(entries, (list, tuple)):
            raise _bad("credentials", "is no list", f"a {type(entries).__name__}")
        found = [_entry(entry, f"credentials[{number}]") for number, entry in enumerate(entries)]
    if username or password:
        if not username:
            raise _bad("password", "is given without username", "no username")
        if not password:
            raise _bad("username", "is given without password", "no password")
        found.append((Credential(name="default", username=str(username), password=str(password)), None))
    names = [credential.name for credential, _blocks in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _bad("credentials", "names one twice", ", ".join(twice))
    return CredentialList(tuple(found))


def _from_json(text: str) -> t.Any:
    """What the environment holds is text."""
    try:
        return json.loads(text)
    except ValueError:
        raise _bad("credentials", "is no list, nor the JSON of one", "text") from None


def _entry(entry: t.Any, where: str) -> tuple[Credential, AddressBlocks | None]:
    if not isinstance(entry, t.Mapping):
        raise _bad(where, "is no dictionary", f"a {type(entry).__name__}")
    unknown = sorted(set(map(str, entry)) - KEYS)
    if unknown:
        raise _bad(where, "has keys that no credential has", ", ".join(unknown))
    for key in ("username", "password"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise _bad(where, f"lacks {key}", f"keys {', '.join(sorted(map(str, entry)))}")
    targets = entry.get("targets")
    if targets is not None and (not isinstance(targets, (list, tuple)) or not targets):
        raise _bad(f"{where}.targets", "is no list of addresses and networks", f"a {type(targets).__name__}")
    name = str(entry.get("name") or entry["username"])
    credential = Credential(name=name, username=str(entry["username"]), password=str(entry["password"]))
    return credential, parse_blocks([str(target) for target in targets]) if targets else None


def _bad(where: str, problem: str, found: str) -> BadInput:
    return BadInput(
        f"{where} {problem} (found: {found}).",
        expected="a list of {name, username, password, targets (optional)}",
        found=found,
        where=where,
        next="See the vault example in the guide on the first run.",
    )

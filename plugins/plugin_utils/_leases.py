# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DHCP leases: who asked for an address, out of the lease files of dnsmasq, ISC dhcpd and Kea.

PRIVATE to the collection.

A lease file is read while its server writes it: a last line or block that is not complete is left out. Everything else
that cannot be read is BadInput with the number of its line, since half a list of BMCs is worse than none.

* dnsmasq: ``expiry MAC address name client-id`` lines, and DHCPv6 ones after a ``duid`` line.
* ISC dhcpd: the last block for an address counts; only ``active`` and unexpired leases are taken, also DHCPv6 ones.
* Kea's memfile: CSV with a header; the last row for an address counts; only state 0 and unexpired leases are taken.
"""

from __future__ import annotations

import calendar
import dataclasses
import re
import time
import typing as t

from ..module_utils._core.errors import BadInput
from ..module_utils._core.hostile import clean
from ._mac import mac_address
from ._targets import is_address, single_target

KINDS = ("auto", "dnsmasq", "isc", "kea")

# dnsmasq's and ISC's way to say that a lease does not end, and Kea's lifetime for the same
_KEA_FOREVER = 0xFFFFFFFF
_KEA_ASSIGNED = "0"
_KEA_PREFIX_DELEGATION = "2"

_ISC_WORDS = frozenset(
    ("lease", "ia-na", "ia-ta", "ia-pd", "host", "group", "subgroup", "class", "failover", "server-duid")
    + ("authoring-byte-order", "default-duid")
)


@dataclasses.dataclass(frozen=True)
class Lease:
    """One address that was given out. ``mac`` and ``hostname`` are "" where the file does not say them."""

    address: str
    mac: str = ""
    hostname: str = ""
    """what the client calls itself, cleaned"""
    expires: float | None = None
    """seconds since 1970; None: never"""


def read_leases(path: str, kind: str = "auto", now: t.Callable[[], float] = time.time) -> list[Lease]:
    """The leases in force, each address once. Raises BadInput for a file that cannot be read or understood."""
    if kind not in KINDS:
        raise BadInput(
            f"There is no lease file format {kind!r}.", expected=", ".join(KINDS), found=kind, where="leases"
        )
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            text = file.read()
    except OSError as error:
        raise BadInput(
            f"The lease file {path} cannot be read: {error.strerror}.",
            expected="a readable lease file",
            found=str(error),
            where=path,
            next="Correct leases, or let the user who runs Ansible read the file.",
        ) from error
    chosen = kind if kind != "auto" else _recognise(text, path)
    reader = {"dnsmasq": _dnsmasq, "isc": _isc, "kea": _kea, "": _nothing}[chosen]
    leases = {lease.address: lease for lease in reader(text, path) if lease is not None}
    return [lease for lease in leases.values() if lease.expires is None or lease.expires > now()]


def _recognise(text: str, path: str) -> str:
    """The format by the first line that says something; "" for an empty file, as a new server has it."""
    for number, line in enumerate(text.splitlines(), 1):
        first = line.split("#")[0].strip()
        if not first:
            continue
        if first.startswith("address,"):
            return "kea"
        if re.match(r"\d+\s+\S+\s+\S+", first) or re.fullmatch(r"duid\s+\S+", first):
            return "dnsmasq"
        if first.split()[0] in _ISC_WORDS:
            return "isc"
        raise _bad(path, number, "is of no known lease file format", line)
    return ""


def _nothing(text: str, path: str) -> t.Iterator[Lease]:
    return iter(())


def _lines(text: str) -> t.Iterator[tuple[int, str, bool]]:
    """Numbered lines, and whether the server has finished them."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        yield number, line.rstrip("\r"), number < len(lines)


def _dnsmasq(text: str, path: str) -> t.Iterator[Lease]:
    for number, line, finished in _lines(text):
        fields = line.split()
        if not fields or fields[0] == "duid" or (not finished and len(fields) < 5):
            continue
        if len(fields) < 4 or not fields[0].isdecimal():
            raise _bad(path, number, "is no lease of dnsmasq", line)
        expiry, hardware, address, name = fields[:4]
        # IPv6 has an identity association in the place of the MAC; other hardware than Ethernet has its type before it
        mac = hardware.partition("-")[2] if re.fullmatch(r"[0-9a-f]{2}-.*:.*", hardware) else hardware
        yield Lease(
            address=_address(address, path, number, line),
            mac=(mac_address(mac) or "") if ":" in mac else "",
            hostname="" if name == "*" else clean(name, 253),
            expires=float(expiry) if int(expiry) else None,
        )


def _kea(text: str, path: str) -> t.Iterator[Lease]:
    columns: list[str] = []
    rows: dict[str, Lease | None] = {}
    for number, line, finished in _lines(text):
        fields = line.split(",")  # Kea writes a comma within a field as &#x2c
        if not line or (not finished and len(fields) < len(columns)):
            continue
        if not columns:
            columns = [name.strip() for name in fields]
            if not {"address", "expire", "valid_lifetime"} <= set(columns):
                raise _bad(path, number, "is not the header of Kea's lease file", line)
            continue
        if len(fields) > len(columns) or len(fields) < len(columns) - 2:  # older files lack the last columns
            raise _bad(path, number, f"has {len(fields)} columns and the header {len(columns)}", line)
        row = dict(zip(columns, fields))
        address = _address(row["address"], path, number, line)
        rows.pop(address, None)
        rows[address] = _kea_lease(address, row, path, number, line)
    return (lease for lease in rows.values() if lease is not None)


def _kea_lease(address: str, row: dict[str, str], path: str, number: int, line: str) -> Lease | None:
    if not row["expire"].isdecimal() or not row["valid_lifetime"].isdecimal():
        raise _bad(path, number, "has no expiry", line)
    lifetime = int(row["valid_lifetime"])
    ended = row.get("state", _KEA_ASSIGNED) != _KEA_ASSIGNED or lifetime == 0
    if ended or row.get("lease_type") == _KEA_PREFIX_DELEGATION:
        return None
    return Lease(
        address=address,
        mac=mac_address(row.get("hwaddr", "")) or "",
        hostname=clean(row.get("hostname", "").replace("&#x2c", ","), 253).rstrip("."),
        expires=None if lifetime == _KEA_FOREVER else float(row["expire"]),
    )


# ---- ISC dhcpd: statements that end with ";", and blocks of them -----------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{};]|#[^\n]*|[^\s{};"#]+|"', re.DOTALL)


@dataclasses.dataclass
class _Block:
    """``lease 10.0.0.7 { ... }``: its head, its statements as lists of words, and the blocks within."""

    head: list[str]
    line: int
    statements: list[list[str]] = dataclasses.field(default_factory=list)
    blocks: list[_Block] = dataclasses.field(default_factory=list)


def _isc(text: str, path: str) -> t.Iterator[Lease]:
    leases: dict[str, Lease | None] = {}
    for block in _isc_blocks(text, path):
        kind = block.head[0] if block.head else ""
        inner = [block] if kind == "lease" else block.blocks if kind in ("ia-na", "ia-ta") else []
        for lease in inner:
            if len(lease.head) != 2 or lease.head[0] not in ("lease", "iaaddr"):
                raise _bad(path, lease.line, "is no lease", " ".join(lease.head))
            address = _address(lease.head[1], path, lease.line, " ".join(lease.head))
            leases.pop(address, None)
            leases[address] = _isc_lease(address, lease, path)
    return (lease for lease in leases.values() if lease is not None)


def _isc_blocks(text: str, path: str) -> t.Iterator[_Block]:
    """The finished blocks of the outermost level."""
    stack = [_Block([], 1)]
    words: list[str] = []
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        line, counted = line + text.count("\n", counted, match.start()), match.start()
        token = match.group()
        if token.startswith("#") or token == '"':  # a string that does not end is where the writing server is
            continue
        if token == "{":
            stack.append(_Block(words, line))
            words = []
        elif token == "}":
            if len(stack) == 1:
                raise _bad(path, line, "closes a block that was not opened", token)
            block = stack.pop()
            stack[-1].blocks.append(block)
            words = []
            if len(stack) == 1:
                yield block
                stack[0].blocks.clear()
        elif token == ";":
            if len(stack) > 1:
                stack[-1].statements.append(words)
            elif words and words[0] not in _ISC_WORDS:
                raise _bad(path, line, "is no statement of a lease file", " ".join(words))
            words = []
        else:
            words.append(token)


def _isc_lease(address: str, block: _Block, path: str) -> Lease | None:
    """None for a lease that is free, expired, released or abandoned."""
    said = {words[0]: words[1:] for words in block.statements if words}
    if said.get("binding", ["state", "active"])[-1:] != ["active"] or "abandoned" in said:
        return None
    return Lease(
        address=address,
        mac=mac_address(said.get("hardware", [""])[-1]) or "",
        hostname=clean(said.get("client-hostname", [""])[-1].strip('"'), 253),
        expires=_isc_time(said.get("ends", ["never"]), path, block.line),
    )


def _isc_time(words: list[str], path: str, line: int) -> float | None:
    """``never``, ``epoch 1234567890``, or ``4 2026/11/21 15:00:00`` in UTC, with the day of the week in front."""
    if words == ["never"]:
        return None
    try:
        if words[0] == "epoch":
            return float(int(words[1]))
        return float(calendar.timegm(time.strptime(" ".join(words[1:3]), "%Y/%m/%d %H:%M:%S")))
    except (IndexError, ValueError):
        raise _bad(path, line, "is a lease whose end is no time", " ".join(words)) from None


def _address(text: str, path: str, number: int, line: str) -> str:
    address = single_target(text)
    if address is None or not is_address(text):
        raise _bad(path, number, "has no address where one belongs", line)
    return address


def _bad(path: str, number: int, what: str, line: str) -> BadInput:
    shown = ascii(line.strip()[:80])
    return BadInput(
        f"Line {number} of the lease file {path} {what}.",
        expected="the lease file of dnsmasq, ISC dhcpd (dhcpd.leases) or Kea (memfile, CSV)",
        found=shown,
        where=f"{path}, line {number}",
        next="Give the file that the DHCP server itself writes.",
    )

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses that a user wrote: singly, as names, as ranges, as networks; and which shard of them this run holds.

PRIVATE to the collection.

Accepted forms, for ``targets`` and ``exclude`` alike:

=========================  ==========================================================================================
10.0.0.7, fd00::7          a single address; an IPv6 link-local one with its zone (fe80::7%eth0)
bmc-7.example              a host name: letters, digits, hyphens and underscores, the last label not a number
10.0.0.10-10.0.1.20        a range with both ends, IPv4 or IPv6
10.0.0.10-20               a range within the last octet (IPv4)
10.0.0.0/24, fd00::/120    a network. IPv4 network and broadcast addresses are left out below /31; IPv6 down to /108
=========================  ==========================================================================================

What is written singly (also as /32 or /128) is *expected* to be a BMC; ranges and networks are scanned for those.
"""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import re
import socket
import typing as t

from ..module_utils._core.errors import BadInput
from ..module_utils._core.missing_library import missing_library

try:
    import netaddr
except ImportError as import_error:
    NETADDR_IMPORT_ERROR: ImportError | None = import_error
else:
    NETADDR_IMPORT_ERROR = None

ACCEPTED = "an address, a host name, a range (10.0.0.10-20, 10.0.0.10-10.0.1.20) or a network (10.0.0.0/24)"

# 2^20 addresses; nobody can scan the usual /64
SHORTEST_IPV6_PREFIX = 108

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # the resolver reads 0x0a000001 as 10.0.0.1
_ZONE = re.compile(r"[A-Za-z0-9._-]{1,15}")
_LONGEST_NAME = 253
_SHOWN = 80


@dataclasses.dataclass(frozen=True)
class Shard:
    """Every target belongs to exactly one of ``count`` shards; ``index`` counts from 0."""

    index: int
    count: int

    @classmethod
    def parse(cls, value: t.Any) -> Shard:
        """From the option ``shard``: a mapping with index and count. Raises BadInput."""
        if not isinstance(value, t.Mapping) or set(value) != {"index", "count"}:
            raise _bad_shard(f"shard is {_shown(value)}", _shown(value))
        numbers = {}
        for key in ("index", "count"):
            number = value[key]
            if isinstance(number, str) and number.strip().isdecimal():
                number = int(number)  # from an extra variable or a template
            if isinstance(number, bool) or not isinstance(number, int):
                raise _bad_shard(f"the shard's {key} is {_shown(value[key])}", _shown(value[key]))
            numbers[key] = number
        if numbers["count"] < 1:
            raise _bad_shard(f"the shard's count is {numbers['count']}", str(numbers["count"]))
        if not 0 <= numbers["index"] < numbers["count"]:
            raise _bad_shard(f"there is no shard {numbers['index']} of {numbers['count']}", str(numbers["index"]))
        return cls(**numbers)

    def holds(self, target: str) -> bool:
        """Whether this shard holds the target, an address or a name in whatever spelling."""
        return self.holds_normalised(normalised(target))

    def holds_normalised(self, target: str) -> bool:
        """The same for a target that is in its normal form already.

        The first 8 bytes of the SHA-256 of the normal form, as a big-endian number, modulo ``count``: the same on every
        controller, whatever else the inventory holds.
        """
        digest = hashlib.sha256(target.encode("utf-8", "replace")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index


Span = tuple[int, int, int]
"""IP version, first address, last address. Tuples of them are sorted and disjoint."""


@dataclasses.dataclass(frozen=True)
class AddressBlocks:
    """What ``targets`` and ``exclude`` say. ``singles`` are normalised, in the order in which they were written."""

    singles: tuple[str, ...]
    spans: tuple[Span, ...]
    """what is scanned: neither singles nor excluded addresses are in it"""
    inside: tuple[Span, ...] = ()
    """every address of targets, singles too, without the excluded ones"""
    excluded: tuple[Span, ...] = ()
    excluded_names: tuple[str, ...] = ()
    # Kept out of repr, by which caches tell settings apart: a set has another order in every process.
    names: frozenset[str] = dataclasses.field(default=frozenset(), repr=False)

    def __contains__(self, target: object) -> bool:
        """Whether targets hold this address or name, and exclude doesn't."""
        text = normalised(str(target))
        number = _number(text)
        return text in self.names if number is None else _within(number, self.inside)

    def excludes(self, target: str) -> bool:
        text = normalised(target)
        number = _number(text)
        return text in self.excluded_names if number is None else _within(number, self.excluded)

    def scanned(self, shard: Shard | None = None) -> t.Iterator[str]:
        """The addresses of ranges and networks, in ascending order, each once, made one at a time."""
        for version, first, last in self.spans:
            family, size = (socket.AF_INET, 4) if version == 4 else (socket.AF_INET6, 16)
            for number in range(first, last + 1):
                text = socket.inet_ntop(family, number.to_bytes(size, "big"))
                if shard is None or shard.holds_normalised(text):
                    yield text

    def __len__(self) -> int:
        """How many targets there are."""
        return len(self.singles) + sum(last - first + 1 for _version, first, last in self.spans)


def _number(text: str) -> tuple[int, int] | None:
    """IP version and number of an address, or None for a name. Link-local addresses are compared without their zone."""
    bare = text.partition("%")[0]
    for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        try:
            return version, int.from_bytes(socket.inet_pton(family, bare), "big")
        except (OSError, ValueError):
            continue
    return None


def _within(number: tuple[int, int], spans: t.Sequence[Span]) -> bool:
    place = bisect.bisect_right(spans, (*number, 1 << 128)) - 1
    return place >= 0 and spans[place][0] == number[0] and spans[place][1] <= number[1] <= spans[place][2]


def normalised(target: str) -> str:
    """The one spelling of a target: dotted quad, RFC 5952 and zone, or a name in lower case without a final dot."""
    text = target.strip()
    number = _number(text)
    if number is None:
        return text.lower().removesuffix(".")
    family, size = (socket.AF_INET, 4) if number[0] == 4 else (socket.AF_INET6, 16)
    _bare, percent, zone = text.partition("%")
    return socket.inet_ntop(family, number[1].to_bytes(size, "big")) + percent + zone


def single_target(text: str) -> str | None:
    """The normal form of one address or host name; None for what is neither, or is nobody's address."""
    number = _number(text.strip())
    if number is None:
        return normalised(text) if _is_name(normalised(text)) else None
    version, address = number
    return normalised(text) if not _wrong_zone(text.strip(), number) and _unicast(version, address, address) else None


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, and not a name or anything else."""
    return _number(text.strip()) is not None


def _is_name(name: str) -> bool:
    labels = name.split(".")
    numbers = [_NUMBER.fullmatch(label) is not None for label in labels]
    return (
        len(name) <= _LONGEST_NAME
        and all(_LABEL.fullmatch(label) for label in labels)
        and not _is_numeric(name)
        and not numbers[-1]
        and not (len(labels) > 2 and all(numbers[:-1]))  # 10.0.0.1O
    )


def _is_numeric(text: str) -> bool:
    """Whether this is meant as numbers, and so never as a name."""
    return not text.strip("0123456789.-: ")


def _wrong_zone(text: str, number: tuple[int, int]) -> bool:
    _bare, percent, zone = text.partition("%")
    link_local = number[0] == 6 and number[1] >> 118 == 0xFE80 >> 6
    return bool(percent) and not (link_local and _ZONE.fullmatch(zone))


def _unicast(version: int, first: int, last: int) -> bool:
    """Whether machines can have these addresses: 0.0.0.0 is this one, multicast and 240.0.0.0/4 are none at all."""
    return first > 0 and last < (0xE0 << 24 if version == 4 else 0xFF << 120)


def parse_blocks(targets: t.Sequence[str], exclude: t.Sequence[str] = ()) -> AddressBlocks:
    """Read both options. Raises BadInput with the entry that cannot be right, MissingLibrary without netaddr."""
    if NETADDR_IMPORT_ERROR is not None:
        raise missing_library("netaddr", "addresses of the inventory", str(NETADDR_IMPORT_ERROR))
    out = _Entries(exclude, "exclude", ends=True)
    wanted = _Entries(targets, "targets", ends=False)
    excluded = out.addresses()
    wanted_blocks = wanted.blocks()
    outside = _spans(excluded)
    singles = tuple(
        text
        for text in dict.fromkeys(wanted.singles)
        if (text not in out.names if (number := _number(text)) is None else not _within(number, outside))
    )
    alone = netaddr.IPSet(address for text in singles if (address := _address(text)) is not None)
    blocks = AddressBlocks(
        singles=singles,
        spans=_spans(wanted_blocks - excluded - alone),
        inside=_spans((wanted_blocks | alone) - excluded),
        excluded=outside,
        names=frozenset(text for text in singles if _number(text) is None),
        excluded_names=tuple(sorted(out.names)),
    )
    if targets and not len(blocks):
        raise BadInput(
            "exclude leaves nothing of targets.",
            expected="at least one address that is not excluded",
            found=", ".join(_shown(str(target)) for target in targets[:5]),
            where="exclude",
            next="Take the entry out of exclude, or write other targets.",
        )
    return blocks


def _spans(addresses: t.Any) -> tuple[Span, ...]:
    """An IPSet as few spans as there can be."""
    return tuple((int(span.version), int(span.first), int(span.last)) for span in addresses.iter_ipranges())


def _address(text: str) -> t.Any:
    """netaddr's address, or None for a name. A zone is not part of it: link-local addresses are compared without."""
    try:
        return netaddr.IPAddress(text.partition("%")[0], flags=netaddr.INET_PTON)
    except (netaddr.AddrFormatError, ValueError):
        return None


class _Entries:
    """One option, entry by entry.

    :param ends: whether a network's first and last IPv4 address belong to it: they do where addresses are taken out
    """

    def __init__(self, entries: t.Sequence[str], option: str, ends: bool) -> None:
        self.singles: list[str] = []
        self.names: set[str] = set()
        self._option = option
        self._ends = ends
        self._blocks: list[t.Any] = []
        for position, entry in enumerate(entries, 1):
            self._position = position
            self._entry = entry
            self._read(str(entry).strip())

    def addresses(self) -> t.Any:
        """Every address of the option as an IPSet."""
        single = [address for text in self.singles if (address := _address(text)) is not None]
        return netaddr.IPSet(single) | self.blocks()

    def blocks(self) -> t.Any:
        """Ranges and networks as an IPSet."""
        merged = netaddr.IPSet()
        for block in self._blocks:
            merged.add(block)
        return merged

    def _read(self, text: str) -> None:
        if not text:
            raise self._bad("is empty")
        left, hyphen, right = text.partition("-")
        if "/" in text:
            self._network(text)
        elif hyphen and (_address(left.strip()) is not None or _is_numeric(text)):
            self._range(left.strip(), right.strip())
        elif (number := _number(text)) is not None:
            self._single(text, number)
        else:
            self._name(text)

    def _single(self, text: str, number: tuple[int, int]) -> None:
        if _wrong_zone(text, number):
            raise self._bad("has a zone, which only an IPv6 link-local address can have")
        self._check_unicast(number[0], number[1], number[1])
        self.singles.append(normalised(text))

    def _network(self, text: str) -> None:
        bare, _slash, prefix = text.partition("/")
        address = _address(bare)
        # netaddr would also take netmasks, wildcard masks and "+24"
        if address is None or "%" in bare or not (prefix.isascii() and prefix.isdecimal()):
            raise self._bad("is no network")
        try:
            network = netaddr.IPNetwork(f"{address}/{int(prefix)}")
        except netaddr.AddrFormatError:
            raise self._bad("is no network: its prefix is too long") from None
        if network.ip != network.network:
            raise self._bad(
                "is an address within a network, not the network",
                f"Write {network.cidr} for the network, or {network.ip} for the address.",
            )
        first, last = network.first, network.last
        if network.version == 6 and network.prefixlen < SHORTEST_IPV6_PREFIX:
            raise self._bad(
                f"is too large: 2^{128 - network.prefixlen} addresses",
                f"Write IPv6 networks of at most /{SHORTEST_IPV6_PREFIX}, single addresses, or use a map or leases.",
            )
        self._check_unicast(network.version, first, last)
        if first == last:
            self.singles.append(normalised(str(network.ip)))
            return
        if network.version == 4 and network.prefixlen < 31 and not self._ends:
            first, last = first + 1, last - 1
        self._block(network.version, first, last)

    def _range(self, left: str, right: str) -> None:
        first, last = _address(left), _address(right)
        if first is not None and last is None and first.version == 4 and right.isascii() and right.isdecimal():
            last = _address(left.rpartition(".")[0] + "." + right)
        if first is None or last is None or "%" in left + right:
            raise self._bad("is no range")
        if first.version != last.version:
            raise self._bad("is a range from IPv4 to IPv6")
        if first > last:
            raise self._bad("is an empty range: it ends before it begins", f"Write {last}-{first}.")
        if first.version == 6 and int(last) - int(first) >= 1 << (128 - SHORTEST_IPV6_PREFIX):
            raise self._bad(
                f"is too large: {int(last) - int(first) + 1} addresses",
                f"Write IPv6 ranges of at most 2^{128 - SHORTEST_IPV6_PREFIX} addresses.",
            )
        self._check_unicast(first.version, int(first), int(last))
        self._block(first.version, int(first), int(last))

    def _block(self, version: int, first: int, last: int) -> None:
        self._blocks.append(netaddr.IPRange(netaddr.IPAddress(first, version), netaddr.IPAddress(last, version)))

    def _name(self, text: str) -> None:
        name = normalised(text)
        if not _is_name(name):
            raise self._bad("is neither an address nor a host name")
        self.singles.append(name)
        self.names.add(name)

    def _check_unicast(self, version: int, first: int, last: int) -> None:
        if not self._ends and not _unicast(version, first, last):
            raise self._bad("holds addresses that no machine can have (0.0.0.0, ::, multicast or reserved)")

    def _bad(self, what: str, hint: str = "") -> BadInput:
        shown = _shown(str(self._entry))
        return BadInput(
            f"Entry {self._position} of {self._option}, {shown}, {what}.",
            expected=ACCEPTED,
            found=shown,
            where=f"{self._option}, entry {self._position}",
            next=hint or "Correct the entry; several targets are several entries of the list.",
        )


def _shown(value: t.Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _bad_shard(what: str, found: str) -> BadInput:
    return BadInput(
        what + ".",
        expected="index and count, two whole numbers with 0 <= index < count",
        found=found,
        where="shard",
        next="Write for example shard: {index: 0, count: 4} for the first of four.",
    )

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's map: which slot there is, how its machine is found, and what must be true of it.

PRIVATE to the collection.

Every key of an entry is described at SlotEntry; ``identity: {serial, uuid}`` is another way to write serial and uuid,
``pin`` another one to write a single one of ``pins``.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..module_utils._core.errors import BadInput
from ..module_utils._core.trust import parse_pin
from . import _mac
from ._map_file import kind_of, load_slots, shown
from ._targets import single_target

LOCATORS = ("bmc", "mac", "serial")

# A slot becomes the name of an inventory host.
_SLOT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
# YAML 1.1 reads an unquoted off as false
_TRUST = {"verify": "verify", "pin": "pin", "off": "off", "false": "off", "no": "off"}
_TRUE, _FALSE = frozenset(("true", "yes", "on", "1")), frozenset(("false", "no", "off", "0"))


@dataclasses.dataclass(frozen=True)
class SlotEntry:
    """One slot. What the map does not say is None; addresses, MACs, UUIDs and pins are in their normal form."""

    slot: str
    rack: str | None = None
    bmc: str | None = None
    """address or host name of the BMC"""
    mac: str | None = None
    """the BMC's, as aa:bb:cc:dd:ee:ff"""
    serial: str | None = None
    """what the machine must say; finds the machine where neither bmc nor mac is given"""
    uuid: str | None = None
    """what the machine must say"""
    system: str | None = None
    """which of several systems behind the BMC"""
    ansible_host: str | None = None
    trust: str | None = None
    """verify, pin or off; pin where there are pins"""
    pinned: tuple[str, ...] = ()
    scheme: str | None = None
    port: int | None = None
    protocol: str | None = None
    """redfish or ipmi, where only that may be spoken"""
    ipmi_login: bool = False
    credential: str | None = None
    """name of the only credential that this BMC may be offered"""

    @property
    def pins(self) -> frozenset[str]:
        return frozenset(self.pinned)


KEYS = frozenset({field.name for field in dataclasses.fields(SlotEntry)} - {"pinned"} | {"pin", "pins", "identity"})


@dataclasses.dataclass(frozen=True)
class SlotMap:
    """All slots, in the order of the file."""

    entries: tuple[SlotEntry, ...]

    @property
    def by_mac_needed(self) -> bool:
        """Whether BMCs have to be asked for their MAC addresses, since some slot is found by nothing else."""
        return any(entry.mac and not entry.bmc for entry in self.entries)


def read_map(path: str) -> SlotMap:
    """Read and check the whole file. Raises BadInput with the file, the number of the entry and what is expected."""
    entries = tuple(_Entry(path, number, value).read() for number, value in enumerate(load_slots(path), 1))
    _check_unique(path, entries)
    return SlotMap(entries)


# ---- one entry -------------------------------------------------------------------------------------------------------


class _Entry:
    """One entry of the list on its way to a SlotEntry."""

    def __init__(self, path: str, number: int, value: t.Any) -> None:
        self._path = path
        self._number = number
        self._slot = ""
        if not isinstance(value, dict):
            raise self._bad("is no mapping", "a mapping with slot and one of bmc, mac, serial", kind_of(value))
        self._value: dict[str, t.Any] = {key: given for key, given in value.items() if given not in ("", None)}

    def read(self) -> SlotEntry:
        self._slot = self._matching(
            "slot", _SLOT, "a host name for the inventory: letters, digits, . _ -", required=True
        )
        unknown = set(self._value) - KEYS
        if unknown:
            raise self._bad(f"has the unknown key {shown(min(map(str, unknown)))}", "keys " + ", ".join(sorted(KEYS)))
        serial, uuid = self._identity()
        pinned = self._pinned()
        entry = SlotEntry(
            slot=self._slot,
            rack=self._text("rack"),
            bmc=self._target("bmc"),
            mac=self._mac(),
            serial=serial,
            uuid=uuid,
            system=self._text("system"),
            ansible_host=self._target("ansible_host"),
            trust=self._trust(pinned),
            pinned=pinned,
            scheme=self._choice("scheme", {"http": "http", "https": "https"}),
            port=self._port(),
            protocol=self._choice("protocol", {"redfish": "redfish", "ipmi": "ipmi"}),
            ipmi_login=self._flag("ipmi_login"),
            credential=self._text("credential"),
        )
        if not (entry.bmc or entry.mac or entry.serial):
            raise self._bad("does not say how its machine is found", "one of bmc, mac, serial")
        if entry.ipmi_login and entry.protocol == "redfish":
            raise self._bad("allows an IPMI login and forbids IPMI", "protocol: ipmi, or no ipmi_login")
        return entry

    def _text(self, key: str) -> str | None:
        given = self._value.get(key)
        if given is None:
            return None
        if isinstance(given, bool):  # JSON; in YAML everything is text
            given = "true" if given else "false"
        if not isinstance(given, str):
            raise self._bad(f"has {kind_of(given)} as {key}", "one value")
        text = given.strip()
        if not text.isprintable() or len(text) > 256:
            raise self._bad(f"has {shown(text)} as {key}", "printable text of at most 256 characters")
        return text or None

    def _matching(self, key: str, form: re.Pattern[str], expected: str, required: bool = False) -> str:
        text = self._text(key)
        if text is None and required:
            raise self._bad(f"has no {key}", expected)
        if text is None or not form.fullmatch(text):
            raise self._bad(f"has {shown(text)} as {key}", expected)
        return text

    def _choice(self, key: str, choices: t.Mapping[str, str]) -> str | None:
        text = self._text(key)
        if text is None:
            return None
        if text.lower() not in choices:
            raise self._bad(f"has {shown(text)} as {key}", ", ".join(dict.fromkeys(choices.values())))
        return choices[text.lower()]

    def _target(self, key: str) -> str | None:
        text = self._text(key)
        if text is None:
            return None
        found = single_target(text)
        if found is None:
            raise self._bad(f"has {shown(text)} as {key}", "one address or host name; a port goes into port")
        return found

    def _mac(self) -> str | None:
        text = self._text("mac")
        found = _mac.mac_address(text or "")
        if text is not None and found is None:
            raise self._bad(f"has {shown(text)} as mac", _mac.ACCEPTED)
        return found

    def _identity(self) -> tuple[str | None, str | None]:
        """serial and uuid, which may stand under identity or beside it."""
        identity = self._value.get("identity", {})
        if not isinstance(identity, dict) or not set(identity) <= {"serial", "uuid"}:
            raise self._bad(f"has {shown(identity)} as identity", "a mapping with serial, uuid or both")
        twice = [key for key in identity if key in self._value and identity[key] != self._value[key]]
        if twice:
            raise self._bad(f"says two different things about {twice[0]}", f"{twice[0]} once")
        self._value.update({key: given for key, given in identity.items() if given not in ("", None)})
        uuid = self._text("uuid")
        if uuid is None:
            return self._text("serial"), None
        if not _UUID.fullmatch(uuid.lower()):
            raise self._bad(f"has {shown(uuid)} as uuid", "32 hex digits: 6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001")
        digits = uuid.lower().replace("-", "")
        return self._text("serial"), "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _pinned(self) -> tuple[str, ...]:
        given = self._value.get("pins", [])
        pins = given.split() if isinstance(given, str) else given  # a cell of a CSV file
        if not isinstance(pins, list) or not all(isinstance(pin, str) for pin in pins):
            raise self._bad(f"has {kind_of(given)} as pins", "a list of pins")
        pin = self._text("pin")
        found = set()
        for text in [*pins, *([pin] if pin else [])]:
            try:
                found.add(parse_pin(text))
            except BadInput as error:
                raise self._bad(f"has {shown(text)} as a pin", error.expected) from error
        return tuple(sorted(found))

    def _trust(self, pinned: tuple[str, ...]) -> str | None:
        trust = self._choice("trust", _TRUST)
        if pinned and trust not in (None, "pin"):
            raise self._bad(f"has pins and trust {trust}, which does not look at them", "trust: pin, or no pins")
        return "pin" if pinned else trust

    def _port(self) -> int | None:
        text = self._text("port")
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 65536 and len(text) < 6):
            raise self._bad(f"has {shown(text)} as port", "a number from 1 to 65535")
        return int(text)

    def _flag(self, key: str) -> bool:
        text = (self._text(key) or "false").lower()
        if text not in _TRUE | _FALSE:
            raise self._bad(f"has {shown(text)} as {key}", "true or false")
        return text in _TRUE

    def _bad(self, what: str, expected: str, found: str = "") -> BadInput:
        name = f" (slot {self._slot})" if self._slot else ""
        return BadInput(
            f"Entry {self._number}{name} of the map {self._path} {what}.",
            expected=expected,
            found=found or what,
            where=f"{self._path}, slots, entry {self._number}",
            next="Correct this entry of the map; the guide on slots shows every key.",
        )


# ---- all entries together --------------------------------------------------------------------------------------------


def _check_unique(path: str, entries: t.Sequence[SlotEntry]) -> None:
    """No slot twice, and no machine in two slots: a BMC may have several only where each names another system."""
    seen: dict[tuple[str, ...], tuple[int, SlotEntry]] = {}
    systems: dict[tuple[str, ...], tuple[int, SlotEntry]] = {}
    for number, entry in enumerate(entries, 1):
        _once(path, seen, ("slot", entry.slot.lower()), number, entry, entry.slot)
        key = next(key for key in LOCATORS if getattr(entry, key))
        value = str(getattr(entry, key))
        machine = (key, value.lower(), str(entry.port or ""))
        _once(path, seen, (*machine, entry.system or ""), number, entry, value)
        # One slot without a system would be every system behind that BMC, also those of other slots.
        other = systems.setdefault(machine, (number, entry))
        if bool(other[1].system) != bool(entry.system):
            raise _double(path, key, number, entry, other, value)


def _once(
    path: str,
    seen: dict[tuple[str, ...], tuple[int, SlotEntry]],
    key: tuple[str, ...],
    number: int,
    entry: SlotEntry,
    value: str,
) -> None:
    other = seen.setdefault(key, (number, entry))
    if other[0] != number:
        raise _double(path, key[0], number, entry, other, value)


def _double(path: str, key: str, number: int, entry: SlotEntry, other: tuple[int, SlotEntry], value: str) -> BadInput:
    hint = "Give each slot its own name." if key == "slot" else "Add system to both slots where a BMC has several."
    return BadInput(
        f"Entries {other[0]} (slot {other[1].slot}) and {number} (slot {entry.slot}) of the map {path} have the same "
        f"{key}: {value}.",
        expected=f"every {key} once" + ("" if key == "slot" else ", or with a different system each"),
        found=value,
        where=f"{path}, slots, entries {other[0]} and {number}",
        next=hint,
    )

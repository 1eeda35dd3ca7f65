# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's map: what an entry may say, in three file formats, and what is said about everything else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Callable, List

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.plugin_utils._map import SlotEntry, SlotMap, read_map

PIN = "spki-sha256:" + "ab" * 32
CERTIFICATE_PIN = "cert-sha256:" + "01" * 32
UUID = "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"

Reader = Callable[..., SlotMap]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def read(text: str, name: str = "slots.yml") -> SlotMap:
        (tmp_path / name).write_text(text)
        return read_map(str(tmp_path / name))

    return read


def one(read: Reader, entry: str) -> SlotEntry:
    """The slot that a flow mapping in YAML gives."""
    (found,) = read(f"slots:\n  - {{{entry}}}\n").entries
    return found


FULL = f"""\
---
slots:
  - slot: rack1-u01   # the host's name
    rack: rack1
    bmc: 10.20.0.11
    mac: 52:54:00:20:00:12
    serial: 00123
    uuid: {UUID.upper()}
    system: Node1
    ansible_host: 10.30.0.11
    pins:
      - {PIN}
      - {CERTIFICATE_PIN}
    scheme: https
    port: 8443
    protocol: redfish
    credential: factory
  - slot: rack1-u03
    bmc: Old-BMC.example.
    protocol: ipmi
    ipmi_login: true
    identity: {{serial: "7E5", uuid: {UUID}}}
  - slot: rack1-u05
    mac: 5254.0020.0014
    trust: off
"""


def test_everything_that_an_entry_can_say(read: Reader) -> None:
    assert read(FULL).entries == (
        SlotEntry(
            slot="rack1-u01",
            rack="rack1",
            bmc="10.20.0.11",
            mac="52:54:00:20:00:12",
            serial="00123",
            uuid=UUID,
            system="Node1",
            ansible_host="10.30.0.11",
            trust="pin",
            pinned=(CERTIFICATE_PIN, PIN),
            scheme="https",
            port=8443,
            protocol="redfish",
            credential="factory",
        ),
        SlotEntry(slot="rack1-u03", bmc="old-bmc.example", protocol="ipmi", ipmi_login=True, serial="7E5", uuid=UUID),
        SlotEntry(slot="rack1-u05", mac="52:54:00:20:00:14", trust="off"),
    )


def test_same_map_as_json(read: Reader) -> None:
    document = {
        "slots": [
            {
                "slot": "rack1-u01",
                "rack": "rack1",
                "bmc": "10.20.0.11",
                "mac": "52-54-00-20-00-12",
                "serial": "00123",
                "uuid": UUID,
                "system": "Node1",
                "ansible_host": "10.30.0.11",
                "pins": [PIN],
                "pin": CERTIFICATE_PIN,
                "scheme": "https",
                "port": 8443,
                "protocol": "redfish",
                "credential": "factory",
                "ipmi_login": False,
            },
            {
                "slot": "rack1-u03",
                "bmc": "old-bmc.example",
                "protocol": "ipmi",
                "ipmi_login": True,
                "identity": {"serial": "7E5", "uuid": UUID},
            },
            {"slot": "rack1-u05", "mac": "525400200014", "trust": False},
        ]
    }
    assert read(json.dumps(document), "slots.json") == read(FULL)


def test_same_map_as_csv(read: Reader) -> None:
    text = (
        "slot,rack,bmc,mac,serial,uuid,system,ansible_host,pins,scheme,port,protocol,credential,ipmi_login,trust\n"
        f"rack1-u01,rack1,10.20.0.11,52:54:00:20:00:12,00123,{UUID},Node1,10.30.0.11,"
        f"{PIN} {CERTIFICATE_PIN},https,8443,redfish,factory,,\n"
        f'"rack1-u03",,old-bmc.example,,7E5,{UUID},,,,,,ipmi,,yes,\n'
        "\n"
        "rack1-u05,,,52:54:00:20:00:14,,,,,,,,,,,off\n"
    )
    assert read(text, "slots.csv") == read(FULL)


@pytest.mark.parametrize("mac", ["52:54:00:20:00:12", "12:34:56:01:02:03", "52-54-00-20-00-12", "525400200012"])
def test_unquoted_mac_is_no_number(read: Reader, mac: str) -> None:
    """YAML 1.1 reads digits with colons as a number to the base of 60."""
    assert one(read, f"slot: a, mac: {mac}").mac == read(f'slots: [{{slot: a, mac: "{mac}"}}]').entries[0].mac


@pytest.mark.parametrize("serial", ["0012345", "12E45", "0x1F", "1_000", "2026-11-21", "null", "yes", "3.10", "1:30"])
def test_serial_is_the_text_that_stands_there(read: Reader, serial: str) -> None:
    assert one(read, f'slot: a, serial: "{serial}"').serial == serial
    assert read(f"slots:\n- slot: a\n  serial: {serial}\n").entries[0].serial == serial


@pytest.mark.parametrize(("text", "trust"), [("off", "off"), ("'off'", "off"), ("false", "off"), ("PIN", "pin")])
def test_trust_off_without_quotes(read: Reader, text: str, trust: str) -> None:
    assert one(read, f"slot: a, bmc: b, trust: {text}").trust == trust


def test_pins_mean_trust_pin(read: Reader) -> None:
    assert one(read, f"slot: a, bmc: b, pin: '{PIN}'").trust == "pin"
    assert one(read, f"slot: a, bmc: b, pin: '{PIN.upper()}'").pins == {PIN}


@pytest.mark.parametrize("empty", ["", "''", '""', "' '"])
def test_empty_value_says_nothing(read: Reader, empty: str) -> None:
    entry = read(f"slots:\n- slot: a\n  bmc: b\n  rack: {empty}\n  mac: {empty}\n  port: {empty}\n").entries[0]
    assert entry == SlotEntry(slot="a", bmc="b")


def test_macs_are_needed_where_nothing_else_finds_a_slot(read: Reader) -> None:
    assert read(FULL).by_mac_needed
    assert not read("slots: [{slot: a, bmc: b, mac: '52:54:00:20:00:12'}]").by_mac_needed
    assert not SlotMap(()).by_mac_needed


def test_settings_look_the_same_in_every_process(read: Reader) -> None:
    """Caches compare the representation, in which a set would have another order each time."""
    assert "frozenset" not in repr(read(FULL).entries)


def test_systems_of_one_bmc_are_slots_of_their_own(read: Reader) -> None:
    found = read("slots: [{slot: a, bmc: b, system: Node1}, {slot: c, bmc: b, system: Node2}]").entries
    assert [entry.system for entry in found] == ["Node1", "Node2"]


def test_one_address_with_two_ports_is_two_bmcs(read: Reader) -> None:
    assert len(read("slots: [{slot: a, bmc: b, port: 8001}, {slot: c, bmc: b, port: 8002}]").entries) == 2


def test_serial_may_repeat_where_an_address_finds_the_slot(read: Reader) -> None:
    """Nodes of one real chassis share its serial."""
    assert len(read("slots: [{slot: a, bmc: 10.0.0.1, serial: X1}, {slot: c, bmc: 10.0.0.2, serial: X1}]").entries) == 2


@pytest.mark.parametrize(
    ("entry", "said", "expected"),
    [
        ("bmc: b", "no slot", "host name"),
        ("slot: '', bmc: b", "no slot", "host name"),
        ("slot: a b, bmc: b", "'a b' as slot", "host name"),
        ("slot: '{{ x }}', bmc: b", "as slot", "host name"),
        ("slot: '-a', bmc: b", "as slot", "host name"),
        ("slot: [a], bmc: b", "a list as slot", "one value"),
        ("slot: a", "does not say how", "bmc, mac, serial"),
        ("slot: a, uuid: " + UUID, "does not say how", "bmc, mac, serial"),
        ("slot: a, bmc: b, hight: 2", "unknown key 'hight'", "ansible_host"),
        ("slot: a, bmc: b, <<: x", "unknown key '<<'", "ansible_host"),
        ("slot: a, bmc: 10.0.0.300", "'10.0.0.300' as bmc", "address or host name"),
        ("slot: a, bmc: 10.0.0.0/24", "as bmc", "address or host name"),
        ("slot: a, bmc: 10.0.0.1-9", "as bmc", "address or host name"),
        ("slot: a, bmc: 'b:8443'", "as bmc", "port"),
        ("slot: a, bmc: 'https://b'", "as bmc", "address or host name"),
        ("slot: a, bmc: {address: b}", "a mapping as bmc", "one value"),
        ("slot: a, bmc: b, ansible_host: '{{ lookup(1) }}'", "as ansible_host", "address or host name"),
        ("slot: a, mac: 52:54:00:20:00", "as mac", "aa:bb:cc"),
        ("slot: a, mac: 52:54:00-20:00:12", "as mac", "aa:bb:cc"),
        ("slot: a, mac: '00:00:00:00:00:00'", "as mac", "aa:bb:cc"),
        ("slot: a, mac: ff:ff:ff:ff:ff:ff", "as mac", "aa:bb:cc"),
        ("slot: a, mac: 01:00:5e:00:00:01", "as mac", "aa:bb:cc"),
        ("slot: a, bmc: b, uuid: 6f7d1ea0", "as uuid", "32 hex digits"),
        ("slot: a, bmc: b, pin: 'sha1:00'", "as a pin", "spki-sha256"),
        ("slot: a, bmc: b, pins: [spki-sha256:zz]", "as a pin", "spki-sha256"),
        ("slot: a, bmc: b, pins: {x: y}", "a mapping as pins", "a list"),
        ("slot: a, bmc: b, pins: [[x]]", "as pins", "a list"),
        (f"slot: a, bmc: b, trust: verify, pin: '{PIN}'", "does not look at them", "trust: pin"),
        (f"slot: a, bmc: b, trust: off, pin: '{PIN}'", "does not look at them", "trust: pin"),
        ("slot: a, bmc: b, trust: maybe", "'maybe' as trust", "verify, pin, off"),
        ("slot: a, bmc: b, scheme: ftp", "'ftp' as scheme", "http, https"),
        ("slot: a, bmc: b, port: 0", "as port", "1 to 65535"),
        ("slot: a, bmc: b, port: 65536", "as port", "1 to 65535"),
        ("slot: a, bmc: b, port: https", "as port", "1 to 65535"),
        ("slot: a, bmc: b, port: 4294967739", "as port", "1 to 65535"),
        ("slot: a, bmc: b, protocol: snmp", "'snmp' as protocol", "redfish, ipmi"),
        ("slot: a, bmc: b, ipmi_login: maybe", "'maybe' as ipmi_login", "true or false"),
        ("slot: a, bmc: b, protocol: redfish, ipmi_login: true", "forbids IPMI", "protocol: ipmi"),
        ("slot: a, bmc: b, identity: X1", "as identity", "mapping"),
        ("slot: a, bmc: b, identity: {asset: X1}", "as identity", "serial, uuid"),
        ("slot: a, bmc: b, serial: X1, identity: {serial: X2}", "two different things about serial", "once"),
        ('slot: a, bmc: b, rack: "r\\u001b[2J"', "as rack", "printable"),
        ("slot: a, bmc: b, rack: " + "r" * 300, "as rack", "256"),
    ],
)
def test_wrong_entry_is_named_with_what_is_expected(
    read: Reader, tmp_path: Path, entry: str, said: str, expected: str
) -> None:
    with pytest.raises(BadInput) as raised:
        read(f"slots:\n  - {{slot: first, bmc: first}}\n  - {{{entry}}}\n")
    error = raised.value
    assert said in error.msg
    assert expected in error.expected
    assert error.where == f"{tmp_path / 'slots.yml'}, slots, entry 2"
    assert str(tmp_path / "slots.yml") in error.msg and "ntry 2" in error.msg
    assert error.msg.isprintable() and error.next


@pytest.mark.parametrize("entry", ["just text", "[slot, a]", "", "null"])
def test_entry_that_is_no_mapping(read: Reader, entry: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(f"slots:\n  - {entry}\n")
    assert "Entry 1" in raised.value.msg


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("{slot: a, bmc: b}, {slot: c, bmc: d}, {slot: A, bmc: e}", "same slot: A"),
        ("{slot: x, bmc: q}, {slot: a, bmc: b}, {slot: c, bmc: B.}", "same bmc: b"),
        ("{slot: x, bmc: q}, {slot: a, bmc: 'fd00::1'}, {slot: c, bmc: 'FD00:0::1'}", "same bmc: fd00::1"),
        ("{slot: x, bmc: q}, {slot: a, bmc: b, system: '1'}, {slot: c, bmc: b, system: '1'}", "same bmc: b"),
        ("{slot: x, bmc: q}, {slot: a, bmc: b}, {slot: c, bmc: b, system: '1'}", "same bmc: b"),
        ("{slot: x, bmc: q}, {slot: a, mac: 525400200012}, {slot: c, mac: '52:54:00:20:00:12'}", "same mac"),
        ("{slot: x, bmc: q}, {slot: a, serial: X1}, {slot: c, serial: x1}", "same serial"),
    ],
)
def test_slot_or_machine_twice_names_both_entries(read: Reader, entries: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(f"slots: [{entries}]")
    assert said in raised.value.msg
    first = 1 if said.startswith("same slot") else 2
    assert raised.value.where.endswith(f"entries {first} and 3")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yml", "slots: [\n", "line 2"),
        ("a.yml", "slots:\n\t- slot: a\n", "line 2"),
        ("a.yml", "slots: {slot: a}\n", "one list under slots"),
        ("a.yml", "- slot: a\n", "one list under slots"),
        ("a.yml", "", "one list under slots"),
        ("a.yml", "slots:\n", "one list under slots"),
        ("a.yml", "slots: []\nslot: []\n", "one list under slots"),
        ("a.yml", "slots:\n- slot: a\n  bmc: b\n  bmc: c\n", "line 4"),
        ("a.yml", "slots: []\nslots: []\n", "line 2"),
        ("a.yml", "slots: [*x]\n", "aliases"),
        ("a.yml", "slots: &x [*x]\n", "aliases"),
        ("a.yml", "slots: []\n---\nslots: []\n", "more than one document"),
        ("a.yml", "? [slots]\n: []\n", "a key is no text"),
        ("a.yml", "slots: []\n\x00", "valid YAML"),
        ("a.yml", "slots: " + "[" * 100_000, "valid YAML"),
        ("a.json", "{", "line 1, column 2"),
        ("a.json", "[]", "one list under slots"),
        ("a.json", '{"slots": [{"slot": "a", "slot": "b"}]}', "twice"),
        ("a.json", "[" * 100_000, "valid JSON"),
        ("a.csv", "", "line 1"),
        ("a.csv", "name,bmc\na,b\n", "line 1"),
        ("a.csv", "slot,slot\na,b\n", "line 1"),
        ("a.csv", "slot,bmc\na,b,c\n", "line 2"),
        ("a.csv", 'slot,bmc\na,"b"c\n', "line 2"),
    ],
)
def test_file_that_is_no_map_is_bad_input(read: Reader, name: str, text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(text, name)
    assert said in raised.value.msg + raised.value.where
    assert name in raised.value.where
    assert raised.value.msg.isprintable()


def test_python_tag_is_never_obeyed(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        read(f"slots:\n- slot: a\n  bmc: b\n  rack: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    assert "a list as rack" in raised.value.msg
    assert not (tmp_path / "made").exists()


def test_absent_file_and_binary_file_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        read_map(str(tmp_path / "absent.yml"))
    assert "absent.yml" in raised.value.msg
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00slots")
    with pytest.raises(BadInput) as raised:
        read_map(str(tmp_path / "binary.yml"))
    assert "UTF-8" in raised.value.msg


def test_map_of_10_000_slots_is_quick(read: Reader) -> None:
    """Only a quadratic mistake, or YAML in pure Python, takes this long."""
    lines: List[str] = ["slots:"]
    for number in range(10_000):
        lines.append(f"- {{slot: s{number}, bmc: 10.{number >> 8}.{number & 255}.1, serial: S{number}}}")
    began = time.process_time()
    assert len(read("\n".join(lines) + "\n").entries) == 10_000
    assert time.process_time() - began < 10.0

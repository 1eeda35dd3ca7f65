# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lease files as dnsmasq, ISC dhcpd and Kea leave them, finished or in the middle of a write."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable, List

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.plugin_utils._leases import Lease, read_leases

NOW = 1_795_000_000.0  # 2026-11-18
LATER, EARLIER = 1_795_003_600, 1_794_990_000

DNSMASQ = f"""\
{LATER} 52:54:00:aa:bb:01 10.20.0.11 bmc-r1-u01 01:52:54:00:aa:bb:01
{LATER} 52:54:00:aa:bb:02 10.20.0.12 * *
0 06-52:54:00:aa:bb:03 10.20.0.13 bmc-r1-u03 ff:00
{EARLIER} 52:54:00:aa:bb:04 10.20.0.14 gone *
duid 00:01:00:01:2c:a0:71:3c:52:54:00:00:00:01
{LATER} 11187201 fd00:20::15 bmc-r1-u05 00:03:00:01:52:54:00:aa:bb:05
"""

ISC = """\
# The format of this file is documented in the dhcpd.leases(5) manual page.
# This lease file was written by isc-dhcp-4.4.3-P1

authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\001,\\240q<RT\\000\\252\\273\\001";

failover peer "site" state {
  my state normal at 4 2026/11/12 08:00:00;
}
lease 10.20.0.11 {
  starts 3 2026/11/18 10:00:00;
  ends 3 2026/11/18 11:00:00;
  binding state active;
  hardware ethernet 52:54:00:aa:bb:99;
}
lease 10.20.0.12 {
  starts 3 2026/11/18 10:00:00;
  ends never;
  cltt 3 2026/11/18 10:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 52:54:00:aa:bb:02;
  uid "\\001RT\\000\\252;}\\"\\002";
  set vendor-class-identifier = "udhcp 1.30";
  client-hostname "bmc-r1-u02";
}
lease 10.20.0.11 {
  starts 3 2026/11/18 12:00:00;
  ends epoch 1795003600; # Wed Nov 18 13:40:00 2026
  binding state active;
  hardware ethernet 52:54:00:aa:bb:01;
  client-hostname "bmc-r1-u01";
}
lease 10.20.0.13 {
  ends 3 2026/11/18 23:00:00;
  binding state active;
  hardware ethernet 52:54:00:aa:bb:03;
}
lease 10.20.0.13 {
  ends 3 2026/11/18 23:00:00;
  binding state free;
  hardware ethernet 52:54:00:aa:bb:03;
}
lease 10.20.0.14 {
  ends 2 2026/11/17 23:00:00;
  binding state active;
  hardware ethernet 52:54:00:aa:bb:04;
}
lease 10.20.0.15 {
  ends never;
  binding state abandoned;
}
ia-na "\\001\\000\\000\\000" {
  cltt 3 2026/11/18 10:00:00;
  iaaddr fd00:20::15 {
    binding state active;
    preferred-life 3600;
    max-life 7200;
    ends 3 2026/11/18 23:00:00;
  }
}
ia-pd "\\001" {
  iaprefix fd00:30::/56 {
    binding state active;
    ends never;
  }
}
"""

KEA4 = f"""\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.20.0.11,52:54:00:aa:bb:99,01:52,3600,{LATER - 900},1,0,0,,0,,0
10.20.0.12,52:54:00:aa:bb:02,,4294967295,{2**32 - 1},1,0,0,bmc-r1-u02.example.,0,{{ "a": 1&#x2c "b": 2 }},0
10.20.0.13,52:54:00:aa:bb:03,,3600,{LATER},1,0,0,,0,,0
10.20.0.13,52:54:00:aa:bb:03,,0,{LATER},1,0,0,,0,,0
10.20.0.11,52:54:00:aa:bb:01,01:52,3600,{LATER},1,0,0,bmc-r1-u01,0,,0
10.20.0.14,52:54:00:aa:bb:04,,3600,{EARLIER},1,0,0,,0,,0
10.20.0.15,,,3600,{LATER},1,0,0,,1,,0
10.20.0.16,52:54:00:aa:bb:06,,3600,{LATER},1,0,0,,2,,0
"""

KEA6 = f"""\
address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,\
hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
fd00:20::15,00:03:00:01,4000,{LATER},1,3000,0,7,128,0,0,bmc-r1-u05,52:54:00:aa:bb:05,0,,1,2,0
fd00:30::,00:03:00:01,4000,{LATER},1,3000,2,7,56,0,0,,,0,,,,0
"""

U01 = Lease("10.20.0.11", "52:54:00:aa:bb:01", "bmc-r1-u01", float(LATER))

Reader = Callable[..., List[Lease]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def read(text: str, kind: str = "auto") -> List[Lease]:
        (tmp_path / "leases").write_text(text)
        return read_leases(str(tmp_path / "leases"), kind, now=lambda: NOW)

    return read


def test_dnsmasq(read: Reader) -> None:
    assert read(DNSMASQ) == [
        U01,
        Lease("10.20.0.12", "52:54:00:aa:bb:02", "", float(LATER)),
        Lease("10.20.0.13", "52:54:00:aa:bb:03", "bmc-r1-u03", None),
        Lease("fd00:20::15", "", "bmc-r1-u05", float(LATER)),
    ]


def test_isc_last_binding_wins(read: Reader) -> None:
    assert read(ISC) == [
        Lease("10.20.0.12", "52:54:00:aa:bb:02", "bmc-r1-u02", None),
        U01,
        Lease("fd00:20::15", "", "", 1_795_042_800.0),
    ]


def test_isc_time_is_utc_wherever_the_controller_is(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    here = read(ISC)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert read(ISC) == here
    finally:
        monkeypatch.undo()
        time.tzset()


def test_kea_last_row_wins_and_a_lifetime_of_zero_ends_a_lease(read: Reader) -> None:
    assert read(KEA4) == [Lease("10.20.0.12", "52:54:00:aa:bb:02", "bmc-r1-u02.example", None), U01]


def test_kea_v6_without_delegated_prefixes(read: Reader) -> None:
    assert read(KEA6) == [Lease("fd00:20::15", "52:54:00:aa:bb:05", "bmc-r1-u05", float(LATER))]


def test_kea_before_1_7_has_fewer_columns(read: Reader) -> None:
    head, row = KEA4.splitlines()[0], KEA4.splitlines()[5]
    assert read(head.removesuffix(",user_context,pool_id") + "\n" + row.removesuffix(",,0") + "\n") == [U01]
    assert read(head + "\n" + row.removesuffix(",,0") + "\n") == [U01]


@pytest.mark.parametrize("text", ["", "\n\n", "# The format of this file is documented\n"])
def test_empty_file_of_a_new_server_has_no_leases(read: Reader, text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("kind", ["dnsmasq", "isc", "kea"])
def test_format_can_be_named(read: Reader, kind: str) -> None:
    text = {"dnsmasq": DNSMASQ, "isc": ISC, "kea": KEA4}[kind]
    assert read(text, kind) == read(text)


@pytest.mark.parametrize("text", [DNSMASQ, ISC, KEA4, KEA6], ids=["dnsmasq", "isc", "kea4", "kea6"])
def test_file_cut_anywhere_is_read_without_error_and_without_inventing(read: Reader, text: str) -> None:
    """The server is writing while we read: what is there in the end was there in the middle, or is left out."""
    known = {(lease.address, lease.mac) for lease in read(text)}
    # leases that later lines take back are still true before them
    known |= {("10.20.0.11", "52:54:00:aa:bb:99"), ("10.20.0.13", "52:54:00:aa:bb:03")}
    format_shows = text.index(";") if text is ISC else text.index("\n")
    for length in range(format_shows, len(text)):
        try:
            found = read(text[:length])
        except BadInput as error:
            pytest.fail(f"cut at {length}: {error.msg}")
        assert {(lease.address, lease.mac) for lease in found} <= known, f"cut at {length}"


def test_last_line_without_line_feed_counts_when_it_is_complete(read: Reader) -> None:
    assert read(DNSMASQ.splitlines()[0]) == [U01]
    assert read("\n".join(KEA4.splitlines()[0::5])) == [U01]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("hello world\n", 1, id="prose"),
        pytest.param("\n\n{}\n", 3, id="json"),
        pytest.param("<html>\n", 1, id="html"),
        pytest.param(DNSMASQ + "nonsense\n" + DNSMASQ, 7, id="dnsmasq"),
        pytest.param(f"{LATER} 52:54:00:aa:bb:01 10.20.0.300 * *\n", 1, id="dnsmasq-address"),
        pytest.param(f"{LATER} 52:54:00:aa:bb:01 localhost * *\n", 1, id="dnsmasq-name"),
        pytest.param(f"{LATER} 52:54:00:aa:bb:01 0.0.0.0 * *\n", 1, id="dnsmasq-this-machine"),
        pytest.param(KEA4 + "10.20.0.17,nonsense\n" + KEA4.splitlines()[1] + "\n", 10, id="kea-columns"),
        pytest.param(KEA4.replace(str(EARLIER), "soon"), 7, id="kea-expire"),
        pytest.param("address,hwaddr\n10.0.0.1,x\n", 1, id="kea-header"),
        pytest.param(ISC + "}\n", ISC.count("\n") + 1, id="isc-brace"),
        pytest.param(ISC + "once upon a time;\n", ISC.count("\n") + 1, id="isc-statement"),
        pytest.param(ISC.replace("lease 10.20.0.14 {", "lease nonsense {"), 45, id="isc-address"),
        pytest.param(ISC.replace("ends 2 2026/11/17 23:00:00", "ends 2 tomorrow"), 45, id="isc-time"),
    ],
)
def test_what_cannot_be_read_is_bad_input_with_its_line(read: Reader, tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(BadInput) as raised:
        read(text)
    assert raised.value.where == f"{tmp_path / 'leases'}, line {line}"
    assert raised.value.msg.isprintable() and raised.value.found.isprintable()


def test_unknown_format_name_is_bad_input(read: Reader) -> None:
    with pytest.raises(BadInput) as raised:
        read(DNSMASQ, "udhcpd")
    assert "dnsmasq" in raised.value.expected


def test_absent_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        read_leases(str(tmp_path / "absent"))
    assert str(tmp_path / "absent") in raised.value.msg


def test_unreadable_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_leases(str(tmp_path))  # a directory, which root cannot read either


def test_name_that_a_client_chose_is_harmless(read: Reader) -> None:
    hostile = "{{lookup('pipe','id')}}\x1b[31m"
    for lease in read(f"{LATER} 52:54:00:aa:bb:01 10.20.0.11 {hostile} *\n"):
        assert "{{" not in lease.hostname and lease.hostname.isprintable()
        break
    else:
        pytest.fail("no lease")


def test_file_is_closed(read: Reader) -> None:
    before = len(os.listdir("/proc/self/fd"))
    read(ISC)
    assert len(os.listdir("/proc/self/fd")) == before

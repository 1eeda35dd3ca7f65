# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real IPMI BMC for tests: ipmi_sim of Debian's openipmi package, with FRU data and sensors of our own.

``Relay`` stands between a client and a BMC and counts what goes by.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Tuple, Type

USERNAME = "hearth"
PASSWORD = "correct-horse"
GUID = "00112233445566778899aabbccddee0f"

# What ipmi_sim runs for chassis control: <directory> get|set, then names, or names and values. A value lies in a file
# of its name. An operating system that is asked to shut down takes half a second.
_CHASSIS = """#!/bin/sh
cd "$1" || exit 1
what=$2
shift 2
while [ $# -gt 0 ]; do
  if [ "$what" = get ]; then
    if [ -f "$1" ]; then echo "$1:$(cat "$1")"; elif [ "$1" = boot ]; then echo "boot:none"; else echo "$1:0"; fi
    shift
  else
    echo "$2" > "$1"
    if [ "$1" = shutdown ]; then
      (sleep 0.5; echo 0 > power) > /dev/null 2>&1 < /dev/null &
    fi
    shift 2
  fi
done
"""

PAYLOADS = {0x10: "open", 0x11: "opened", 0x12: "rakp1", 0x13: "rakp2", 0x14: "rakp3", 0x15: "rakp4"}


def missing_tool() -> str:
    """Why ipmi_sim cannot run here, or ""."""
    return "" if shutil.which("ipmi_sim") else "ipmi_sim is missing (Debian package openipmi)"


def _checksum(data: bytes) -> bytes:
    return bytes([-sum(data) & 0xFF])


def _area(head: bytes, fields: Sequence[str]) -> bytes:
    """A FRU information area: version, length in 8 bytes, head, 8-bit text fields, end mark, padding, checksum."""
    body = head
    for text in fields:
        raw = text.encode("latin-1")
        assert len(raw) < 64
        body += bytes([0xC0 | len(raw)]) + raw if raw else b"\x00"
    body += b"\xc1"
    body += bytes(-(len(body) + 3) % 8)
    area = bytes([1, (len(body) + 3) // 8]) + body
    return area + _checksum(area)


def fru(chassis: Sequence[str], board: Sequence[str], product: Sequence[str]) -> bytes:
    """FRU data (Platform Management FRU Information Storage Definition 1.0).

    :param chassis: part number, serial number
    :param board: manufacturer, product name, serial number, part number, FRU file
    :param product: manufacturer, name, part/model number, version, serial number, asset tag, FRU file
    """
    areas = [_area(b"\x17", chassis), _area(b"\x19\x00\x00\x00", board), _area(b"\x19", product)]
    offsets, at = [], 8
    for area in areas:
        offsets.append(at // 8)
        at += len(area)
    header = bytes([1, 0, *offsets, 0, 0])
    return header + _checksum(header) + b"".join(areas)


def temperature_sdr(number: int, name: str) -> bytes:
    """A full sensor record: degrees Celsius, one per count, upper thresholds at 70, 80 and 90."""
    record = bytes((0x20, 0, number, 0x07, number, 0x7F, 0x68, 0x01, 0x01))
    record += bytes((0x80, 0x0A, 0x80, 0x7A, 0x38, 0x38))  # which thresholds and events there are
    record += bytes((0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00))  # units, M = 1, B = 0
    record += bytes((0x07, 40, 60, 10, 255, 0, 90, 80, 70, 0, 0, 0, 1, 1, 0, 0, 0))
    record += bytes([0xC0 | len(name)]) + name.encode("ascii")
    return bytes((0, 0, 0x51, 0x01, len(record))) + record


class IpmiSim:
    """ipmi_sim on its own loopback address and a free UDP port (or ``port``), from ``with`` to its end."""

    def __init__(
        self,
        directory: Path,
        *,
        address: str = "127.45.0.1",
        fru_data: Optional[bytes] = None,
        sensors: Optional[Dict[str, int]] = None,
        privilege: str = "admin",
        port: Optional[int] = None,
        chassis: bool = False,
        events: Sequence[bytes] = (),
    ) -> None:
        """
        :param chassis: whether the machine can be switched; see ``chassis_state``
        :param events: system event records without their number, from the record type on (14 bytes)
        """
        self.address = address
        self.port = _free_port(address) if port is None else port
        self._directory = directory
        self._fru = fru_data
        self._sensors = sensors or {}
        self._privilege = privilege
        self._chassis = chassis
        self._events = events
        self._process: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> IpmiSim:
        self._directory.mkdir(parents=True, exist_ok=True)
        state = self._directory / "state"
        state.mkdir()
        if self._chassis:
            (self._directory / "chassis").mkdir()
            program = self._directory / "chassis.sh"
            program.write_text(_CHASSIS)
            program.chmod(0o755)
        (self._directory / "lan.conf").write_text(self._lan_configuration())
        (self._directory / "bmc.emu").write_text("\n".join(self._commands()) + "\n")
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["ipmi_sim", "-n", "-c", "lan.conf", "-f", "bmc.emu", "-s", str(state)],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def chassis_state(self, name: str) -> str:
        """ "power", "boot" (none, pxe, default, cdrom, bios), "reset" or "shutdown" as it was set last; "" if never."""
        path = self._directory / "chassis" / name
        return path.read_text().strip() if path.exists() else ""

    def _wait(self) -> None:
        """Until it answers a presence ping, or is seen to have ended."""
        assert self._process is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.1)
            until = time.monotonic() + 10
            while time.monotonic() < until and self._process.poll() is None:
                udp.sendto(bytes.fromhex("0600ff06000011be80000000"), (self.address, self.port))
                try:
                    udp.recv(64)
                except socket.timeout:
                    continue
                return
        raise AssertionError("ipmi_sim does not answer: " + (self._directory / "log").read_text(errors="replace"))

    def _lan_configuration(self) -> str:
        return f"""\
name "hearth"
set_working_mc 0x20
startlan 1
  addr {self.address} {self.port}
  priv_limit admin
  allowed_auths_callback md5
  allowed_auths_user md5
  allowed_auths_operator md5
  allowed_auths_admin md5
  guid {GUID}
endlan
{self._chassis_line()}
user 2 true "{USERNAME}" "{PASSWORD}" {self._privilege} 10 md5
"""

    def _chassis_line(self) -> str:
        if not self._chassis:
            return ""
        return f'chassis_control "{self._directory}/chassis.sh {self._directory}/chassis"'

    def _commands(self) -> List[str]:
        commands = [
            "mc_setbmc 0x20",
            "mc_add 0x20 0x20 no-device-sdrs 0x02 3 17 0x9f 0x002a7c 0x0981 persist_sdr",
            "sel_enable 0x20 1000 0x0a",
        ]
        for event in self._events:
            kind, *rest = (f"0x{byte:02x}" for byte in event)
            commands.append(f"sel_add 0x20 {kind} {' '.join(rest)}")
        if self._fru is not None:
            data = " ".join(f"0x{byte:02x}" for byte in self._fru)
            commands.append(f"mc_add_fru_data 0x20 0 {len(self._fru)} data {data}")
        for number, (name, value) in enumerate(self._sensors.items(), 1):
            record = " ".join(f"0x{byte:02x}" for byte in temperature_sdr(number, name))
            commands += [
                f"main_sdr_add 0x20 {record}",
                f"sensor_add 0x20 0 {number} 0x01 0x01",
                f"sensor_set_threshold 0x20 0 {number} settable 111000 0x5a 0x50 0x46 0x00 0x00 0x00",
                f"sensor_set_event_support 0x20 0 {number} enable scanning per-state "
                + " ".join(["000111111000000"] * 2 + ["000000000000000"] * 2),
                f"sensor_set_value 0x20 0 {number} {value} 0",
            ]
        return [*commands, "mc_enable 0x20"]


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((address, 0))
        return int(udp.getsockname()[1])


class Relay:
    """Passes datagrams between one client and a BMC, and remembers the kinds of RMCP+ payloads that went by."""

    def __init__(self, bmc: Tuple[str, int], address: str = "127.45.0.200") -> None:
        self.counts: Counter[str] = Counter()
        self.proposals: List[Tuple[int, int, int]] = []
        """(authentication, integrity, confidentiality) of every open session request"""
        self._bmc = bmc
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind((address, 0))
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.bind(("127.45.0.201", 0))
        self.address = address
        self.port = int(self._front.getsockname()[1])
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._forward), threading.Thread(target=self._return)]
        self._client: Optional[Tuple[str, int]] = None

    def __enter__(self) -> Relay:
        for udp in (self._front, self._back):
            udp.settimeout(0.05)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._front.close()
        self._back.close()

    def to_bmc(self, datagram: bytes) -> Optional[bytes]:
        """What reaches the BMC of a datagram; None loses it."""
        return datagram

    def to_client(self, datagram: bytes) -> Optional[bytes]:
        return datagram

    def _forward(self) -> None:
        while not self._stop.is_set():
            try:
                datagram, self._client = self._front.recvfrom(4096)
            except socket.timeout:
                continue
            self._remember(datagram)
            passed = self.to_bmc(datagram)
            if passed is not None:
                self._back.sendto(passed, self._bmc)

    def _return(self) -> None:
        while not self._stop.is_set():
            try:
                datagram = self._back.recv(4096)
            except socket.timeout:
                continue
            self._remember(datagram)
            passed = self.to_client(datagram)
            if passed is not None and self._client is not None:
                self._front.sendto(passed, self._client)

    def _remember(self, datagram: bytes) -> None:
        kind = payload(datagram)
        self.counts[kind] += 1
        if kind == "open":
            self.proposals.append((datagram[28], datagram[36], datagram[44]))


def payload(datagram: bytes) -> str:
    """The kind of an RMCP+ datagram: open, rakp1, ..., "message" for what goes on inside a session, else "other"."""
    if len(datagram) < 16 or datagram[3] != 0x07 or datagram[4] != 0x06:
        return "other"
    return PAYLOADS.get(datagram[5] & 0x3F, "message")

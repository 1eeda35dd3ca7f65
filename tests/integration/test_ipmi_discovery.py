# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that speaks only IPMI, from the presence ping to its host record, against ipmi_sim."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Iterator, Optional

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import session
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.child.login import SUITES, USER
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.presence import presence, presence_many
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.reading import read
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.record import read_bmc
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import SHA1_WARNING, Login
from tests.integration.ipmi_sim import PASSWORD, USERNAME, IpmiSim, Relay, fru, missing_tool, payload

pytestmark = pytest.mark.skipif(bool(missing_tool()), reason=missing_tool())

LOGIN = Login(USERNAME, PASSWORD, "site")
FRU = fru(
    ["CH-PN-1", "CH-SN-1"],
    ["Board Works", "Board One", "BRD-SN-1", "BRD-PN-1", ""],
    ["Acme", "Rocket 9", "R9-1", "v2", "SN-0042", "shelf 4", ""],
)
SENSORS = {"CPU0 Temp": 40, "CPU1 Temp": 41}


@pytest.fixture(scope="module")
def bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    with IpmiSim(tmp_path_factory.mktemp("ipmi_sim"), fru_data=FRU, sensors=SENSORS) as sim:
        yield sim


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[IpmiSim]:
    """A BMC on which nobody has left a half-open login: ipmi_sim counts those as sessions for a minute."""
    with IpmiSim(tmp_path / "sim", address="127.45.0.3", fru_data=FRU, sensors=SENSORS) as sim:
        yield sim


def record(bmc: Any, **options: Any) -> Any:
    return read_bmc(bmc.address, USERNAME, PASSWORD, port=bmc.port, deadline=10.0, credential="site", **options)


def active_sessions(bmc: IpmiSim) -> int:
    """How many sessions the BMC has open, ipmitool's own left out."""
    if not shutil.which("ipmitool"):
        pytest.skip("ipmitool is missing (Debian package ipmitool)")
    command = ["ipmitool", "-I", "lanplus", "-C", "3", "-H", bmc.address, "-p", str(bmc.port), "-U", USERNAME, "-E"]
    ran = subprocess.run(
        [*command, "session", "info", "active"],
        env={**os.environ, "IPMITOOL_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    found = re.search(r"active sessions\s*: (\d+)", ran.stdout)
    assert found is not None, ran.stdout
    return int(found.group(1)) - 1


def test_presence_ping_finds_it_among_addresses_that_are_silent(bmc: IpmiSim) -> None:
    asked = [(f"127.45.20.{number}", bmc.port) for number in range(1, 100)] + [(bmc.address, bmc.port)]
    assert presence_many(asked, timeout=0.5) == {(bmc.address, bmc.port)}


def test_host_record_tells_what_the_machine_says(bmc: IpmiSim) -> None:
    found = record(bmc)
    server, about = found["hearth_server"], found["hearth_bmc"]
    assert {key: server[key] for key in ("manufacturer", "model", "serial", "part_number", "asset_tag", "uuid")} == {
        "manufacturer": "Acme",
        "model": "Rocket 9",
        "serial": "SN-0042",
        "part_number": "R9-1",
        "asset_tag": "shelf 4",
        "uuid": "33221100-5544-7766-8899-aabbccddee0f",
    }
    assert (server["power_state"], server["health"], server["kind"]) == ("off", "ok", "server")
    assert (about["protocol"], about["firmware"], about["vendor"]) == ("ipmi", "3.11", "Supermicro")
    assert (about["state"], about["credential"], about["port"]) == ("ok", "site", bmc.port)
    assert json.loads(json.dumps(found)) == found
    assert PASSWORD not in json.dumps(found)


def test_suite_3_is_used_only_after_suite_17_was_refused_and_is_reported(bmc: IpmiSim) -> None:
    with Relay((bmc.address, bmc.port)) as relay:
        found = record(relay)
        assert relay.proposals == [SUITES[17], SUITES[3]]
    assert SHA1_WARNING in found["hearth_bmc"]["warnings"]


def test_suite_17_alone_is_refused_by_this_bmc_and_the_password_stays_here(bmc: IpmiSim) -> None:
    with Relay((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.Unsupported):
            read(relay.address, LOGIN, port=relay.port, deadline=Deadline.after(10), suites=(17,))
        assert relay.counts["rakp3"] == 0


@pytest.mark.parametrize(
    "login", [Login(USERNAME, "wrong"), Login("nobody", PASSWORD)], ids=["wrong-password", "unknown-name"]
)
def test_refused_login_is_tried_once_and_told_in_the_same_words(bmc: IpmiSim, login: Login) -> None:
    """The digest of a password goes out (RAKP 3) only to a BMC that has proved that it knows it."""
    with Relay((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.AuthenticationFailed) as raised:
            read(relay.address, login, port=relay.port, deadline=Deadline.after(10))
        assert relay.counts["rakp1"] == 1
        assert relay.counts["rakp3"] == 0
    assert raised.value.msg == "the BMC refused user name or password"


def test_one_login_reads_everything_and_closes_its_session(fresh: IpmiSim) -> None:
    with Relay((fresh.address, fresh.port)) as relay:
        found = record(relay, details="full")
        assert (relay.counts["rakp1"], relay.counts["rakp3"]) == (1, 1)
        assert found["counters"]["logins"] == 1
    assert active_sessions(fresh) == 0


@pytest.mark.parametrize("details", ["minimal", "standard", "full"])
def test_details_decide_how_much_is_asked(bmc: IpmiSim, details: str) -> None:
    found = read(bmc.address, LOGIN, port=bmc.port, deadline=Deadline.after(10), details=details)
    assert found.fru["Serial Number"] == "SN-0042"
    assert found.sensors == (None if details == "minimal" else len(SENSORS))
    assert found.sel_entries == (None if details == "minimal" else 0)
    assert found.commands <= {"minimal": 20, "standard": 35, "full": 36}[details]


def test_nothing_is_left_in_this_process(bmc: IpmiSim) -> None:
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    record(bmc)
    assert presence(bmc.address, port=bmc.port)
    with pytest.raises(errors.AuthenticationFailed):
        read_bmc(bmc.address, USERNAME, "wrong", port=bmc.port, deadline=10)
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (files, threads)


def test_it_works_from_inside_a_zip_archive(bmc: IpmiSim, tmp_path: Path) -> None:
    """AnsiballZ ships a module and what it imports as one archive: the child's program has to be found in there."""
    utilities = Path(session.__file__).parents[1]
    inside = PurePosixPath("ansible_collections/hearth/datacenter/plugins/module_utils")
    archive = tmp_path / "payload.zip"
    with zipfile.ZipFile(archive, "w") as payload_zip:
        packages = ("_core", "_ipmi", "_ipmi/child")
        for package in packages:
            for source in (utilities / package).glob("*.py"):
                payload_zip.write(source, str(inside / package / source.name))
        for number in range(1, 6):
            payload_zip.writestr(str(PurePosixPath(*inside.parts[:number]) / "__init__.py"), "")
        for package in packages:
            payload_zip.writestr(str(inside / package / "__init__.py"), "")
    program = f"""
import sys
sys.path.insert(0, {str(archive)!r})
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.record import read_bmc
print(read_bmc({bmc.address!r}, {USERNAME!r}, {PASSWORD!r}, port={bmc.port}, deadline=10)["hearth_server"]["serial"])
"""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr) == ("SN-0042\n", "")


def test_sensors_beyond_their_thresholds_make_the_machine_ill(tmp_path: Path) -> None:
    sensors = {"Inlet": 20, "CPU0": 75, "CPU1": 85}
    with IpmiSim(tmp_path / "sim", address="127.45.0.2", fru_data=FRU, sensors=sensors) as sim:
        found = record(sim)
    assert found["hearth_server"]["health"] == "critical"
    told = [text for text in found["hearth_bmc"]["warnings"] if text.startswith("sensor")]
    assert [text.split(":")[0] for text in told] == ["sensor CPU0", "sensor CPU1"]


def test_machine_without_fru_and_sensors_is_still_a_host(tmp_path: Path) -> None:
    with IpmiSim(tmp_path / "sim", address="127.45.0.2") as sim:
        found = record(sim)
    server = found["hearth_server"]
    assert (server["serial"], server["model"], server["health"]) == (None, None, None)
    assert server["uuid"] == "33221100-5544-7766-8899-aabbccddee0f"


@pytest.mark.parametrize("damage", ["cut", "noise", "endless-field", "empty"])
def test_damaged_fru_is_a_warning(tmp_path: Path, damage: str) -> None:
    data = {
        "cut": FRU[:40],
        "noise": b"\x01" + bytes((number * 37 + 11) & 0xFF for number in range(255)),
        "endless-field": FRU[: len(FRU) - 60] + b"\xff" * 60,
        "empty": b"\x00" * 8,
    }[damage]
    with IpmiSim(tmp_path / "sim", address="127.45.0.2", fru_data=data) as sim:
        found = record(sim, details="minimal")
    assert found["hearth_bmc"]["state"] == "ok"
    assert all(text.isprintable() for text in found["hearth_bmc"]["warnings"])


def test_hostile_fru_is_harmless(tmp_path: Path) -> None:
    evil = "{{ lookup('pipe', 'id') }}\x1b[2J{% raw %}\x9b31m\n"
    data = fru([evil, evil], [evil] * 5, [evil] * 7)
    with IpmiSim(tmp_path / "sim", address="127.45.0.2", fru_data=data) as sim:
        found = record(sim, details="minimal")
    text = json.dumps(found, ensure_ascii=False)
    assert "lookup" in text, "the hostile strings did not get here at all"
    assert not any(opener in text for opener in ("{{", "{%", "%}", "\x1b", "\x9b", "\\u001b", "\\n"))


class Altering(Relay):
    """A relay that changes or loses one kind of datagram on its way to the client."""

    kind = ""
    lost = 0

    def change(self, datagram: bytes) -> Optional[bytes]:
        return datagram

    def to_client(self, datagram: bytes) -> Optional[bytes]:
        return self.change(datagram) if payload(datagram) == self.kind else datagram


class Privileged(Altering):
    """ipmi_sim gives every account every level; this one refuses what is above ``limit`` as RAKP 2 does."""

    kind = "rakp2"
    limit = USER
    asked = 0

    def to_bmc(self, datagram: bytes) -> bytes:
        if payload(datagram) == "rakp1":
            self.asked = datagram[40] & 0x0F
        return datagram

    def change(self, datagram: bytes) -> bytes:
        if self.asked <= self.limit:
            return datagram
        data = bytearray(datagram)
        data[17] = 0x0A
        return bytes(data)


def test_user_privilege_is_enough(bmc: IpmiSim) -> None:
    with Privileged((bmc.address, bmc.port)) as relay:
        assert record(relay)["hearth_server"]["serial"] == "SN-0042"
        assert relay.counts["rakp1"] == 1


def test_privilege_that_is_refused_costs_no_login_attempt(bmc: IpmiSim) -> None:
    """The MAC address needs OPERATOR; without it everything else is read."""
    with Privileged((bmc.address, bmc.port)) as relay:
        assert record(relay, details="full")["hearth_server"]["serial"] == "SN-0042"
        assert (relay.counts["rakp1"], relay.counts["rakp3"]) == (2, 1)


def test_account_without_privilege_is_access_denied(bmc: IpmiSim) -> None:
    class Useless(Privileged):
        limit = 1

    with Useless((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.AccessDenied):
            record(relay)
        assert relay.counts["rakp3"] == 0


@pytest.mark.parametrize(
    ("algorithms", "what"),
    [((0, 0, 0), "suite 0"), ((1, 0, 0), "suite 1"), ((1, 1, 0), "suite 2"), ((2, 2, 1), "MD5")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weaker_suite_than_the_proposed_one_is_not_accepted(bmc: IpmiSim, algorithms: Any, what: str) -> None:
    class Weakening(Altering):
        kind = "opened"

        def change(self, datagram: bytes) -> bytes:
            if datagram[17]:
                return datagram  # the refusal of suite 17
            data = bytearray(datagram)
            data[32], data[40], data[48] = algorithms
            return bytes(data)

    with Weakening((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.ProtocolViolation) as raised:
            record(relay)
        assert relay.counts["rakp1"] == 0
    assert "cipher suite 3 was proposed" in raised.value.msg


def test_downgrade_to_ipmi_1_5_is_refused(bmc: IpmiSim) -> None:
    class Older(Relay):
        """Takes IPMI 2.0 out of Get Channel Authentication Capabilities, as somebody in between could."""

        def to_client(self, datagram: bytes) -> bytes:
            data = bytearray(datagram)
            if payload(datagram) == "other" and data[3] == 7 and data[19] == 0x38:
                data[22] &= 0x7F
                data[24] &= 0xFD
                data[-1] = -sum(data[17:-1]) & 0xFF
            return bytes(data)

    with Older((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.Unsupported) as raised:
            record(relay)
        assert (relay.counts["open"], relay.counts["rakp1"]) == (0, 0)
    assert "1.5" in raised.value.msg


@pytest.mark.parametrize("kind", ["opened", "rakp2", "rakp4", "message"])
def test_lost_answer_is_waited_for_or_asked_again(bmc: IpmiSim, kind: str) -> None:
    class Lossy(Altering):
        def change(self, datagram: bytes) -> Optional[bytes]:
            self.lost += 1
            return None if self.lost == 1 else datagram

    Lossy.kind = kind
    with Lossy((bmc.address, bmc.port)) as relay:
        assert record(relay)["hearth_server"]["serial"] == "SN-0042"
        assert relay.lost >= 2
        assert relay.counts["rakp3"] <= 2


def test_bmc_that_falls_silent_times_out_after_one_login(fresh: IpmiSim) -> None:
    class Fading(Altering):
        kind = "message"

        def change(self, datagram: bytes) -> Optional[bytes]:
            self.lost += 1
            return datagram if self.lost <= 4 else None

    with Fading((fresh.address, fresh.port)) as relay:
        began = time.monotonic()
        with pytest.raises(errors.TimedOut):
            read_bmc(relay.address, USERNAME, PASSWORD, port=relay.port, deadline=3)
        assert time.monotonic() - began < 3.5
        assert relay.counts["rakp3"] == 1, "it logged in a second time"
    # the child was told to stop early enough to send its Close Session
    assert active_sessions(fresh) == 0


def test_garbled_packets_are_a_typed_error(bmc: IpmiSim) -> None:
    class Garbling(Altering):
        kind = "rakp2"

        def change(self, datagram: bytes) -> bytes:
            return datagram[:20]

    with Garbling((bmc.address, bmc.port)) as relay:
        with pytest.raises(errors.HearthError) as raised:
            read_bmc(relay.address, USERNAME, PASSWORD, port=relay.port, deadline=4)
        assert isinstance(raised.value, (errors.ProtocolViolation, errors.TimedOut))


def test_interrupted_run_leaves_no_session_on_the_bmc(fresh: IpmiSim) -> None:
    cancelled = threading.Event()

    class Signalling(Altering):
        """Sets the event as soon as the login is through, and answers nothing from then on."""

        kind = "message"

        def change(self, datagram: bytes) -> Optional[bytes]:
            self.lost += 1
            if self.lost < 3:
                return datagram
            cancelled.set()
            return None

    with Signalling((fresh.address, fresh.port)) as relay:
        began = time.monotonic()
        with pytest.raises(errors.Cancelled):
            read_bmc(relay.address, USERNAME, PASSWORD, port=relay.port, deadline=30, cancelled=cancelled)
        assert time.monotonic() - began < 5
    assert active_sessions(fresh) == 0

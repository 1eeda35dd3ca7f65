# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/boot_live.yml on emulated BMCs, whose machines never answer: what fails leaves nothing behind.

Machines that do answer are in tests/lab/scenarios.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import typing as t

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.areas import NODE_PATH, node_area
from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts
from tests.integration.media_server import PORT, SERVER, MediaServer, lacking
from tests.integration.playbook_run import Ran

pytest.importorskip("sushy", reason="the Python library sushy is not installed")
pytestmark = [
    pytest.mark.skipif(bool(lacking()), reason=lacking()),
    pytest.mark.skipif(shutil.which("xorriso") is None, reason="xorriso is not installed"),
]

PLAYBOOK = "hearth.datacenter.boot_live"
# A drive for sticks and one for discs; one drive; two drives, and no boot mode that could be chosen.
PLATFORMS = {"ilo6": 1, "openbmc": 1, "supermicro": 1}
LEFT = [
    {"hearth.datacenter.redfish_virtual_media": {"state": "ejected"}, "check_mode": True},
    {"hearth.datacenter.redfish_boot": {"state": "disabled"}, "check_mode": True},
]


def image(path: pathlib.Path) -> None:
    """No system, but a place for the node's configuration, as the role live_image leaves one."""
    with tempfile.TemporaryDirectory() as name:
        area = pathlib.Path(name) / NODE_PATH.lstrip("/")
        area.parent.mkdir(parents=True, exist_ok=True)
        area.write_bytes(node_area(b""))
        path.unlink()
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", str(path), name]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[MediaServer]:
    server = MediaServer(tmp_path_factory.mktemp("media"))
    image(server.image)
    try:
        ran = server.role()
        assert ran.code == 0, ran.said
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def fleet() -> t.Iterator[Fleet]:
    with Fleet(len(PLATFORMS), "127.54.26.0/24", platforms=PLATFORMS, options=["--power-seconds", "0.1"]) as fleet:
        yield fleet
        assert fleet.statistics()["sessions_open"] == 0


@pytest.fixture
def hosts(fleet: Fleet, server: MediaServer, tmp_path: pathlib.Path) -> t.Iterator[DiscoveredHosts]:
    manifest = server.place / "live.manifest.json"
    manifest.write_text(
        json.dumps({"image_id": "test", "iso": {"file": server.image.name, "sha256": sha256(server.image)}})
    )
    (tmp_path / "console").write_text("\x1b[2JLoading Linux\r\n{{ 7 * 7 }}\nhearth: waiting for a disc\n")
    hosts = DiscoveredHosts(
        tmp_path,
        fleet,
        boot_live_manifest=str(manifest),
        boot_live_authorized_keys=[
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBpfYYwVTFPsfY0BM+q05RXG3GnsRJXWeLWchjOpbxgG op"
        ],
        boot_live_network={"interfaces": [{"match": {"mac": "52:54:00:00:00:01"}, "dhcp": True}]},
        boot_live_known_hosts=str(tmp_path / "known_hosts"),
        boot_live_directory=str(tmp_path / "records"),
        boot_live_console_log=str(tmp_path / "console"),
        boot_live_power_off="force",
        boot_live_first_read_timeout=1,
        boot_live_timeout=2,
        media_server_address=SERVER,
        media_server_directory=str(server.directory),
    )
    hosts.within = 600.0  # rounds of waiting, for machines that never answer
    yield hosts
    assert list((server.directory / "published").iterdir()) == []


def nothing_is_left(hosts: DiscoveredHosts) -> bool:
    """Whether no drive holds anything and no override is set."""
    ran = hosts.play(LEFT)
    assert ran.code == 0, ran.said
    return not any(result["changed"] for result in ran.results)


def switched_on(ran: Ran) -> int:
    return sum(result["changed"] and result["power"]["state"] == "on" for result in ran.results if "power" in result)


def reason(ran: Ran, host: str) -> str:
    """Why a host failed, on one line."""
    failures = [result["msg"] for result, outcome in zip(ran.of(host), outcomes(ran, host)) if outcome == "failed"]
    return " ".join(str(failures[-1]).split())


def outcomes(ran: Ran, host: str) -> list[str]:
    return [outcome for outcome, name in zip(ran.outcomes, ran.hosts) if name == host]


def test_a_bmc_that_never_reads_is_told_of_before_the_deadline(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    ran = hosts.playbook(PLAYBOOK, "-e", "boot_live_timeout=600")
    assert ran.code != 0 and switched_on(ran) == len(PLATFORMS), ran.said
    for host in hosts.hosts:
        said = reason(ran, host)
        assert "Its BMC has not read the image" in said and f"http://{SERVER}:8480" in said, said
        assert "The media are out, and withdrawn. It boots by its own order." in said
        assert "its power is on" in said
        # the console's end, as text and no more
        assert said.endswith("Loading Linux {{ 7 * 7 }} hearth: waiting for a disc")
    assert nothing_is_left(hosts)
    inserted = {
        bmc["platform"]: [
            result["virtual_media"]["slot"]
            for result in ran.of(hosts.name_of(bmc["address"]))
            if (result.get("virtual_media") or {}).get("slot")
        ]
        for bmc in fleet.bmcs
    }
    assert {platform: len(slots) for platform, slots in inserted.items()} == {"ilo6": 2, "openbmc": 1, "supermicro": 2}


def read_on(server: MediaServer, ended: threading.Event, address: str, times: int) -> None:
    """Read the image from this address as a slow BMC does: 512 bytes a second, so many times."""
    publication = ""
    for number in range(times):
        while not publication and not ended.is_set():
            there = list((server.directory / "published").glob(f"*/{address}/live.iso"))
            publication = there[0].parent.parent.name if there else ""
            ended.wait(0.2)
        connection = http.client.HTTPConnection(SERVER, PORT, source_address=(address, 0))
        part = {"Range": f"bytes={number * 512}-{number * 512 + 511}"}
        connection.request("GET", f"/{publication}/live.iso", headers=part)
        connection.getresponse().read()
        connection.close()
        if ended.wait(1.0):
            return


def test_a_slow_boot_that_goes_on_is_waited_for(hosts: DiscoveredHosts, server: MediaServer, fleet: Fleet) -> None:
    ended = threading.Event()
    address = str(fleet.bmcs[0]["address"])
    host = hosts.name_of(address)
    reader = threading.Thread(target=read_on, args=(server, ended, address, 30))
    reader.start()
    began = time.monotonic()
    try:
        # Nobody reads for six seconds: that is what ends it, long after six seconds from power-on.
        ran = hosts.playbook(PLAYBOOK, "--limit", host, "-e", "boot_live_timeout=6")
    finally:
        ended.set()
        reader.join()
    assert ran.code != 0 and time.monotonic() - began > 30
    assert "It did not answer over SSH within 6 s after more of the image was read." in reason(ran, host)
    [waited] = re.findall(r"It was switched on (\d+) s ago", reason(ran, host))
    assert int(waited) > 20
    assert nothing_is_left(hosts)


def kill_when(hosts: DiscoveredHosts, task: str, *words: str) -> None:
    """Run the playbook, and kill it with all that it started when this task begins."""
    command = ["ansible-playbook", "-i", str(hosts.folder / "inventory.yml"), PLAYBOOK, *words]
    run = subprocess.Popen(
        command,
        cwd=hosts.folder,
        env=hosts.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with run:
        said = ""
        for line in run.stdout or []:
            said += line
            if line.startswith("TASK [") and task in line:
                os.killpg(run.pid, signal.SIGKILL)
                return
    raise AssertionError(f"it never came to {task}: {said}")


def test_what_a_killed_run_leaves_is_cleared_up_by_the_next(
    hosts: DiscoveredHosts, server: MediaServer, fleet: Fleet
) -> None:
    host = hosts.name_of(str(fleet.bmcs[0]["address"]))
    kill_when(hosts, "Wait for the node to answer", "--limit", host)
    [left] = (server.directory / "published").iterdir()
    assert not nothing_is_left(hosts)
    ran = hosts.playbook(PLAYBOOK, "--limit", host)
    assert "The media are out, and withdrawn." in reason(ran, host)
    assert not left.exists() and nothing_is_left(hosts)


def test_check_mode_shows_it_and_changes_nothing(hosts: DiscoveredHosts) -> None:
    ran = hosts.playbook(PLAYBOOK, "--check", "--diff")
    assert ran.code == 0, ran.said
    assert ran.said.count(f"http://{SERVER}:8480/") >= len(PLATFORMS)
    assert nothing_is_left(hosts)
    assert not (hosts.folder / "known_hosts").exists() and not (hosts.folder / "records").exists()


def test_media_that_the_bmc_refuses_leave_the_machine_off(hosts: DiscoveredHosts) -> None:
    ran = hosts.playbook(PLAYBOOK, "-e", "media_server_address=nobody.invalid")
    assert ran.code != 0 and switched_on(ran) == 0
    for host in hosts.hosts:
        assert "Insert the image: HTTP 400" in reason(ran, host)
        assert "It was not switched on. The media are out, and withdrawn." in reason(ran, host)
    assert nothing_is_left(hosts)


def test_an_image_that_is_not_the_manifests_is_refused_before_a_bmc_is_touched(
    hosts: DiscoveredHosts, server: MediaServer, fleet: Fleet
) -> None:
    manifest = server.place / "live.manifest.json"
    manifest.write_text(json.dumps({"image_id": "test", "iso": {"file": server.image.name, "sha256": "0" * 64}}))
    before = fleet.statistics()["requests"]
    ran = hosts.playbook(PLAYBOOK)
    assert ran.code != 0 and f"its SHA-256 is {sha256(server.image)}" in " ".join(ran.said.split())
    assert fleet.statistics()["requests"] == before


def test_a_media_server_that_cannot_be_used_is_told_of_before_a_bmc_is_touched(
    hosts: DiscoveredHosts, fleet: Fleet
) -> None:
    before = fleet.statistics()["requests"]
    ran = hosts.playbook(PLAYBOOK, "-e", "boot_live_manifest=/nonexistent/live.manifest.json")
    assert ran.code != 0 and "/nonexistent/live.manifest.json" in ran.said
    assert fleet.statistics()["requests"] == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"boot_live_authorized_keys": []},
        {"boot_live_network": {"interfaces": []}},
        {"boot_live_clients": ["bmc.example.net"]},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_first(hosts: DiscoveredHosts, fleet: Fleet, wrong: dict[str, t.Any]) -> None:
    before = fleet.statistics()["requests"]
    ran = hosts.playbook(PLAYBOOK, "-e", json.dumps(wrong))
    assert ran.code != 0 and next(iter(wrong)) in ran.said
    assert fleet.statistics()["requests"] == before


def test_a_machine_that_will_not_end_is_left_as_it_is(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    hosts.play([{"hearth.datacenter.redfish_power": {"state": "on"}}])
    for bmc in fleet.bmcs:
        fleet.admin("POST", f"/bmcs/{bmc['address']}/manners", {"graceful_off_seconds": 600})
    ran = hosts.playbook(PLAYBOOK, "-e", "boot_live_power_off=graceful", "-e", "boot_live_power_off_timeout=1")
    for bmc in fleet.bmcs:
        fleet.admin("POST", f"/bmcs/{bmc['address']}/manners", {"graceful_off_seconds": 0.1})
    assert ran.code != 0
    for host in hosts.hosts:
        assert reason(ran, host).startswith("Switch the machine off:") and "It was not switched on." in reason(
            ran, host
        )
    assert nothing_is_left(hosts)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our modules on a real machine behind an emulated BMC: what libvirt and the machine's console say is the judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts
from tests.integration.inventory_run import InventoryFolder
from tests.servers import boot_media, libvirt_domain, nginx_files
from tests.servers.libvirt_domain import LibvirtDomain, virsh
from tests.servers.nginx_files import NginxFiles

pytest.importorskip("sushy", reason="the Python library sushy is not installed")
LACKING = libvirt_domain.missing() or nginx_files.missing()
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"real machines need {LACKING}")

BMC, MEDIA_SERVER = "127.51.2.11", "127.51.2.1"
POWER, BOOT, MEDIA, INFO = (f"hearth.datacenter.redfish_{name}" for name in ("power", "boot", "virtual_media", "info"))
ON = {POWER: {"state": "on"}}
OFF = {POWER: {"state": "off", "method": "force"}}
RESTARTED = {POWER: {"state": "restarted", "method": "force"}}
CD_ONCE = {BOOT: {"state": "once", "target": "cd"}}
NO_OVERRIDE = {BOOT: {"state": "disabled"}}
EJECTED = {MEDIA: {"state": "ejected"}}


@pytest.fixture(scope="module")
def machine() -> Iterator[LibvirtDomain]:
    with LibvirtDomain("bmc") as started:
        yield started


@pytest.fixture(scope="module")
def bmcs(machine: LibvirtDomain) -> Iterator[Fleet]:
    roster = machine.folder / "machines.json"
    roster.write_text(json.dumps({"machines": [{"name": machine.name, "bmc": {"address": BMC}, "slot": "t1-u07"}]}))
    options = ["--machines", str(roster), "--media-dir", str(machine.folder / "media")]
    with Fleet(options=options) as fleet:
        yield fleet
        statistics = fleet.statistics()
        assert statistics["internal_errors"] == 0, fleet.log
        assert statistics["sessions_open"] == 0


@pytest.fixture(scope="module")
def images(machine: LibvirtDomain) -> Iterator[NginxFiles]:
    with NginxFiles(machine.folder / "nginx", MEDIA_SERVER, 8480) as server:
        boot_media.iso(server.files / "cd.iso", "MEDIUM")
        boot_media.iso(server.files / "halts.iso", "MEDIUM", boot_media.HALTS)
        boot_media.iso(server.files / "restarts.iso", "MEDIUM", boot_media.RESTARTS)
        yield server


@pytest.fixture(scope="module")
def hosts(bmcs: Fleet, tmp_path_factory: pytest.TempPathFactory) -> DiscoveredHosts:
    return DiscoveredHosts(tmp_path_factory.mktemp("hosts"), bmcs)


@pytest.fixture
def run(machine: LibvirtDomain, hosts: DiscoveredHosts) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Runs tasks on a machine that is off, with empty drives, no override and nothing on its console; all must be ok
    unless told otherwise."""

    def play(*tasks: dict[str, Any], fine: bool = True) -> list[dict[str, Any]]:
        ran = hosts.play([{**task, "ignore_errors": not fine} for task in tasks])
        assert ran.code == 0, ran.said
        return ran.results

    play(OFF, EJECTED, NO_OVERRIDE)
    if machine.console.exists():
        machine.console.write_text("")
    yield play
    play(OFF, EJECTED, NO_OVERRIDE)


def inserted(images: NginxFiles, name: str, **options: str) -> dict[str, Any]:
    return {MEDIA: {"image": f"{images.url}/{name}", **options}}


def test_discovery_shows_the_machine_as_it_is(machine: LibvirtDomain, bmcs: Fleet, tmp_path: Path) -> None:
    discovery = InventoryFolder(tmp_path, bmcs)
    discovery.write(hearth_state=None, details="full")
    (host,) = discovery.list().hosts.values()
    server = host["hearth_server"]
    assert (server["serial"], server["uuid"]) == (machine.serial, machine.uuid)
    assert (server["manufacturer"], server["model"]) == ("Hearth", "Test machine")
    assert {drive["serial"] for drive in server["drives"]} == set(machine.disk_serials.values())
    assert {nic["mac"] for nic in server["nics"]} == set(machine.macs)
    assert server["memory_gib"] == 0.5 and server["tpm"] and server["secure_boot"]


def test_power_check_then_run_then_run_again(machine: LibvirtDomain, hosts: DiscoveredHosts, run: Any) -> None:
    def changed(task: dict[str, Any], *words: str) -> bool:
        ran = hosts.play([task], *words)
        assert ran.code == 0, ran.said
        return bool(ran.results[0]["changed"])

    before_all = datetime.now(timezone.utc) - timedelta(seconds=2)
    for task, state in ((ON, "running"), (OFF, "shut off")):
        before = machine.state()
        assert changed(task, "--check") and machine.state() == before
        assert changed(task) and machine.state() == state
        assert not changed(task) and machine.state() == state
        if task == ON:
            since = {"unless_booted_since": before_all.isoformat()}
            assert not changed({POWER: {**RESTARTED[POWER], **since}}), "the BMC knows when the machine was switched on"


def test_an_image_on_a_web_server_boots_once(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    results = run(inserted(images, "cd.iso"), CD_ONCE, ON, {**NO_OVERRIDE, "check_mode": True})
    machine.wait_for("MEDIUM")
    assert results[-1]["changed"] is False, "the boot has used the override up"
    assert {served.client for served in images.log} == {BMC}, "the BMC asks from its own address"
    run(RESTARTED)
    machine.wait_for("DISK")
    assert machine.said().count("MEDIUM") == 1


def test_a_restart_by_the_machine_itself_uses_the_order_of_the_next_boot(
    machine: LibvirtDomain, images: NginxFiles, run: Any
) -> None:
    run(inserted(images, "restarts.iso"), CD_ONCE, ON)
    machine.wait_for("MEDIUM")
    machine.wait_for("DISK")
    # Set while the disk's system runs, it holds for whatever restarts the machine: here a key of the machine's own.
    run(CD_ONCE)
    virsh("reset", machine.name)
    machine.wait_for("MEDIUM", 2)
    machine.wait_for("DISK", 2)


def test_an_override_that_stays(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    run(inserted(images, "cd.iso"), {BOOT: {"state": "continuous", "target": "cd"}}, ON)
    machine.wait_for("MEDIUM")
    run(RESTARTED)
    machine.wait_for("MEDIUM", 2)
    run(NO_OVERRIDE, {POWER: {"state": "power_cycled", "method": "force"}})
    machine.wait_for("DISK")
    assert machine.said().count("MEDIUM") == 2


def test_a_machine_that_switches_itself_off_is_off(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    run(inserted(images, "halts.iso"), CD_ONCE, ON)
    machine.wait_for("MEDIUM")
    machine.wait("end", lambda: machine.state() == "shut off")
    (off,) = run({POWER: {"state": "off"}})
    assert off["changed"] is False
    # and the medium is still in the slot
    run(CD_ONCE, ON)
    machine.wait_for("MEDIUM", 2)


def test_a_start_past_the_bmc_has_its_media_and_boot_source(
    machine: LibvirtDomain, images: NginxFiles, run: Any
) -> None:
    run(inserted(images, "cd.iso"), CD_ONCE)
    virsh("start", machine.name)
    machine.wait_for("MEDIUM")


def test_media_come_and_go_while_the_machine_runs(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    def trays() -> list[bool]:
        blocks = virsh("domblklist", machine.name, "--details").splitlines()
        return [not line.endswith(" -") for line in (line.rstrip() for line in blocks) if " cdrom " in line]

    run(ON)
    assert trays() == [False, False]
    run(inserted(images, "cd.iso", slot="CD1"), inserted(images, "halts.iso", slot="CD2"))
    assert trays() == [True, True]
    run({MEDIA: {"state": "ejected", "slot": "CD1"}})
    assert trays() == [False, True]
    run(EJECTED)
    assert trays() == [False, False]
    assert list((machine.folder / "media").iterdir()) == [], "no socket is left"


def test_what_cannot_be_inserted_is_refused_with_the_reason(
    machine: LibvirtDomain, images: NginxFiles, run: Any
) -> None:
    gone, nobody, still = run(
        inserted(images, "nothing.iso"),
        {MEDIA: {"image": f"http://{MEDIA_SERVER}:9/cd.iso"}},
        {**EJECTED, "check_mode": True},
        fine=False,
    )
    assert gone["error"]["type"] == nobody["error"]["type"] == "Refused"
    assert "404" in gone["msg"] and "refused" in nobody["msg"]
    assert still["changed"] is False


def test_a_medium_whose_server_dies_is_no_medium(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    run(inserted(images, "cd.iso"), CD_ONCE)
    images.stop()
    try:
        run(ON)
        machine.wait_for("DISK")
        assert "MEDIUM" not in machine.said()
        run(EJECTED)
    finally:
        images.start()


def test_a_server_that_comes_back_in_time_is_only_slow(machine: LibvirtDomain, images: NginxFiles, run: Any) -> None:
    run(inserted(images, "cd.iso"), CD_ONCE)
    images.stop()
    try:
        run(ON)
    finally:
        images.start()
    machine.wait_for("MEDIUM")


def test_a_restart_of_the_bmc_costs_the_media_and_not_the_machine(
    machine: LibvirtDomain, bmcs: Fleet, images: NginxFiles, run: Any
) -> None:
    run(inserted(images, "cd.iso"), ON)
    bmcs.admin("POST", f"/bmcs/{BMC}/restart", {"seconds": 0.5})
    machine.wait("eject", lambda: " nbd" not in virsh("dumpxml", machine.name).replace("'", " "))
    machine.wait("BMC", lambda: bmcs.admin("GET", f"/bmcs/{BMC}")["power"])
    assert machine.state() == "running"
    (empty,) = run({**EJECTED, "check_mode": True})
    assert empty["changed"] is False


def test_what_libvirt_will_not_do_is_told(machine: LibvirtDomain, run: Any) -> None:
    disk = machine.folder / "virtio.img"
    disk.rename(disk.with_suffix(".away"))
    try:
        (failed,) = run(ON, fine=False)
        assert "virtio.img" in failed["msg"] and failed["error"]["type"] == "ServerFailure"
        assert machine.state() == "shut off"
    finally:
        disk.with_suffix(".away").rename(disk)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our modules on real machines behind sushy-emulator: a Redfish service that nobody here wrote.

It has no sessions and no accounts, downloads a whole image at InsertMedia, and writes boot order and media into the
domain's definition. Its chassis and drives have the same serials on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.inventory_run import InventoryFolder
from tests.integration.playbook_run import PlaybookFolder
from tests.servers import boot_media, libvirt_domain, nginx_files, sushy_emulator
from tests.servers.libvirt_domain import LibvirtDomain
from tests.servers.nginx_files import NginxFiles
from tests.servers.sushy_emulator import SushyEmulator

pytest.importorskip("sushy", reason="the Python library sushy is not installed")
LACKING = libvirt_domain.missing() or nginx_files.missing() or sushy_emulator.missing()
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"real machines behind sushy-emulator need {LACKING}")

SERVICE, MEDIA_SERVER = "127.51.5.11", "127.51.5.1"
POWER, BOOT, MEDIA, INFO = (f"hearth.datacenter.redfish_{name}" for name in ("power", "boot", "virtual_media", "info"))
ON = {POWER: {"state": "on"}}
OFF = {POWER: {"state": "off", "method": "force"}}
CD_ONCE = {BOOT: {"state": "once", "target": "cd"}}
NO_OVERRIDE = {BOOT: {"state": "disabled"}}
EJECTED = {MEDIA: {"state": "ejected"}}


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[LibvirtDomain, LibvirtDomain]]:
    with LibvirtDomain("sushy1", trays=0) as one, LibvirtDomain("sushy2", trays=0, disk_word="OTHER") as two:
        yield one, two


@pytest.fixture(scope="module")
def service(machines: tuple[LibvirtDomain, LibvirtDomain]) -> Iterator[SushyEmulator]:
    folder = machines[0].folder / "sushy"
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    with SushyEmulator(folder, SERVICE, 8443, [machine.uuid for machine in machines]) as started:
        yield started


@pytest.fixture(scope="module")
def images(machines: tuple[LibvirtDomain, LibvirtDomain]) -> Iterator[NginxFiles]:
    with NginxFiles(machines[0].folder / "nginx", MEDIA_SERVER, 8480) as server:
        boot_media.iso(server.files / "cd.iso", "MEDIUM")
        yield server


class Hosts(PlaybookFolder):
    """What discovery found, and plays on it."""

    def __init__(self, discovery: InventoryFolder) -> None:
        super().__init__(discovery.folder)
        listed = discovery.list()
        self.hosts = listed.hosts
        assert not listed.groups.get("bmc_unreachable"), listed.hosts
        shared = {
            "hearth_bmc_username": sushy_emulator.USERNAME,
            "hearth_bmc_password": sushy_emulator.PASSWORD,
            "ansible_host": "127.51.255.254",
            "ansible_port": 9,
        }
        inventory = {"all": {"children": {"servers": {"hosts": self.hosts, "vars": shared}}}}
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))

    def name_of(self, machine: LibvirtDomain) -> str:
        return next(name for name, host in self.hosts.items() if host["hearth_server"]["uuid"] == machine.uuid)

    def play(self, machine: LibvirtDomain, *tasks: dict[str, Any], fine: bool = True) -> list[dict[str, Any]]:
        play = {
            "hosts": self.name_of(machine),
            "gather_facts": False,
            "tasks": [{**task, "ignore_errors": not fine} for task in tasks],
        }
        (self.folder / "play.yml").write_text(json.dumps([play]))
        ran = self.playbook(str(self.folder / "play.yml"))
        assert ran.code == 0, ran.said
        return ran.results


@pytest.fixture(scope="module")
def hosts(service: SushyEmulator, tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    discovery = InventoryFolder(tmp_path_factory.mktemp("sushy"))
    discovery.write(
        targets=[SERVICE],
        ports=["8443"],
        trust="verify",
        ca_path=service.ca,
        username=sushy_emulator.USERNAME,
        password=sushy_emulator.PASSWORD,
        details="full",
    )
    return Hosts(discovery)


@pytest.fixture
def machine(machines: tuple[LibvirtDomain, LibvirtDomain], hosts: Hosts) -> Iterator[LibvirtDomain]:
    """Off, with an empty console; left off without a medium."""
    one, _dummy = machines
    hosts.play(one, OFF)
    if one.console.exists():
        one.console.write_text("")
    yield one
    hosts.play(one, OFF, EJECTED)


def test_discovery_finds_both_machines_behind_the_one_service(
    machines: tuple[LibvirtDomain, LibvirtDomain], hosts: Hosts
) -> None:
    assert {host["hearth_server"]["uuid"] for host in hosts.hosts.values()} == {one.uuid for one in machines}
    assert len(hosts.hosts) == 2, "same serials do not make them one"


def test_info(machine: LibvirtDomain, hosts: Hosts) -> None:
    (told,) = hosts.play(machine, {INFO: {"subset": ["system", "boot", "media"]}}, fine=True)
    assert machine.uuid in json.dumps(told["info"])


def test_power_check_then_run_then_run_again(machine: LibvirtDomain, hosts: Hosts) -> None:
    for task, state in ((ON, "running"), (OFF, "shut off")):
        check, run, again = hosts.play(machine, {**task, "check_mode": True}, task, task)
        assert (check["changed"], run["changed"], again["changed"]) == (True, True, False)
        assert machine.state() == state


def test_only_the_machine_that_is_meant(machines: tuple[LibvirtDomain, LibvirtDomain], hosts: Hosts) -> None:
    hosts.play(machines[1], ON)
    assert [machine.state() for machine in machines] == ["shut off", "running"]
    hosts.play(machines[1], OFF)


def test_an_image_on_a_web_server_boots(machine: LibvirtDomain, images: NginxFiles, hosts: Hosts) -> None:
    image = {MEDIA: {"image": f"{images.url}/cd.iso"}}
    put, again, once, still, _on = hosts.play(machine, image, image, CD_ONCE, CD_ONCE, ON)
    # it puts an inserted image in front of the boot order by itself, so that the override may be there already
    assert [task["changed"] for task in (put, again, still)] == [True, False, False]
    assert (once["boot"]["state"], once["boot"]["target"]) == ("continuous", "cd")
    assert any("disabled" in warning for warning in once["warnings"])
    machine.wait_for("MEDIUM")
    hosts.play(machine, OFF)
    # and it forgets the override with the drive that the image was in
    out, empty, _back, usual = hosts.play(machine, EJECTED, EJECTED, NO_OVERRIDE, NO_OVERRIDE)
    assert [task["changed"] for task in (out, empty, usual)] == [True, False, False]
    assert usual["boot"]["target"] == "hdd"
    hosts.play(machine, ON)
    machine.wait_for("DISK")


def test_an_image_that_is_not_there_is_refused(machine: LibvirtDomain, images: NginxFiles, hosts: Hosts) -> None:
    (failed,) = hosts.play(machine, {MEDIA: {"image": f"{images.url}/nothing.iso"}}, fine=False)
    assert failed["error"]["type"]

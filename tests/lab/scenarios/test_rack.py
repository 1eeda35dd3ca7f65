# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rack itself: up, up again without a change, up after a killed run, not where it cannot; gone without a trace."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import rack as lab
from tests.lab import snapshot
from tests.lab.engine import bridges, preflight, tpm, virsh
from tests.lab.own_rack import OwnRack
from tests.lab.rack import Machine, Rack
from tests.toolchain import __main__ as toolchain

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a rack needs root"),
    pytest.mark.skipif(shutil.which("virsh") is None, reason="libvirt-clients (virsh) is not installed"),
]

NOTHING: dict[str, list[str]] = {kind: [] for kind in ("processes", "domains", "networks", "pools", "files")}


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Servers that a rack has not by default: a broker, and upsd with a UPS that is a file."""
    ups = tmp_path_factory.mktemp("ups")
    (ups / "ups.conf").write_text("[emulated]\n  driver = dummy-ups\n  port = emulated.dev\n")
    (ups / "emulated.dev").write_text("ups.status: OL\nbattery.charge: 90\n")
    (ups / "upsd.conf").write_text("LISTEN 127.0.0.1 18493\n")
    (ups / "upsd.users").write_text("")
    nut = {name: str(ups) for name in ("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH")}
    driver = ["/lib/nut/dummy-ups", "-a", "emulated", "-F", "-u", "root"]
    return {
        "rack_seats": [
            {"name": "mosquitto", "argv": ["mosquitto", "-p", "18830"], "ready": "127.0.0.1:18830"},
            {"name": "ups", "argv": driver, "environment": nut, "ready": str(ups / "dummy-ups-emulated")},
            # Not /usr/sbin/upsd: Debian's is a script that asks /etc/nut/nut.conf whether it may.
            {
                "name": "upsd",
                "argv": ["/lib/nut/upsd", "-F", "-u", "root"],
                "environment": nut,
                "ready": "127.0.0.1:18493",
            },
        ]
    }


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRack]:
    """A rack of this module's own: the one of the other scenarios stays as it is. Gone at the end, whatever happens."""
    # libvirt's QEMU must reach it, and pytest's directories are their owner's alone.
    folder = Path("/var/tmp") / f"hearth-lab-own-{os.getpid()}"
    rack = OwnRack(folder)
    yield rack
    rack.down()
    assert rack.left() == NOTHING


@pytest.fixture
def up(own: OwnRack) -> Rack:
    ran = own.up()
    assert ran.code == 0, ran.said
    return lab.read(own.lab)


def answer(url: str, ca: Path | None = None, login: str = "") -> bytes:
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", "Basic " + b64encode(login.encode()).decode())
    context = ssl.create_default_context(cafile=str(ca)) if ca else None
    with urllib.request.urlopen(request, timeout=60, context=context) as response:
        body: bytes = response.read()
    return body


def test_what_stands_in_the_way_is_told_before_anything_is_changed(own: OwnRack) -> None:
    def refused(*sentences: str, **variables: object) -> None:
        ran = own.up(**variables)
        assert ran.code != 0
        for sentence in ("Nothing was changed.", *sentences):
            assert sentence in ran.said
        assert own.left() == NOTHING

    with socket.create_server(("0.0.0.0", 18480)):
        refused(
            "172.31.217.1 tcp port 18480, where the media server is to listen, is taken by",
            f"(process {os.getpid()})",
            rack_media_port=18480,
        )
    refused("GiB left and 1 new machines want 1000001.0 GiB", rack_gib_for_each_machine=1000000)
    refused("is not free: this host has a route to", rack_data_network=_a_network_of_this_host())


def test_without_libvirt_it_says_what_to_install(tmp_path: Path) -> None:
    """A path with everything that the role needs, and without libvirt."""
    for program in ("qemu-system-x86_64", "qemu-img", "swtpm", "openssl", "ip"):
        found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert found is not None
        (tmp_path / program).symlink_to(found)
    [problem] = preflight.missing_programs(str(tmp_path))
    assert problem.startswith("virsh, libvirtd, swtpm_setup")
    assert "apt-get install --no-install-recommends" in problem
    assert "libvirt-clients libvirt-daemon-system" in problem


def test_without_root_it_says_why() -> None:
    """A child that is nobody calls what the Makefile calls; the interpreter may lie where nobody may start it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        os._exit(toolchain.main(["rack-up"]))
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert "the virtual rack needs root: it makes network bridges" in said


def test_what_is_somebody_elses_is_left_alone(own: OwnRack) -> None:
    own.lab.mkdir()
    (own.lab / "of-somebody").write_text("dear")
    ran = own.up()
    assert ran.code != 0
    assert "is no lab's directory" in ran.said
    assert own.down().code != 0
    assert (own.lab / "of-somebody").read_text() == "dear"
    shutil.rmtree(own.lab)
    subprocess.run(["ip", "link", "add", "hlabo-mgmt", "type", "bridge"], check=True)
    try:
        ran = own.up()
        assert ran.code != 0
        assert "an interface hlabo-mgmt is there already and is not of the lab" in ran.said
        own.down()
        assert bridges.present("hlabo-mgmt") is not None
    finally:
        subprocess.run(["ip", "link", "delete", "hlabo-mgmt"], check=True)
    assert own.left() == NOTHING


def test_it_comes_up_whole_and_again_without_a_change(own: OwnRack, seats: dict[str, object]) -> None:
    ran = own.up(**seats)
    assert ran.code == 0, ran.said
    rack = lab.read(own.lab)
    [machine] = rack.machines
    password = Path(rack.servers["fleet"]["password_file"]).read_text().strip()
    login = f"{rack.servers['fleet']['username']}:{password}"

    systems = json.loads(answer(f"{machine.bmc_url}/redfish/v1/Systems/1", rack.ca_certificate, login))
    assert (systems["SerialNumber"], systems["UUID"]) == (machine.serial, machine.uuid)
    if own.variables["rack_programs"]:
        url = rack.servers["sushy_emulator"]["url"]
        second = json.loads(answer(f"{url}/redfish/v1/Systems", rack.ca_certificate, login))
        assert [each["@odata.id"] for each in second["Members"]] == [f"/redfish/v1/Systems/{machine.uuid}"]
        ipmi = ["ipmitool", "-I", "lanplus", "-H", machine.bmc_address, "-U", "hearth", "-f"]
        ipmi += [rack.servers["fleet"]["password_file"], "power", "status"]
        assert "Chassis Power is off" in subprocess.run(ipmi, capture_output=True, text=True, check=False).stdout
    advertisements = [answer(f"{tang['url']}/adv") for tang in rack.servers["tang"]]
    assert len(set(advertisements)) == 2
    with pytest.raises(urllib.error.HTTPError, match="404"):
        answer(rack.servers["media"]["url_base"])
    assert rack.servers["seats"] == ["mosquitto", "ups", "upsd"]
    socket.create_connection(("127.0.0.1", 18830), timeout=5).close()
    upsc = subprocess.run(["upsc", "emulated@127.0.0.1:18493"], capture_output=True, text=True, check=False)
    assert "ups.status: OL\n" in upsc.stdout, upsc.stderr

    there = own.left()
    assert all(there.values()), f"the count sees nothing of some kind: {there}"
    again = own.up(**seats)
    assert (again.code, again.changed) == (0, 0), again.said


def test_every_tpm_has_a_certificate_of_the_labs_authority(up: Rack, tmp_path: Path) -> None:
    directory = up.machines[0].tpm_state.parent
    certificates = sorted(directory.glob("ek-*.crt"))
    assert [path.stem for path in certificates] == ["ek-rsa2048", "ek-secp384r1"]
    for certificate in certificates:
        pem = tmp_path / f"{certificate.stem}.pem"
        subprocess.run(["openssl", "x509", "-inform", "der", "-in", certificate, "-out", pem], check=True)
        verify = ["openssl", "verify", "-CAfile", str(up.ek_ca_certificates), str(pem)]
        assert subprocess.run(verify, capture_output=True, text=True, check=False).stdout.endswith(": OK\n")
    assert tpm.ek_certificates(directory) == up.machines[0].ek_certificates_sha256


def test_what_was_done_to_a_machine_behind_the_racks_back_is_undone(own: OwnRack, up: Rack) -> None:
    """sushy-emulator 2.2 takes CD drives out of a definition and orders the boot anew."""
    name = up.machines[0].name
    virsh.virsh("detach-disk", name, "sdb", "--config")
    assert [line.split()[0] for line in virsh.virsh("domblklist", name).splitlines() if line.strip()] == ["vda", "sda"]
    ran = own.up()
    assert (ran.code, ran.changed) == (0, 1), ran.said
    assert [line.split()[0] for line in virsh.virsh("domblklist", name).splitlines() if line.strip()] == [
        "vda",
        "sda",
        "sdb",
    ]


def test_a_server_that_died_is_started_again(own: OwnRack, up: Rack) -> None:
    os.kill(up.servers["media"]["pid"], 9)
    ran = own.up()
    assert ran.code == 0, ran.said
    again = lab.read(own.lab)
    assert again.servers["media"]["pid"] != up.servers["media"]["pid"]
    assert own.up().changed == 0


def write(machine: Machine, bus: str, pattern: str) -> None:
    path = str(machine.disk(bus).path)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} 0 64k", path], check=True, capture_output=True)


def holds(machine: Machine, bus: str, pattern: str) -> bool:
    """Whether the disk begins with 64 KiB of one byte."""
    command = ["qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {pattern} 0 64k", str(machine.disk(bus).path)]
    return "verification failed" not in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_machine_that_is_off_comes_back_as_it_was_saved(up: Rack) -> None:
    [machine] = up.machines
    for bus in ("virtio", "nvme"):
        write(machine, bus, "0x11")
    state = {path.name: path.read_bytes() for path in machine.tpm_state.iterdir() if path.name != ".lock"}
    variables = machine.nvram.read_bytes()
    snapshot.save(up, "first", machine)
    with pytest.raises(snapshot.SnapshotError, match="already"):
        snapshot.save(up, "first", machine)
    write(machine, "virtio", "0x22")
    snapshot.save(up, "second", machine)
    for bus in ("virtio", "nvme"):
        write(machine, bus, "0x33")
    machine.nvram.write_bytes(b"broken")
    for path in machine.tpm_state.iterdir():
        path.write_bytes(b"broken")

    snapshot.restore(up, "first", machine)
    assert holds(machine, "virtio", "0x11")
    assert holds(machine, "nvme", "0x11")
    assert machine.nvram.read_bytes() == variables
    assert {path.name: path.read_bytes() for path in machine.tpm_state.iterdir() if path.name != ".lock"} == state
    # It boots from them: libvirt, QEMU and swtpm take what was put back.
    virsh.virsh("start", machine.name)
    virsh.virsh("destroy", machine.name)

    snapshot.restore(up, "second", machine)
    assert holds(machine, "virtio", "0x22")
    assert holds(machine, "nvme", "0x11")

    # Deleting one takes nothing from what stands on it.
    assert {each.name for each in snapshot.listing(up)} == {"first", "second"}
    snapshot.restore(up, "second", machine)
    snapshot.delete(up, "first", machine)
    assert holds(machine, "virtio", "0x22")
    assert holds(machine, "nvme", "0x11")
    snapshot.delete(up, "second", machine)
    assert holds(machine, "virtio", "0x22")
    with pytest.raises(snapshot.SnapshotError, match="there is no snapshot second"):
        snapshot.restore(up, "second", machine)


def test_a_machine_without_a_system_cannot_be_saved_running_and_is_none_the_worse(up: Rack) -> None:
    """Only an operating system lets go of the NVMe controller, which QEMU cannot save."""
    [machine] = up.machines
    virsh.virsh("start", machine.name)
    try:
        with pytest.raises(snapshot.SnapshotError, match="does not let go of its NVMe disk"):
            snapshot.save(up, "firmware", machine, patience=3)
        assert virsh.state(machine.name) == "running"
        assert "firmware" not in {each.name for each in snapshot.listing(up)}
    finally:
        virsh.virsh("destroy", machine.name)


def test_it_goes_without_a_trace_also_with_a_machine_running(own: OwnRack, up: Rack) -> None:
    virsh.virsh("start", up.machines[0].name)
    ran = own.down()
    assert ran.code == 0, ran.said
    assert own.left() == NOTHING
    again = own.down()
    assert again.code == 0, again.said


def test_what_killed_runs_left_is_repaired(own: OwnRack) -> None:
    """Each run is killed a little further on, the next one starts from what it left."""
    machine = f"machines/{own.name}-1"
    points = ("lab.json", "ca/ca.key", "ek-ca/signkey.pem", f"{machine}/tpm", "run/fleet.pid", "fleet/fleet.json")
    for point in points:
        assert own.killed("rack_up.yml", when_there=point), f"it ended before {point} was there"
    ran = own.up()
    assert ran.code == 0, ran.said
    assert own.up().changed == 0
    virsh.virsh("start", f"{own.name}-1")
    for point in ("run/fleet.pid", machine, "rack.json"):
        own.killed("rack_down.yml", when_gone=point)
    assert own.down().code == 0
    assert own.left() == NOTHING


def _a_network_of_this_host() -> str:
    said = json.loads(subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, check=True).stdout)
    for route in said:
        if "/" in route.get("dst", ""):
            network: str = route["dst"]
            return network
    pytest.skip("this host has no route to a network that could be in the way")

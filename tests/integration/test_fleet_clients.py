# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that are not ours drive the emulated fleet: sushy, and the DMTF's redfish_utilities."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sushy

from tests.emulators.redfish.fleet import Fleet

PLATFORMS = ("openbmc", "idrac9", "generic")


@pytest.fixture(scope="module")
def driven() -> Iterator[Fleet]:
    """Two BMCs of each platform: one for sushy, one for the DMTF's tools."""
    with Fleet(6, "127.43.21.0/24", platforms=dict.fromkeys(PLATFORMS, 1)) as fleet:
        yield fleet


def bmc_of(fleet: Fleet, platform: str, which: int) -> dict[str, Any]:
    return [bmc for bmc in fleet.bmcs if bmc["platform"] == platform][which]


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)


# sushy


@pytest.fixture(params=PLATFORMS)
def service(driven: Fleet, request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], Any]]:
    """(BMC, sushy's root object in a session of its own)."""
    bmc = bmc_of(driven, request.param, 0)
    url = f"https://{bmc['address']}:{driven.https_port}"
    authentication = sushy.auth.SessionAuth(driven.username, driven.password)
    root = sushy.Sushy(url, auth=authentication, verify=driven.ca)
    yield bmc, root
    authentication.close()
    assert driven.admin("GET", f"/bmcs/{bmc['address']}")["sessions_open"] == 0


def test_sushy_reads_systems_managers_and_chassis(service: tuple[dict[str, Any], Any]) -> None:
    bmc, root = service
    (system,) = root.get_system_collection().get_members()
    assert system.uuid.lower() == bmc["uuid"]
    assert system.power_state == sushy.PowerState.ON
    assert system.memory_summary.size_gib > 0
    assert system.processors.get_members()
    managers = root.get_manager_collection().get_members()
    assert [manager for manager in managers if manager.firmware_version]
    chassis = root.get_chassis_collection().get_members()
    assert any(one.chassis_type == sushy.ChassisType.RACK_MOUNT for one in chassis)
    if bmc["platform"] == "openbmc":  # bmcweb lists no host NICs
        with pytest.raises(sushy.exceptions.MissingAttributeError, match="EthernetInterfaces"):
            _dummy = system.ethernet_interfaces
    else:
        assert all(nic.mac_address for nic in system.ethernet_interfaces.get_members())


def test_sushy_reads_storage_and_firmware(service: tuple[dict[str, Any], Any]) -> None:
    bmc, root = service
    (system,) = root.get_system_collection().get_members()
    drives = [drive for storage in system.storage.get_members() for drive in storage.drives]
    assert drives and all(drive.capacity_bytes for drive in drives)
    if bmc["platform"] != "openbmc":  # its UpdateService has no actions (a push URI only), which sushy cannot read
        firmware = root.get_update_service().firmware_inventory.get_members()
        assert firmware and all(image.version for image in firmware)


def test_sushy_switches_off_and_on(service: tuple[dict[str, Any], Any]) -> None:
    _dummy, root = service
    (system,) = root.get_system_collection().get_members()

    def reached(state: sushy.PowerState) -> bool:
        system.refresh()
        return bool(system.power_state == state)

    assert reached(sushy.PowerState.ON)
    system.reset_system(sushy.ResetType.FORCE_OFF)
    wait_for(lambda: reached(sushy.PowerState.OFF))
    system.reset_system(sushy.ResetType.ON)
    wait_for(lambda: reached(sushy.PowerState.ON))


def test_sushy_sets_the_boot_device_and_a_boot_uses_it_up(service: tuple[dict[str, Any], Any]) -> None:
    _dummy, root = service
    (system,) = root.get_system_collection().get_members()
    system.set_system_boot_options(sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE)
    system.refresh()
    assert (system.boot.target, system.boot.enabled) == (sushy.BootSource.PXE, sushy.BootSourceOverrideEnabled.ONCE)
    system.reset_system(sushy.ResetType.FORCE_RESTART)
    system.refresh(force=True)
    assert system.boot.enabled == sushy.BootSourceOverrideEnabled.DISABLED


def test_sushy_is_told_of_a_wrong_password(driven: Fleet) -> None:
    bmc = bmc_of(driven, "generic", 0)
    with pytest.raises(sushy.exceptions.AccessError):
        sushy.Sushy(
            f"https://{bmc['address']}:{driven.https_port}",
            auth=sushy.auth.SessionAuth(driven.username, "wrong"),
            verify=driven.ca,
        )


# the DMTF's tools


def tool(fleet: Fleet, platform: str, name: str, *options: str, folder: Path) -> str:
    """What it wrote; a test fails with that where the tool did not end well."""
    script = Path(sys.executable).parent / name
    if not script.exists():
        pytest.skip(f"redfish_utilities is not installed: {script} is not there")
    address = bmc_of(fleet, platform, 1)["address"]
    unwanted = re.compile(r"(?i).*_proxy|(REQUESTS|CURL|AWS)_CA_BUNDLE|SSL_CERT_.*")
    clean = {key: value for key, value in os.environ.items() if not unwanted.fullmatch(key)}
    # The tools take a password on the command line only; it is the emulated fleet's, which everybody knows.
    login = ["--user", fleet.username, "--password", fleet.password, "--rhost", f"https://{address}:{fleet.https_port}"]
    command = [sys.executable, str(script), *login, *options]
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.admin("GET", f"/bmcs/{address}")["sessions_open"] == 0, "the tool logs out"
    return done.stdout


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rf_sys_inventory.py", ["--details"]),
        ("rf_sensor_list.py", []),
        ("rf_firmware_inventory.py", []),
        ("rf_accounts.py", []),
        ("rf_manager_config.py", ["info"]),
    ],
)
def test_the_dmtfs_tools_read(driven: Fleet, platform: str, name: str, options: list[str], tmp_path: Path) -> None:
    written = tool(driven, platform, name, *options, folder=tmp_path)
    told = {
        "rf_sys_inventory.py": "Model: ",
        "rf_sensor_list.py": "Cel",
        "rf_firmware_inventory.py": "BMC" if platform != "idrac9" else "Integrated Dell Remote Access Controller",
        "rf_accounts.py": driven.username,
        "rf_manager_config.py": "Manager",
    }
    assert told[name] in written


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_dmtfs_tools_switch_the_power(driven: Fleet, platform: str, tmp_path: Path) -> None:
    def state() -> str:
        written = tool(driven, platform, "rf_power_reset.py", "--info", folder=tmp_path)
        found = re.search(r"Current power state: (\w+)", written)
        assert found is not None, written
        return found[1]

    assert state() == "On"
    tool(driven, platform, "rf_power_reset.py", "--type", "ForceOff", folder=tmp_path)
    wait_for(lambda: state() == "Off")
    tool(driven, platform, "rf_power_reset.py", "--type", "On", folder=tmp_path)
    wait_for(lambda: state() == "On")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_dmtfs_tools_add_and_delete_an_account(driven: Fleet, platform: str, tmp_path: Path) -> None:
    tool(driven, platform, "rf_accounts.py", "--add", "visitor", "long-enough-1", "ReadOnly", folder=tmp_path)
    assert "visitor" in tool(driven, platform, "rf_accounts.py", folder=tmp_path)
    tool(driven, platform, "rf_accounts.py", "--delete", "visitor", folder=tmp_path)
    assert "visitor" not in tool(driven, platform, "rf_accounts.py", folder=tmp_path)

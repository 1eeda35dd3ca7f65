# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first half of ``make demo``: an emulated rack of 20 servers of mixed platforms, discovered, switched off and
booted from an image with the shipped inventory plugin and playbooks.

Everything it makes lies in build/demo, and stays there to look at. It ends with the rack's emulator stopped.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.toolchain.collection_tree import link_development_tree

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
NETWORK = "127.20.0.0/24"
SLOTS = 20
PLATFORMS = (
    "openbmc=3,idrac9=3,idrac10=1,ilo5=1,ilo6=1,ilo7=1,xcc=1,xcc3=1,supermicro=2,asrockrack=1,gigabyte=1,dgx_h100=1,gh200=1,"
    "fujitsu=1,intel=1"
)


def slots(fleet: Fleet) -> list[dict[str, str]]:
    """The operator's map of the emulated rack, from the delivery note, so to speak."""
    return [
        {"slot": f"rack1-u{number:02}", "rack": "rack1", "bmc": bmc["address"], "serial": bmc["serial"]}
        for number, bmc in enumerate(fleet.bmcs, start=1)
    ]


def inventory(fleet: Fleet) -> dict[str, object]:
    """The inventory file of the demo: verified certificates, one credential, a map."""
    return {
        "plugin": "hearth.datacenter.bmc",
        "map": "slots.yml",
        "ports": [str(fleet.https_port)],
        "trust": "verify",
        "ca_path": fleet.ca,
        "username": fleet.username,
        "password": "{{ lookup('ansible.builtin.file', inventory_dir ~ '/password') }}",
        "state": "state.sqlite3",
        "connect_timeout": 3,
        "keyed_groups": [
            {"key": "hearth_bmc.platform", "prefix": "platform"},
            {"key": "hearth_server.health", "prefix": "health"},
        ],
    }


def credentials(fleet: Fleet) -> dict[str, str]:
    """What tasks log in with; at home it lies in a vault."""
    password = "{{ lookup('ansible.builtin.file', inventory_dir ~ '/password') }}"
    return {"hearth_bmc_username": fleet.username, "hearth_bmc_password": password}


def main() -> int:
    folder = CHECKOUT / "build" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"A rack of {SLOTS} emulated BMCs starts on {NETWORK} …", flush=True)
    with Fleet(SLOTS, NETWORK, platforms=PLATFORMS, latency="5-30") as fleet:
        (folder / "slots.yml").write_text(yaml.safe_dump({"slots": slots(fleet)}, sort_keys=False))
        (folder / "hearth.bmc.yml").write_text(yaml.safe_dump(inventory(fleet), sort_keys=False))
        (folder / "password").write_text(fleet.password)
        (folder / "group_vars").mkdir()
        (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(credentials(fleet), sort_keys=False))
        dark = fleet.bmcs[-1]["address"]
        fleet.faults(dark, black_hole={})
        print(f"One of them, {dark}, is made to accept connections and say nothing.", flush=True)
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        }
        tools = pathlib.Path(sys.executable).parent
        power = ["ansible-playbook", "-i", "hearth.bmc.yml", "hearth.datacenter.power"]
        image = ["ansible-playbook", "-i", "hearth.bmc.yml", "hearth.datacenter.boot_image"]
        for command in (
            ["ansible-inventory", "-i", "hearth.bmc.yml", "--graph"],
            ["ansible-playbook", "-i", "hearth.bmc.yml", "hearth.datacenter.discover"],
            [*power, "-e", "power_state=off", "-e", "power_method=force"],
            [*image, "--limit", "platform_openbmc", "-e", "boot_image_url=http://127.0.0.1/live.iso"],
        ):
            print(f"\n$ {' '.join(command)}", flush=True)
            subprocess.run([str(tools / command[0]), *command[1:]], cwd=folder, env=environment, check=True)
        statistics = fleet.statistics()
    print(
        f"\nThe rack served {statistics['requests']} requests on {statistics['handshakes']} TLS handshakes with "
        f"{statistics['logins']} logins; {statistics['sessions_open']} sessions are left open. "
        f"What it was made of is in {folder}."
    )
    return 0

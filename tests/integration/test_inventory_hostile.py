# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hostile BMC says does no harm: in --list, --yaml, the cache, a script inventory and templates."""

from __future__ import annotations

import json
import re

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder

UNSAFE = re.compile(r"\{\{|\{%|\{#|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|__ansible_unsafe")


@pytest.fixture
def hostile(inventory: InventoryFolder, fleet: Fleet) -> InventoryFolder:
    marker = inventory.folder / "executed"
    strings = {
        "AssetTag": f"{{{{ lookup('ansible.builtin.pipe', 'touch {marker}') }}}}",
        "Model": "M" * 1_000_000,
        "Manufacturer": "\x1b]0;owned\x07\x1b[2JAcme{% for x in y %}",
        "SerialNumber": "../../{{ 7*7 }}\n- hosts: all",
        "HostName": "{\u200b{ 7 }\u200b}",
        "SKU": "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n",
        "PartNumber": "{{{{ 1 }}}}",
    }
    for address in fleet.addresses:
        fleet.faults(address, hostile_strings={"strings": strings})
    inventory.write(
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection="cache",
        keyed_groups=[{"key": "hearth_server.model", "prefix": "model"}, {"key": "hearth_server.asset_tag | lower"}],
        compose={"tag": "hearth_server.asset_tag"},
    )
    return inventory


def executed(inventory: InventoryFolder) -> bool:
    return (inventory.folder / "executed").exists()


def test_list_and_yaml_hold_nothing_that_acts(hostile: InventoryFolder):
    listed = hostile.list()
    assert any("lookup" in (host.get("hearth_server") or {}).get("asset_tag", "") for host in listed.hosts.values())
    for word in ("--list", "--yaml"):
        words = ["ansible-inventory", "-i", str(hostile.source), "--list"] + ([word] if word == "--yaml" else [])
        ended = hostile.command(*words)
        assert ended.code == 0
        text = json.dumps(json.loads(ended.stdout), ensure_ascii=False) if word == "--list" else ended.stdout
        assert not UNSAFE.search(text), UNSAFE.search(text)
        assert len(ended.stdout) < 2_000_000
    for name in listed.hosts:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name), name
    assert not executed(hostile)


def test_the_cache_holds_nothing_that_acts(hostile: InventoryFolder):
    hostile.list()
    (path,) = (hostile.folder / "cache").iterdir()
    outer = json.loads(path.read_text())
    inner = json.loads(outer["__payload__"]) if "__payload__" in outer else outer
    assert "lookup" in inner["payload"]
    assert not UNSAFE.search(inner["payload"])


def test_a_play_that_shows_what_the_bmc_said_executes_none_of_it(hostile: InventoryFolder):
    play = hostile.folder / "show.yml"
    play.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.debug: {msg: \"{{ hearth_server | default({}) }} {{ tag | default('') }}\"}\n"
        "    - ansible.builtin.set_fact: {again: \"{{ hearth_server.asset_tag | default('') }}\"}\n"
        '    - ansible.builtin.debug: {msg: "{{ again }}"}\n'
    )
    ended = hostile.command("ansible-playbook", "-i", str(hostile.source), str(play))
    assert ended.code == 0, ended.said[-2000:]
    assert not executed(hostile)


def test_a_script_inventory_made_of_the_list_executes_none_of_it(hostile: InventoryFolder):
    listing = hostile.folder / "listing.json"
    listing.write_text(hostile.list().ended.stdout)
    script = hostile.folder / "listing.sh"
    script.write_text(f"#!/bin/sh\ncat {listing}\n")
    script.chmod(0o755)
    play = hostile.folder / "show.yml"
    play.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        '    - ansible.builtin.debug: {msg: "{{ hearth_server | default({}) }}"}\n'
    )
    ended = hostile.command("ansible-playbook", "-i", str(script), str(play))
    assert ended.code == 0, ended.said[-2000:]
    assert not executed(hostile)


def test_the_attack_works_where_the_strings_are_not_cleaned(hostile: InventoryFolder):
    """The same asset tag in an inventory that trusts it does run: so the tests above can fail."""
    marker = hostile.folder / "executed"
    (hostile.folder / "static.yml").write_text(
        "all:\n  hosts:\n    h1:\n      tag: \"{{ lookup('ansible.builtin.pipe', 'touch %s') }}\"\n" % marker
    )
    play = hostile.folder / "show.yml"
    play.write_text('- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug: {msg: "{{ tag }}"}\n')
    hostile.command("ansible-playbook", "-i", str(hostile.folder / "static.yml"), str(play))
    assert executed(hostile)


@pytest.mark.parametrize("claim", ["localhost", "all", "rack1-u01"])
def test_a_serial_cannot_become_somebody_else(inventory: InventoryFolder, fleet: Fleet, claim: str):
    impostor, honest = [bmc for bmc in fleet.bmcs if bmc["platform"] in ("openbmc", "generic")]
    fleet.faults(impostor["address"], hostile_strings={"strings": {"SerialNumber": claim}})
    (inventory.folder / "slots.yml").write_text(f"slots:\n  - {{slot: rack1-u01, bmc: {honest['address']}}}\n")
    inventory.write(map="slots.yml", targets=[impostor["address"]])
    hosts = inventory.list().hosts
    assert set(hosts) == {"rack1-u01", f"{claim}-{impostor['address']}"}
    assert hosts["rack1-u01"]["hearth_bmc"]["address"] == honest["address"]

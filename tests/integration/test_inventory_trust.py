# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is given a credential: only a BMC that is verified, only what the list allows, and never more often than it
may."""

from __future__ import annotations

import os

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder


def logins(fleet: Fleet) -> int:
    statistics = fleet.statistics()
    return statistics["logins"] + statistics["failed_logins"]


def pin_all(inventory: InventoryFolder, hosts) -> None:
    """What an operator does with the fingerprints that they confirmed."""
    keys = [
        f"{{address: '{host['hearth_bmc']['address']}', port: {host['hearth_bmc']['port']},"
        f" key: 'spki-sha256:{host['hearth_bmc']['fingerprint']['spki_sha256']}'}}"
        for host in hosts.values()
    ]
    play = inventory.folder / "pin.yml"
    play.write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - hearth.datacenter.bmc_pin:\n"
        "        address: '{{ item.address }}'\n        port: '{{ item.port }}'\n        key: '{{ item.key }}'\n"
        f"        hearth_state: '{inventory.state}'\n"
        "      loop:\n" + "".join(f"        - {key}\n" for key in keys)
    )
    ended = inventory.command("ansible-playbook", str(play))
    assert ended.code == 0, ended.said


def test_an_unknown_key_gets_no_credential_and_tells_its_fingerprint(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(trust="pin")
    listed = inventory.list()
    assert logins(fleet) == 0
    assert sorted(listed.groups["bmc_unpinned"]) == sorted(listed.hosts)
    for host in listed.hosts.values():
        record = host["hearth_bmc"]
        assert record["state"] == "unpinned" and record["error"]["type"] == "PinUnknown"
        assert len(record["fingerprint"]["spki_sha256"]) == 64 and len(record["fingerprint"]["cert_sha256"]) == 64
        assert record["redfish_version"]
        assert "hearth_server" not in host


def test_a_pinned_key_is_logged_in_to_and_a_changed_one_is_not(inventory: InventoryFolder, fleet: Fleet):
    chosen = fleet.addresses[:3]
    inventory.write(trust="pin", targets=chosen)
    pin_all(inventory, inventory.list().hosts)
    assert all(host["hearth_bmc"]["state"] == "ok" for host in inventory.list().hosts.values())
    fleet.faults(chosen[0], changed_certificate={})
    fleet.reset_statistics()
    listed = inventory.list()
    (changed,) = [host for host in listed.hosts.values() if host["hearth_bmc"]["state"] != "ok"]
    assert changed["hearth_bmc"]["address"] == chosen[0]
    assert changed["hearth_bmc"]["error"]["type"] == "PinMismatch"
    assert fleet.admin("GET", f"/bmcs/{chosen[0]}")["statistics"]["logins"] == 0
    assert fleet.admin("GET", f"/bmcs/{chosen[0]}")["statistics"]["failed_logins"] == 0


def test_discovery_never_writes_a_pin(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(trust="pin", targets=fleet.addresses[:2])
    inventory.list()
    assert all(host["hearth_bmc"]["state"] == "unpinned" for host in inventory.list().hosts.values())
    assert logins(fleet) == 0


def test_a_pin_in_the_map_is_enough(inventory: InventoryFolder, fleet: Fleet):
    address = fleet.addresses[0]
    inventory.write(trust="pin", targets=[address])
    (host,) = inventory.list().hosts.values()
    fingerprint = host["hearth_bmc"]["fingerprint"]["cert_sha256"].upper()
    colons = ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2))
    (inventory.folder / "slots.yml").write_text(
        f"slots:\n  - slot: rack1-u01\n    bmc: {address}\n    pins: ['cert-sha256:{colons}']\n"
    )
    inventory.write(trust="pin", targets=[], map="slots.yml")
    assert inventory.list().hosts["rack1-u01"]["hearth_bmc"]["state"] == "ok"


def test_a_certificate_of_another_authority_gets_no_credential(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(ca_path=None)
    listed = inventory.list()
    assert logins(fleet) == 0
    for host in listed.hosts.values():
        assert host["hearth_bmc"]["error"]["type"] == "CertificateUnverified"
        assert host["hearth_bmc"]["fingerprint"]["spki_sha256"]
    assert sorted(listed.groups["bmc_unpinned"]) == sorted(listed.hosts)


@pytest.mark.parametrize("off", ["off", False])
def test_off_is_the_users_word_quoted_or_not(inventory: InventoryFolder, fleet: Fleet, off):
    inventory.write(trust=off, ca_path=None, targets=fleet.addresses[:2])
    for host in inventory.list().hosts.values():
        assert host["hearth_bmc"]["state"] == "ok" and host["hearth_bmc"]["trust"] == "off"


def test_a_wrong_password_is_tried_once_and_locks_nobody_out(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(password="wrong")
    listed = inventory.list()
    assert sorted(listed.groups["bmc_unauthorized"]) == sorted(listed.hosts)
    for host in listed.hosts.values():
        assert host["hearth_bmc"]["error"]["type"] == "AuthenticationFailed"
    for address in fleet.addresses:
        assert fleet.admin("GET", f"/bmcs/{address}")["statistics"]["failed_logins"] == 1
    inventory.write()
    assert inventory.list().groups.get("bmc_unauthorized", []) == []


def test_trying_a_list_stops_below_the_lockout_threshold(inventory: InventoryFolder, fleet: Fleet):
    wrong = [{"name": f"wrong{number}", "username": fleet.username, "password": f"w{number}"} for number in range(10)]
    inventory.write(username=None, password=None, credentials=wrong)
    inventory.list()
    inventory.write()
    assert inventory.list().groups.get("bmc_unauthorized", []) == []


def test_the_credential_that_worked_is_tried_first_the_next_time(inventory: InventoryFolder, fleet: Fleet):
    pair = [
        {"name": "old", "username": fleet.username, "password": "old"},
        {"name": "site", "username": fleet.username, "password": fleet.password},
    ]
    address = next(bmc["address"] for bmc in fleet.bmcs if bmc["platform"] == "openbmc")
    inventory.write(username=None, password=None, credentials=pair, targets=[address])
    (host,) = inventory.list().hosts.values()
    assert host["hearth_bmc"]["credential"] == "site"
    fleet.reset_statistics()
    inventory.list()
    assert fleet.statistics()["failed_logins"] == 0


def test_a_credential_restricted_to_others_is_not_offered(inventory: InventoryFolder, fleet: Fleet):
    here, there = fleet.addresses[0], fleet.addresses[1]
    credentials = [{"username": fleet.username, "password": fleet.password, "targets": [here]}]
    inventory.write(username=None, password=None, credentials=credentials, targets=[here, there])
    states = {host["hearth_bmc"]["address"]: host["hearth_bmc"]["state"] for host in inventory.list().hosts.values()}
    assert states == {here: "ok", there: "unauthorized"}
    assert fleet.admin("GET", f"/bmcs/{there}")["statistics"]["failed_logins"] == 0


def test_credentials_come_from_the_environment_too(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(username=None, password=None, targets=fleet.addresses[:2])
    listed = inventory.list(HEARTH_BMC_USERNAME=fleet.username, HEARTH_BMC_PASSWORD=fleet.password)
    assert all(host["hearth_bmc"]["state"] == "ok" for host in listed.hosts.values())


def test_credentials_come_from_a_vault_that_the_tasks_read_too(inventory: InventoryFolder, fleet: Fleet):
    folder = inventory.folder / "group_vars" / "all"
    folder.mkdir(parents=True)
    vault = folder / "vault.yml"
    vault.write_text(
        f"hearth_bmc_credentials:\n  - {{name: site, username: {fleet.username}, password: '{fleet.password}'}}\n"
    )
    (inventory.folder / "vault-password").write_text("opens it")
    words = ["--vault-password-file", str(inventory.folder / "vault-password")]
    assert inventory.command("ansible-vault", "encrypt", *words, str(vault)).code == 0
    inventory.write(
        username=None,
        password=None,
        targets=fleet.addresses[:2],
        credentials="{{ (lookup('ansible.builtin.unvault', inventory_dir ~ '/group_vars/all/vault.yml')"
        " | from_yaml).hearth_bmc_credentials }}",
    )
    listed = inventory.list(*words)
    assert all(host["hearth_bmc"]["credential"] == "site" for host in listed.hosts.values())
    play = inventory.folder / "read.yml"
    play.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.assert:\n"
        "        that: hearth_bmc_credentials[0].name == hearth_bmc.credential\n"
    )
    ended = inventory.command("ansible-playbook", "-i", str(inventory.source), str(play), *words)
    assert ended.code == 0, ended.said


def test_the_password_is_nowhere(inventory: InventoryFolder, fleet: Fleet):
    canary = "canary-Xq7#pW"
    inventory.write(
        password=None,
        username=None,
        credentials=[
            {"name": "first", "username": fleet.username, "password": canary},
            {"name": "site", "username": fleet.username, "password": fleet.password},
        ],
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection="cache",
    )
    ended = inventory.command("ansible-inventory", "-i", str(inventory.source), "--list", "-vvvv", ANSIBLE_DEBUG="true")
    assert ended.code == 0
    secrets = (canary, fleet.password)
    for secret in secrets:
        assert secret not in ended.stdout
        assert secret not in ended.stderr
    for path in inventory.folder.rglob("*"):
        if path.is_file() and path != inventory.source:
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path


def test_plain_http_gets_a_credential_only_where_checking_is_off(tmp_path):
    with Fleet(1, f"127.49.{100 + os.getpid() % 100}.0/29", platforms={"generic": 1}, http_port=8081) as plain:
        inventory = InventoryFolder(tmp_path, plain)
        inventory.write(ports=["http:8081"])
        (host,) = inventory.list().hosts.values()
        assert host["hearth_bmc"]["state"] == "unpinned" and host["hearth_bmc"]["error"]["type"] == "CredentialWithheld"
        assert logins(plain) == 0
        inventory.write(ports=["http:8081"], trust="off", ca_path=None)
        (host,) = inventory.list().hosts.values()
        assert host["hearth_bmc"]["state"] == "ok" and host["hearth_bmc"]["scheme"] == "http"

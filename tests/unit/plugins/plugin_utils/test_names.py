# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

from ansible_collections.hearth.datacenter.plugins.plugin_utils._names import Nameable, assign_names, fru_key


def machine(serial="", address="10.0.0.1", slot="", fru=None, system_id="", port=443):
    return Nameable(
        slot=slot,
        fru=serial.lower() if fru is None else fru,
        serial=serial,
        address=address,
        port=port,
        system_id=system_id,
    )


def test_a_slot_wins_over_what_was_remembered_and_over_the_serial():
    assert assign_names([machine("ABC1", slot="rack1-u07")], {"abc1": "old-name"}) == ["rack1-u07"]


def test_a_remembered_name_wins_over_the_serial():
    assert assign_names([machine("ABC1")], {"abc1": "old-name"}) == ["old-name"]


def test_without_a_serial_the_address_is_the_name():
    assert assign_names([machine("", "10.0.0.9")], {}) == ["10.0.0.9"]


def test_an_ipv6_address_becomes_a_usable_name():
    (name,) = assign_names([machine("", "fd00::7")], {})
    assert name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")


def test_systems_of_one_bmc_carry_their_id():
    nodes = [machine("CH1", fru=f"ch1|{number}", system_id=f"Node{number}") for number in range(1, 5)]
    assert assign_names(nodes, {}) == ["CH1-Node1", "CH1-Node2", "CH1-Node3", "CH1-Node4"]


def test_equal_serials_lose_nobody_and_do_not_depend_on_the_order():
    twins = [machine("DUP", f"10.0.0.{number}") for number in range(1, 4)]
    named = {twin.address: name for twin, name in zip(twins, assign_names(twins, {}))}
    assert len(set(named.values())) == 3
    for order in itertools.permutations(twins):
        assert {twin.address: name for twin, name in zip(order, assign_names(order, {}))} == named


def test_two_machines_with_one_identity_do_not_share_a_remembered_name():
    names = assign_names([machine("DUP", "10.0.0.1"), machine("DUP", "10.0.0.2")], {"dup": "kept"})
    assert len(set(names)) == 2 and "kept" not in names


def test_a_serial_cannot_take_the_name_of_a_slot():
    names = assign_names([machine("rack1-u07", "10.0.0.66"), machine("REAL", slot="rack1-u07")], {}, ["rack1-u07"])
    assert names == ["rack1-u07-10.0.0.66", "rack1-u07"]


def test_a_serial_cannot_take_the_name_of_a_slot_that_is_empty_now():
    assert assign_names([machine("rack1-u08", "10.0.0.66")], {}, ["rack1-u08"]) == ["rack1-u08-10.0.0.66"]


def test_a_serial_cannot_become_the_controller_or_a_group():
    for claim in ("localhost", "LOCALHOST", "all", "ungrouped", "kube_masters", "127.0.0.1"):
        (name,) = assign_names([machine(claim, "10.0.0.5")], {}, (), ["kube_masters"])
        assert name.lower() not in ("localhost", "all", "ungrouped", "kube_masters", "127.0.0.1")


def test_a_remembered_name_that_is_now_a_slot_belongs_to_the_slot():
    names = assign_names(
        [machine("OLD", "10.0.0.2"), machine("NEW", slot="rack1-u01")], {"old": "rack1-u01"}, ["rack1-u01"]
    )
    assert names == ["OLD", "rack1-u01"]


def test_names_that_differ_only_in_case_are_one_name():
    names = assign_names([machine("abc", "10.0.0.1", fru="x"), machine("ABC", "10.0.0.2", fru="y")], {})
    assert len({name.lower() for name in names}) == 2


def test_two_ports_of_one_address_stay_apart():
    names = assign_names([machine("", "10.0.0.1", port=443), machine("", "10.0.0.1", port=8443)], {})
    assert len(set(names)) == 2


def test_a_hostile_serial_gives_a_plain_name():
    (name,) = assign_names([machine("{{ lookup('pipe', 'id') }}[1:9]!&~ x", "10.0.0.1")], {})
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_the_key_of_a_machine_that_says_nothing_is_empty():
    assert fru_key({}, {"manufacturer": "Acme", "serial": None, "uuid": None}, False) == ""


def test_nodes_that_share_serial_and_uuid_have_different_keys():
    server = {"manufacturer": "Acme", "serial": "CH1", "uuid": "u"}
    assert fru_key({"system_id": "1"}, server, True) != fru_key({"system_id": "2"}, server, True)


def test_one_machine_keeps_its_key_whatever_its_system_is_called():
    server = {"manufacturer": "Acme", "serial": "S1", "uuid": "u"}
    assert fru_key({"system_id": "1"}, server, False) == fru_key({"system_id": "Self"}, server, False)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every platform's tree holds together and keeps machines apart."""

from __future__ import annotations

import json

import pytest

from tests.emulators.redfish.personalities.deliberate import BOGUS_LINKS, SHARED_IDENTITIES, VIOLATIONS
from tests.unit.emulators.rendered import NAMES, bmc, bodies, nodes, of_kind, platform, values


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_resource_of_the_tree(name: str) -> None:
    tree, bogus = bodies(name), BOGUS_LINKS.get(name, {})
    asked = bmc(name, 0)
    lost = set()
    for path, body in tree.items():
        for pointer, value in nodes(body):
            key = pointer.rpartition("/")[2]
            if key not in ("@odata.id", "DataSourceUri", "@Redfish.ActionInfo") or not isinstance(value, str):
                continue
            target = value.partition("#")[0].rstrip("/")
            if target not in tree and asked.body(target) is None:
                lost.add((target, f"{path}#{pointer}"))
    assert {target for target, _dummy in lost} == set(bogus), lost


@pytest.mark.parametrize("name", NAMES)
def test_pointers_into_a_resource_point_at_something(name: str) -> None:
    tree = bodies(name)
    for path, body in tree.items():
        for pointer, value in nodes(body):
            if not pointer.endswith("@odata.id") or not isinstance(value, str) or "#" not in value:
                continue
            target, _dummy, inside = value.partition("#")
            assert inside in {found for found, _dummy in nodes(tree[target.rstrip("/")])}, f"{path}#{pointer} → {value}"


@pytest.mark.parametrize("name", NAMES)
def test_resources_call_themselves_by_their_path(name: str) -> None:
    listed = {(entry.path, entry.pointer) for entry in VIOLATIONS.get(name, ())}
    for path, body in bodies(name).items():
        assert body["@odata.id"].rstrip("/") == path
        container = bodies(name).get(path.rpartition("/")[0])
        in_collection = container is not None and str(container["@odata.type"]).endswith("Collection")
        if in_collection and (path, "/Id") not in listed:
            assert body["Id"] == path.rpartition("/")[2], path


@pytest.mark.parametrize("name", NAMES)
def test_a_collection_lists_each_member_once_and_counts_them(name: str) -> None:
    for path, body in bodies(name).items():
        members = body.get("Members")
        if members is None:
            continue
        ids = [member["@odata.id"] for member in members]
        assert len(ids) == len(set(ids)) == body["Members@odata.count"], path


@pytest.mark.parametrize("name", NAMES)
def test_actions_lie_under_their_resource(name: str) -> None:
    for path, body in bodies(name).items():
        for pointer, value in nodes(body.get("Actions", {})):
            if pointer.endswith("/target"):
                assert value.startswith(f"{path}/Actions/"), f"{path}{pointer}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("powered", [True, False])
def test_bodies_are_json(name: str, powered: bool) -> None:
    for body in bodies(name, 0, powered).values():
        json.dumps(body, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_two_machines_share_no_identity(name: str) -> None:
    keys = {"SerialNumber", "UUID", "MACAddress", "PermanentMACAddress", "ServiceTag", "DurableName"}
    keys |= {"ServiceEntryPointUUID", "ManagerMACAddress"}
    shared = set(SHARED_IDENTITIES.get(name, {})) | {None}
    ours, theirs = ({value for _dummy, value in values(name, keys, index)} - shared for index in (0, 1))
    assert ours and not ours & theirs


@pytest.mark.parametrize("name", NAMES)
def test_identities_that_machines_share_are_really_there(name: str) -> None:
    seen = {value for _dummy, value in values(name, {"SerialNumber", "UUID", "AssetTag"})}
    assert set(SHARED_IDENTITIES.get(name, {})) <= seen


@pytest.mark.parametrize("name", NAMES)
def test_each_interface_has_a_mac_of_its_own(name: str) -> None:
    macs = [str(value).lower() for _dummy, value in values(name, {"MACAddress"})]
    assert macs and len(macs) == len(set(macs))


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_one_kind_have_serials_of_their_own(name: str) -> None:
    for kind in ("Drive", "Memory", "PowerSupply"):
        serials = [body["SerialNumber"] for body in of_kind(name, kind) if "SerialNumber" in body]
        assert len(serials) == len(set(serials)), kind


@pytest.mark.parametrize("name", NAMES)
def test_the_machine_reads_the_same_each_time(name: str) -> None:
    again = bmc(name, 0)
    for path in again.platform.tree.resources:
        assert again.body(path, steady=True) == bmc(name, 0).body(path, steady=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_power_state_follows_the_machine(name: str) -> None:
    on = [body.get("PowerState") for body in of_kind(name, "ComputerSystem") if "PowerState" in body]
    off = [
        bodies(name, 0, powered=False)[path].get("PowerState")
        for path in platform(name).tree.by_kind.get("ComputerSystem", ())
        if "PowerState" in bodies(name, 0, powered=False)[path]
    ]
    assert set(on) <= {"On", "PoweringOn"}
    assert set(off) <= {"Off", "PoweringOff"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"pdu", "power_shelf"}))
def test_a_server_has_what_a_full_discovery_reads(name: str) -> None:
    kinds = platform(name).tree.by_kind
    for kind in ("ComputerSystem", "Chassis", "Manager", "Processor", "Memory", "Storage", "SoftwareInventory"):
        assert kinds.get(kind), kind
    for kind in ("LogService", "Role", "EthernetInterface", "ManagerNetworkProtocol", "VirtualMediaCollection"):
        assert kinds.get(kind) or (name, kind) == ("dgx_h100", "VirtualMediaCollection"), kind
    drives = len(kinds.get("Drive", ()))
    assert drives == 0 if name == "gh200" else 2 <= drives <= 12
    assert all(body["FirmwareVersion"] for body in of_kind(name, "Manager") if body["ManagerType"] != "Service")


@pytest.mark.parametrize("name", NAMES)
def test_a_deliberate_violation_is_one(name: str) -> None:
    """Each entry of the list names something that the tree really has, or really lacks."""
    tree = bodies(name)
    for entry in VIOLATIONS.get(name, ()):
        if not entry.pointer:
            assert entry.path not in tree
            continue
        present = dict(nodes(tree[entry.path]))
        if entry.pointer in ("/Name", "/ChassisType"):
            assert entry.pointer not in present
        else:
            assert entry.pointer in present
        assert entry.reason and entry.covers(f"{entry.path}/", f"{entry.pointer}/0") and not entry.covers("/x", "/Id")

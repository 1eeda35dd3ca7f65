# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees for the replay server, written from the specification: each test changes what it is about."""

from __future__ import annotations

from typing import Any

Tree = dict[str, Any]
ROOT = "/redfish/v1"


def ref(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def collection(path: str, *members: str, **more: Any) -> Tree:
    return {
        path: {"@odata.id": path, "Members": [ref(m) for m in members], "Members@odata.count": len(members), **more}
    }


def root(**more: Any) -> Tree:
    return {
        ROOT: {
            "@odata.id": ROOT,
            "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
            "Id": "RootService",
            "RedfishVersion": "1.17.0",
            "UUID": "92384634-2938-2342-8820-489239905423",
            "Systems": ref(f"{ROOT}/Systems"),
            "Chassis": ref(f"{ROOT}/Chassis"),
            "Managers": ref(f"{ROOT}/Managers"),
            "SessionService": ref(f"{ROOT}/SessionService"),
            "Links": {"Sessions": ref(f"{ROOT}/SessionService/Sessions")},
            **more,
        }
    }


def system(name: str = "1", *, chassis: str = "1", manager: str = "1", **more: Any) -> dict[str, Any]:
    path = f"{ROOT}/Systems/{name}"
    return {
        "@odata.id": path,
        "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
        "Id": name,
        "SystemType": "Physical",
        "Manufacturer": "Example",
        "Model": "E-100",
        "SerialNumber": f"SN-{name}-77",
        "UUID": "38947555-7742-3448-3784-823347823834",
        "PowerState": "On",
        "BiosVersion": "1.2",
        "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
        "ProcessorSummary": {"Count": 2, "Model": "Example CPU", "CoreCount": 64},
        "MemorySummary": {"TotalSystemMemoryGiB": 512},
        "TrustedModules": [{"InterfaceType": "TPM2_0", "FirmwareVersion": "7.2", "Status": {"State": "Enabled"}}],
        "Processors": ref(f"{path}/Processors"),
        "SecureBoot": ref(f"{path}/SecureBoot"),
        "EthernetInterfaces": ref(f"{path}/EthernetInterfaces"),
        "Storage": ref(f"{path}/Storage"),
        "Links": {"Chassis": [ref(f"{ROOT}/Chassis/{chassis}")], "ManagedBy": [ref(f"{ROOT}/Managers/{manager}")]},
        **more,
    }


def chassis(name: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "@odata.id": f"{ROOT}/Chassis/{name}",
        "Id": name,
        "ChassisType": "RackMount",
        "SerialNumber": f"CH-{name}-55",
        "Location": {"Placement": {"Rack": "R7", "RackOffset": 12, "Row": "B"}},
        "Links": {},
        **more,
    }


def manager(name: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "@odata.id": f"{ROOT}/Managers/{name}",
        "Id": name,
        "ManagerType": "BMC",
        "Model": "Example BMC",
        "FirmwareVersion": "4.5.6",
        "EthernetInterfaces": ref(f"{ROOT}/Managers/{name}/EthernetInterfaces"),
        **more,
    }


def processor(system_name: str, name: str, kind: str = "CPU", **more: Any) -> Tree:
    path = f"{ROOT}/Systems/{system_name}/Processors/{name}"
    return {path: {"@odata.id": path, "Id": name, "ProcessorType": kind, "Status": {"State": "Enabled"}, **more}}


def server(name: str = "1", *, processors: tuple[str, ...] = ("CPU1", "CPU2"), **more: Any) -> Tree:
    """One system with its own collections; no root and no collection of systems."""
    path = f"{ROOT}/Systems/{name}"
    tree = {path: system(name, **more)}
    tree.update(collection(f"{path}/Processors", *(f"{path}/Processors/{p}" for p in processors)))
    for one in processors:
        kind, model = ("GPU", "Example G1") if "GPU" in one else ("CPU", "Example CPU 9000")
        tree.update(processor(name, one, kind, Model=model, TotalCores=32 if kind == "CPU" else None))
    tree[f"{path}/SecureBoot"] = {
        "@odata.id": f"{path}/SecureBoot",
        "SecureBootEnable": True,
        "SecureBootCurrentBoot": "Enabled",
        "SecureBootMode": "UserMode",
    }
    tree.update(collection(f"{path}/EthernetInterfaces", *(f"{path}/EthernetInterfaces/{i}" for i in (1, 2))))
    for i in (1, 2):
        tree[f"{path}/EthernetInterfaces/{i}"] = {
            "@odata.id": f"{path}/EthernetInterfaces/{i}",
            "Id": str(i),
            "MACAddress": f"02:00:00:00:00:0{i}",
            "SpeedMbps": 25000,
            "LinkStatus": "LinkUp",
        }
    tree.update(collection(f"{path}/Storage", f"{path}/Storage/A"))
    drives = [f"{path}/Storage/A/Drives/{i}" for i in (0, 1, 2)]
    tree[f"{path}/Storage/A"] = {"@odata.id": f"{path}/Storage/A", "Id": "A", "Drives": [ref(d) for d in drives]}
    for i, drive in enumerate(drives):
        tree[drive] = {
            "@odata.id": drive,
            "Id": f"bay{i}",
            "Model": "Example D1",
            "SerialNumber": f"D-{i}-4711",
            "CapacityBytes": 960197124096,
            "MediaType": "SSD",
            "Protocol": "NVMe",
            "Status": {"Health": "OK"},
        }
    return tree


def plain(root_more: dict[str, Any] | None = None, **more: Any) -> Tree:
    """A BMC with one ordinary server."""
    tree = root(**(root_more or {}))
    tree.update(collection(f"{ROOT}/Systems", f"{ROOT}/Systems/1"))
    tree.update(collection(f"{ROOT}/Chassis", f"{ROOT}/Chassis/1"))
    tree.update(collection(f"{ROOT}/Managers", f"{ROOT}/Managers/1"))
    tree.update(server("1", **more))
    tree[f"{ROOT}/Chassis/1"] = chassis("1")
    tree[f"{ROOT}/Managers/1"] = manager("1")
    tree.update(collection(f"{ROOT}/Managers/1/EthernetInterfaces", f"{ROOT}/Managers/1/EthernetInterfaces/eth0"))
    tree[f"{ROOT}/Managers/1/EthernetInterfaces/eth0"] = {
        "@odata.id": f"{ROOT}/Managers/1/EthernetInterfaces/eth0",
        "Id": "eth0",
        "MACAddress": "02:00:00:00:00:ff",
    }
    return tree


def with_systems(*names: str, **more: Any) -> Tree:
    """A BMC with several systems in one chassis."""
    tree = plain()
    tree.update(collection(f"{ROOT}/Systems", *(f"{ROOT}/Systems/{name}" for name in names)))
    for name in names:
        tree.update(server(name, **more))
    return tree


def hgx(order: tuple[str, ...] = ("System_0", "HGX_Baseboard_0")) -> Tree:
    """A host with a GPU baseboard that is listed as a system of its own."""
    tree = with_systems(*order)
    board = f"{ROOT}/Systems/HGX_Baseboard_0"
    for path in [path for path in tree if path.startswith(board)]:
        del tree[path]
    tree[board] = {
        "@odata.id": board,
        "Id": "HGX_Baseboard_0",
        "SystemType": "Physical",
        "Processors": ref(f"{board}/Processors"),
        "SerialNumber": "158-BOARD",
        "Links": {"ManagedBy": [ref(f"{ROOT}/Managers/HGX_BMC_0")]},
    }
    names = ["GPU_0", "GPU_1", "GPU_2", "GPU_3", "FPGA_0"]
    tree.update(collection(f"{board}/Processors", *(f"{board}/Processors/{name}" for name in names)))
    for name in names:
        kind = "FPGA" if name == "FPGA_0" else "GPU"
        tree.update(processor("HGX_Baseboard_0", name, kind, Model="Example G1"))
    return tree

# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC of no particular vendor that does what the specification says."""

from __future__ import annotations

from tests.emulators.redfish.personality import (
    Manners,
    Personality,
    Tree,
    asset_tag,
    clock,
    collection,
    link,
    links,
    mac,
    power_state,
    serial,
    system_uuid,
    volatile,
)

SYSTEM = "/redfish/v1/Systems/1"
CHASSIS = "/redfish/v1/Chassis/1"
MANAGER = "/redfish/v1/Managers/1"


def tree() -> Tree:
    return {
        "/redfish/v1": {
            "@odata.id": "/redfish/v1/",
            "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot",
            "Id": "RootService",
            "Name": "Root Service",
            "RedfishVersion": "1.19.0",
            "UUID": lambda bmc: bmc.unit.uuid_of("service"),
            "Systems": link("/redfish/v1/Systems"),
            "Chassis": link("/redfish/v1/Chassis"),
            "Managers": link("/redfish/v1/Managers"),
            "SessionService": link("/redfish/v1/SessionService"),
            "AccountService": link("/redfish/v1/AccountService"),
            "Links": {"Sessions": link("/redfish/v1/SessionService/Sessions")},
        },
        "/redfish/v1/SessionService": {
            "@odata.type": "#SessionService.v1_1_9.SessionService",
            "Id": "SessionService",
            "Name": "Session Service",
            "ServiceEnabled": True,
            "SessionTimeout": lambda bmc: int(bmc.manners.session_timeout),
            "Sessions": link("/redfish/v1/SessionService/Sessions"),
        },
        "/redfish/v1/SessionService/Sessions": collection("SessionCollection", "Session Collection"),
        "/redfish/v1/AccountService": {
            "@odata.type": "#AccountService.v1_15_1.AccountService",
            "Id": "AccountService",
            "Name": "Account Service",
            "ServiceEnabled": True,
            "AccountLockoutThreshold": lambda bmc: bmc.manners.lockout_threshold,
            "Accounts": link("/redfish/v1/AccountService/Accounts"),
            "Roles": link("/redfish/v1/AccountService/Roles"),
        },
        "/redfish/v1/AccountService/Accounts": collection("ManagerAccountCollection", "Accounts Collection"),
        "/redfish/v1/AccountService/Roles": collection("RoleCollection", "Roles Collection"),
        "/redfish/v1/AccountService/Roles/Administrator": {
            "@odata.type": "#Role.v1_3_2.Role",
            "Id": "Administrator",
            "Name": "Administrator",
            "RoleId": "Administrator",
            "IsPredefined": True,
            "AssignedPrivileges": ["Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf"],
        },
        "/redfish/v1/Systems": collection("ComputerSystemCollection", "Computer System Collection"),
        SYSTEM: {
            "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
            "Id": "1",
            "Name": "System",
            "SystemType": "Physical",
            "Manufacturer": "Hearth",
            "Model": "Emulated 1U",
            "SerialNumber": serial,
            "UUID": system_uuid,
            "AssetTag": asset_tag,
            "PowerState": power_state(SYSTEM),
            "Status": {"State": "Enabled", "Health": "OK"},
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{SYSTEM}/Actions/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "GracefulShutdown", "ForceRestart"],
                }
            },
            "Links": {"Chassis": links(CHASSIS), "ManagedBy": links(MANAGER)},
        },
        "/redfish/v1/Chassis": collection("ChassisCollection", "Chassis Collection"),
        CHASSIS: {
            "@odata.type": "#Chassis.v1_25_0.Chassis",
            "Id": "1",
            "Name": "Chassis",
            "ChassisType": "RackMount",
            "SerialNumber": serial,
            "Location": {
                "Placement": {"Rack": lambda bmc: bmc.unit.rack, "RackOffset": lambda bmc: bmc.unit.slot},
            },
            "Links": {"ComputerSystems": links(SYSTEM), "ManagedBy": links(MANAGER)},
        },
        "/redfish/v1/Managers": collection("ManagerCollection", "Manager Collection"),
        MANAGER: {
            "@odata.type": "#Manager.v1_19_0.Manager",
            "Id": "1",
            "Name": "Manager",
            "ManagerType": "BMC",
            "FirmwareVersion": "1.0.0",
            "DateTime": volatile(clock),
            "DateTimeLocalOffset": "+00:00",
            "EthernetInterfaces": link(f"{MANAGER}/EthernetInterfaces"),
            "Actions": {
                "#Manager.Reset": {
                    "target": f"{MANAGER}/Actions/Manager.Reset",
                    "ResetType@Redfish.AllowableValues": ["GracefulRestart", "ForceRestart"],
                }
            },
            "Links": {"ManagerForServers": links(SYSTEM), "ManagerForChassis": links(CHASSIS)},
        },
        f"{MANAGER}/EthernetInterfaces": collection("EthernetInterfaceCollection", "Ethernet Interface Collection"),
        f"{MANAGER}/EthernetInterfaces/eth0": {
            "@odata.type": "#EthernetInterface.v1_12_2.EthernetInterface",
            "Id": "eth0",
            "Name": "BMC interface",
            "MACAddress": mac(0),
            "IPv4Addresses": lambda bmc: [{"Address": bmc.unit.address, "AddressOrigin": "Static"}],
        },
    }


PERSONALITIES = (Personality("generic", Manners(), tree),)

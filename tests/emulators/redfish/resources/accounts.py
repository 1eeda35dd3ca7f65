# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AccountService with its roles, SessionService. Accounts and sessions themselves are the server's to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Template
from tests.emulators.redfish.resources.leaves import lockout_threshold, password_length, session_timeout
from tests.emulators.redfish.resources.tree import TreeBuilder

ACCOUNT_SERVICE = f"{SERVICE_ROOT}/AccountService"
SESSION_SERVICE = f"{SERVICE_ROOT}/SessionService"

PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "Administrator": ("Login", "ConfigureManager", "ConfigureUsers", "ConfigureSelf", "ConfigureComponents"),
    "Operator": ("Login", "ConfigureSelf", "ConfigureComponents"),
    "ReadOnly": ("Login", "ConfigureSelf"),
    "None": (),
}


def account_service(
    tree: TreeBuilder,
    *,
    roles: Mapping[str, tuple[str, ...]] | None = None,
    account_types: tuple[str, ...] | None = ("Redfish", "HostConsole", "IPMI", "WebUI"),
    lockout_seconds: int = 300,
    identifier: str = "AccountService",
    external_providers: bool = True,
    oem: Template | None = None,
    role_oem: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    body: Template = {
        "ServiceEnabled": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "AuthFailureLoggingThreshold": 3,
        "MinPasswordLength": password_length(0),
        "MaxPasswordLength": password_length(1),
        "AccountLockoutThreshold": lockout_threshold,
        "AccountLockoutDuration": lockout_seconds,
        "AccountLockoutCounterResetAfter": lockout_seconds,
        "LocalAccountAuth": "LocalFirst",
        "SupportedAccountTypes": list(account_types) if account_types else None,
        "Oem": oem,
    }
    body["Accounts"] = tree.collect(f"{ACCOUNT_SERVICE}/Accounts", "ManagerAccount", "Accounts Collection")
    body["Roles"] = tree.collect(f"{ACCOUNT_SERVICE}/Roles", "Role", "Roles Collection")
    if external_providers:
        body["LDAP"] = _provider("uid", "memberOf")
        body["ActiveDirectory"] = _provider("sAMAccountName", "memberOf")
    tree.add(ACCOUNT_SERVICE, "AccountService", "Account Service", body, identifier=identifier)
    for role, privileges in (
        roles or {key: PRIVILEGES[key] for key in ("Administrator", "Operator", "ReadOnly")}
    ).items():
        tree.add(
            f"{ACCOUNT_SERVICE}/Roles/{role}",
            "Role",
            f"{role} Role",
            {
                "RoleId": role,
                "IsPredefined": True,
                "AssignedPrivileges": list(privileges),
                "OemPrivileges": list((role_oem or {}).get(role, ())),
            },
        )


def _provider(user_attribute: str, group_attribute: str) -> Template:
    return {
        "ServiceEnabled": False,
        "ServiceAddresses": [],
        "RemoteRoleMapping": [],
        "Authentication": {"AuthenticationType": "UsernameAndPassword", "Username": "", "Password": None},
        "LDAPService": {
            "SearchSettings": {
                "BaseDistinguishedNames": [],
                "UsernameAttribute": user_attribute,
                "GroupsAttribute": group_attribute,
            }
        },
    }


def session_service(tree: TreeBuilder, **more: Any) -> None:
    body: Template = {
        "Description": "Sessions of this service",
        "ServiceEnabled": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "SessionTimeout": session_timeout,
        "Sessions": tree.collect(f"{SESSION_SERVICE}/Sessions", "Session", "Session Collection"),
    }
    body.update(more)
    tree.add(SESSION_SERVICE, "SessionService", "Session Service", body)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AccountService/Accounts: add, change and delete accounts, or fill and empty the platform's fixed slots."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.emulators.redfish import writable
from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json, Template
from tests.emulators.redfish.registry import keeper

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_WRITABLE: writable.Rules = {
    "UserName": writable.text(32),
    "RoleId": writable.text(64),
    "Enabled": writable.flag,
    "Locked": writable.flag,
    "PasswordChangeRequired": writable.flag,
    "AccountTypes": writable.listing,
}
_SELF = {"Password"}  # what everybody may change of the own account


@keeper("ManagerAccountCollection")
class Accounts:
    methods: tuple[str, ...] = ("POST",)
    member_methods: tuple[str, ...] = ("PATCH", "DELETE")

    def members(self, bmc: Bmc, collection: str) -> list[str]:
        return list(bmc.accounts.accounts)

    def read(self, bmc: Bmc, collection: str, member: str) -> Template | None:
        account = bmc.accounts.accounts.get(member)
        if account is None:
            return None
        roles = bmc.platform.tree.first("RoleCollection")
        role = {"Links": {"Role": {"@odata.id": f"{roles}/{account.role}"}}} if roles else {}
        return {
            "@odata.type": "#ManagerAccount.v1_12_1.ManagerAccount",
            "Id": account.id,
            "Name": "User Account",
            "UserName": account.username,
            "Password": None,
            "RoleId": account.role,
            "Enabled": account.enabled,
            "Locked": bmc.accounts.locked(account),
            "PasswordChangeRequired": account.change_required,
            "AccountTypes": list(account.types),
            **role,
        }

    def create(self, bmc: Bmc, collection: str, request: Request, account: Account | None) -> Reply:
        if bmc.manners.account_slots:
            raise Refusal(405, "OperationNotAllowed", headers=(("Allow", "GET, HEAD"),))
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "MalformedJSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "UnrecognizedRequestBody")
        for name in ("UserName", "Password", "RoleId"):
            if name not in body:
                raise Refusal(400, "CreateFailedMissingReqProperties", name, related=name)
        fresh = Account("", "", "", bmc.manners.role_ids[-1])
        self._judge(bmc, fresh, body)
        if bmc.accounts.named(body["UserName"]) is not None:
            raise Refusal(400, "ResourceAlreadyExists", "ManagerAccount", "UserName", body["UserName"])
        made = bmc.accounts.add(body["UserName"], body["Password"], body["RoleId"])
        self._apply(bmc, made, {name: value for name, value in body.items() if name != "Locked"})
        path = f"{collection}/{made.id}"
        bmc.log(f"Account {made.username} was added.")
        return Reply(201, {"@odata.id": path, **(self.read(bmc, collection, made.id) or {})}, [("Location", path)])

    def change(self, bmc: Bmc, collection: str, member: str, change: dict[str, Json], account: Account) -> None:
        target = bmc.accounts.accounts[member]
        own = target is account
        if not account.may("ConfigureUsers") and not (own and set(change) <= _SELF and account.may("ConfigureSelf")):
            raise Refusal(403, "InsufficientPrivilege")
        self._judge(bmc, target, change)
        named = bmc.accounts.named(change["UserName"]) if change.get("UserName") else None
        if named is not None and named is not target:
            raise Refusal(400, "ResourceAlreadyExists", "ManagerAccount", "UserName", change["UserName"])
        self._apply(bmc, target, change)

    def _judge(self, bmc: Bmc, target: Account, change: dict[str, Json]) -> None:
        shown = {"UserName": "", "RoleId": "", "Enabled": True, "Locked": False, "PasswordChangeRequired": False}
        shown["AccountTypes"] = ""
        writable.check(_WRITABLE, {name: value for name, value in change.items() if name != "Password"}, shown)
        if "RoleId" in change and change["RoleId"] not in bmc.manners.role_ids:
            raise Refusal(400, "PropertyValueNotInList", change["RoleId"], "RoleId", related="RoleId")
        if change.get("Locked") is True:  # only a failed login locks
            raise Refusal(400, "PropertyValueNotInList", "true", "Locked", related="Locked")
        if "Password" in change:
            least, most = bmc.manners.password_length
            password = change["Password"]
            if not isinstance(password, str):
                raise Refusal(400, "PropertyValueTypeError", "…", "Password", related="Password")
            if not least <= len(password) <= most:
                raise Refusal(400, "PropertyValueFormatError", "…", "Password", related="Password")

    def _apply(self, bmc: Bmc, target: Account, change: dict[str, Json]) -> None:
        if "Password" in change:
            target.password = change["Password"]
            target.change_required = False
        if "UserName" in change:
            target.username = change["UserName"]
            if not bmc.manners.account_slots and bmc.manners.account_ids == "name":
                del bmc.accounts.accounts[target.id]
                target.id = target.username
                bmc.accounts.accounts[target.id] = target
        target.role = change.get("RoleId", target.role)
        target.enabled = change.get("Enabled", target.enabled)
        target.change_required = change.get("PasswordChangeRequired", target.change_required)
        target.types = tuple(change.get("AccountTypes", target.types))
        if change.get("Locked") is False:
            target.locked_until = 0.0
            target.failures = 0
        if not target.enabled:
            bmc.sessions.end_all(target)

    def delete(self, bmc: Bmc, collection: str, member: str, account: Account) -> None:
        target = bmc.accounts.accounts[member]
        if not account.may("ConfigureUsers"):
            raise Refusal(403, "InsufficientPrivilege")
        if target is account:
            raise Refusal(403, "ResourceCannotBeDeleted")
        bmc.sessions.end_all(target)
        if bmc.manners.account_slots:
            target.username, target.password, target.enabled = "", "", False
            target.role = bmc.manners.role_ids[-1]
        else:
            del bmc.accounts.accounts[member]

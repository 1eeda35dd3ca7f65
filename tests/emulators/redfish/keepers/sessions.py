# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SessionService/Sessions: log in, look, log out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal, message
from tests.emulators.redfish.personality import Json, Template
from tests.emulators.redfish.registry import keeper
from tests.emulators.redfish.sessions import NoRoom, Session

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


@keeper("SessionCollection")
class Sessions:
    methods: tuple[str, ...] = ("POST",)
    member_methods: tuple[str, ...] = ("DELETE",)

    def members(self, bmc: Bmc, collection: str) -> list[str]:
        return [session.id for session in bmc.sessions.all()]

    def read(self, bmc: Bmc, collection: str, member: str) -> Template | None:
        session = bmc.sessions.find(member)
        return None if session is None else self._body(bmc, session)

    def _body(self, bmc: Bmc, session: Session) -> Template:
        body: Template = {
            "@odata.type": "#Session.v1_7_1.Session",
            "Id": session.id,
            "Name": "User Session",
            "UserName": session.account.username,
            "SessionType": "Redfish",
            "CreatedTime": session.created,
        }
        return {**body, "Context": session.context} if session.context else body

    def create(self, bmc: Bmc, collection: str, request: Request, account: Account | None) -> Reply:
        username, password, context = self._asked(bmc, request)
        found = bmc.accounts.check(username, password)
        if found is None:
            bmc.counters.failed_logins += 1
            raise Refusal(401, "NoValidSession")
        bmc.counters.logins += 1
        try:
            session = bmc.sessions.open(found, numbered=bmc.manners.session_ids == "number")
        except NoRoom:
            status = 400 if bmc.manners.session_overflow == "refused_400" else 503
            raise Refusal(status, "SessionLimitExceeded") from None
        session.created = bmc.now().strftime("%Y-%m-%dT%H:%M:%S+00:00")
        session.context = context if bmc.manners.session_context == "kept" else ""
        bmc.counters.sessions_created += 1
        path = f"{collection}/{session.id}"
        body = {"@odata.id": path, **self._body(bmc, session)}
        if found.change_required:
            own = f"{bmc.platform.tree.first('ManagerAccountCollection')}/{found.id}"
            body["@Message.ExtendedInfo"] = [message(bmc.manners, "PasswordChangeRequired", own)]
        headers = [("X-Auth-Token", session.token)]
        location = {
            "path": path,
            "trailing_slash": f"{path}/",
            "absolute": f"{request.scheme}://{request.headers.get('host', bmc.unit.address)}{path}",
        }.get(bmc.manners.session_location)
        if location:
            headers.append(("Location", location))
        return Reply(201, body, headers)

    def _asked(self, bmc: Bmc, request: Request) -> tuple[str, str, str]:
        """User name, password and context."""
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "MalformedJSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "UnrecognizedRequestBody")
        for name in ("UserName", "Password"):
            if name not in body:
                raise Refusal(400, "CreateFailedMissingReqProperties", name, related=name)
            if not isinstance(body[name], str):
                raise Refusal(400, "PropertyValueTypeError", "…", name, related=name)
        if "Context" in body and bmc.manners.session_context == "refused":
            raise Refusal(400, "PropertyUnknown", "Context", related="Context")
        return body["UserName"], body["Password"], str(body.get("Context", ""))

    def change(self, bmc: Bmc, collection: str, member: str, change: dict[str, Json], account: Account) -> None:
        raise Refusal(405, "OperationNotAllowed")

    def delete(self, bmc: Bmc, collection: str, member: str, account: Account) -> None:
        session = bmc.sessions.find(member)
        if session is None:
            raise Refusal(404, "ResourceMissingAtURI", f"{collection}/{member}")
        if session.account is not account and not account.may("ConfigureManager"):
            raise Refusal(403, "InsufficientPrivilege")
        bmc.sessions.end(session)
        bmc.counters.sessions_deleted += 1

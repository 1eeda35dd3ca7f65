# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the answer to a request: refusals, cut and broken bodies, slowness, ETags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, ClassVar

from tests.emulators.redfish.faults import Fault
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import SERVICE_ROOT

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


class Random401(Fault):
    """Refuses good credentials now and then. What it refuses counts as no failed login."""

    name = "random_401"
    defaults: ClassVar[Mapping[str, Any]] = {"rate": 0.3}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if "x-auth-token" not in request.headers and "authorization" not in request.headers:
            return None
        if self.strikes(request):
            raise Refusal(401, "NoValidSession")
        return None


class Unavailable(Fault):
    """503 with Retry-After (``retry_after`` seconds, or that time as an HTTP date), except for the root."""

    name = "unavailable"
    defaults: ClassVar[Mapping[str, Any]] = {"retry_after": 5, "date": False, "root": False}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if request.path.rstrip("/") in ("/redfish", SERVICE_ROOT) and not self.options["root"]:
            return None
        if not self.strikes(request):
            return None
        seconds = self.options["retry_after"]
        when = format_datetime(bmc.now() + timedelta(seconds=seconds), usegmt=True) if self.options["date"] else seconds
        raise Refusal(503, "ServiceTemporarilyUnavailable", seconds, headers=(("Retry-After", str(when)),))


class SlowResource(Fault):
    """One resource (``path``) takes ``seconds``."""

    name = "slow_resource"
    defaults: ClassVar[Mapping[str, Any]] = {"path": f"{SERVICE_ROOT}/UpdateService/FirmwareInventory", "seconds": 30.0}

    def delay(self, bmc: Bmc, request: Request) -> float:
        return float(self.options["seconds"]) if self.strikes(request) else 0.0


class DropMidBody(Fault):
    """States the full length, sends half of the body and closes."""

    name = "drop_mid_body"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        payload = reply.payload()
        if payload and self.strikes(request):
            reply.cut_at = len(payload) // 2


class LostAnswer(Fault):
    """Does what it is asked, and drops the connection instead of answering."""

    name = "lost_answer"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        if self.strikes(request):
            reply.lost = True


class Forgets(Fault):
    """Says yes to every change and makes none; logins and logouts work."""

    name = "forgets"
    defaults: ClassVar[Mapping[str, Any]] = {"methods": ("POST", "PATCH", "PUT")}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if request.path.startswith(f"{SERVICE_ROOT}/SessionService") or not self.strikes(request):
            return None
        return Reply(204)


class Truncated(Fault):
    """A whole HTTP answer whose JSON ends half-way."""

    name = "truncated"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        payload = reply.payload()
        if payload and self.strikes(request):
            reply.body = payload[: len(payload) // 2]


class NotJson(Fault):
    """200 and a web page."""

    name = "not_json"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        if reply.status == 200 and self.strikes(request):
            reply.body = b"<!DOCTYPE html><html><body>Please enable JavaScript.</body></html>\n"
            reply.content_type = "text/html"


class WrongEtag(Fault):
    """Shows an ETag that is never the resource's."""

    name = "wrong_etag"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        if reply.header("ETag") is not None and self.strikes(request):
            kept = [(name, value) for name, value in reply.headers if name != "ETag"]
            reply.headers[:] = [*kept, ("ETag", f'"wrong-{self._struck}"')]


class DuplicateEtag(Fault):
    """Two ETag headers, of which the second one is wrong."""

    name = "duplicate_etag"

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        if reply.header("ETag") is not None and self.strikes(request):
            reply.headers.append(("ETag", '"duplicate"'))


class HugeBody(Fault):
    """A JSON document of ``bytes`` bytes, sent as long as the client reads."""

    name = "huge_body"
    defaults: ClassVar[Mapping[str, Any]] = {"path": f"{SERVICE_ROOT}/Systems", "bytes": 10_000_000_000}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if request.method != "GET" or not self.strikes(request):
            return None
        start, end = b'{"Name":"', b'"}'
        filling = int(self.options["bytes"]) - len(start) - len(end)
        return Reply(200, start, content_length=int(self.options["bytes"]), stream=_letters(filling, end))


def _letters(count: int, end: bytes) -> Iterator[bytes]:
    block = b"A" * 65536
    while count > 0:
        yield block[:count] if count < len(block) else block
        count -= len(block)
    yield end


FAULTS: tuple[type[Fault], ...] = (
    Random401,
    Unavailable,
    SlowResource,
    DropMidBody,
    LostAnswer,
    Forgets,
    Truncated,
    NotJson,
    WrongEtag,
    DuplicateEtag,
    HugeBody,
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to a BMC without network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish import service
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.http1 import Reply, Request
from tests.unit.emulators.raw_client import basic


@dataclass(frozen=True)
class InProcessAnswer:
    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    def header(self, name: str) -> str | None:
        return self.reply.header(name)

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.reply.payload())
        return found

    @property
    def message_id(self) -> str:
        return str(self.json()["error"]["@Message.ExtendedInfo"][0]["MessageId"]).rpartition(".")[2]


def ask(
    bmc: Bmc,
    method: str,
    target: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    credentials: tuple[str, str] | None = ("hearth", "emulated-fleet"),
    scheme: str = "https",
) -> InProcessAnswer:
    """A request with Basic credentials, or none."""
    sent = {} if credentials is None else basic(*credentials)
    sent = {name.lower(): value for name, value in {**sent, **(headers or {})}.items()}
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return InProcessAnswer(service.answer(bmc, Request(method, target, sent, data, scheme, True)))


def get(bmc: Bmc, target: str, **headers: str) -> InProcessAnswer:
    return ask(bmc, "GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

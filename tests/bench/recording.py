# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests the plugins really send, by platform, and how long they wait in between: so that the bare client does
the same."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, perform
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Session
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import DiscoveryRequest, discover

from .clients.bare import WAIT, Step


@contextlib.contextmanager
def recorded() -> t.Iterator[list[Step]]:
    """All requests and rests while it lasts, as the bare client's steps: a login's body is not kept."""
    original, rest = Transport.request, Session.rest
    log: list[Step] = []

    def noted(self: Transport, method: str, path: str, **options: t.Any) -> t.Any:
        body = options.get("body")
        if method == "DELETE":
            log.append((method, "{session}"))
        elif body is None or path.rstrip("/").endswith("/Sessions"):
            log.append((method, path))
        else:
            log.append((method, path, body.decode() if isinstance(body, bytes) else json.dumps(body)))
        return original(self, method, path, **options)

    def rested(self: Session, seconds: float) -> None:
        log.append((WAIT, f"{seconds:.3f}"))
        rest(self, seconds)

    Transport.request = noted  # type: ignore[method-assign]
    Session.rest = rested  # type: ignore[method-assign]
    try:
        yield log
    finally:
        Transport.request = original  # type: ignore[method-assign]
        Session.rest = rest  # type: ignore[method-assign]


def one_of_each(bmcs: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Mapping[str, t.Any]]:
    """The first BMC of each platform."""
    found: dict[str, t.Mapping[str, t.Any]] = {}
    for bmc in bmcs:
        found.setdefault(bmc["platform"], bmc)
    return found


def sequences(
    bmcs: t.Iterable[t.Mapping[str, t.Any]], port: int, ca: str, username: str, password: str, details: str
) -> dict[str, list[Step]]:
    """The steps of a discovery, for one BMC of each platform among ``bmcs``; discovered for real, once each."""
    found: dict[str, list[Step]] = {}
    with recorded() as log:
        for platform, bmc in one_of_each(bmcs).items():
            log.clear()
            outcome = discover(
                DiscoveryRequest(
                    endpoint=Endpoint(bmc["address"], port, "https"),
                    trust=Trust("verify", ca_path=ca),
                    credentials=(Credential("bench", username, password),),
                    details=details,
                    connect_timeout=10,
                    deadline=60,
                )
            )
            if outcome.group or outcome.counters["requests"] != len(log):
                raise RuntimeError(f"{platform} did not discover cleanly: {outcome.error} {outcome.counters} {log}")
            found[platform] = list(log)
    return found


def steps_of(contract: Contract, params_by_platform: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, list[Step]]:
    """The steps of a module, for each platform with the validated parameters of one of its BMCs; done for real."""
    found: dict[str, list[Step]] = {}
    with recorded() as log:
        for platform, params in params_by_platform.items():
            log.clear()
            result = perform(contract, params, check_mode=False, diff_mode=False)
            if result.get("failed") or not result["changed"]:
                raise RuntimeError(f"{contract.name} did not change {platform}: {result.get('msg', 'no change')}")
            found[platform] = list(log)
    return found

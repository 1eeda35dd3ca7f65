# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests the plugin really sends, by platform: so that the bare client sends the same."""

from __future__ import annotations

import typing as t

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import DiscoveryRequest, discover


def sequences(
    bmcs: t.Iterable[t.Mapping[str, t.Any]], port: int, ca: str, username: str, password: str, details: str
) -> dict[str, list[tuple[str, str]]]:
    """(method, path) in order, for one BMC of each platform among ``bmcs``; discovered for real, once each."""
    found: dict[str, list[tuple[str, str]]] = {}
    original = Transport.request
    log: list[tuple[str, str]] = []

    def recorded(self: Transport, method: str, path: str, **options: t.Any) -> t.Any:
        log.append((method, "{session}" if method == "DELETE" else path))
        return original(self, method, path, **options)

    Transport.request = recorded  # type: ignore[method-assign]
    try:
        for bmc in bmcs:
            if bmc["platform"] in found:
                continue
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
                raise RuntimeError(
                    f"{bmc['platform']} did not discover cleanly: {outcome.error} {outcome.counters} {log}"
                )
            found[bmc["platform"]] = list(log)
    finally:
        Transport.request = original  # type: ignore[method-assign]
    return found

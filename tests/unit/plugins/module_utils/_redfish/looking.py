# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at a replayed BMC with the code under test."""

from __future__ import annotations

from typing import Any

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import (
    DiscoveryOutcome,
    DiscoveryRequest,
    discover,
)
from tests.unit.plugins.module_utils._redfish.replay import PASSWORD, USER, Manners, Replay, Tree

SITE = Credential("site", USER, PASSWORD)
WRONG = Credential("old", USER, "wrong")
OTHER = Credential("older", USER, "wrong too")
OFF = Trust("off")


def request_for(bmc: Replay, **more: Any) -> DiscoveryRequest:
    """Over plain HTTP and with ``trust: off``, so that tests that are not about trust pay for no handshake."""
    settings: dict[str, Any] = {
        "endpoint": Endpoint(str(bmc.address), int(bmc.port), bmc.scheme),
        "trust": OFF,
        "credentials": (SITE,),
        "connect_timeout": 2.0,
        "deadline": 20.0,
    }
    return DiscoveryRequest(**{**settings, **more})


def look(bmc: Replay, **more: Any) -> DiscoveryOutcome:
    return discover(request_for(bmc, **more))


def look_at(tree: Tree, manners: Manners | None = None, **more: Any) -> DiscoveryOutcome:
    with Replay(tree, manners) as bmc:
        outcome = look(bmc, **more)
    assert not bmc.open_sessions, "a session was left open"
    return outcome


def only(outcome: DiscoveryOutcome) -> tuple[dict[str, Any], dict[str, Any]]:
    """hearth_bmc and hearth_server of an outcome with one host."""
    assert outcome.error is None, outcome.error
    (host,) = outcome.hosts
    return host["hearth_bmc"], host["hearth_server"]

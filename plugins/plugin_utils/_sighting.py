# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one address turned out to be: the result of discovery before it has a name, and what the cache holds.

PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..module_utils._core.state.address import store_address


@dataclasses.dataclass(frozen=True)
class Sighting:
    """One endpoint that is a BMC, or was expected to be one.

    ``hosts`` are the records of module_utils/_redfish/discovery.py: ``{"system_id", "hearth_bmc", "hearth_server"}``,
    JSON only, strings already made harmless. ``group`` is "" when all is well. ``slot`` names the map's entry that led
    here, or is "".
    """

    address: str
    port: int
    group: str
    hosts: tuple[dict[str, t.Any], ...]
    root_digest: str = ""
    credential: str = ""
    slot: str = ""
    is_redfish: bool = False

    @property
    def key(self) -> str:
        """The name of the endpoint in the state store."""
        return store_address(self.address, self.port)

    def as_json(self) -> dict[str, t.Any]:
        return {**dataclasses.asdict(self), "hosts": list(self.hosts)}

    @classmethod
    def from_json(cls, value: t.Mapping[str, t.Any]) -> Sighting:
        return cls(**{**value, "hosts": tuple(value["hosts"])})


def nobody(address: str, port: int, error: t.Mapping[str, str], slot: str = "", protocol: str = "") -> Sighting:
    """The sighting of an expected BMC that was not there."""
    bmc: dict[str, t.Any] = {
        "address": address,
        "port": port,
        "protocol": protocol,
        "state": "unreachable",
        "error": dict(error),
        "warnings": [],
    }
    return Sighting(address, port, "bmc_unreachable", ({"system_id": "", "hearth_bmc": bmc},), slot=slot)

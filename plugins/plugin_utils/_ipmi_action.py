# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What actions of IPMI modules add to their arguments: as for Redfish, but for the port.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ._bmc_action import BmcAction


class IpmiAction(BmcAction):
    """Fills in how to reach the host's BMC. A BMC that was discovered by Redfish has its Redfish port on record."""

    from_hearth_bmc: t.ClassVar[t.Mapping[str, str]] = {}

    def _add_bmc(self, arguments: dict[str, t.Any], bmc: t.Mapping[str, t.Any]) -> None:
        super()._add_bmc(arguments, bmc)
        if bmc.get("protocol") == "ipmi" and bmc.get("port"):
            arguments.setdefault("port", bmc["port"])

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HPE iLO 5: the older sensor model, IndicatorLED, weak ETags, closes the connection, refuses identity encoding."""

from __future__ import annotations

from tests.emulators.redfish.personalities import ilo
from tests.emulators.redfish.personality import Manners, Personality, Tree


def tree() -> Tree:
    return ilo.build(ilo.PLAN, "1.6.0", "iLO 5", ilo.images(ilo.PLAN))


PERSONALITY = Personality(
    name="ilo5",
    tree=tree,
    serial_pattern="CZ2########",
    manners=Manners(
        etag="weak",
        expand_levels=1,  # field notes §6: Expand NoLinks depth 1
        keep_alive=False,  # field notes §6: Connection: close before iLO 7 (infra-controller#465)
        compression="accepted",
        identity_encoding=False,  # field notes §6: 406 for identity encoding
        empty_post_body=False,  # field notes §6: eject and ResetBios need {}
        account_ids="number",
        reached_state="refused_400",  # field notes §6: InvalidOperationForSystemState (400)
        message_registry="Base.1.4",
    ),
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HPE iLO 6: both sensor models, and still a connection that closes after each answer."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import ilo, ilo5
from tests.emulators.redfish.personality import Personality, Tree


def tree() -> Tree:
    return ilo.build(ilo.GEN11, "1.13.0", "iLO 6", ilo.images(ilo.GEN11))


PERSONALITY = Personality(
    name="ilo6",
    tree=tree,
    serial_pattern="2M2########",
    manners=replace(ilo5.PERSONALITY.manners, identity_encoding=True, message_registry="Base.1.13"),
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intel server boards with Intel's own BMC firmware."""

from __future__ import annotations

from .record import Platform, Sign

INTEL = Platform(
    name="intel",
    vendor="Intel",
    signs=(Sign(vendor=r"^Intel"), Sign(oem=r"^Intel"), Sign(product=r"^(S2600|M50|D50|Intel)")),
    # The system's Id is the board's serial number, Chassis are "RackMount"/"StandAlone" and empty (mockup of an
    # S2600BPB). The root of older firmware names nobody: those are known by their system (GENERIC's refinement).
    expand="",
)

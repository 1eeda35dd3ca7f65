# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""BMCs that say nothing of themselves, or nothing known: what the specification promises, and caution elsewhere."""

from __future__ import annotations

from .record import Platform, Refinement

# No $expand without proof (field notes §8.12), two credentials at most.
GENERIC = Platform(
    name="generic",
    refinements=(
        # Roots that omit Vendor and Oem; the system says whose it is.
        Refinement(of="system", key="Manufacturer", pattern=r"^Intel\b", becomes="intel"),
        Refinement(of="system", key="Manufacturer", pattern=r"^Super ?micro", becomes="supermicro"),
        Refinement(of="system", key="Manufacturer", pattern=r"^Fujitsu", becomes="irmc"),
        Refinement(of="system", key="Manufacturer", pattern=r"GIGA.?BYTE", becomes="megarac_gigabyte"),
        Refinement(of="manager", key="Model", pattern=r"^OpenBmc$", becomes="openbmc"),
    ),
)

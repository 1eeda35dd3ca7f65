# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fujitsu (Fsas) iRMC S4 to S6."""

from __future__ import annotations

from .record import Platform, Sign

IRMC = Platform(
    name="irmc",
    vendor="Fujitsu",
    signs=(
        Sign(oem=r"^(ts_)?(fujitsu|fsas)"),
        Sign(vendor=r"Fujitsu|Fsas"),
        Sign(product=r"iRMC"),
    ),
    # Any query is refused, and answers are slow (field notes §6; check_redfish#20).
    queries=False,
    expand="",
)

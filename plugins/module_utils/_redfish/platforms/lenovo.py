# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lenovo XClarity Controller: XCC and XCC2 of their own make, XCC3 on OpenBMC."""

from __future__ import annotations

from dataclasses import replace

from .record import Platform, Refinement, Sign

XCC = Platform(
    name="xcc",
    vendor="Lenovo",
    signs=(Sign(vendor=r"^Lenovo"), Sign(oem=r"^Lenovo$"), Sign(product=r"XClarity Controller")),
    refinements=(
        # The root has no Product; the manager's Model ends with the generation (aiohmi chooses by it, too).
        Refinement(of="manager", key="Model", pattern=r"(Controller|XCC) ?3\b", becomes="xcc3"),
    ),
    session_limit=16,  # field notes §6
    # Confluent's OEM classes for XCC and for XCC3 rely on $expand (field notes §2.5: it trusts no advertisement).
    expand="$expand=.($levels=1)",
    # They belong to the web console and to uploads (field notes §6: "RDOC/Remote slots unusable").
    media_unusable=r"^(RDOC|Remote)\d*$",
)

XCC3 = replace(
    XCC,
    name="xcc3",
    signs=(Sign(vendor=r"^Lenovo", product=r"(Controller|XCC) ?3\b"),),
    refinements=(),
)

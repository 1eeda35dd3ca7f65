# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenBMC with bmcweb, as it is built upstream."""

from __future__ import annotations

from .record import Platform, Sign

OPENBMC = Platform(
    name="openbmc",
    vendor="OpenBMC",
    signs=(
        # bmcweb's root names neither Vendor nor Product; the manager that provides the service is called "bmc" (field
        # notes §2.10, capture openbmc). Vendors' forks that fill Vendor in are known by their own records before.
        Sign(vendor=r"^(OpenBMC)?$", detail=("Links/ManagerProvidingService/@odata.id", r"/Managers/bmc/?$")),
        Sign(vendor=r"OpenBMC"),
        Sign(product=r"OpenBMC"),
    ),
    # 1800 s of idleness, 200 connections; the number of sessions is not bounded in the sources (field notes §2.10).
    # Sessions take Context and show it; bmcweb of before 2022 refuses it before it looks at the password, and is asked
    # without (openbmc/bmcweb, redfish-core/lib/redfish_sessions.hpp).
    session_context=True,
    # $expand is compiled out by default and answered with 501: members one by one (field notes §2.10, §8.12).
    expand="",
    # ids are "cpu0", "dimm0", "gpu0" (D-Bus object names)
    no_gpu_id=r"^cpu",
)

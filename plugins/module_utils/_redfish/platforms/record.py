# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down about one family of BMCs: how to know it, and what differs from the specification.

A record is data. Code asks the record, never the vendor. The defaults are what DSP0266 and DSP0268 promise, so the
generic record is an empty one. Each value that differs names its source in a comment; "field notes §6" is the quirk
list collected from the issue trackers of sushy, gofish, libredfish, nv-redfish, community.general and others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional, Pattern, Tuple


@dataclass(frozen=True)
class Sign:
    """One way to know a platform by its anonymous service root. All that is given must fit.

    Regular expressions are searched without regard to case. ``oem`` is a key of the root's ``Oem`` object. ``detail``
    is a path through the root (``Oem/Hpe/Manager/0/ManagerType``) and an expression for the text found there.
    """

    vendor: str = ""
    product: str = ""
    version: str = ""  # RedfishVersion
    oem: str = ""
    server: str = ""  # the HTTP header Server
    detail: Tuple[str, str] = ("", "")

    #: (path in the root, expression) of all that is given but ``oem`` and ``server``, compiled once: a record that
    #: can't be read fails when it is imported, not on the 4,000th BMC
    texts: Tuple[Tuple[str, Pattern[str]], ...] = field(init=False, repr=False, compare=False, default=())
    oem_key: Optional[Pattern[str]] = field(init=False, repr=False, compare=False, default=None)
    server_header: Optional[Pattern[str]] = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        given = (("Vendor", self.vendor), ("Product", self.product), ("RedfishVersion", self.version), self.detail)
        texts = tuple((path, re.compile(pattern, re.IGNORECASE)) for path, pattern in given if pattern)
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "oem_key", re.compile(self.oem, re.IGNORECASE) if self.oem else None)
        object.__setattr__(self, "server_header", re.compile(self.server, re.IGNORECASE) if self.server else None)


@dataclass(frozen=True)
class Refinement:
    """What a later document tells that the root could not: the platform is really another one.

    ``of`` is ``system`` or ``manager``; ``key`` a property of it (``Model``); ``pattern`` is searched in its text.
    """

    of: str
    key: str
    pattern: str
    becomes: str

    def __post_init__(self) -> None:
        re.compile(self.pattern)


@dataclass(frozen=True)
class BootReplacement:
    """A boot target that does not boot what its name says, and the one that does.

    ``model`` and ``but_not`` are searched in the system's Model: only these machines, all but these.
    """

    target: str  # as in BootSourceOverrideTarget
    becomes: str
    model: str = ""
    but_not: str = ""

    def applies(self, target: str, model: str) -> bool:
        if target != self.target or (self.model and not re.search(self.model, model)):
            return False
        return not (self.but_not and re.search(self.but_not, model))


@dataclass(frozen=True)
class Platform:
    """A family of BMCs. Sequences are in order of preference."""

    name: str  # what hearth_bmc.platform says; stable, users group by it
    vendor: str = ""  # for hearth_bmc.vendor where the root omits Vendor
    signs: Tuple[Sign, ...] = ()
    refinements: Tuple[Refinement, ...] = ()

    # Login
    login: str = "session"  # "session" | "basic": what a run uses when both work
    basic_allowed: bool = True  # Basic may stand in where no session is to be had (table full, no SessionService)
    session_limit: int = 0  # sessions at the same time; 0 = not known
    session_context: bool = False  # Context of a new session is kept and shown, so that ours can be told by it
    session_full: str = r"SessionLimitExceeded"  # MessageId or text of the refusal that means "table full"
    lockout_threshold: int = 0  # failed logins that lock the account; 0 = not known

    # HTTP
    keep_alive: bool = True
    headers: Tuple[Tuple[str, str], ...] = ()  # sent with each request

    # Queries
    queries: bool = True  # False: never send a query, whatever the root advertises
    expand: str = ""  # the $expand query that is proven on a collection here; "" = members are read one by one

    # The tree
    bogus_members: str = ""  # path of a collection's member that is listed and is not there
    baseboard: str = r"^HGX_Baseboard(_\d+)?$"  # Id of a system that is a GPU baseboard, part of its host
    asleep: str = ""  # path that answers 503 as long as the host is off: not worth waiting for
    machine_chassis: Tuple[str, ...] = ()  # Ids of the chassis that is the machine, where systems link to a part of it
    system_kind: str = ""  # hearth_server.kind of its systems, where SystemType does not say so
    root_facts: Tuple[Tuple[str, str], ...] = ()  # fact -> path in the anonymous root: firmware, mac, service_tag

    # GPUs
    gpu_places: Tuple[str, ...] = ("processors",)  # "processors" | "pcie_devices" | "chassis_devices"
    gpu_id: str = r"GPU|^Video\.|Accel|^OAM|^SXM"  # Id of a processor or PCIe device that may be a GPU
    no_gpu_id: str = r"^(HGX_)?(DevType\d+_)?(CPU|FPGA)"  # Id of a processor that is surely none

    # Boot
    boot_whole: bool = False  # enabled, target and mode are written together, or refused
    boot_replacements: Tuple[BootReplacement, ...] = ()
    boot_stays: str = ""  # every override stays, and shows as Continuous: the target that stands for none
    boot_order_hint: str = ""  # what to know when a boot order does not show

    # Virtual media
    media_unusable: str = ""  # Id of a slot that is listed and takes no image by URL
    media_url_refuses: str = ""  # characters that the image's URL must not hold

    def attempts(self) -> int:
        """How many different credentials a run may try: below the lockout threshold, 2 where that is not known."""
        return max(1, self.lockout_threshold - 1) if self.lockout_threshold else 2

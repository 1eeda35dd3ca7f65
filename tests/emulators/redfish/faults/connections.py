# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults below HTTP: nobody listens, nobody answers, the handshake stalls, another key, the BMC restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tests.emulators.redfish.faults import Fault
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.personality import Unit

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


class BlackHole(Fault):
    """Accepts TCP and never sends a byte."""

    name = "black_hole"
    mute = True


class Refused(Fault):
    """The listeners are closed: connection refused."""

    name = "refused"
    refuses = True


class TlsStall(Fault):
    """Begins the TLS handshake and stops after ``bytes`` bytes."""

    name = "tls_stall"
    defaults: ClassVar[Mapping[str, Any]] = {"bytes": 5}

    def __init__(self, options: Mapping[str, Any], unit: Unit) -> None:
        super().__init__(options, unit)
        self.stalls_handshake = int(self.options["bytes"])


class ChangedCertificate(Fault):
    """Shows another key and certificate than before (of the same CA)."""

    name = "changed_certificate"
    changes_certificate = True


class Restart(Fault):
    """The BMC restarts instead of answering: once, after ``after`` requests; away for ``seconds``."""

    name = "restart"
    defaults: ClassVar[Mapping[str, Any]] = {"after": 3, "times": 1, "seconds": 2.0}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if self.strikes(request):
            bmc.restart(self.options["seconds"])
        return None


FAULTS: tuple[type[Fault], ...] = (BlackHole, Refused, TlsStall, ChangedCertificate, Restart)

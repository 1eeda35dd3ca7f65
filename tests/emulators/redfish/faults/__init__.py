# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: one small class each, found by name; at start or at run time, on one BMC or a share of them.

Every fault takes these options beside its own, which say when it strikes:

``path``     only requests whose path starts with that (default: any)
``methods``  only these methods
``rate``     share of those requests, 0 … 1 (decided by the seed and the count of requests, so runs repeat)
``after``    lets so many of those requests pass first
``times``    strikes so many times and then no more (0: for ever)
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.personality import Json, Unit

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_WHEN: dict[str, Any] = {"path": "", "methods": (), "rate": 1.0, "after": 0, "times": 0}


class Fault:
    """A fault of one BMC. Each hook does nothing unless a fault overrides it."""

    name: ClassVar[str] = ""
    defaults: ClassVar[Mapping[str, Any]] = {}  # its options and their defaults; may change those of ``when``
    refuses = False  # nobody listens
    mute = False  # TCP is accepted, nothing is ever answered
    stalls_handshake: int | None = None  # bytes of the TLS handshake that are sent before it stalls
    changes_certificate = False

    def __init__(self, options: Mapping[str, Any], unit: Unit) -> None:
        self.options = self.checked(options)
        self._random = Random(f"{unit.seed}/{unit.index}/{self.name}")
        self._seen = 0
        self._struck = 0

    @classmethod
    def checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults. Raises ValueError for a name or value that cannot be."""
        known = {**_WHEN, **cls.defaults}
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise ValueError(f"fault {cls.name} has no option {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        for name, value in options.items():
            if isinstance(known[name], int | float) and (isinstance(value, bool) or not isinstance(value, int | float)):
                if not (isinstance(known[name], bool) and isinstance(value, bool)):
                    raise ValueError(f"fault {cls.name}: {name} is a number, not {value!r}")
        return {**known, **options}

    def strikes(self, request: Request) -> bool:
        """Decides for one request; to be asked once for each."""
        options = self.options
        if not request.path.startswith(options["path"]):
            return False
        if options["methods"] and request.method not in options["methods"]:
            return False
        self._seen += 1
        if self._seen <= options["after"] or (options["times"] and self._struck >= options["times"]):
            return False
        if options["rate"] < 1.0 and self._random.random() >= options["rate"]:
            return False
        self._struck += 1
        return True

    def delay(self, bmc: Bmc, request: Request) -> float:
        """Seconds that the answer waits."""
        return 0.0

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        """An answer instead of the service's."""
        return None

    def body(self, bmc: Bmc, path: str, body: dict[str, Json]) -> dict[str, Json]:
        """A resource as this fault shows it; ``body`` may be written to at its top level."""
        return body

    def answer(self, bmc: Bmc, request: Request, reply: Reply) -> None:
        """Spoils the service's answer."""


def faults_by_name() -> dict[str, type[Fault]]:
    # the classes below import this module
    from tests.emulators.redfish.faults import answers, bodies, connections

    return {fault.name: fault for module in (connections, answers, bodies) for fault in module.FAULTS}


def make_fault(name: str, options: Mapping[str, Any], unit: Unit) -> Fault:
    """Raises ValueError for a name or an option that no fault has."""
    known = faults_by_name()
    if name not in known:
        raise ValueError(f"there is no fault {name}; there are {', '.join(sorted(known))}")
    return known[name](options, unit)

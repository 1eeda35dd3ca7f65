# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which BMC a fleet has: address, platform, identity, place and faults of each, decided by seed and index alone."""

from __future__ import annotations

import hashlib
import ipaddress
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.emulators.redfish.personality import Personality, Unit, fill_pattern

if TYPE_CHECKING:
    from tests.emulators.redfish.domains.description import Domain

SLOTS_PER_RACK = 40


class PlanError(ValueError):
    """The command line asks for a fleet that cannot be."""


@dataclass(frozen=True)
class FaultShare:
    """So many BMCs with that fault: a percentage of the fleet, or a count."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    percent: float | None = None
    count: int | None = None

    def of(self, bmcs: int) -> int:
        if self.count is not None:
            return min(self.count, bmcs)
        percent = 100.0 if self.percent is None else self.percent
        return min(bmcs, round(Fraction(str(percent)) * bmcs / 100))


@dataclass(frozen=True)
class Plan:
    """What the command line said; travels to the workers as it is (they are forked)."""

    bmcs: int
    network: str
    platforms: Mapping[str, int]
    latency: tuple[float, float] = (0.0, 0.0)  # seconds, uniform between the two
    faults: tuple[FaultShare, ...] = ()
    power_seconds: float | None = None  # of every transition of power; None: the platform's own
    https_port: int = 8443
    http_port: int = 8080  # 0: no plain HTTP
    workers: int = 2
    username: str = "hearth"
    password: str = "emulated-fleet"
    password_file: str = ""  # where the password came from; it is told to nobody then
    seed: int = 1
    state_dir: str = ""
    replay: str = ""
    replay_authentication: bool = True
    certificates: str = "own"  # "own" | "shared"
    admin_port: int = 0
    # real machines behind the BMCs
    libvirt_uri: str = "qemu:///system"
    media_slots: int = 2  # at most so many of a domain's CD-ROM drives take virtual media
    media_dir: str = ""  # where sockets go that QEMU reads media from
    media_ca: str = ""  # what the BMCs trust media servers by; "": they do not check
    authority_pem: tuple[bytes, bytes] | None = None  # certificate and key that issue the BMCs' certificates


@dataclass(frozen=True)
class FleetMember:
    """One BMC of a fleet."""

    unit: Unit
    personality: Personality
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # at start
    domain: Domain | None = None  # the machine behind it, where there is a real one


def addresses(plan: Plan) -> list[str]:
    """The first N host addresses of the network; it has to lie inside 127/8."""
    try:
        network = ipaddress.IPv4Network(plan.network)
    except ValueError as error:
        raise PlanError(f"--network {plan.network}: {error}") from error
    if not network.is_loopback:
        raise PlanError(f"--network {plan.network}: the fleet listens on loopback addresses (127.0.0.0/8) only")
    hosts = network.hosts() if network.prefixlen < 31 else iter(network)
    found: list[str] = []
    for host in hosts:
        if str(host) == "127.0.0.1":  # the admin endpoint's, and everybody else's
            continue
        if len(found) == plan.bmcs:
            break
        found.append(str(host))
    if len(found) < plan.bmcs:
        raise PlanError(f"--network {plan.network} has room for {len(found)} BMCs, not {plan.bmcs}")
    return found


def platform_names(plan: Plan) -> list[str]:
    """The platform of each index: exact shares by weight, mixed along the fleet in the same way at any seed.

    Each step takes the platform that is furthest behind its share, so that any stretch of a rack is mixed, too.
    """
    if not plan.platforms or any(weight < 0 for weight in plan.platforms.values()):
        raise PlanError("--platforms needs at least one name with a weight above 0")
    total = sum(plan.platforms.values())
    if total == 0:
        raise PlanError("--platforms: all weights are 0")
    debt = dict.fromkeys(plan.platforms, 0)
    names = []
    for _dummy in range(plan.bmcs):
        for name, weight in plan.platforms.items():
            debt[name] += weight
        chosen = max(debt, key=lambda name: debt[name])
        debt[chosen] -= total
        names.append(chosen)
    return names


def fault_map(plan: Plan) -> dict[int, dict[str, Mapping[str, Any]]]:
    """Index → faults at start. Faults below 100 % fall on different BMCs as long as there are any."""
    order = list(range(plan.bmcs))
    random.Random(f"{plan.seed}/faults").shuffle(order)
    taken = 0
    found: dict[int, dict[str, Mapping[str, Any]]] = {}
    for share in plan.faults:
        wanted = share.of(plan.bmcs)
        for step in range(wanted):
            index = order[(taken + step) % plan.bmcs]
            found.setdefault(index, {})[share.name] = share.options
        if wanted < plan.bmcs:
            taken += wanted
    return found


def unit(plan: Plan, index: int, address: str, personality: Personality) -> Unit:
    digest = hashlib.blake2b(f"{plan.seed}/{index}/identity".encode(), digest_size=64).digest()
    # the index is part of the serial where the pattern has room for it, so that no two are alike
    rack, slot = divmod(index, SLOTS_PER_RACK)
    made = Unit(
        index=index,
        address=address,
        seed=plan.seed,
        serial=_serial(personality.serial_pattern, index, digest),
        uuid="",
        rack=f"rack{rack + 1:03d}",
        slot=slot + 1,
        asset_tag=f"HEARTH-{index + 1:06d}",
        mac_prefix=personality.mac_prefix,
    )
    return Unit(**{**asdict(made), "uuid": made.uuid_of("system")})


def _serial(pattern: str, index: int, digest: bytes) -> str:
    """The pattern's last five places count the index (base 10 or 23/33), the others come from the digest."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    alphabets = {"#": "0123456789", "@": letters, "%": "0123456789" + letters}
    places = [place for place, char in enumerate(pattern) if char in alphabets]
    out = list(fill_pattern(pattern, digest))
    number = index
    for place in reversed(places[-5:]):
        alphabet = alphabets[pattern[place]]
        number, rest = divmod(number, len(alphabet))
        out[place] = alphabet[rest]
    return "".join(out)


def members(plan: Plan, personalities: Mapping[str, Personality]) -> list[FleetMember]:
    """Simulated machines. Raises PlanError for a fleet that cannot be."""
    faults = fault_map(plan)
    return [
        FleetMember(made, personality, faults.get(made.index, {})) for made, personality in units(plan, personalities)
    ]


def units(plan: Plan, personalities: Mapping[str, Personality]) -> Iterator[tuple[Unit, Personality]]:
    unknown = sorted(set(plan.platforms) - set(personalities))
    if unknown:
        raise PlanError(
            f"--platforms: no personality {', '.join(unknown)}; there are {', '.join(sorted(personalities))}"
        )
    for index, (address, name) in enumerate(zip(addresses(plan), platform_names(plan), strict=True)):
        yield unit(plan, index, address, personalities[name]), personalities[name]

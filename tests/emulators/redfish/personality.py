# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a personality is: how one platform's BMC looks (its tree) and how it behaves (its manners).

A personality is data. ``tree()`` is called once in each worker process; all BMCs of the platform share the result. A
leaf of a template may be a function of the BMC, called at each GET; what one BMC changed (PATCH, accounts, power) lies
in that BMC's own small overlay, never in the template.

The server does the following by itself, so that a personality need not:

- ``@odata.id`` is the path in the tree where a template lacks it. ``"@odata.id": OMITTED`` leaves it out.
- A template whose ``@odata.type`` ends with ``Collection`` and that has no ``Members`` gets ``Members`` (the direct
  children in the tree, in the order of the tree, then what a keeper adds: see below) and ``Members@odata.count``.
  Where ``Members`` is written (a list, ``None``, a function), it is served as it stands.
- Keepers own the changing members of these collections, which a tree declares empty:
  ``#SessionCollection``, ``#ManagerAccountCollection``, ``#LogEntryCollection``, ``#EventDestinationCollection``.
- An action works when its resource lists it (``Actions: {"#ComputerSystem.Reset": {"target": …}}``) and a handler of
  that name is registered (``actions/``); the allowable values that the template states are enforced.
- PATCH accepts the properties that ``writable.py`` names for the resource's type, where the resource has them, unless
  ``Manners.read_only`` says ``Type.Property``. What a PATCH wrote is what the next GET shows.
- ``/redfish``, ``/redfish/v1/odata`` and ``/redfish/v1/$metadata`` are made from the tree.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Json = Any  # what json.dumps takes: None, bool, int, float, str, list, dict
Template = dict[str, Any]  # a resource body whose leaves may be Leaf functions; shared, never written to
Tree = dict[str, Template]  # path without trailing slash ("/redfish/v1", "/redfish/v1/Systems") -> template

SERVICE_ROOT = "/redfish/v1"


class Omitted:
    """A leaf of this value, or a function that returns it, is left out of the body."""

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED = Omitted()


@dataclass(frozen=True)
class Unit:
    """Identity of one emulated BMC and its machine; the same for the same seed, index and personality."""

    index: int  # 0 … N-1 in the fleet
    address: str  # "127.16.0.1"
    seed: int
    serial: str  # what the (first) system and its chassis call themselves; from Personality.serial_pattern
    uuid: str  # of the (first) system, lower case with dashes
    rack: str  # "rack001"
    slot: int  # rack unit, 1 … 40
    asset_tag: str
    mac_prefix: str = "02:48:44"  # first three octets

    def number(self, name: str, below: int) -> int:
        """A number 0 … below-1 that belongs to this unit and that name for ever."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % below

    def token(self, pattern: str, name: str) -> str:
        """A pattern filled for this unit: ``#`` a digit, ``@`` a capital letter, ``%`` either, the rest as it is."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=64).digest()
        return fill_pattern(pattern, digest)

    def mac(self, port: int) -> str:
        """MAC address number ``port`` (0 … 255) of this unit; port 0 is the BMC's own."""
        value = (self.index * 256 + port + 1) & 0xFFFFFF
        return f"{self.mac_prefix}:{value >> 16:02x}:{value >> 8 & 255:02x}:{value & 255:02x}"

    def uuid_of(self, name: str) -> str:
        """A UUID of a part of this unit (the manager, a second system)."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))


def fill_pattern(pattern: str, digest: bytes) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    alphabets = {"#": "0123456789", "@": letters, "%": "0123456789" + letters}
    number = int.from_bytes(digest, "big")
    out = []
    for char in pattern:
        alphabet = alphabets.get(char)
        if alphabet is None:
            out.append(char)
        else:
            number, rest = divmod(number, len(alphabet))
            out.append(alphabet[rest])
    return "".join(out)


class MachineView(Protocol):
    """What a leaf may read of the machine behind a system (machine.py)."""

    @property
    def power_state(self) -> str: ...  # "On" | "Off" | "PoweringOn" | "PoweringOff" | "Paused"

    @property
    def boot_progress(
        self,
    ) -> str: ...  # BootProgressTypes: "None", "SystemHardwareInitializationComplete", "OSRunning"…

    @property
    def seconds_since_boot(self) -> float: ...  # since it was last switched on or restarted

    @property
    def powered_on(self) -> bool: ...  # the host's parts have power: On or PoweringOff


class BmcView(Protocol):
    """What a leaf may read of the BMC that is asked."""

    @property
    def unit(self) -> Unit: ...

    @property
    def manners(self) -> Manners: ...

    def now(self) -> datetime: ...  # the BMC's own clock, UTC

    def machine(self, system: str = "") -> MachineView: ...  # by path of the system; "" is the first one of the tree

    def reading(self, name: str, middle: float, spread: float) -> float: ...  # drifts; wrap in volatile

    def setting(self, path: str, pointer: str) -> Json: ...  # what a PATCH wrote ("/Boot/BootNext") or None


Leaf = Callable[[BmcView], Json]


class Volatile:
    """Marks a leaf that changes by itself (a clock, a sensor): it is served, and the resource's ETag ignores it."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf

    def __call__(self, bmc: BmcView) -> Json:
        return self.leaf(bmc)


def volatile(leaf: Leaf) -> Leaf:
    return Volatile(leaf)


# Leaves that nearly every template needs.


def serial(bmc: BmcView) -> Json:
    return bmc.unit.serial


def system_uuid(bmc: BmcView) -> Json:
    return bmc.unit.uuid


def asset_tag(bmc: BmcView) -> Json:
    return bmc.unit.asset_tag


def clock(bmc: BmcView) -> Json:
    """The BMC's DateTime; use as ``volatile(clock)``."""
    return bmc.now().strftime("%Y-%m-%dT%H:%M:%S+00:00")


def mac(port: int) -> Leaf:
    return lambda bmc: bmc.unit.mac(port)


def token(pattern: str, name: str) -> Leaf:
    """For part serials: ``token("S6#%%%%%%%", "drive0")``."""
    return lambda bmc: bmc.unit.token(pattern, name)


def power_state(system: str = "") -> Leaf:
    return lambda bmc: bmc.machine(system).power_state


def reading(name: str, middle: float, spread: float, digits: int = 1) -> Leaf:
    # round(x, 0) would be a float, which an integer property must not be
    return Volatile(lambda bmc: round(bmc.reading(name, middle, spread), digits or None))


def link(path: str) -> Template:
    return {"@odata.id": path}


def links(*paths: str) -> list[Template]:
    return [{"@odata.id": path} for path in paths]


def collection(odata_type: str, name: str, **more: Any) -> Template:
    """``collection("ComputerSystemCollection", "Computer System Collection")``: members come from the tree."""
    return {"@odata.type": f"#{odata_type}.{odata_type}", "Name": name, **more}


@dataclass(frozen=True)
class Manners:
    """How the platform's HTTP and Redfish service behaves. Each value other than the default cites its source."""

    # sessions
    session_limit: int = 32
    session_overflow: str = "refused_503"  # "refused_503" | "refused_400" | "oldest_dropped"
    session_timeout: float = 1800.0  # seconds of idleness; a PATCH of SessionTimeout changes it
    session_context: str = "ignored"  # Context of POST Sessions: "ignored" | "kept" (and shown) | "refused" (400)
    session_ids: str = "random"  # "random" | "number": counted up from 1, and from 1 again after a restart
    session_location: str = "path"  # Location of POST Sessions: "path" | "absolute" | "none" | "trailing_slash"
    basic_auth: bool = True
    anonymous: bool = False  # everything can be read and done without a login (replayed captures)
    www_authenticate: bool = True  # 401 carries WWW-Authenticate
    # accounts
    lockout_threshold: int = 0  # failed logins until the account is locked; 0 = never
    lockout_seconds: float = 300.0
    account_ids: str = "name"  # id of an account made by POST: "name" | "number"
    account_slots: int = 0  # > 0: so many fixed slots, empty ones have UserName ""; POST refused, PATCH fills a slot
    first_account_slot: int = 1  # the slot that holds the administrator
    password_length: tuple[int, int] = (8, 64)
    default_account: tuple[str, str] | None = (
        None  # factory account with password change required, beside the fleet's own
    )
    role_ids: tuple[str, ...] = ("Administrator", "Operator", "ReadOnly")
    # ETags
    etag: str = "strong"  # header: "strong" | "weak" | "none" | "empty" | "doubly_quoted" | "unquoted" | "duplicate"
    etag_in_body: bool = True  # @odata.etag
    if_match: str = "honoured"  # "honoured" | "required" (428 without) | "refused" (412 with) | "ignored"
    if_none_match: bool = True  # 304
    # queries
    expand: str = "works"  # "works" | "refused_501" | "refused_400" | "broken" (members without bodies) | "ignored"
    expand_levels: int = 6  # $levels above → 400
    query: str = "works"  # $select $top $skip $filter only excerpt: "works" | "refused_501" | "refused_400" | "ignored"
    select: bool = True  # False: as query, but $select alone is answered with 501
    page_size: int = 0  # > 0: collections larger than this are paged with Members@odata.nextLink
    # HTTP
    keep_alive: bool = True  # False: closes after each answer and says so
    requests_per_connection: int = 0  # > 0: closes after so many
    server_header: str = ""
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    plain_http: str = "served"  # on the HTTP port: "served" | "redirect" (to HTTPS) | "refused" (no listener)
    trailing_slash: str = "same"  # "/redfish/v1/Systems/": "same" | "not_found" | "redirect"
    compression: str = "never"  # "never" | "accepted" (gzip when asked for) | "always"
    identity_encoding: bool = True  # False: "Accept-Encoding: identity" → 406
    absolute_links: bool = False  # @odata.id of links as absolute URIs
    head_allowed: bool = True
    link_header: bool = True  # Link: <schema>; rel=describedby on GET
    patch_answer: int = 200  # 200 with the new body | 204
    action_answer: int = 200  # 200 with a message | 204 | 202
    empty_post_body: bool = True  # False: POST of an action without a body → 400
    # errors
    message_registry: str = "Base.1.18"  # prefix of MessageId
    error_style: str = "extended"  # "extended" | "plain" (no @Message.ExtendedInfo) | "html"
    # the machine and the BMC
    power_on_seconds: float = 1.0
    power_off_seconds: float = 0.5  # forced
    graceful_off_seconds: float = 2.0
    boot_seconds: float = 5.0  # from On to OSRunning
    bmc_restart_seconds: float = 3.0  # refuses connections after Manager.Reset
    not_ready_seconds: float = 0.0  # after that: 503 with Retry-After on everything but the root
    retry_after: int = 1  # seconds in Retry-After
    reached_state: str = "accepted"  # Reset to the state that it has: "accepted" | "refused_400" | "refused_409"
    host_off_503: tuple[str, ...] = ()  # path prefixes that answer 503 while the first system is off
    slow: Mapping[str, float] = field(default_factory=dict)  # path → extra seconds of one slow resource
    read_only: frozenset[str] = frozenset()  # "ComputerSystem.AssetTag": not writable on this platform
    # what the machine boots from
    boot_whole: bool = False  # a PATCH of Boot names enabled, target and mode together, or is refused
    boot_needs_enabled: bool = False  # a boot target is refused without BootSourceOverrideEnabled
    boot_at: str = (
        "system"  # where Boot is written: "system" | "settings" (the settings object; holds from the next boot)
    )
    boot_refusals: int = 0  # so many changes of Boot are refused (400): HPE's self-test is still running
    boot_stays: bool = False  # whatever a PATCH says: Continuous, also after a boot
    boot_order_shown: bool = True  # False: a new BootOrder is accepted and the old one shown
    # virtual media
    media_refuses: frozenset[str] = frozenset()  # parameters of InsertMedia that are refused
    media_needs: tuple[str, ...] = ()  # parameters of InsertMedia that are demanded beside Image
    media_url_refuses: str = ""  # characters that the image's URL must not hold
    media_lingers: float = 0.0  # seconds that Inserted stays true after EjectMedia
    media_stale_name: bool = False  # ImageName outlives an eject, ConnectedVia never leaves NotConnected
    media_mounts: bool = True  # False: InsertMedia is accepted, and nothing is inserted
    media_by: str = "action"  # "action" | "patch"
    media_broken_slots: frozenset[str] = frozenset()  # slots whose InsertMedia answers 405
    media_licensed: bool = True  # False: 403, a licence is missing
    # lights
    light_works: bool = True  # False: a change is accepted, and the light stays as it is
    located_as: str = "Blinking"  # IndicatorLED while LocationIndicatorActive, where a resource has both


@dataclass(frozen=True)
class Personality:
    name: str  # as in --platforms
    manners: Manners
    tree: Callable[[], Tree]
    serial_pattern: str = "HRT#######"  # see Unit.token
    mac_prefix: str = "02:48:44"

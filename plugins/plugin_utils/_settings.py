# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options that a user wrote to the settings of one discovery, all checked before anything is contacted.

PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..module_utils._core.errors import BadInput
from ._credential_list import CredentialList, read_credentials
from ._leases import Lease, read_leases
from ._map import SlotMap, read_map
from ._state_location import state_location
from ._targets import AddressBlocks, Shard, parse_blocks

TRUST_MODES = ("verify", "pin", "off")


@dataclasses.dataclass(frozen=True)
class Settings:
    """One discovery. Times are seconds."""

    blocks: AddressBlocks
    ports: tuple[tuple[str, int], ...]
    credentials: CredentialList
    trust: str
    ca_path: str | None
    details: str
    slots: SlotMap
    leases: tuple[Lease, ...]
    filter: str | None
    refresh: str
    shard: Shard | None
    ipmi: str
    connect_timeout: float
    deadline: float
    run_deadline: float
    concurrency: int
    state: str
    state_given: bool


class OptionSource(t.Protocol):
    """What this file needs of an inventory plugin."""

    templar: t.Any

    def get_option(self, option: str) -> t.Any: ...


def trust_mode(value: t.Any, where: str = "trust") -> str:
    """The trust mode that a user wrote; YAML reads an unquoted ``off`` as false, and means the same."""
    if value is False:
        return "off"
    text = str(value).strip().lower()
    if text not in TRUST_MODES:
        raise BadInput(
            f"{where} is {value!r}.",
            expected=", ".join(TRUST_MODES),
            found=repr(value),
            where=where,
            next='Write verify, pin, or "off" (in quotes).',
        )
    return text


def _ports(values: t.Sequence[t.Any]) -> tuple[tuple[str, int], ...]:
    ports = []
    for value in values:
        scheme, _colon, number = str(value).rpartition(":")
        scheme = scheme or "https"
        if scheme not in ("http", "https") or not number.isdigit() or not 0 < int(number) < 65536:
            raise BadInput(
                f"ports has {value!r}, which is no port.",
                expected="a number from 1 to 65535, or http:NUMBER",
                found=repr(value),
                where="ports",
                next="Write for example 443, 8443 or http:80.",
            )
        ports.append((scheme, int(number)))
    if not ports:
        raise BadInput("ports is empty.", where="ports", next="Leave the option out to use 443.")
    return tuple(dict.fromkeys(ports))


def _positive(source: OptionSource, option: str, zero: bool = False) -> float:
    value = float(source.get_option(option))
    # NaN compares false with everything
    if not (value > 0 or (zero and value == 0)) or value == float("inf"):
        raise BadInput(
            f"{option} is {value:g}.",
            expected="seconds above 0" + (", or 0 for no bound" if zero else ""),
            found=f"{value:g}",
            where=option,
            next=f"Give {option} a number of seconds.",
        )
    return value


def _resolved(path: str | None, base: str) -> str | None:
    return os.path.normpath(os.path.join(base, os.path.expanduser(path))) if path else None


def refuse_unknown(config: t.Mapping[str, t.Any], known: t.Collection[str]) -> None:
    """Ansible passes over an option that a plugin does not have; a misspelt ``exclude`` must not be passed over."""
    unknown = sorted(str(option) for option in config if option not in known and option != "plugin")
    if unknown:
        raise BadInput(
            f"The inventory file has options that this plugin does not have: {', '.join(unknown)}.",
            expected=", ".join(sorted(known)),
            found=", ".join(unknown),
            where="the inventory file",
            next="See ansible-doc -t inventory hearth.datacenter.bmc.",
        )


def read_settings(source: OptionSource, path: str) -> Settings:
    """The settings of the inventory file ``path``; raises BadInput before anything is contacted.

    Relative paths in the file are relative to the file. Templates in options are resolved here, with the variables
    ``inventory_dir`` and ``inventory_file``.
    """
    base = os.path.dirname(os.path.abspath(path))
    source.templar.available_variables = {"inventory_dir": base, "inventory_file": os.path.abspath(path)}

    def option(name: str) -> t.Any:
        return source.templar.template(source.get_option(name))

    concurrency = int(source.get_option("concurrency"))
    if not 1 <= concurrency <= 1024:
        raise BadInput(
            f"concurrency is {concurrency}.", expected="1 to 1024", where="concurrency", next="Leave it out to use 128."
        )
    ca_path = _resolved(option("ca_path"), base)
    if ca_path and not os.access(ca_path, os.R_OK):
        raise BadInput(
            f"ca_path {ca_path} cannot be read.",
            where="ca_path",
            next="Give the path of a PEM file with CA certificates.",
        )
    map_path = _resolved(option("map"), base)
    slots = read_map(map_path) if map_path else SlotMap(())
    leases = tuple(lease for entry in option("leases") or () for lease in read_leases(str(_resolved(str(entry), base))))
    targets = [str(target) for target in option("targets") or ()]
    if not targets and not slots.entries and not leases and not option("leases"):
        raise BadInput(
            "Nothing to look at: targets, map and leases are all empty.",
            where="targets",
            next="Write for example targets: [10.20.0.0/24].",
        )
    shard, state = option("shard"), str(option("state") or "")
    if state and "://" not in state:
        state = str(_resolved(state, base))
    return Settings(
        blocks=parse_blocks(targets, [str(entry) for entry in option("exclude") or ()]),
        ports=_ports(option("ports")),
        credentials=read_credentials(option("credentials"), option("username"), option("password")),
        trust=trust_mode(option("trust")),
        ca_path=ca_path,
        details=str(source.get_option("details")),
        slots=slots,
        leases=leases,
        filter=option("filter") or None,
        refresh=str(source.get_option("refresh")),
        shard=Shard.parse(shard) if shard else None,
        ipmi=str(source.get_option("ipmi")),
        connect_timeout=_positive(source, "connect_timeout"),
        deadline=_positive(source, "deadline"),
        run_deadline=_positive(source, "run_deadline", zero=True),
        concurrency=concurrency,
        state=state_location(state),
        state_given=bool(state),
    )

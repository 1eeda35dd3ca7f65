# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From host entries to Ansible's inventory: hosts, variables, and groups by Constructable with a fast path.

PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible.errors import AnsibleParserError

from ._inert import inert

# Always there, so that a play on one of them does not warn when it is empty.
STATE_GROUPS = ("bmc_unreachable", "bmc_unauthorized", "bmc_unpinned")

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclasses.dataclass(frozen=True)
class HostEntry:
    """One host: its name, its state group ("" when all is well), and its variables."""

    name: str
    group: str
    variables: t.Mapping[str, t.Any]


def populate(plugin: t.Any, entries: t.Sequence[HostEntry]) -> None:
    """Adds ``entries`` to the plugin's inventory, with its ``compose``, ``groups`` and ``keyed_groups``."""
    inventory = plugin.inventory
    for group in STATE_GROUPS:
        inventory.add_group(group)
    strict = plugin.get_option("strict")
    compose, groups = plugin.get_option("compose"), plugin.get_option("groups")
    plain, templated = split_keyed_groups(plugin)
    members: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for entry in entries:
        inventory.add_host(entry.name, group=entry.group or None)
        host = inventory.hosts[entry.name]
        for variable, value in entry.variables.items():
            # The host's own method: that of the inventory copies everything to mark each value with the file it came
            # from, which takes three seconds and 200 MB for ten thousand hosts. What inert() gives needs no copy and no
            # mark.
            host.set_variable(variable, inert(value, known))
        if compose:
            plugin._set_composite_vars(compose, entry.variables, entry.name, strict=strict)
        if groups:
            plugin._add_host_to_composed_groups(groups, entry.variables, entry.name, strict=strict)
        if templated:
            plugin._add_host_to_keyed_groups(templated, entry.variables, entry.name, strict=strict)
        for key in plain:
            for group in key.groups_of(entry.variables, entry.name, strict):
                members.setdefault(group, []).append(entry.name)
    parents = {group: key.parent for key in plain if key.parent for group in members if key.made(group)}
    for raw, hosts in members.items():
        group = inventory.add_group(plugin._sanitize_group_name(raw))
        for host in hosts:
            inventory.add_child(group, host)
        if raw in parents:
            inventory.add_child(inventory.add_group(plugin._sanitize_group_name(parents[raw])), group)


class PlainKey:
    """A keyed group whose key is an attribute of our own variables, such as ``hearth_server.model``.

    It gives the groups that Ansible's own Constructable gives, without a template for each host: on 10,000 hosts with
    two keyed groups that is most of the time (see ``make bench NAME=inventory_graph``). One thing is more lenient: a
    number or boolean becomes text, where a template would have to say so.
    """

    def __init__(self, keyed: t.Mapping[str, t.Any], leading_separator: bool) -> None:
        self.path = tuple(str(keyed["key"]).strip().split("."))
        prefix = str(keyed.get("prefix") or "")
        self.separator = str(keyed.get("separator", "_"))
        self.head = prefix + (self.separator if prefix or leading_separator else "")
        self.default = keyed.get("default_value")
        self.trailing = keyed.get("trailing_separator")
        self.parent = keyed.get("parent_group")
        self._made: set[str] = set()

    def made(self, group: str) -> bool:
        return group in self._made

    def groups_of(self, variables: t.Mapping[str, t.Any], host: str, strict: bool) -> list[str]:
        """The names (not yet sanitized) of the groups that this key makes for a host."""
        value: t.Any = variables
        for step in self.path:
            if not isinstance(value, t.Mapping) or step not in value:
                if strict:
                    raise AnsibleParserError(
                        f"Could not generate group for host {host}: {'.'.join(self.path)} is not there"
                    )
                return []
            value = value[step]
        groups = [self.head + name for name in self._bare(value, host, strict) if self.head + name]
        self._made.update(groups)
        return groups

    def _bare(self, value: t.Any, host: str, strict: bool) -> list[str]:
        if value in (None, ""):
            if self.default is not None:
                return [str(self.default)]
        elif isinstance(value, t.Mapping):
            return [self._pair(str(name), item) for name, item in value.items()]
        elif isinstance(value, list):
            return [str(self.default if item in (None, "") and self.default is not None else item) for item in value]
        else:
            return [str(value)]
        if strict:
            raise AnsibleParserError(
                f"No key or key resulted empty for {'.'.join(self.path)} in host {host}, invalid entry"
            )
        return []

    def _pair(self, name: str, item: t.Any) -> str:
        if item in (None, ""):
            if self.default is not None:
                item = self.default
            elif self.trailing is False:
                return name
        return f"{name}{self.separator}{item}"


def split_keyed_groups(plugin: t.Any) -> tuple[list[PlainKey], list[t.Any]]:
    """Those of the plugin's keyed groups that need no template, and the others."""
    plain: list[PlainKey] = []
    templated: list[t.Any] = []
    for keyed in plugin.get_option("keyed_groups") or []:
        if not plugin.get_option("use_extra_vars") and _is_plain(keyed):
            plain.append(PlainKey(keyed, plugin.get_option("leading_separator") is not False))
        else:
            templated.append(keyed)
    return plain, templated


def _is_plain(keyed: t.Any) -> bool:
    if not isinstance(keyed, t.Mapping) or not isinstance(keyed.get("key"), str):
        return False
    if keyed.get("trailing_separator") is not None and keyed.get("default_value") is not None:
        return False  # Ansible's own error for it is the better one
    key = keyed["key"].strip()
    steps = key.split(".")
    if not _PLAIN_KEY.fullmatch(key) or steps[0] not in ("hearth_bmc", "hearth_server"):
        return False
    # a template finds the method of the dictionary before its key
    return not any(hasattr(dict, step) for step in steps[1:]) and "{{" not in str(keyed.get("parent_group") or "")

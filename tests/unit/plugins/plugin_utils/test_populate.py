# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible.template import trust_as_template

from ansible_collections.hearth.datacenter.plugins.plugin_utils._populate import (
    HostEntry,
    populate,
    split_keyed_groups,
)


class Plugin(BaseInventoryPlugin, Constructable):
    """Ansible's own Constructable with given options: the reference that the fast path is compared with."""

    NAME = "hearth.datacenter.bmc"

    def __init__(self, **options):
        super().__init__()
        self.given = {
            "strict": False,
            "compose": {},
            "groups": {},
            "keyed_groups": [],
            "use_extra_vars": False,
            "leading_separator": True,
            **options,
        }
        self.inventory = InventoryData()
        self.loader = DataLoader()
        self._vars = {}

    def get_option(self, option, hostvars=None):
        return self.given[option]


VALUES = {
    "text": "Power Edge",
    "empty": "",
    "nothing": None,
    "listed": ["a", "b c"],
    "mapped": {"k": "v", "empty": "", "none": None},
    "no_list": [],
    "nested": {"deep": "x"},
}
ENTRIES = [HostEntry("h1", "", {"hearth_bmc": {"platform": "openbmc"}, "hearth_server": VALUES})]


def groups_of(plugin):
    members = plugin.inventory.get_groups_dict()
    return {group: hosts for group, hosts in members.items() if group not in ("all", "ungrouped") and "h1" in hosts}


KEYS = [f"hearth_server.{name}" for name in VALUES] + [
    "hearth_server.nested.deep",
    "hearth_server.missing",
    "hearth_bmc.platform",
]
SHAPES = [
    {},
    {"prefix": "p"},
    {"prefix": "p", "separator": "-"},
    {"separator": ""},
    {"prefix": "p", "default_value": "none"},
    {"prefix": "p", "trailing_separator": False},
    {"prefix": "p", "parent_group": "parents"},
]


@pytest.mark.parametrize("key,shape,leading", list(itertools.product(KEYS, SHAPES, [True, False])))
def test_the_fast_path_gives_the_groups_of_ansibles_own(key, shape, leading):
    keyed = {"key": trust_as_template(key), **shape}
    fast = Plugin(keyed_groups=[keyed], leading_separator=leading)
    plain, templated = split_keyed_groups(fast)
    assert len(plain) == 1 and not templated
    populate(fast, ENTRIES)
    reference = Plugin(leading_separator=leading)
    reference.inventory.add_host("h1")
    for name, value in ENTRIES[0].variables.items():
        reference.inventory.set_variable("h1", name, value)
    reference._add_host_to_keyed_groups([keyed], ENTRIES[0].variables, "h1", strict=False)
    assert groups_of(fast) == groups_of(reference)


@pytest.mark.parametrize(
    "keyed",
    [
        {"key": "hearth_server.model | lower"},
        {"key": "hearth_server.items"},
        {"key": "hearth_server.keys.x"},
        {"key": "other.model"},
        {"key": "hearth_server"},
        {"key": "hearth_server['model']"},
        {"key": "hearth_server.model", "parent_group": "{{ x }}"},
        {"key": "hearth_server.model", "default_value": "d", "trailing_separator": True},
    ],
)
def test_what_is_not_plain_goes_through_a_template(keyed):
    plain, templated = split_keyed_groups(Plugin(keyed_groups=[keyed]))
    assert not plain and templated == [keyed]


def test_extra_variables_may_replace_ours_so_nothing_is_plain_with_them():
    plain, _templated = split_keyed_groups(Plugin(keyed_groups=[{"key": "hearth_server.model"}], use_extra_vars=True))
    assert not plain


def test_an_empty_item_of_a_list_makes_no_group_without_a_name():
    plugin = Plugin(keyed_groups=[{"key": "hearth_server.rails", "separator": ""}])
    populate(plugin, [HostEntry("h1", "", {"hearth_server": {"rails": ["a", ""]}})])
    assert set(groups_of(plugin)) == {"a"}


def test_numbers_and_booleans_become_text():
    plugin = Plugin(keyed_groups=[{"key": "hearth_server.count", "prefix": "gpus"}])
    populate(plugin, [HostEntry("h1", "", {"hearth_server": {"count": 8}})])
    assert set(groups_of(plugin)) == {"gpus_8"}


@pytest.mark.parametrize("key", ["hearth_server.missing", "hearth_server.empty"])
def test_strict_refuses_a_host_without_the_key(key):
    with pytest.raises(AnsibleError, match="h1"):
        populate(Plugin(keyed_groups=[{"key": key}], strict=True), ENTRIES)


def test_the_state_groups_are_there_even_when_empty():
    plugin = Plugin()
    populate(plugin, [HostEntry("dead", "bmc_unreachable", {"hearth_bmc": {}})])
    members = plugin.inventory.get_groups_dict()
    assert members["bmc_unreachable"] == ["dead"]
    assert members["bmc_unpinned"] == [] and members["bmc_unauthorized"] == []


def test_composed_variables_can_be_grouped_by():
    plugin = Plugin(
        compose={"shouted": trust_as_template("hearth_bmc.platform | upper")},
        groups={"open": trust_as_template("shouted == 'OPENBMC'")},
        keyed_groups=[{"key": trust_as_template("shouted"), "prefix": "s"}],
    )
    populate(plugin, ENTRIES)
    assert {"open", "s_OPENBMC"} <= set(groups_of(plugin))

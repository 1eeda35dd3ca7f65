# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hearth.datacenter.plugins.plugin_utils._rack_table import rack_table

SERVER = {
    "inventory_hostname": "rack1-u01",
    "hearth_bmc": {"state": "ok", "platform": "openbmc", "firmware": "2.14"},
    "hearth_server": {
        "model": "Tioga",
        "serial": "S1",
        "power_state": "on",
        "health": "ok",
        "gpus": {"count": 8, "model": "H100"},
    },
}


def test_a_server_is_a_line_under_the_head():
    lines = rack_table([SERVER]).splitlines()
    assert lines[0].split() == ["host", "platform", "model", "serial", "power", "health", "GPUs", "firmware"]
    assert lines[2].split() == ["rack1-u01", "openbmc", "Tioga", "S1", "on", "ok", "8", "x", "H100", "2.14"]
    assert lines[-1] == "1 hosts: 1 ok"


def test_a_bmc_that_could_not_be_read_shows_why():
    dead = {
        "inventory_hostname": "10.0.0.9",
        "hearth_bmc": {"state": "unreachable", "error": {"msg": "nobody listens"}},
    }
    table = rack_table([SERVER, dead])
    assert "unreachable: nobody listens" in table
    assert table.endswith("2 hosts: 1 ok, 1 unreachable")


def test_hosts_of_other_inventories_are_left_out():
    assert rack_table([{"inventory_hostname": "web1"}]).endswith("0 hosts: none")


def test_something_else_than_variables_is_refused():
    with pytest.raises(AnsibleFilterError, match="variables of hosts"):
        rack_table(["web1"])

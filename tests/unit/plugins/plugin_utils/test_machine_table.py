# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines as they see themselves, as a table."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hearth.datacenter.plugins.plugin_utils._machine_table import machine_table

MACHINE = {
    "identity": {"serial": "HLAB1"},
    "cpus": 2,
    "memory_bytes": 2079043584,
    "tpm": {"present": True, "version": "2.0"},
    "secure_boot": True,
    "disks": [
        {"serial": "HN1", "size_bytes": 8589934592, "transport": "nvme"},
        {"serial": "HV1", "size_bytes": 17179869184, "transport": "virtio"},
        {"serial": None, "size_bytes": 1000204886016, "transport": None},
    ],
    "nics": [{"name": "enp1s0", "mac": "52:54:00:00:00:01", "link": None}],
}


def test_each_disk_and_each_interface_has_a_line() -> None:
    lines = machine_table({"u01": {"machine": MACHINE, "verdict": "ok"}, "u02": {"why": "never answered"}}).splitlines()
    assert lines[0].split("  ")[0] == "host" and set(lines[1]) == {"-", " "}
    assert lines[2].split() == ("u01 HLAB1 2 1.9 GiB 2.0 on ok HN1 8.0 GiB nvme enp1s0 52:54:00:00:00:01 -".split())
    assert [line.split() for line in lines[3:5]] == ["HV1 16 GiB virtio".split(), "- 932 GiB -".split()]
    assert lines[5] == "u02   never answered"


def test_a_machine_without_anything() -> None:
    bare = {"identity": None, "tpm": {"present": False}, "secure_boot": None}
    last = machine_table({"u01": {"machine": bare}}).splitlines()[-1]
    assert last.split() == ["u01", "-", "-", "-", "no", "-", "-", "-", "-"]


@pytest.mark.parametrize("wrong", [[], "text", {"u01": "text"}])
def test_what_is_no_machine_is_an_error(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match="machine_table needs"):
        machine_table(wrong)

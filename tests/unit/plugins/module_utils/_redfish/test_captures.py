# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every capture of a real BMC that is at hand becomes hosts, and what they say of themselves is sensible.

The captures are not part of the project: HEARTH_CAPTURES names their directory, else ../shared/captures beside the
checkout is taken. They hold the code against reality; nothing in it may know them.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.module_utils._redfish.looking import look
from tests.unit.plugins.module_utils._redfish.replay import Replay, Tree, load

CAPTURES = Path(os.environ.get("HEARTH_CAPTURES") or Path(__file__).resolve().parents[6] / "shared" / "captures")
ARCHIVES = sorted(CAPTURES.glob("*.tar.xz")) if CAPTURES.is_dir() else []
NAMES = [archive.name.removesuffix(".tar.xz") for archive in ARCHIVES]

pytestmark = pytest.mark.skipif(not ARCHIVES, reason=f"no captures (*.tar.xz) in {CAPTURES}; set HEARTH_CAPTURES")

KINDS = {"server", "baseboard", "dpu", "switch", "pdu", "power_shelf", "enclosure", "unknown"}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    unpacked: dict[str, Tree] = {}
    for archive in ARCHIVES:
        name = archive.name.removesuffix(".tar.xz")
        directory = tmp_path_factory.mktemp(name)
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
        inner = [path for path in directory.iterdir() if path.is_dir()]
        nested = len(inner) == 1 and not (directory / "index.json").exists()
        unpacked[name] = load(inner[0] if nested else directory)
    return unpacked


def hosts_of(tree: Tree, details: str) -> tuple[Replay, list[dict[str, Any]]]:
    with Replay(tree) as bmc:
        outcome = look(bmc, details=details)
    assert outcome.error is None
    assert bmc.open_sessions == {}
    assert outcome.hosts
    return bmc, outcome.hosts


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("details", ["minimal", "standard", "full"])
def test_a_capture_discovers_without_a_warning(name: str, details: str, trees: dict[str, Tree]) -> None:
    for host in hosts_of(trees[name], details)[1]:
        assert host["hearth_bmc"]["warnings"] == []
        assert host["hearth_server"]["kind"] in KINDS


# the capture openbmc is an emulated machine that is off: it has neither model nor serial
@pytest.mark.parametrize("name", [name for name in NAMES if name != "openbmc"])
def test_a_capture_tells_who_it_is(name: str, trees: dict[str, Tree]) -> None:
    bmc, hosts = hosts_of(trees[name], "standard")
    for host in hosts:
        server = host["hearth_server"]
        assert server["model"] and server["serial"] and server["manufacturer"]
        assert server["health"] in ("ok", "warning", "critical")
        assert host["hearth_bmc"]["firmware"]
        if server["kind"] == "server":
            assert 1 <= server["cpus"] <= 16 and server["memory_gib"] >= 16
            assert server["power_state"] == "on"
            assert server["gpus"]["count"] is not None
    assert len(bmc.requests) <= 32


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "dell": [{"model": "PowerEdge R750", "gpus": 1, "cpus": 2, "memory_gib": 512, "platform": "idrac9"}],
    "supermicro": [{"gpus": 8, "cpus": 2, "memory_gib": 2048, "platform": "supermicro"}],
    "nvidia_viking": [{"model": "DGXH100", "gpus": 8, "cpus": 2, "memory_gib": 2048, "platform": "dgx_h100"}],
    "nvidia_gh200": [{"gpus": 2, "cpus": 2, "memory_gib": 960, "platform": "gh200"}],
    "openbmc": [{"power_state": "off", "platform": "openbmc"}],
    "dmtf_bladed": [{"rack": "WEB43", "slot": f"Blade {i}"} for i in (1, 2, 3, 4)],
    "dmtf_smartnic": [{"kind": "server"}, {"kind": "dpu"}],
    "dmtf_pdu": [{"kind": "pdu"}],
    "dmtf_power-shelf": [{"kind": "power_shelf", "rack": "42"}],
    "dmtf_tower": [{"gpus": 2, "cpus": 8}],
    "dmtf_rackmount1": [{"health": "warning", "rack": "WEB43", "slot": "u12"}],
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_a_person_reads_in_the_capture_is_in_the_record(name: str, trees: dict[str, Tree]) -> None:
    if name not in trees:
        pytest.skip(f"no capture {name}.tar.xz in {CAPTURES}")
    unused, hosts = hosts_of(trees[name], "standard")
    assert len(hosts) == len(EXPECTED[name])
    for host, expected in zip(hosts, EXPECTED[name]):
        server = host["hearth_server"]
        shown = {
            **server,
            "gpus": server["gpus"]["count"],
            "platform": host["hearth_bmc"]["platform"],
            "rack": (server["location"] or {}).get("rack"),
            "slot": (server["location"] or {}).get("slot"),
        }
        assert {key: shown[key] for key in expected} == expected

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DMTF's own validators judge the BMCs of real machines, as they judge those of simulated ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulators.redfish.domains.personality import PLATFORMS
from tests.emulators.redfish.fleet import Fleet
from tests.integration.test_fleet_validators import judge_protocol, judge_service, schemas
from tests.servers import libvirt_domain
from tests.servers.libvirt_domain import LibvirtDomain

LACKING = libvirt_domain.missing()
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"real machines need {LACKING}")
__all__ = ["schemas"]  # a fixture


@pytest.fixture(scope="module", params=PLATFORMS)
def judged(request: pytest.FixtureRequest) -> Iterator[tuple[Fleet, str]]:
    """Two BMCs of one platform: one for each validator, since they change what they judge."""
    platform = str(request.param)
    with LibvirtDomain(f"{platform}1") as one, LibvirtDomain(f"{platform}2") as two:
        roster = one.folder / "machines.json"
        entries = [
            {"name": machine.name, "bmc": {"address": f"127.51.6.{number}"}, "platform": platform}
            for number, machine in enumerate((one, two), 11)
        ]
        roster.write_text(json.dumps({"machines": entries}))
        with Fleet(options=["--machines", str(roster), "--media-dir", str(one.folder / "media")]) as fleet:
            yield fleet, platform


def test_protocol(judged: tuple[Fleet, str], tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    fleet, platform = judged
    judge_protocol(fleet, fleet.addresses[0], platform, tmp_path, record_property)


def test_service(
    judged: tuple[Fleet, str],
    tmp_path: Path,
    schemas: Path,  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    fleet, platform = judged
    judge_service(fleet, fleet.addresses[1], platform, tmp_path, schemas, record_property)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DMTF's own validators judge the emulated fleet: is it Redfish, in protocol and in schema?"""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulators.redfish.fleet import CHECKOUT, Fleet
from tests.emulators.redfish.personalities.deliberate import VIOLATIONS
from tests.integration.fleet_deviations import PROTOCOL

JUDGED = ("openbmc", "idrac9", "generic")
ARCHIVE = CHECKOUT.parent / "shared" / "schemas" / "redfish-schemas.tar.xz"

# The validator's M-SEARCH would go to the multicast group of the machine's real networks; the fleet has no SSDP.
PROTOCOL_VALIDATOR = """
from redfish_protocol_validator import console_scripts, utils
utils.discover_ssdp = lambda *arguments, **options: {}
console_scripts.main()
"""
SERVICE_VALIDATOR = """
from redfish_service_validator import console_scripts
console_scripts.main()
"""


@pytest.fixture(scope="module")
def judged() -> Iterator[Fleet]:
    """Two BMCs of each platform: one for each validator, since they change what they judge."""
    with Fleet(6, "127.43.20.0/24", platforms=dict.fromkeys(JUDGED, 1)) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of CSDL files: $HEARTH_SCHEMAS, or ../shared/schemas unpacked."""
    named = os.environ.get("HEARTH_SCHEMAS", "")
    if named:
        found = [folder for folder in (Path(named) / "csdl", Path(named)) if list(folder.glob("*_v1.xml"))]
        if not found:
            pytest.skip(f"HEARTH_SCHEMAS={named} holds no CSDL files (*_v1.xml)")
        return found[0]
    if not ARCHIVE.exists():
        pytest.skip(f"neither {ARCHIVE} is there nor does HEARTH_SCHEMAS name a folder of CSDL files")
    folder = tmp_path_factory.mktemp("schemas")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "csdl"


def environment() -> dict[str, str]:
    """Ours without proxies and foreign CA bundles, which requests would prefer to what it is told."""
    unwanted = re.compile(r"(?i).*_proxy|(REQUESTS|CURL|AWS)_CA_BUNDLE|SSL_CERT_.*")
    return {name: value for name, value in os.environ.items() if not unwanted.fullmatch(name)}


def judge(
    script: str, fleet: Fleet, address: str, folder: Path, *options: str, authentication: str = ""
) -> subprocess.CompletedProcess[str]:
    config = folder / "config.ini"
    config.touch(0o600)
    config.write_text(
        textwrap.dedent(f"""\
            [Authentication]
            user = {fleet.username}
            password = {fleet.password}
            {authentication}
            [Connection]
            rhost = https://{address}:{fleet.https_port}
            """),
        encoding="utf-8",
    )
    command = [sys.executable, "-c", script, "--config", str(config), *options]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )


def address_of(fleet: Fleet, platform: str, which: int) -> str:
    return str([bmc["address"] for bmc in fleet.bmcs if bmc["platform"] == platform][which])


@pytest.mark.parametrize("platform", JUDGED)
def test_protocol(judged: Fleet, platform: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    judge_protocol(judged, address_of(judged, platform, 0), platform, tmp_path, record_property)


@pytest.mark.parametrize("platform", JUDGED)
def test_service(
    judged: Fleet, platform: str, tmp_path: Path, schemas: Path, record_property: Callable[[str, object], None]
) -> None:
    judge_service(judged, address_of(judged, platform, 1), platform, tmp_path, schemas, record_property)


def judge_protocol(
    judged: Fleet, address: str, platform: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    if importlib.util.find_spec("redfish_protocol_validator") is None:
        pytest.skip("redfish_protocol_validator is not installed (tests/requirements-integration.txt)")
    done = judge(
        PROTOCOL_VALIDATOR,
        judged,
        address,
        tmp_path,
        *("--ca-bundle", judged.ca, "--avoid-http-redirect", "--report-type", "tsv", "--report-dir", str(tmp_path)),
    )
    reports = list(tmp_path.glob("*.tsv"))
    assert reports, done.stdout + done.stderr
    with open(reports[0], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    counts = Counter(row["Result"] for row in rows)
    print(f"redfish_protocol_validator, {platform}: {dict(counts)}")
    record_property("redfish_protocol_validator", dict(counts))
    assert counts["PASS"] > 300, "it judged the service, and did not turn away at the door"
    bad = {row["Assertion"]: f"{row['Method']} {row['URI']}: {row['Message']}" for row in rows
           if row["Result"] in ("FAIL", "WARN")}  # fmt: skip
    unlisted = [f"{assertion}: {text}" for assertion, text in bad.items() if assertion not in PROTOCOL[platform]]
    assert not unlisted, "not listed in fleet_deviations.py:\n" + "\n".join(unlisted)
    assert set(PROTOCOL[platform]) == set(bad), "listed in fleet_deviations.py and not found any more"
    assert judged.statistics()["internal_errors"] == 0, judged.log


def judge_service(
    judged: Fleet,
    address: str,
    platform: str,
    tmp_path: Path,
    schemas: Path,
    record_property: Callable[[str, object], None],
) -> None:
    if importlib.util.find_spec("redfish_service_validator") is None:
        pytest.skip("redfish_service_validator is not installed (tests/requirements-integration.txt)")
    done = judge(
        SERVICE_VALIDATOR,
        judged,
        address,
        tmp_path,
        *("--skipschema", "--schema_directory", str(schemas), "--logdir", str(tmp_path)),
        authentication="authtype = Session",
    )
    logs = list(tmp_path.rglob("*Debug*.log"))
    assert logs, done.stdout + done.stderr
    counts: Counter[str] = Counter()
    found: list[tuple[str, str, str]] = []  # path, pointer, text
    path = ""
    for line in logs[0].read_text(encoding="utf-8").splitlines():
        text = line.partition(" - redfish - ")[2].partition(" - ")[2]
        if text.startswith("Validating "):
            path = text.removeprefix("Validating ").removesuffix("...")
        match = re.match(r"(PASS|WARN|FAIL|SKIP) - (.*)", text)
        if match is None:
            continue
        counts[match[1]] += 1
        if match[1] == "FAIL":
            found.append((path, match[2].split()[0], match[2]))
    print(f"redfish_service_validator, {platform}: {dict(counts)}")
    record_property("redfish_service_validator", dict(counts))
    assert counts["PASS"] > 1000, done.stdout + done.stderr
    listed = VIOLATIONS.get(platform, ())
    unlisted = [
        f"{where}: {text}" for where, pointer, text in found if not any(v.covers(where, pointer) for v in listed)
    ]
    assert not unlisted, "not listed in personalities/deliberate.py:\n" + "\n".join(unlisted)
    gone = [v for v in listed if not any(v.covers(where, pointer) for where, pointer, _dummy in found)]
    assert not gone, "listed in personalities/deliberate.py and not found any more"
    assert done.returncode == (1 if found else 0), done.stdout + done.stderr
    assert judged.statistics()["internal_errors"] == 0, judged.log

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages an image gets: apt's own solver, over indexes that apt has checked, without touching this machine."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Dict, List, Tuple
from urllib.parse import unquote

from .._core.errors import HearthError, ProtocolViolation
from .commands import CommandFailed, Commands
from .package_list import Package, PackageList, Wanted

_URI = re.compile(r"^'(?P<url>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)


class NotResolvable(HearthError):
    """The mirror does not serve a set of packages that fits together."""


def resolve(wanted: Wanted, scratch: Path, commands: Commands) -> PackageList:
    """Ask the mirror now. ``scratch`` is an empty directory for apt's indexes."""
    config = _apt_directories(wanted, scratch, commands)
    apt = Commands(commands.log, {**commands.environment, "APT_CONFIG": str(config)})
    _update(wanted, apt)
    try:
        installed = apt.run("apt-get", "install", "--yes", "--print-uris", "?essential", "apt", *wanted.packages)
        boot = apt.run("apt-get", "download", "--print-uris", *wanted.boot_packages)
    except CommandFailed as error:
        raise NotResolvable(
            "the packages cannot be installed together from this mirror",
            expected=", ".join((*wanted.packages, *wanted.boot_packages)),
            found=error.found,
            where=" | ".join(wanted.sources),
            next="Correct the names of the packages, or the suite and the mirror.",
        ) from error
    packages = _packages(installed, installed=True)
    for name, package in _packages(boot, installed=False).items():
        packages.setdefault(name, package)
    return PackageList(wanted, _published(scratch), tuple(packages.values()))


def _apt_directories(wanted: Wanted, scratch: Path, commands: Commands) -> Path:
    for directory in ("etc", "lists/partial", "cache/archives/partial", "dpkg", "empty"):
        (scratch / directory).mkdir(parents=True)
    (scratch / "dpkg/status").touch()
    sources = scratch / "etc/sources.list"
    sources.write_text("".join(f"{line}\n" for line in wanted.sources), encoding="utf-8")
    config = scratch / "etc/apt.conf"
    settings = _acquire_settings(commands) + [
        f'Dir::Etc::SourceList "{sources}";',
        f'Dir::Etc::SourceParts "{scratch}/empty";',
        f'Dir::Etc::Parts "{scratch}/empty";',
        f'Dir::Etc::Main "{scratch}/empty/none";',
        f'Dir::Etc::Preferences "{scratch}/empty/none";',
        f'Dir::Etc::PreferencesParts "{scratch}/empty";',
        f'Dir::State::Lists "{scratch}/lists";',
        f'Dir::State::Status "{scratch}/dpkg/status";',
        f'Dir::State::Extended_States "{scratch}/extended_states";',
        f'Dir::Cache "{scratch}/cache";',
        f'APT::Architecture "{wanted.architecture}";',
        f'APT::Architectures {{ "{wanted.architecture}"; }};',
        'APT::Install-Recommends "false";',
        'APT::Get::AllowUnauthenticated "false";',
        'Acquire::Languages "none";',
        # Without it "install --print-uris" names the MD5.
        'Acquire::ForceHash "SHA256";',
        # The private directories belong to root.
        'APT::Sandbox::User "root";',
        'Debug::NoLocking "true";',
    ]
    config.write_text("\n".join(settings) + "\n", encoding="utf-8")
    return config


def _acquire_settings(commands: Commands) -> List[str]:
    """How this machine reaches mirrors (proxies, certificates). Not its hooks, which act on the machine itself."""
    lines = commands.run("apt-config", "dump").splitlines()
    return [
        line
        for line in lines
        if line.startswith("Acquire::") and not line.startswith(("Acquire::Languages", "Acquire::IndexTargets"))
    ]


def _update(wanted: Wanted, apt: Commands) -> None:
    try:
        apt.run("apt-get", "update", "--error-on=any", "-qq")
    except CommandFailed as error:
        raise NotResolvable(
            "the package indexes cannot be had, or are not signed by Debian's keys",
            expected="signed indexes",
            found=error.found,
            where=" | ".join(wanted.sources),
            next="Look at the mirror and the proxy; a list that was made before can be built from without indexes.",
        ) from error


def _packages(printed: str, *, installed: bool) -> Dict[str, Package]:
    packages = {}
    for match in _URI.finditer(printed):
        name, version, architecture = match["file"][: -len(".deb")].split("_")
        packages[name] = Package(
            name, unquote(version), architecture, match["url"], int(match["size"]), match["sha256"], installed
        )
    if not packages:
        raise ProtocolViolation("apt-get named no package to fetch", expected="lines with SHA256", found=printed[:300])
    return packages


def _published(scratch: Path) -> int:
    """When the newest of the indexes was published."""
    dates: List[Tuple[float, str]] = []
    for index in sorted((scratch / "lists").glob("*Release")):
        match = re.search(r"^Date: (.+)$", index.read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            dates.append((parsedate_to_datetime(match[1]).timestamp(), match[1]))
    if not dates:
        raise ProtocolViolation("no index says when it was published", expected="Date: in InRelease", found="none")
    return int(max(dates)[0])

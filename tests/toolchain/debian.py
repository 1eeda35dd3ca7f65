# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian packages that the demo and the tests stand on: installed when root, else named with the command to do it."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.toolchain.places import LOGS
from tests.toolchain.saying import say

LIST = Path(__file__).with_name("debian_packages.txt")


@dataclass(frozen=True)
class Package:
    """A line of the list."""

    name: str
    provides: str
    used_by: frozenset[str]
    why: str

    @property
    def there(self) -> bool:
        """Whether what we want from it is there, wherever it came from."""
        if self.provides.startswith("module:"):
            return importlib.util.find_spec(self.provides.removeprefix("module:")) is not None
        if self.provides.startswith("/"):
            return bool(glob.glob(self.provides))
        # An administrator's PATH often lacks sbin, where Debian keeps ip and nft.
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
        return shutil.which(self.provides, path=path) is not None


def declared(used_by: str, listing: Path = LIST) -> list[Package]:
    """The packages that one of "demo" and "test" needs, in the order of the list."""
    packages = []
    for line in listing.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, provides, users, why = (field.strip() for field in line.split("|"))
            packages.append(Package(name, provides, frozenset(users.split()), why))
    return [package for package in packages if used_by in package.used_by]


def ensure(used_by: str, listing: Path = LIST) -> list[Package]:
    """Install what is missing where that is possible, and return what is still missing."""
    missing = [package for package in declared(used_by, listing) if not package.there]
    if not missing:
        return []
    names = [package.name for package in missing]
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    reason = _why_not()
    if reason is None:
        say(f"Debian packages: installing {', '.join(names)}")
        failed = _apt(command)
        missing = [package for package in missing if not package.there]
        if not missing:
            return []
        reason = failed or "apt-get installed it, and it still is not there"
    say(f"not on this machine ({reason}); what needs it is skipped and says so:")
    for package in missing:
        say(f"  {package.name}: {package.why}")
    say(f"  as root on Debian: apt-get install --no-install-recommends {' '.join(p.name for p in missing)}")
    return missing


def _why_not() -> str | None:
    if shutil.which("apt-get") is None:
        return "no Debian: there is no apt-get"
    if os.geteuid() != 0:
        return "not root"
    return None


def _apt(install: list[str]) -> str | None:
    """Run apt-get; the first thing that went wrong, or None."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "apt-get.log"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("w", encoding="utf-8") as output:
        for command in (["apt-get", "update", "-q"], install):
            answer = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
            )
            # A third-party source that is out of reach fails `update`; Debian's own lists may be there all the same.
            if answer.returncode != 0 and command is install:
                return f"apt-get install failed, see {log}"
    return None

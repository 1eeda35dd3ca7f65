# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a checkout keeps what a run makes, and where a machine keeps what several checkouts share."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
REPORTS = BUILD / "reports"

# A copy of the checkout under the path that Ansible's tools ask for. ansible-test refuses a symbolic link.
MIRROR_ROOT = BUILD
MIRROR = MIRROR_ROOT / "ansible_collections" / "hearth" / "datacenter"

# The checkout itself under such a path, by symbolic link: what pytest and ansible-playbook of a checkout import from.
DEVELOPMENT_ROOT = BUILD / "dev"
DEVELOPMENT = DEVELOPMENT_ROOT / "ansible_collections" / "hearth" / "datacenter"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hearth"

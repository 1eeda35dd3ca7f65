# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the checkout importable as ``ansible_collections.hearth.datacenter`` for every test."""

from __future__ import annotations

import sys

from tests.toolchain.collection_tree import link_development_tree

# pyproject.toml names the directory in `pythonpath`, which pytest reads before this file. A fresh clone makes it here,
# and Python must look again at a directory that it saw missing.
_DEVELOPMENT = str(link_development_tree())
sys.path_importer_cache.pop(_DEVELOPMENT, None)
if _DEVELOPMENT not in sys.path:
    sys.path.insert(0, _DEVELOPMENT)

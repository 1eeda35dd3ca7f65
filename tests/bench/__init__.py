# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured. The checkout is made importable as the collection here, before any of it is imported."""

from __future__ import annotations

import sys

from tests.toolchain.collection_tree import link_development_tree

sys.path.insert(0, str(link_development_tree()))

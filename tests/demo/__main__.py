# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.demo emulated|rack``: the two halves of ``make demo``."""

from __future__ import annotations

import sys

from tests.demo import emulated, rack

HALVES = {"emulated": emulated.main, "rack": rack.main}

if __name__ == "__main__":
    sys.exit(HALVES[sys.argv[1]]())

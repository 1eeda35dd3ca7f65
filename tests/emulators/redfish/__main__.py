# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.emulators.redfish --bmcs 20``; see tests/emulators/README.md."""

from __future__ import annotations

import sys

from tests.emulators.redfish.cli import main

if __name__ == "__main__":
    sys.exit(main())

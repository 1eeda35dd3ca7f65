# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Iterator

import pytest

from tests.unit.plugins.module_utils._ipmi.leftovers import nothing_new


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """The test leaves no child, no thread and no open file behind."""
    with nothing_new():
        yield

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.swtpm import require_swtpm
from tests.unit.plugins.module_utils._tpm.machines import Factory, Machines


@pytest.fixture(scope="session")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Factory:
    require_swtpm()
    return Factory(tmp_path_factory.mktemp("tpms"))


@pytest.fixture
def machines(factory: Factory) -> Iterator[Machines]:
    # A socket's path has to be short.
    directory = Path(tempfile.mkdtemp(prefix="hearth-tpm-"))
    try:
        with Machines(factory, directory) as made:
            yield made
    finally:
        shutil.rmtree(directory)

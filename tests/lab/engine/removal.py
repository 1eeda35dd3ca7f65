# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a lab's directory away. Its mark goes last, so that a removal that was killed can be gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.engine.errors import LabError
from tests.lab.engine.preflight import MARK, of_somebody_else


def remove(lab: Path) -> bool:
    """Remove the directory with all that is in it; whether there was one."""
    for problem in of_somebody_else(lab):
        raise LabError(problem)
    if not lab.is_dir():
        return False
    for entry in lab.iterdir():
        if entry.name == MARK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (lab / MARK).unlink(missing_ok=True)
    lab.rmdir()
    return True

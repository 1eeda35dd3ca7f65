# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one message for a library that is not there: which, for which interpreter, and on which machine."""

from __future__ import annotations

import socket
import sys

from .errors import MissingLibrary


def missing_library(
    library: str, purpose: str, found: str, *, requirement: str = "", otherwise: str = ""
) -> MissingLibrary:
    """About this machine and this interpreter.

    :param found: what Python said when it was to be imported
    :param requirement: what pip installs, where that is not the library's name
    :param otherwise: how one may do without
    """
    return MissingLibrary(
        f"The Python library {library} is not installed for {sys.executable} on {socket.gethostname()}.",
        expected=f"{library}, for {purpose}",
        found=found,
        where=sys.executable,
        next=f"{sys.executable} -m pip install {requirement or library}{otherwise}",
    )

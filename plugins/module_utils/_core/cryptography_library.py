# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the library `cryptography` is here: controllers have it (ansible-core needs it), nodes need not."""

from __future__ import annotations

from .missing_library import missing_library

try:
    import cryptography

    CRYPTOGRAPHY_IMPORT_ERROR = ""
    CRYPTOGRAPHY_VERSION = cryptography.__version__
except ImportError as error:
    CRYPTOGRAPHY_IMPORT_ERROR = str(error)
    CRYPTOGRAPHY_VERSION = ""

#: Certificates say their validity in UTC, and can check who issued them, since then.
_OLDEST = 42


def require_cryptography(purpose: str) -> None:
    """MissingLibrary unless the library is here and new enough."""
    if not CRYPTOGRAPHY_VERSION or int(CRYPTOGRAPHY_VERSION.split(".")[0]) < _OLDEST:
        raise missing_library(
            f"cryptography {_OLDEST} or newer",
            purpose,
            CRYPTOGRAPHY_VERSION or CRYPTOGRAPHY_IMPORT_ERROR,
            requirement="'cryptography>=45.0.2'",
        )

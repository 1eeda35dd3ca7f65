# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the library `cryptography` is here: controllers have it (ansible-core needs it), nodes need not."""

from __future__ import annotations

from .._core.missing_library import missing_library

try:
    import cryptography

    CRYPTOGRAPHY_IMPORT_ERROR = ""
    CRYPTOGRAPHY_VERSION = cryptography.__version__
except ImportError as error:
    CRYPTOGRAPHY_IMPORT_ERROR = str(error)
    CRYPTOGRAPHY_VERSION = ""


def require_cryptography() -> None:
    """MissingLibrary unless the library is here."""
    if not CRYPTOGRAPHY_VERSION:
        raise missing_library("cryptography", "keeping keys", CRYPTOGRAPHY_IMPORT_ERROR)

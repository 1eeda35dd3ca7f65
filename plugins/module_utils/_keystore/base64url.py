# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""base64url without padding, as RFC 7515 (2) has it: one spelling for one value."""

from __future__ import annotations

import base64
import binascii

from .._core import jose
from .._core.errors import BadInput

#: One for the whole collection; decoders differ in what they let pass.
encode = jose.b64_encode


def decode(text: object, what: str) -> bytes:
    """The bytes of a member of a JSON document; BadInput, which names ``what`` and shows nothing of it."""
    if isinstance(text, str):
        try:
            value = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (binascii.Error, UnicodeEncodeError):
            value = b""
        # The decoder of the standard library skips what is no letter of the alphabet, and takes loose last bits.
        if encode(value) == text:
            return value
    raise BadInput(f"{what} is not base64url.", expected="base64url without padding (RFC 7515, section 2)", where=what)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ETags: made from the body, served and compared the way the platform does."""

from __future__ import annotations

import hashlib
import re

from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Manners

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def tag_of(serialised: bytes) -> str:
    """The opaque part of the tag for a body without volatile properties."""
    return hashlib.blake2b(serialised, digest_size=6).hexdigest().upper()


def quoted(manners: Manners, tag: str) -> str:
    """The tag as the platform writes it in @odata.etag; "" where it gives none."""
    return {"none": "", "weak": f'W/"{tag}"', "unquoted": tag, "empty": '""'}.get(manners.etag, f'"{tag}"')


def headers(manners: Manners, tag: str) -> list[tuple[str, str]]:
    if manners.etag == "none":
        return []
    if manners.etag == "doubly_quoted":
        return [("ETag", f'""{tag}""')]
    if manners.etag == "duplicate":
        return [("ETag", f'"{tag}"'), ("ETag", f'W/"{tag}"')]
    return [("ETag", quoted(manners, tag))]


def _named(header: str) -> list[str]:
    """The opaque part of each tag in a header; what has no quotes around it is a tag as it stands."""
    parts = [part.strip() for part in header.split(",")]
    return [match[1] if (match := _TAG.fullmatch(part)) else part for part in parts]


def check_if_match(manners: Manners, header: str | None, tag: str) -> None:
    """Raises what the platform answers to a change with (or without) that If-Match."""
    if header is None:
        if manners.if_match == "required":
            raise Refusal(428, "PreconditionRequired")
        return
    if manners.if_match == "ignored":
        return
    if manners.if_match == "refused":
        raise Refusal(412, "PreconditionFailed")
    if header.strip() == "*":
        return
    if tag not in _named(header):
        raise Refusal(412, "PreconditionFailed")


def not_modified(manners: Manners, header: str | None, tag: str) -> bool:
    if header is None or not manners.if_none_match or manners.etag in ("none", "empty"):
        return False
    return header.strip() == "*" or tag in _named(header)

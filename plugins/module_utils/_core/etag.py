# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ETags as BMCs have them: strong, weak, unquoted, quoted twice; and the forms in which to send one back."""

from __future__ import annotations

from typing import List, Optional


def opaque(etag: str) -> str:
    """What an ETag says, without the ways of writing it: neither weakness nor quotes."""
    etag = etag.strip()
    if etag[:2] in ("W/", "w/"):
        etag = etag[2:].strip()
    return etag.strip('"')


def ladder(etag: str) -> List[Optional[str]]:
    """Values of If-Match to try one after another while the answer is 412; None: without If-Match.

    Strong first, since RFC 9110 says that a weak one never matches; then weak, for those that compare text; then bare,
    for those that add the quotes themselves. An ETag that is none of these forms is first sent as it came.
    """
    core = opaque(etag)
    if not core:
        return [None]
    forms: List[Optional[str]] = [f'"{core}"', f'W/"{core}"', core]
    if etag.strip() not in forms:
        forms.insert(0, etag.strip())
    return [*forms, None]

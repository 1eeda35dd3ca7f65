# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ETags as BMCs have them: strong, weak, unquoted, quoted twice; and the forms in which to send one back."""

from __future__ import annotations

from typing import Callable, List, Optional

from .response import Response


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


def conditionally(
    send: Callable[[Optional[str]], Response], current: Callable[[], str], etag: Optional[str]
) -> Response:
    """The answer to a change that is sent with If-Match as far as the peer can do it, whatever the answer's status.

    ``send`` sends it with that value of If-Match (None: without), ``current`` asks for the resource's ETag now,
    ``etag`` is what it was when the resource was read ("" or None: unknown).

    412 is answered with the other ways of writing the ETag and at last with none, unless the resource did change: its
    ETag is another now and stays that one when asked again. Then the 412 stands. On 428 the ETag is asked for first;
    "*" is for a peer that demands If-Match and has no ETag.
    """
    response = send(None) if not etag else send(ladder(etag)[0])
    if response.status == 428 and not etag:
        for demanded in [*(form for form in ladder(current()) if form), "*"]:
            response = send(demanded)
            if response.status != 412:
                break
        return response
    if response.status != 412 or not etag or _has_changed(etag, current):
        return response
    for form in ladder(etag)[1:]:
        response = send(form)
        # 400 here means that this way of writing it is not understood: the first way was.
        if response.status not in (400, 412):
            break
    return response


def _has_changed(etag: str, current: Callable[[], str]) -> bool:
    now = opaque(current())
    return bool(now) and now != opaque(etag) and now == opaque(current())

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host variables as plain strings in ``ansible-inventory --list``, without a template ever coming to life in them.

PRIVATE to the collection.

Since ansible-core 2.19 a string is only templated when it is trusted, and ``--list`` wraps every string that is not in
``__ansible_unsafe``, which other readers of the list take for data. So what a BMC said is marked as trusted, after it
was made sure, here and for each string, that there is nothing in it to template: what has an opener stays untrusted,
wrapper and all.
"""

from __future__ import annotations

import re
import typing as t

from ansible.template import trust_as_template

_OPENER = re.compile(r"\{[{%#]")


def inert(value: t.Any, known: dict[str, str] | None = None) -> t.Any:
    """JSON data in which every string without a template opener is trusted; dictionaries and lists are changed in
    place.

    ``known`` makes equal strings of several calls one object: most of what ten thousand hosts say is the same.
    """
    if known is None:
        known = {}
    if isinstance(value, str):
        marked = known.get(value)
        if marked is None:
            marked = known[value] = value if _OPENER.search(value) else trust_as_template(value)
        return marked
    if isinstance(value, dict):
        for key, inner in value.items():
            value[key] = inert(inner, known)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            value[place] = inert(inner, known)
    return value

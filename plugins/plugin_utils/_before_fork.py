# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each of thousands of workers would otherwise do for itself, done once where they are forked from.

PRIVATE to the collection. OpenSSL reads its configuration and its algorithms for its first context, which takes 3 ms
and more, and the system's authorities another 30. Python walks all subclasses of an abstract class to find that a str
is none of them, and remembers it: with sushy's hundred kinds of fields that is 3 ms, too. The rest is rehearsed.
"""

from __future__ import annotations

import enum
import tempfile
from collections.abc import Mapping, Sequence, Set

from ..module_utils._core.tls import CONTEXTS
from ..module_utils._redfish.sushy_connector import SUSHY_MISSING
from ._ansible_lookups import look_up
from ._rehearsal import rehearse

_ABSTRACT: tuple[type, ...] = (Mapping, Sequence, Set)
_VALUES: tuple[type, ...] = (str, int, float, bool, type(None), dict, list, tuple)

try:
    from sushy.resources import constants
    from sushy.resources.base import CompositeField
    from sushy.resources.system import constants as system_constants
except ImportError:  # the modules that need it say so
    pass
else:
    _ABSTRACT += (CompositeField,)
    _VALUES += tuple(
        value
        for module in (constants, system_constants)
        for value in vars(module).values()
        if isinstance(value, enum.EnumMeta)
    )


def prepare() -> None:
    """Called when an action plugin is imported, which is before the first fork."""
    CONTEXTS.prepare()
    for abstract in _ABSTRACT:
        for value in _VALUES:
            issubclass(value, abstract)
    look_up("hearth.datacenter.redfish_power")
    tempfile.gettempdir()  # is found by writing a file, and remembered
    if SUSHY_MISSING is None:
        rehearse()

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The child's program as text. A module on a jump host lies in an archive that ends with it, and whose files no other
interpreter finds: so the child's modules travel over its stdin, and there are a package of their own.
"""

from __future__ import annotations

import inspect
from typing import List, Tuple

from .child import bmc, endings, events, login, machine, program

# Each one after those that it imports
_MODULES = (endings, bmc, events, machine, login, program)

# For python -c: the first line of stdin is the program and what it is to do. Nothing of it shows in the process list.
BOOT = """\
import json, sys, types
order = json.loads(sys.stdin.readline())
package = types.ModuleType('hearth_ipmi_child')
package.__path__ = []
sys.modules[package.__name__] = package
for name, text in order['program']:
    module = types.ModuleType(package.__name__ + '.' + name)
    module.__package__ = package.__name__
    sys.modules[module.__name__] = module
    exec(compile(text, module.__name__, 'exec'), module.__dict__)
module.main(order['request'])
"""


def sources() -> List[Tuple[str, str]]:
    """Name and text of each module, the one to run last."""
    return [(module.__name__.rpartition(".")[2], inspect.getsource(module)) for module in _MODULES]

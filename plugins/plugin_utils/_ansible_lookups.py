# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible looks up and remembers in each worker, looked up once where the workers are forked from.

PRIVATE to the collection. A worker makes a connection plugin even for an action that uses none, so it finds the file,
reads its configuration and imports it; it finds the module that the action stands for; it works out the type hints of
the task result's fifty fields. All of that is in caches of Ansible's own, and a cache that is filled after the fork is
lost with the worker. Measured: 2 ms of each task's CPU before its action runs, and the type hints after it.
"""

from __future__ import annotations

import sys

from ansible import constants
from ansible.plugins.loader import connection_loader, module_loader, shell_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

# Connections whose hosts are many: Ansible's own default, and what an API module's tasks are often given.
_CONNECTIONS = ("ssh", "local")
_SHELL = "sh"


def look_up(module: str) -> None:
    """``module``: one of this collection's, by its full name; the others are found on the same way."""
    if AnsibleCollectionConfig.collection_finder is None:
        return  # nobody runs tasks: the plugin is imported by itself
    for name in dict.fromkeys((str(constants.DEFAULT_TRANSPORT), *_CONNECTIONS)):
        connection_loader.get(name, class_only=True)
    shell_loader.get(_SHELL, class_only=True)
    module_loader.find_plugin_with_context(module)
    _fields_of_a_result()


def _fields_of_a_result() -> None:
    """From ansible-core 2.21 on; nothing is lost but the time where it is elsewhere or otherwise."""
    result = getattr(sys.modules.get("ansible._internal._task"), "UnifiedTaskResult", None)
    mapping = getattr(result, "get_result_key_to_resolved_field_mapping", None)
    if mapping is None:
        return
    for from_module in (False, True):
        try:
            mapping(source_is_module=from_module)  # as it is called, since that is the key of the cache
        except (TypeError, NameError):  # it takes other arguments by now
            return

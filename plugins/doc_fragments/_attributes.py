# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module can do, in the words that all modules of the collection share. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # A module says under attributes: how far it supports each of these.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell whether something would change without changing it.
  diff_mode:
    description: Shows in diff mode what has changed, or in check mode would change.
  idempotent:
    description: A second run with the same arguments changes nothing, as long as nothing else has changed in between.
"""

    # For a module that reads and never changes.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: N/A
    details: Changes nothing.
  idempotent:
    support: full
    details: Changes nothing.
"""

    # For an API module: it has an action plugin of the same name.
    IN_PROCESS = r"""
options: {}
attributes:
  action:
    description: Runs inside Ansible's own process on the controller, without a connection to the host.
    support: full
    details: With C(delegate_to) another machine than C(localhost) the module runs there instead.
  async:
    description: Can run in the background with C(async).
    support: partial
    details: Only with C(delegate_to) another machine, and only where the task carries no password.
"""

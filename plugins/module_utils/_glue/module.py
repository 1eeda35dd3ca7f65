# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front end of a contract as a real module: for ``delegate_to`` another machine."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .contract import Contract, invalid_arguments, perform, without_secrets


class ContractModule(AnsibleModule):
    """An AnsibleModule whose every result is a result of the contract."""

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        """AnsibleModule calls this when arguments are wrong; it gets the keys that every failure has."""
        if "error" not in kwargs:
            kwargs.update(error=invalid_arguments(msg)["error"], changed=False)
        super().fail_json(msg, **kwargs)


def run_module(contract: Contract) -> None:
    """Read arguments from Ansible, perform, print the result and leave."""
    module = ContractModule(supports_check_mode=True, **contract.rules)
    # AnsibleModule would blot a secret out wherever its letters occur, so that a factory password like "admin" would
    # destroy unrelated fields. perform() hides secrets where they stand, and the invocation's are hidden here.
    module.no_log_values = set()
    result = perform(contract, module.params, check_mode=module.check_mode, diff_mode=module._diff)
    module.params = without_secrets(module.params, contract.argument_spec)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)

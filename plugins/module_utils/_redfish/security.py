# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine can prove itself with: its TPM and its Secure Boot."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from .client import RedfishClient
from .document import absent, first_text, flag, items, link, state, text, word

_ABSENT = {"present": False, "type": None, "firmware": None, "state": "absent"}


def tpm_of(
    client: RedfishClient, system: Mapping[str, Any], chassis: Optional[Mapping[str, Any]], *, each: bool
) -> Optional[Dict[str, Any]]:
    """``present``, ``type`` (Redfish's InterfaceType: TPM2_0, TPM1_2, TCM1_0), ``firmware``, ``state``; None: not told.

    TrustedModules of the system; where it lacks that (deprecated since ComputerSystem v1.14) and ``each`` is set, the
    TrustedComponents of the chassis are read.
    """
    if isinstance(system.get("TrustedModules"), (list, dict)):
        modules = [entry for entry in items(system["TrustedModules"]) if isinstance(entry, dict)]
        for module in modules:
            if not absent(module):
                return {
                    "present": True,
                    "type": text(module.get("InterfaceType")),
                    "firmware": text(module.get("FirmwareVersion")),
                    "state": text(state(module)),
                }
        return dict(_ABSENT)
    return _in_components(client, chassis) if each else None


def _in_components(client: RedfishClient, chassis: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    path = link((chassis or {}).get("TrustedComponents"))
    for component in client.members(path, "trusted components"):
        named = f"{word(component.get('Id'))} {word(component.get('Name'))} {word(component.get('Model'))}"
        if "tpm" in named and not absent(component):
            return {
                "present": True,
                "type": None,
                "firmware": first_text(component.get("FirmwareVersion")),
                "state": text(state(component)),
            }
    return None


def secure_boot_of(client: RedfishClient, system: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """``enabled`` (for the next boot), ``active`` (this boot was), ``mode`` (SetupMode, UserMode…); None: no answer."""
    document = client.try_get(link(system.get("SecureBoot")), "Secure Boot")
    if document is None:
        return None
    return {
        "enabled": flag(document.get("SecureBootEnable")),
        "active": flag(document.get("SecureBootCurrentBoot")),
        "mode": text(document.get("SecureBootMode")),
    }

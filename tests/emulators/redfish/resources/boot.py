# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a system starts from: the Boot object, boot options, BIOS settings, Secure Boot with its databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.personality import Leaf, Template, link
from tests.emulators.redfish.resources.leaves import uuid_of
from tests.emulators.redfish.resources.tree import TreeBuilder


@dataclass(frozen=True)
class BootChoices:
    """The Boot object as the platform writes it."""

    targets: tuple[str, ...] | None = ("None", "Pxe", "Hdd", "Cd", "Usb", "BiosSetup", "UefiTarget", "UefiHttp")
    target: str | None = "None"
    enabled: str | None = "Disabled"
    enabled_values: tuple[str, ...] | None = ("Disabled", "Once", "Continuous")
    mode: str | None = "UEFI"  # None: BootSourceOverrideMode is missing
    mode_values: tuple[str, ...] | None = ("Legacy", "UEFI")
    options: tuple[tuple[str, str], ...] = ()  # (BootOptionReference, display name) in boot order
    http_boot_uri: bool = False
    more: Mapping[str, Any] | None = None


ORDINARY_OPTIONS = (
    ("Boot0000", "Debian"),
    ("Boot0001", "UEFI: PXE IPv4 Port 1"),
    ("Boot0002", "UEFI: HTTP IPv4 Port 1"),
    ("Boot0003", "UEFI: Built-in EFI Shell"),
)


def boot_object(tree: TreeBuilder, system: str, choices: BootChoices) -> Template:
    body: Template = {}
    if choices.enabled is not None:
        body["BootSourceOverrideEnabled"] = choices.enabled
    if choices.enabled_values is not None:
        body["BootSourceOverrideEnabled@Redfish.AllowableValues"] = list(choices.enabled_values)
    if choices.target is not None:
        body["BootSourceOverrideTarget"] = choices.target
    if choices.targets is not None:
        body["BootSourceOverrideTarget@Redfish.AllowableValues"] = list(choices.targets)
    if choices.mode is not None:
        body["BootSourceOverrideMode"] = choices.mode
        if choices.mode_values is not None:
            body["BootSourceOverrideMode@Redfish.AllowableValues"] = list(choices.mode_values)
    if choices.targets and "UefiTarget" in choices.targets:
        body["UefiTargetBootSourceOverride"] = None
    if choices.http_boot_uri:
        body["HttpBootUri"] = None
    if choices.options:
        body["BootOrder"] = [reference for reference, _dummy in choices.options]
        body["BootOptions"] = _options(tree, system, choices.options)
    body.update(choices.more or {})
    return body


def _options(tree: TreeBuilder, system: str, options: Iterable[tuple[str, str]]) -> Template:
    made = tree.collect(f"{system}/BootOptions", "BootOption", "Boot Options Collection")
    for reference, name in options:
        tree.add(
            f"{system}/BootOptions/{reference}",
            "BootOption",
            name,
            {"BootOptionReference": reference, "DisplayName": name, "BootOptionEnabled": True},
        )
    return made


def bios(
    tree: TreeBuilder,
    system: str,
    attributes: Mapping[str, Any] | None,
    *,
    registry: str | None = None,
    settings: str | None = "Settings",  # last segment of the settings object; None = no pending settings
    apply_times: Iterable[str] = ("OnReset",),
    change_password: bool = True,
    reset: bool = True,
) -> Template:
    """BIOS settings as data. ``attributes=None``: only ResetBios is offered (stock OpenBMC)."""
    path = f"{system}/Bios"
    actions: Template = {}
    if reset:
        actions["#Bios.ResetBios"] = {"target": f"{path}/Actions/Bios.ResetBios"}
    if change_password:
        actions["#Bios.ChangePassword"] = {"target": f"{path}/Actions/Bios.ChangePassword"}
    body: Template = {"Actions": actions or None}
    if attributes is not None:
        body |= {"AttributeRegistry": registry, "Attributes": dict(attributes)}
        if settings:
            body["@Redfish.Settings"] = {
                "@odata.type": "#Settings.v1_3_5.Settings",
                "SettingsObject": link(f"{path}/{settings}"),
                "SupportedApplyTimes": list(apply_times),
            }
            tree.add(
                f"{path}/{settings}",
                "Bios",
                "BIOS Settings, pending",
                {"AttributeRegistry": registry, "Attributes": {}},
            )
    return tree.add(path, "Bios", "BIOS Configuration", body)


BIOS_ATTRIBUTES: Mapping[str, Any] = {
    "BootMode": "Uefi",
    "SecureBoot": "Disabled",
    "TpmSecurity": "On",
    "ProcVirtualization": "Enabled",
    "LogicalProc": "Enabled",
    "SriovGlobalEnable": "Disabled",
    "PowerProfile": "Balanced",
    "SerialRedirection": "Com1",
}

DATABASES = ("PK", "KEK", "db", "dbx")


def secure_boot(
    tree: TreeBuilder,
    system: str,
    *,
    enabled: bool | Leaf = False,
    current: str | Leaf = "Disabled",
    mode: str | Leaf | None = "UserMode",
    reset_keys: Iterable[str] = ("ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK"),
    databases: Iterable[str] = DATABASES,
    default_databases: Iterable[str] = (),
    identifier: str = "SecureBoot",
    database_resets: Iterable[str] = ("ResetAllKeysToDefault", "DeleteAllKeys"),
) -> Template:
    path = f"{system}/SecureBoot"
    names = [*databases, *default_databases]
    resets = list(reset_keys)
    body: Template = {
        "SecureBootEnable": enabled,
        "SecureBootCurrentBoot": current,
        "SecureBootMode": mode,
    }
    if names:
        body["SecureBootDatabases"] = tree.collect(
            f"{path}/SecureBootDatabases", "SecureBootDatabase", "UEFI Secure Boot Database Collection"
        )
    if resets:
        body["Actions"] = {
            "#SecureBoot.ResetKeys": tree.reset_action(path, "SecureBoot.ResetKeys", resets, "ResetKeysType")
        }
    made = tree.add(path, "SecureBoot", "UEFI Secure Boot", body, identifier=identifier)
    for name in names:
        _database(tree, f"{path}/SecureBootDatabases/{name}", name, database_resets)
    return made


def _database(tree: TreeBuilder, path: str, name: str, resets: Iterable[str]) -> None:
    certificates = tree.collect(f"{path}/Certificates", "Certificate", f"{name} Certificates")
    body: Template = {"DatabaseId": name, "Certificates": certificates}
    if name.startswith("db"):
        body["Signatures"] = tree.collect(f"{path}/Signatures", "Signature", f"{name} Signatures")
    if not name.endswith("Default"):
        body["Actions"] = {
            "#SecureBootDatabase.ResetKeys": {
                "target": f"{path}/Actions/SecureBootDatabase.ResetKeys",
                "ResetKeysType@Redfish.AllowableValues": list(resets),
            }
        }
    tree.add(path, "SecureBootDatabase", f"UEFI Secure Boot {name}", body)
    if name != "dbx":
        tree.add(
            f"{path}/Certificates/1",
            "Certificate",
            f"{name} certificate 1",
            {
                "CertificateType": "PEM",
                "Issuer": {"CommonName": f"Emulated platform {name} CA"},
                "Subject": {"CommonName": f"Emulated platform {name}"},
                "UefiSignatureOwner": uuid_of("secureboot-owner"),
            },
        )

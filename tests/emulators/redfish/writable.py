# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which properties a PATCH may write, and what values they take.

A property is writable where its resource shows it and the table below names it for the resource's type (or for every
type). ``X@Redfish.AllowableValues`` beside a property narrows it to those values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json, Manners

Rule = Callable[[str, Json, Json], None]  # (name, new value, value now): raises Refusal


def _shown(value: Json) -> str:
    return str(value)[:64]


def text(most: int = 256) -> Rule:
    def check(name: str, value: Json, now: Json) -> None:
        if value is None and now is None:
            return
        if not isinstance(value, str):
            raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)
        if len(value) > most:
            raise Refusal(400, "PropertyValueFormatError", _shown(value), name, related=name)

    return check


def nothing_or(rule: Rule) -> Rule:
    def check(name: str, value: Json, now: Json) -> None:
        if value is not None:
            rule(name, value, now)

    return check


def flag(name: str, value: Json, now: Json) -> None:
    if not isinstance(value, bool):
        raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)


def whole(least: int, most: int) -> Rule:
    def check(name: str, value: Json, now: Json) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)
        if not least <= value <= most:
            raise Refusal(400, "PropertyValueOutOfRange", _shown(value), name, related=name)

    return check


def choice(*values: str) -> Rule:
    def check(name: str, value: Json, now: Json) -> None:
        if not isinstance(value, str):
            raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)
        if value not in values:
            raise Refusal(400, "PropertyValueNotInList", _shown(value), name, related=name)

    return check


def moment(name: str, value: Json, now: Json) -> None:
    if not isinstance(value, str):
        raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise Refusal(400, "PropertyValueFormatError", _shown(value), name, related=name) from None


def reordered(name: str, value: Json, now: Json) -> None:
    """A list with the members that it has now, in any order."""
    if not isinstance(value, list):
        raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)
    if not isinstance(now, list) or sorted(map(str, value)) != sorted(map(str, now)):
        raise Refusal(400, "PropertyValueNotInList", _shown(value), name, related=name)


def listing(name: str, value: Json, now: Json) -> None:
    if not isinstance(value, list):
        raise Refusal(400, "PropertyValueTypeError", _shown(value), name, related=name)


Rules = Mapping[str, "Rule | Rules"]

_LED: Rules = {"LocationIndicatorActive": flag, "IndicatorLED": choice("Lit", "Blinking", "Off")}
_PLACE: Rules = {
    "Info": text(),
    "InfoFormat": text(),
    "PostalAddress": {name: text() for name in ("Building", "Country", "City", "Street", "Room", "Floor")},
    "Placement": {
        "AdditionalInfo": text(),
        "Rack": text(),
        "RackOffset": whole(0, 100),
        "RackOffsetUnits": choice("OpenU", "EIA_310"),
        "Row": text(),
    },
    "PartLocation": {"ServiceLabel": text(), "LocationOrdinalValue": whole(0, 255)},
}
_ADDRESSES: Rules = {
    "HostName": text(255),
    "FQDN": text(255),
    "InterfaceEnabled": flag,
    "StaticNameServers": listing,
    "IPv4StaticAddresses": listing,
    "IPv6StaticAddresses": listing,
    "DHCPv4": {"DHCPEnabled": flag, "UseDNSServers": flag, "UseDomainName": flag, "UseNTPServers": flag},
}
_PROTOCOL: Rules = {"ProtocolEnabled": flag, "Port": whole(1, 65535)}
_LIMIT: Rules = {"SetPoint": whole(0, 100_000), "ControlMode": choice("Automatic", "Manual", "Disabled", "Override")}

WRITABLE: dict[str, Rules] = {
    "": _LED,  # of every type
    "ComputerSystem": {
        "AssetTag": text(63),
        "HostName": text(255),
        "PowerRestorePolicy": choice("AlwaysOn", "AlwaysOff", "LastState"),
        "Boot": {
            "BootSourceOverrideTarget": text(),
            "BootSourceOverrideEnabled": choice("Disabled", "Once", "Continuous"),
            "BootSourceOverrideMode": choice("Legacy", "UEFI"),
            "UefiTargetBootSourceOverride": nothing_or(text(2048)),
            "BootNext": text(),
            "HttpBootUri": nothing_or(text(2048)),
            "BootOrder": reordered,
            "StopBootOnFault": choice("Never", "AnyFault"),
            "AutomaticRetryConfig": choice("Disabled", "RetryAttempts", "RetryAlways"),
            "AutomaticRetryAttempts": whole(0, 100),
        },
    },
    "Chassis": {"AssetTag": text(63), "Location": _PLACE},
    "Manager": {"DateTime": moment, "DateTimeLocalOffset": text(6), "ServiceIdentification": text(99)},
    "SessionService": {"SessionTimeout": whole(30, 86400), "ServiceEnabled": flag},
    "AccountService": {
        "AccountLockoutThreshold": whole(0, 100),
        "AccountLockoutDuration": whole(0, 86400),
        "AccountLockoutCounterResetAfter": whole(0, 86400),
        "AuthFailureLoggingThreshold": whole(0, 100),
        "MinPasswordLength": whole(1, 64),
    },
    "ManagerNetworkProtocol": {
        "HostName": text(255),
        "NTP": {"ProtocolEnabled": flag, "NTPServers": listing},
        **dict.fromkeys(("HTTP", "HTTPS", "SSH", "IPMI", "KVMIP", "VirtualMedia", "SNMP", "SSDP"), _PROTOCOL),
    },
    "EthernetInterface": _ADDRESSES,
    "LogService": {"ServiceEnabled": flag, "OverWritePolicy": choice("WrapsWhenFull", "NeverOverWrites")},
    "Power": {"PowerControl": listing},
    "EnvironmentMetrics": {"PowerLimitWatts": _LIMIT},
    "Control": {"SetPoint": whole(0, 100_000), "ControlMode": choice("Automatic", "Manual", "Disabled", "Override")},
    "TelemetryService": {"ServiceEnabled": flag},
    "VirtualMedia": {  # only where media are inserted by PATCH (Manners.media_by)
        "Image": nothing_or(text(2048)),
        "Inserted": flag,
        "WriteProtected": flag,
        "UserName": text(),
        "Password": text(),
    },
    "EventService": {
        "ServiceEnabled": flag,
        "DeliveryRetryAttempts": whole(0, 100),
        "DeliveryRetryIntervalSeconds": whole(0, 3600),
    },
}


def rules_for(manners: Manners, kind: str, body: dict[str, Json]) -> Rules:
    """The writable properties that this body shows; empty where PATCH is not allowed at all."""
    rules = {**WRITABLE[""], **WRITABLE.get(kind, {})}
    if kind == "VirtualMedia" and manners.media_by != "patch":
        return {}
    return {name: rule for name, rule in rules.items() if name in body and f"{kind}.{name}" not in manners.read_only}


def check(rules: Rules, change: dict[str, Json], body: dict[str, Json], prefix: str = "") -> None:
    """Raises the refusal of the first property that cannot be written so."""
    for name, value in change.items():
        full = prefix + name
        if "@" in name:
            continue
        rule = rules.get(name)
        if name not in body:
            raise Refusal(400, "PropertyUnknown", full, related=full)
        if rule is None:
            raise Refusal(400, "PropertyNotWritable", full, related=full)
        now = body[name]
        if not isinstance(rule, Mapping):
            rule(full, value, now)
            allowed = body.get(f"{name}@Redfish.AllowableValues")
            if isinstance(allowed, list) and value not in allowed:
                raise Refusal(400, "PropertyValueNotInList", _shown(value), full, related=full)
        elif not isinstance(value, dict):
            raise Refusal(400, "PropertyValueTypeError", _shown(value), full, related=full)
        else:
            check(rule, value, now if isinstance(now, dict) else {}, f"{full}/")

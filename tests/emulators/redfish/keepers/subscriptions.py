# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EventService/Subscriptions: who wants to hear of what the BMC logs, and the sending of it.

Events go from the BMC's own address, and to loopback addresses only: an emulated fleet writes to nobody's network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tests.emulators.redfish import changing, writable
from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request, to_json
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json, Template
from tests.emulators.redfish.registry import action, keeper, log_watcher

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc, LogEntry

_MOST = 20
_TIMEOUT = 5.0  # seconds for one delivery
_RULES: writable.Rules = {
    "Destination": writable.text(2048),
    "Protocol": writable.choice("Redfish"),
    "Context": writable.text(1024),
    "SubscriptionType": writable.choice("RedfishEvent"),
    "EventFormatType": writable.choice("Event"),
    "DeliveryRetryPolicy": writable.choice("TerminateAfterRetries", "SuspendRetries", "RetryForever"),
    "EventTypes": writable.listing,
    "RegistryPrefixes": writable.listing,
    "ResourceTypes": writable.listing,
    "HttpHeaders": writable.listing,
    "VerifyCertificate": writable.flag,
}


@dataclass(slots=True)
class Subscription:
    id: str
    body: dict[str, Json]  # as it was asked for, with defaults


@dataclass(slots=True)
class Subscriptions:
    """Of one BMC; in ``bmc.kept``."""

    by_id: dict[str, Subscription]
    made: int = 0
    sent: int = 0  # events, which have ids of their own


def _of(bmc: Bmc) -> Subscriptions:
    found = bmc.kept.get("subscriptions")
    if not isinstance(found, Subscriptions):
        found = bmc.kept["subscriptions"] = Subscriptions({})
    return found


@keeper("EventDestinationCollection")
class EventDestinations:
    methods: tuple[str, ...] = ("POST",)
    member_methods: tuple[str, ...] = ("PATCH", "DELETE")

    def members(self, bmc: Bmc, collection: str) -> list[str]:
        return list(_of(bmc).by_id)

    def read(self, bmc: Bmc, collection: str, member: str) -> Template | None:
        found = _of(bmc).by_id.get(member)
        if found is None:
            return None
        return {
            "@odata.type": "#EventDestination.v1_13_0.EventDestination",
            "Id": found.id,
            "Name": f"Subscription {found.id}",
            **found.body,
            "HttpHeaders": [],  # may hold secrets, so they are never shown
            "Status": {"State": "Enabled", "Health": "OK"},
        }

    def create(self, bmc: Bmc, collection: str, request: Request, account: Account | None) -> Reply:
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "MalformedJSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "UnrecognizedRequestBody")
        for name in ("Destination", "Protocol"):
            if name not in body:
                raise Refusal(400, "CreateFailedMissingReqProperties", name, related=name)
        writable.check(_RULES, body, dict.fromkeys(_RULES))
        _destination(body["Destination"])
        held = _of(bmc)
        if len(held.by_id) >= _MOST:
            raise Refusal(400, "CreateLimitReachedForResource")
        held.made += 1
        defaults = {"Context": "", "SubscriptionType": "RedfishEvent", "EventFormatType": "Event"}
        made = Subscription(str(held.made), {**defaults, **body})
        held.by_id[made.id] = made
        path = f"{collection}/{made.id}"
        return Reply(201, {"@odata.id": path, **(self.read(bmc, collection, made.id) or {})}, [("Location", path)])

    def change(self, bmc: Bmc, collection: str, member: str, change: dict[str, Json], account: Account) -> None:
        if not account.may("ConfigureManager"):
            raise Refusal(403, "InsufficientPrivilege")
        body = _of(bmc).by_id[member].body
        rules = {name: _RULES[name] for name in ("Context", "DeliveryRetryPolicy", "HttpHeaders", "VerifyCertificate")}
        writable.check(rules, change, {**dict.fromkeys(rules), **body})
        body.update(change)

    def delete(self, bmc: Bmc, collection: str, member: str, account: Account) -> None:
        if not account.may("ConfigureManager"):
            raise Refusal(403, "InsufficientPrivilege")
        del _of(bmc).by_id[member]


def _destination(text: str) -> SplitResult:
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    if found.scheme not in ("http", "https") or not found.hostname or port == 0:
        raise Refusal(400, "PropertyValueFormatError", text[:64], "Destination", related="Destination")
    return found


@action("EventService.SubmitTestEvent")
def submit_test_event(bmc: Bmc, service: str, parameters: dict[str, Json]) -> Reply:
    texts = {name: value for name, value in parameters.items() if isinstance(value, str)}
    registry = bmc.manners.message_registry.partition(".")[0]
    _publish(
        bmc,
        texts.get("MessageId", f"{registry}.1.0.Success"),
        texts.get("Message", "A test event."),
        texts.get("Severity", "OK"),
        texts.get("OriginOfCondition", service),
    )
    return changing.done(bmc)


@log_watcher
def tell_of_log_entry(bmc: Bmc, collection: str, entry: LogEntry) -> None:
    if "subscriptions" in bmc.kept:
        _publish(bmc, "ResourceEvent.1.0.ResourceChanged", entry.message, entry.severity, f"{collection}/{entry.id}")


def _publish(bmc: Bmc, message_id: str, text: str, severity: str, origin: str) -> None:
    held = _of(bmc)
    for subscription in held.by_id.values():
        held.sent += 1
        event = {
            "@odata.type": "#Event.v1_7_0.Event",
            "Id": str(held.sent),
            "Name": "Event",
            "Context": subscription.body["Context"],
            "Events": [
                {
                    "EventType": "Alert",
                    "EventId": str(held.sent),
                    "MemberId": "0",
                    "MessageId": message_id,
                    "Message": text,
                    "MessageSeverity": severity,
                    "Severity": severity,
                    "EventTimestamp": bmc.now().strftime("%Y-%m-%dT%H:%M:%S+00:00"),
                    "OriginOfCondition": {"@odata.id": origin},
                }
            ],
        }
        bmc.background(_deliver(bmc, subscription, to_json(event)))


async def _deliver(bmc: Bmc, subscription: Subscription, payload: bytes) -> None:
    """Tries as often as the EventService says; stops when the subscription is gone."""
    service = bmc.body(bmc.platform.tree.first("EventService")) or {}
    destination = _destination(subscription.body["Destination"])
    if not _on_loopback(destination.hostname or ""):
        return
    for _dummy in range(1 + int(service.get("DeliveryRetryAttempts", 3))):
        if subscription.id not in _of(bmc).by_id:
            return
        try:
            async with asyncio.timeout(_TIMEOUT):
                if await _post(bmc, destination, subscription.body.get("HttpHeaders") or [], payload) < 300:
                    return
        except (OSError, TimeoutError, ValueError):
            pass  # nobody there, or no HTTP: once more after the interval
        await asyncio.sleep(float(service.get("DeliveryRetryIntervalSeconds", 30)))


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _post(bmc: Bmc, destination: SplitResult, headers: list[Json], payload: bytes) -> int:
    """The status of the answer. Raises OSError, or ValueError for what is no HTTP."""
    secure = ssl._create_unverified_context() if destination.scheme == "https" else None
    port = destination.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(
        destination.hostname, port, ssl=secure, local_addr=(bmc.unit.address, 0)
    )
    try:
        target = (destination.path or "/") + (f"?{destination.query}" if destination.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {destination.netloc}", "Content-Type: application/json"]
        lines += [
            f"{name}: {value}" for header in headers if isinstance(header, dict) for name, value in header.items()
        ]
        lines += [f"Content-Length: {len(payload)}", "Connection: close", "\r\n"]
        writer.write("\r\n".join(lines).encode() + payload)
        await writer.drain()
        return int((await reader.readline()).split()[1])
    except IndexError:
        raise ValueError("the listener does not speak HTTP") from None
    finally:
        writer.close()

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small services of a BMC: tasks, events, certificates, telemetry, registries, schema files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Template, clock, links, volatile
from tests.emulators.redfish.resources.service_root import prune_root
from tests.emulators.redfish.resources.tree import TreeBuilder


def task_service(tree: TreeBuilder, **more: Any) -> None:
    path = f"{SERVICE_ROOT}/TaskService"
    body: Template = {
        "ServiceEnabled": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "DateTime": volatile(clock),
        "CompletedTaskOverWritePolicy": "Oldest",
        "LifeCycleEventOnTaskStateChange": True,
        "Tasks": tree.collect(f"{path}/Tasks", "Task", "Task Collection"),
    }
    tree.add(path, "TaskService", "Task Service", body | more)


def event_service(
    tree: TreeBuilder,
    *,
    stream: str | None = "SSE",
    registries: Iterable[str] = ("Base", "ResourceEvent", "TaskEvent"),
    resource_types: Iterable[str] = ("ComputerSystem", "Chassis", "Manager", "Task"),
    **more: Any,
) -> None:
    """``stream``: last segment of the server-sent event URI; None where there is none."""
    path = f"{SERVICE_ROOT}/EventService"
    body: Template = {
        "ServiceEnabled": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "DeliveryRetryAttempts": 3,
        "DeliveryRetryIntervalSeconds": 30,
        "EventFormatTypes": ["Event", "MetricReport"],
        "RegistryPrefixes": list(registries),
        "ResourceTypes": list(resource_types),
        "ServerSentEventUri": f"{path}/{stream}" if stream else None,
        "Subscriptions": tree.collect(f"{path}/Subscriptions", "EventDestination", "Event Subscriptions"),
        "Actions": {
            "#EventService.SubmitTestEvent": {"target": f"{path}/Actions/EventService.SubmitTestEvent"},
        },
    }
    tree.add(path, "EventService", "Event Service", body | more)


def certificate_service(tree: TreeBuilder) -> None:
    """With the locations of every certificate that the tree holds by now: call it last."""
    path = f"{SERVICE_ROOT}/CertificateService"
    certificates = [key for key, body in tree.items() if str(body.get("@odata.type")).startswith("#Certificate.")]
    locations = tree.add(
        f"{path}/CertificateLocations",
        "CertificateLocations",
        "Certificate Locations",
        {"Links": {"Certificates": links(*certificates), "Certificates@odata.count": len(certificates)}},
    )
    tree.add(
        path,
        "CertificateService",
        "Certificate Service",
        {
            "CertificateLocations": locations,
            "Actions": {
                "#CertificateService.GenerateCSR": {
                    "target": f"{path}/Actions/CertificateService.GenerateCSR",
                    "KeyPairAlgorithm@Redfish.AllowableValues": ["TPM_ALG_RSA", "TPM_ALG_ECDSA"],
                },
                "#CertificateService.ReplaceCertificate": {
                    "target": f"{path}/Actions/CertificateService.ReplaceCertificate",
                    "CertificateType@Redfish.AllowableValues": ["PEM"],
                },
            },
        },
    )


def telemetry_service(tree: TreeBuilder, *, triggers: bool = True) -> None:
    path = f"{SERVICE_ROOT}/TelemetryService"
    body: Template = {
        "Status": {"State": "Enabled", "Health": "OK"},
        "MaxReports": 10,
        "MinCollectionInterval": "PT1S",
        "SupportedCollectionFunctions": ["Average", "Maximum", "Minimum"],
        "MetricReportDefinitions": tree.collect(
            f"{path}/MetricReportDefinitions", "MetricReportDefinition", "Metric Report Definition Collection"
        ),
        "MetricReports": tree.collect(f"{path}/MetricReports", "MetricReport", "Metric Report Collection"),
    }
    if triggers:
        body["Triggers"] = tree.collect(f"{path}/Triggers", "Triggers", "Triggers Collection")
    tree.add(path, "TelemetryService", "Telemetry Service", body)


def registries(tree: TreeBuilder, names: Iterable[str], language: str = "en") -> None:
    """Message registries as files that live at the DMTF: ``names`` like "Base.1.18.1"."""
    path = f"{SERVICE_ROOT}/Registries"
    tree.collect(path, "MessageRegistryFile", "Registry File Collection")
    for name in names:
        prefix = name.split(".", 1)[0]
        tree.add(
            f"{path}/{prefix}",
            "MessageRegistryFile",
            f"{prefix} Message Registry File",
            {
                "Languages": [language],
                "Registry": ".".join(name.split(".")[:3]),
                "Location": [
                    {
                        "Language": language,
                        "PublicationUri": f"https://redfish.dmtf.org/registries/{name}.json",
                    }
                ],
            },
        )


def json_schemas(tree: TreeBuilder) -> None:
    """One schema file for each type that the tree uses by now: call it last."""
    path = f"{SERVICE_ROOT}/JsonSchemas"
    types = sorted(
        {
            str(body["@odata.type"]).lstrip("#").split(".", maxsplit=1)[0]
            for body in tree.values()
            if "@odata.type" in body
        }
    )
    tree.collect(path, "JsonSchemaFile", "JsonSchema File Collection")
    for schema in types:
        tree.add(
            f"{path}/{schema}",
            "JsonSchemaFile",
            f"{schema} Schema File",
            {
                "Schema": f"#{schema}.{schema}",
                "Languages": ["en"],
                "Location": [{"Language": "en", "PublicationUri": f"http://redfish.dmtf.org/schemas/v1/{schema}.json"}],
            },
        )


def finish(tree: TreeBuilder, *, schemas: bool = True) -> None:
    """What looks at the whole tree: certificate locations, schema files, and a root without dead links."""
    certificate_service(tree)
    if schemas:
        json_schemas(tree)
    prune_root(tree)

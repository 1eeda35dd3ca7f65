# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redfish messages and the refusals that carry them. The texts are ours, the identifiers the Base registry's."""

from __future__ import annotations

from typing import Any

from tests.emulators.redfish.http1 import Reply
from tests.emulators.redfish.personality import Manners

# MessageId (without registry) -> severity, text with %1, %2, … for the arguments, what to do
_MESSAGES: dict[str, tuple[str, str, str]] = {
    "Success": ("OK", "Done.", "None."),
    "NoOperation": ("Warning", "The request asks for no change.", "Name at least one property to change."),
    "AccessDenied": ("Critical", "%1 may not be read with these credentials.", "Use other credentials."),
    "ActionNotSupported": ("Critical", "There is no action %1 here.", "Read Actions of the resource."),
    "ActionParameterMissing": ("Critical", "Action %1 needs parameter %2.", "Add the parameter."),
    "ActionParameterUnknown": ("Warning", "Action %1 has no parameter %2.", "Leave the parameter out."),
    "ActionParameterValueNotInList": ("Warning", "%1 is not an allowed value of %2 in action %3.", "Use a listed one."),
    "ActionParameterValueTypeError": ("Warning", "%1 has the wrong type for %2 in action %3.", "Correct the type."),
    "ActionParameterValueFormatError": (
        "Warning",
        "%1 has the wrong format for %2 in action %3.",
        "Correct the value.",
    ),
    "HearthLab.1.0.MachineFailed": ("Critical", "The machine did not do it: %1", "Look into the log of libvirt."),
    "HearthLab.1.0.MediumRefused": ("Critical", "The image %1 cannot be used: %2.", "Correct the URI, or its server."),
    "HearthLab.1.0.MediumUnreachable": ("Critical", "No connection to the server of %1: %2.", "Check the URI."),
    "AccountRemoved": ("OK", "The account is gone.", "None."),
    "CouldNotEstablishConnection": ("Critical", "No connection to %1.", "Check that the URI can be reached."),
    "CreateFailedMissingReqProperties": ("Critical", "A new resource needs property %1.", "Add the property."),
    "CreateLimitReachedForResource": ("Critical", "There is no room for another one.", "Delete one first."),
    "GeneralError": ("Critical", "The service failed.", "Look into the BMC's log."),
    "HeaderInvalid": ("Critical", "Header %1 is not usable.", "Correct the header."),
    "InsufficientPrivilege": ("Critical", "The account lacks the privilege for this.", "Use another account."),
    "InternalError": ("Critical", "The service failed inside.", "Try again."),
    "InvalidURI": ("Critical", "%1 is no URI of this service.", "Correct the URI."),
    "MalformedJSON": ("Critical", "The body is not valid JSON.", "Correct the body."),
    "MissingOrMalformedPart": (
        "Critical",
        "A part of the multipart body is missing or malformed.",
        "Correct the body.",
    ),
    "NoValidSession": ("Critical", "The request carries no valid credentials.", "Log in first."),
    "OperationNotAllowed": ("Critical", "This method is not allowed here.", "Read the Allow header."),
    "PasswordChangeRequired": ("Critical", "The password has to be changed first.", "PATCH Password of %1."),
    "PreconditionFailed": (
        "Critical",
        "The ETag is not that of the resource as it is now.",
        "Read the resource again.",
    ),
    "PreconditionRequired": (
        "Critical",
        "The request needs an If-Match header.",
        "Read the resource's ETag and send it.",
    ),
    "PropertyMissing": ("Warning", "Property %1 is required.", "Add the property."),
    "PropertyNotWritable": ("Warning", "Property %1 cannot be written.", "Leave the property out."),
    "PropertyUnknown": ("Warning", "The resource has no property %1.", "Leave the property out."),
    "PropertyValueConflict": ("Warning", "The value of %1 cannot stand beside that of %2.", "Change one of them."),
    "PropertyValueFormatError": ("Warning", "Value %1 of %2 has the wrong format.", "Correct the value."),
    "PropertyValueNotInList": ("Warning", "%1 is not an allowed value of %2.", "Use an allowed value."),
    "PropertyValueOutOfRange": ("Warning", "Value %1 of %2 is out of range.", "Stay within the range."),
    "PropertyValueTypeError": ("Warning", "Value %1 has the wrong type for %2.", "Correct the type."),
    "QueryCombinationInvalid": ("Warning", "These query parameters do not go together.", "Leave one out."),
    "QueryNotSupported": ("Warning", "This service has no query parameters.", "Leave the query out."),
    "QueryNotSupportedOnResource": ("Warning", "This resource takes no such query.", "Leave the query out."),
    "QueryParameterOutOfRange": ("Warning", "Value %1 of query parameter %2 is outside %3.", "Stay within the range."),
    "QueryParameterUnsupported": ("Warning", "Query parameter %1 is not supported.", "Leave it out."),
    "QueryParameterValueFormatError": ("Warning", "Value %1 of query parameter %2 is malformed.", "Correct the value."),
    "QueryParameterValueTypeError": ("Warning", "Value %1 of query parameter %2 has the wrong type.", "Correct it."),
    "ResourceAlreadyExists": ("Critical", "A %1 with %2 %3 exists already.", "Use another value."),
    "ResourceCannotBeDeleted": ("Critical", "This resource cannot be deleted.", "None."),
    "ResourceInStandby": ("Critical", "The resource is not available while the machine is off.", "Switch it on first."),
    "ResourceInUse": ("Warning", "The resource is busy.", "Try again later."),
    "ResourceMissingAtURI": ("Critical", "There is nothing at %1.", "Correct the URI."),
    "ServiceInUnknownState": ("Critical", "The service does not know its own state.", "Restart the BMC."),
    "ServiceTemporarilyUnavailable": (
        "Critical",
        "The service is not available; try again in %1 s.",
        "Wait, then retry.",
    ),
    "SessionLimitExceeded": ("Critical", "All sessions are in use.", "End another session first."),
    "SessionTerminated": ("OK", "The session has ended.", "None."),
    "UnrecognizedRequestBody": ("Warning", "The body is not what this request takes.", "Correct the body."),
}


def message(manners: Manners, message_id: str, *arguments: object, related: str = "") -> dict[str, Any]:
    """One entry of @Message.ExtendedInfo. An id with a dot names its own registry."""
    severity, text, resolution = _MESSAGES.get(message_id, ("Critical", message_id, "None."))
    arguments_text = [str(argument) for argument in arguments]
    for number, argument in enumerate(arguments_text, 1):
        text = text.replace(f"%{number}", argument)
        resolution = resolution.replace(f"%{number}", argument)
    entry: dict[str, Any] = {
        "@odata.type": "#Message.v1_1_2.Message",
        "MessageId": message_id if "." in message_id else f"{manners.message_registry}.{message_id}",
        "Message": text,
        "MessageArgs": arguments_text,
        "MessageSeverity": severity,
        "Severity": severity,
        "Resolution": resolution,
    }
    if related:
        entry["RelatedProperties"] = [f"#/{related}"]
    return entry


class Refusal(Exception):
    """The service says no: a status and one message."""

    def __init__(
        self,
        status: int,
        message_id: str,
        *arguments: object,
        related: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status} {message_id}")
        self.status = status
        self.message_id = message_id
        self.arguments = arguments
        self.related = related
        self.headers = headers

    def reply(self, manners: Manners) -> Reply:
        entry = message(manners, self.message_id, *self.arguments, related=self.related)
        headers = list(self.headers)
        if manners.error_style == "html":
            body = f"<html><body><h1>{self.status}</h1></body></html>\n".encode()
            return Reply(self.status, body, headers, content_type="text/html")
        error: dict[str, Any] = {"code": entry["MessageId"], "message": entry["Message"]}
        if manners.error_style == "extended":
            error["@Message.ExtendedInfo"] = [entry]
        return Reply(self.status, {"error": error}, headers)


def success(manners: Manners, status: int = 200) -> Reply:
    """The answer of an action that has nothing else to say."""
    if status == 204:
        return Reply(204)
    entry = message(manners, "Success")
    error = {"code": entry["MessageId"], "message": entry["Message"], "@Message.ExtendedInfo": [entry]}
    return Reply(status, {"error": error})

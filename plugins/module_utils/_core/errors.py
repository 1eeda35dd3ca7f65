# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors that engines raise.

An engine never raises a bare exception for something that a user can meet: it raises one of these, which says what was
expected, what was found, where, and what to do next. It becomes a failed result, or a host with its reason, in exactly
one place of each front end.
"""

from __future__ import annotations

from typing import Any


class HearthError(Exception):
    """Base of all typed errors; ``type`` is the name of the class."""

    #: what to do where whoever raises it has nothing better to say
    usual_next: str = ""
    #: status and header fields of an answer that broke off after them (an http1.Answer), else None
    begun: Any = None

    def __init__(self, msg: str, *, expected: str = "", found: str = "", where: str = "", next: str = "") -> None:
        super().__init__(msg)
        self.msg = msg
        self.expected = expected
        self.found = found
        self.where = where
        self.next = next or self.usual_next

    @property
    def type(self) -> str:
        return type(self).__name__

    def as_dict(self) -> dict[str, str]:
        return {
            "type": self.type,
            "msg": self.msg,
            "expected": self.expected,
            "found": self.found,
            "where": self.where,
            "next": self.next,
        }


class BadInput(HearthError):
    """What the user wrote cannot be right; nothing has been tried."""


class MissingLibrary(HearthError):
    """A library that this machine needs is not installed."""


class MissingTool(HearthError):
    """A program that this machine needs is not installed."""


class Cancelled(HearthError):
    """The run was interrupted (Ctrl-C) before this step began."""


class Unreachable(HearthError):
    """No connection, or it broke."""

    usual_next = "see whether the address is right and the BMC is up, then run the task again"


class ConnectionRefused(Unreachable):
    """The address answered that nobody listens there."""


class ConnectionLost(Unreachable):
    """The peer closed or reset the connection before its answer was complete."""

    #: bytes of the request that had been handed to the kernel; -1: all of them
    written: int = -1
    #: whether any byte of the answer had come
    answered: bool = False


class TlsFailed(Unreachable):
    """TCP connected, and no TLS session came of it: no common version or cipher, or no TLS at all."""


class TimedOut(Unreachable):
    """The deadline passed before the answer was there."""


class CertificateUnverified(HearthError):
    """The peer's certificate does not lead to a trusted authority or is for another name."""


class PinMismatch(HearthError):
    """The peer's key is not the pinned one."""


class CredentialWithheld(HearthError):
    """A credential was about to go to a peer that is not verified; it was not sent."""


class PinUnknown(CredentialWithheld):
    """No key is pinned for the peer, so nothing says that it is the one that is meant; no credential was sent."""


class AuthenticationFailed(HearthError):
    """The peer refused the credentials."""


class AccessDenied(HearthError):
    """The login is right and lacks the privilege."""


class PasswordChangeRequired(AccessDenied):
    """The BMC wants its password changed before it serves anything else."""


class NotFound(HearthError):
    """The resource does not exist."""


class NoTpm(NotFound):
    """The machine shows no TPM 2.0."""


class Unsupported(HearthError):
    """The peer cannot do that."""


class Busy(HearthError):
    """The peer said to come back later, and later lies behind the deadline."""


class PreconditionFailed(HearthError):
    """The resource changed between read and write."""


class Refused(HearthError):
    """The peer understood the request and refused it (HTTP 400 and its like)."""

    usual_next = "look into the BMC's log; what it refuses may depend on what the machine is doing"


class TpmLockedOut(Refused):
    """The TPM refuses every authorization until its lockout ends: that looks like a denial, and is none."""


class ServerFailure(HearthError):
    """The peer failed while it worked on the request (HTTP 500 and its like)."""


class ProtocolViolation(HearthError):
    """The peer's answer is not what its protocol allows: too large, truncated, not JSON, endless."""

    usual_next = "run the task again; where it happens again, restart the BMC or update its firmware"


class VerificationFailed(HearthError):
    """A change was accepted and does not show when read back."""


class IdentityMismatch(HearthError):
    """The machine is not the one that the operator means; nothing was changed."""


class AttestationRefused(HearthError):
    """The machine does not prove that it runs what it should; nothing secret goes there."""


class StoreUnavailable(HearthError):
    """The state store cannot be opened."""


class StoreVersionTooNew(StoreUnavailable):
    """The state store was written by a newer version of this collection."""


class StoreBusy(StoreUnavailable):
    """Other processes kept the state store locked until the deadline."""


class StoreReadOnly(StoreUnavailable):
    """The state store can be read and not written."""


class StoreDamaged(StoreUnavailable):
    """The state store, or an export of it, is not what was written."""


class LeaseHeld(HearthError):
    """Somebody else works on this now."""


class UnsafeSecretFile(BadInput):
    """A file with a secret can be read by others than its owner; it was not used."""


class DecryptionFailed(HearthError):
    """A document does not open with the key at hand, or was changed."""


class KeyNotFound(NotFound):
    """The key store has no key of this FRU: none was made, or it was destroyed."""


class KeyCopiesRemain(HearthError):
    """Copies of a key lie where destroying it here would not reach them; nothing was destroyed."""

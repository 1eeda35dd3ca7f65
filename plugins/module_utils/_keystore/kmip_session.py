# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a KMIP server (OASIS KMIP 1.4), through PyKMIP: the few operations that a key store needs.

Version 1.4 is the first that gives back the tag of an authenticated encryption, which PyKMIP's client leaves out of its
answer: so the requests for it are put together here from PyKMIP's parts.
"""

from __future__ import annotations

import logging
import socket
import ssl
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, List, Tuple

from .._core.errors import (
    AccessDenied,
    BadInput,
    CertificateUnverified,
    ConnectionRefused,
    HearthError,
    NotFound,
    ProtocolViolation,
    ServerFailure,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from .._core.missing_library import missing_library
from .secret_file import read_secret

try:
    from kmip.core import enums
    from kmip.core import exceptions as kmip_exceptions
    from kmip.core.factories.attributes import AttributeFactory
    from kmip.core.messages import messages, payloads
    from kmip.core.primitives import Enumeration
    from kmip.pie.client import ProxyKmipClient
    from kmip.pie.exceptions import KmipOperationFailure
    from kmip.services.kmip_protocol import KMIPProtocol, RequestLengthMismatch
except ImportError as error:
    KMIP_IMPORT_ERROR = str(error)
else:
    KMIP_IMPORT_ERROR = ""

_TAG = 16
_NEXT = "look into the KMIP server's log, then run the task again: what was done is found again"

#: States of a key (KMIP 1.4, 3.22) as this package calls them.
PRE_ACTIVE, ACTIVE, DEACTIVATED, COMPROMISED, DESTROYED = (
    "pre_active",
    "active",
    "deactivated",
    "compromised",
    "destroyed",
)


@dataclass(frozen=True)
class KmipServer:
    """Where it is, and how both ends prove who they are. Files, since nothing of this may be seen in arguments."""

    host: str
    ca_file: str
    certificate_file: str
    key_file: str
    """The client's private key: mode 0600, not encrypted."""
    port: int = 5696
    timeout: float = 30.0
    """Seconds, for the connection and for each answer."""

    @property
    def shown(self) -> str:
        return f"kmip://{self.host}:{self.port}"


def require_pykmip() -> None:
    """MissingLibrary unless PyKMIP is here."""
    if KMIP_IMPORT_ERROR:
        raise missing_library(
            "PyKMIP", "key stores in a KMIP server", KMIP_IMPORT_ERROR, requirement="'PyKMIP>=0.11.0'"
        )


class KmipSession:
    """An open connection. Close it."""

    def __init__(self, server: KmipServer) -> None:
        require_pykmip()
        self._server = server
        context = _tls(server)
        self._client = ProxyKmipClient(
            hostname=server.host,
            port=server.port,
            cert=server.certificate_file,
            key=server.key_file,
            ca=server.ca_file,
            kmip_version=enums.KMIPVersion.KMIP_1_4,
        )
        self._connect(context)

    def locate(self, name: str) -> List[str]:
        """The identifiers of all keys with this name."""
        wanted = AttributeFactory().create_attribute(enums.AttributeType.NAME, name)
        with self._asking("Locate"):
            return [str(uid) for uid in self._client.locate(attributes=[wanted])]

    def create(self, name: str) -> str:
        """A new AES-256 key, not yet active; its identifier."""
        masks = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
        with self._asking("Create"):
            return str(
                self._client.create(enums.CryptographicAlgorithm.AES, 256, name=name, cryptographic_usage_mask=masks)
            )

    def activate(self, uid: str) -> None:
        with self._asking("Activate"):
            self._client.activate(uid)

    def state(self, uid: str) -> str:
        """One of the states above; DESTROYED also where the server knows nothing of the key any more."""
        try:
            with self._asking("Get Attributes"):
                _uid, attributes = self._client.get_attributes(uid, ["State"])
        except NotFound:
            return DESTROYED
        if len(attributes) != 1:
            raise self._wrong("It does not say in which state the key is.", "Get Attributes")
        said = attributes[0].attribute_value.value
        return {
            enums.State.PRE_ACTIVE: PRE_ACTIVE,
            enums.State.ACTIVE: ACTIVE,
            enums.State.DEACTIVATED: DEACTIVATED,
            enums.State.COMPROMISED: COMPROMISED,
        }.get(said, DESTROYED)

    def revoke(self, uid: str) -> None:
        """Active to deactivated: an active key can't be destroyed."""
        with self._asking("Revoke"):
            self._client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)

    def destroy(self, uid: str) -> None:
        with self._asking("Destroy"):
            self._client.destroy(uid)

    def encrypt(self, uid: str, plaintext: bytes, nonce: bytes) -> Tuple[bytes, bytes]:
        """AES-GCM in the server: ciphertext and tag."""
        payload = payloads.EncryptRequestPayload(
            unique_identifier=uid,
            cryptographic_parameters=self._gcm(),
            data=plaintext,
            iv_counter_nonce=nonce,
        )
        answer = self._ask("Encrypt", enums.Operation.ENCRYPT, payload)
        ciphertext, tag = bytes(answer.data or b""), bytes(answer.auth_tag or b"")
        if len(ciphertext) != len(plaintext) or len(tag) != _TAG:
            raise self._wrong("It did not encrypt with AES-GCM, or gave back no tag.", "Encrypt")
        return ciphertext, tag

    def decrypt(self, uid: str, ciphertext: bytes, nonce: bytes, tag: bytes) -> bytes:
        payload = payloads.DecryptRequestPayload(
            unique_identifier=uid,
            cryptographic_parameters=self._gcm(),
            data=ciphertext,
            iv_counter_nonce=nonce,
            auth_tag=tag,
        )
        return bytes(self._ask("Decrypt", enums.Operation.DECRYPT, payload).data or b"")

    def close(self) -> None:
        self._client.close()

    def _connect(self, context: ssl.SSLContext) -> None:
        # PyKMIP checks no host name and knows IPv4 only, so the socket is ours; everything above it is PyKMIP's.
        where = self._server.shown
        try:
            plain = socket.create_connection((self._server.host, self._server.port), timeout=self._server.timeout)
        except socket.timeout as error:
            raise TimedOut("The KMIP server does not answer.", where=where) from error
        except ConnectionRefusedError as error:
            raise ConnectionRefused("Nobody listens where the KMIP server should be.", where=where) from error
        except OSError as error:
            raise Unreachable(f"The KMIP server can't be reached: {error}.", where=where) from error
        try:
            connection = context.wrap_socket(plain, server_hostname=self._server.host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise CertificateUnverified(
                "The KMIP server does not prove who it is; nothing was sent to it.",
                expected=f"a certificate for {self._server.host} from {self._server.ca_file}",
                found=error.verify_message,
                where=where,
            ) from error
        except OSError as error:
            plain.close()
            raise TlsFailed(f"No TLS session with the KMIP server: {error}.", where=where) from error
        proxy = self._client.proxy
        proxy.socket = connection
        proxy.protocol = KMIPProtocol(connection)
        # At DEBUG it logs every message byte by byte, keys and secrets with it.
        proxy.protocol.logger.setLevel(logging.INFO)
        self._client._is_open = True

    def _gcm(self) -> Any:
        return self._client._build_cryptographic_parameters(
            {
                "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
                "block_cipher_mode": enums.BlockCipherMode.GCM,
                "tag_length": _TAG,
            }
        )

    def _ask(self, name: str, operation: Any, payload: Any) -> Any:
        item = messages.RequestBatchItem(
            operation=Enumeration(enums.Operation, operation, enums.Tags.OPERATION), request_payload=payload
        )
        proxy = self._client.proxy
        with self._asking(name):
            answers = proxy._send_and_receive_message(proxy._build_request_message(None, [item])).batch_items
            if len(answers) != 1:
                raise self._wrong("It gave another number of answers than it was asked.", name)
            answer = answers[0]
            if answer.result_status.value != enums.ResultStatus.SUCCESS:
                raise KmipOperationFailure(
                    answer.result_status.value,
                    answer.result_reason.value if answer.result_reason else enums.ResultReason.GENERAL_FAILURE,
                    answer.result_message.value if answer.result_message else "",
                )
            return answer.response_payload

    @contextmanager
    def _asking(self, operation: str) -> Iterator[None]:
        where = f"{operation} at {self._server.shown}"
        try:
            yield
        except KmipOperationFailure as error:
            raise _refusal(error, operation, where) from error
        except socket.timeout as error:
            raise TimedOut("The KMIP server does not answer any more.", where=where, next=_NEXT) from error
        except (OSError, EOFError, RequestLengthMismatch) as error:
            raise Unreachable(f"The connection to the KMIP server broke: {error}.", where=where, next=_NEXT) from error
        except HearthError:
            raise
        except (
            kmip_exceptions.KmipError,
            kmip_exceptions.InvalidKmipEncoding,
            kmip_exceptions.InvalidPaddingBytes,
            kmip_exceptions.InvalidPrimitiveLength,
            kmip_exceptions.ReadValueError,
            kmip_exceptions.StreamNotEmptyError,
            kmip_exceptions.VersionNotSupported,
            AttributeError,
            IndexError,
            TypeError,
            ValueError,
            struct.error,
        ) as error:
            # What PyKMIP says of an answer that it can't read; its text may hold parts of the answer.
            raise self._wrong("Its answer can't be read.", operation, type(error).__name__) from None

    def _wrong(self, what: str, operation: str, found: str = "") -> ProtocolViolation:
        return ProtocolViolation(
            f"The KMIP server's answer is wrong. {what}",
            expected="an answer of KMIP 1.4",
            found=found,
            where=f"{operation} at {self._server.shown}",
            next="see whether the server supports KMIP 1.4 with AES-GCM",
        )


def _refusal(error: Any, operation: str, where: str) -> HearthError:
    said = f"{error.reason.name}: {error.message}"
    if error.reason == enums.ResultReason.ITEM_NOT_FOUND:
        return NotFound("The KMIP server has no such key.", found=said, where=where)
    if error.reason in (enums.ResultReason.PERMISSION_DENIED, enums.ResultReason.AUTHENTICATION_NOT_SUCCESSFUL):
        return AccessDenied(f"The KMIP server denies {operation}.", found=said, where=where, next=_NEXT)
    return ServerFailure(f"The KMIP server failed at {operation}.", found=said, where=where, next=_NEXT)


def _tls(server: KmipServer) -> ssl.SSLContext:
    # Read for its permissions; OpenSSL then reads it once more by its name.
    read_secret(server.key_file, "The KMIP client's private key")
    try:
        context = ssl.create_default_context(cafile=server.ca_file)
        # A password would be asked for on the terminal: an empty one fails instead.
        context.load_cert_chain(server.certificate_file, server.key_file, password="")
    except (OSError, ValueError) as error:
        raise BadInput(
            "The KMIP client's certificate, its key or the authority's certificate can't be used.",
            expected="PEM files; the key without a passphrase, and the certificate's own",
            found=str(error),
            where=f"{server.certificate_file}, {server.key_file}, {server.ca_file}",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

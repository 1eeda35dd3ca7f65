# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines with a TPM that measured a boot: real TPMs in software, into which a recorded boot is measured again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm, attester
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case, Expectation
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.credential import make_credential
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_certificate import read_authorities
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import (
    Event,
    parse_event_log,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.evidence import (
    QUOTED_PCRS,
    Answer,
    Challenge,
    Identity,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.keys import public_key
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.manifest import ExpectedBoots
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.marshalling import sized
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.public_area import parse_public
from tests.servers.swtpm import EkAuthority, SoftwareTpm, manufacture, software_tpm
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH, RecordedBoot

NOW = datetime.now(timezone.utc)
DOCUMENT = hashlib.sha256(b"the document of this machine").digest()
OTHER_DOCUMENT = hashlib.sha256(b"a document of somebody else").digest()


def new_challenge() -> Challenge:
    return Challenge(secrets.token_bytes(32), secrets.token_bytes(32))


def activation(secret: bytes, nonce: bytes) -> bytes:
    return hmac.new(secret, nonce, hashlib.sha256).digest()


def changed_log(log: bytes, change: Callable[[list[Event]], Iterable[Event]]) -> bytes:
    """The log with other events: what a machine would have written that measured these."""
    (size,) = struct.unpack_from("<I", log, 28)
    written = log[: 32 + size]
    for event in change(list(parse_event_log(log).events)):
        written += struct.pack("<III", event.pcr, event.kind, len(event.digests))
        for bank, digest in event.digests.items():
            written += struct.pack("<H", bank) + digest
        written += struct.pack("<I", len(event.data)) + event.data
    return written


def event(pcr: int, kind: int, data: bytes, digest: bytes | None = None) -> Event:
    """An event to put into a log; its digest is of its data where none is given."""
    return Event(0, pcr, kind, {algorithm.SHA256: digest or hashlib.sha256(data).digest()}, data)


@dataclass
class Machine:
    """A TPM, and a log that the machine shows, be it true or not."""

    tpm: SoftwareTpm
    log: bytes = b""

    @property
    def log_file(self) -> str:
        path = self.tpm.directory / "binary_bios_measurements"
        path.write_bytes(self.log)
        return str(path)

    def boot(self, log: bytes, document: bytes = DOCUMENT) -> None:
        """Measure what the log says, and the document that was found; show that log."""
        events = parse_event_log(log).events
        self.tpm.extend((one.pcr, one.digests[algorithm.SHA256]) for one in events if one.is_measured)
        if document:
            self.tpm.extend([(12, document)])
        self.log = log

    def introduce(self, ek_algorithm: str = "rsa", ak_algorithm: str = "ecc") -> attester.Introduction:
        return attester.introduce(ek_algorithm, ak_algorithm, self.log_file, self.tpm.environment)

    def introduce_and_forget(self, ek_algorithm: str = "rsa") -> Identity:
        introduction = self.introduce(ek_algorithm)
        attester.forget(introduction.place)
        return introduction.identity

    def answer(self, introduction: attester.Introduction, challenge: Challenge) -> Answer:
        credential = credential_for(introduction.identity, challenge)
        return attester.answer(introduction.place, credential, challenge.nonce, self.log_file, self.tpm.environment)

    def attest(self, challenge: Challenge, **algorithms: str) -> tuple[Identity, Answer]:
        introduction = self.introduce(**algorithms)
        return introduction.identity, self.answer(introduction, challenge)

    def pcr_values(self) -> bytes:
        selection = ",".join(str(pcr) for pcr in QUOTED_PCRS)
        self.tpm.run("tpm2_pcrread", f"sha256:{selection}", "-o", "read")
        return (self.tpm.directory / "read").read_bytes()


def credential_for(identity: Identity, challenge: Challenge) -> bytes:
    return make_credential(
        parse_public(identity.endorsement_key, "endorsement key"),
        parse_public(identity.attestation_key, "attestation key").name,
        challenge.secret,
        random=secrets.token_bytes,
    ).as_file()


def replayed_values(log: bytes, document: bytes = DOCUMENT) -> bytes:
    """The values of the quoted PCRs on a machine that booted so."""
    values = parse_event_log(log).replay(algorithm.SHA256)
    values[12] = hashlib.sha256(bytes(32) + document).digest()
    return b"".join(values.get(pcr, bytes(32)) for pcr in QUOTED_PCRS)


@dataclass(frozen=True)
class Factory:
    """Makes TPMs once for all tests, and two authorities for them: ours, and one that nobody trusts."""

    directory: Path

    @property
    def authority(self) -> EkAuthority:
        return EkAuthority(self.directory / "ours")

    @property
    def stranger(self) -> EkAuthority:
        return EkAuthority(self.directory / "stranger")

    def tpm(self, kind: str, number: int) -> Path:
        """The state of one TPM; kind is ours, stranger or uncertified."""
        state = self.directory / f"{kind}-{number}"
        if not state.exists():
            authorities = {"ours": self.authority, "stranger": self.stranger}
            manufacture(state, authorities.get(kind))
        return state


@dataclass
class Machines:
    """The machines of one test: each has a TPM of its own, just switched on."""

    factory: Factory
    directory: Path
    stack: ExitStack = field(default_factory=ExitStack)
    made: int = 0

    def __enter__(self) -> Machines:
        self.factory.tpm("ours", 1)  # and with it the authority
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stack.close()

    def new(self, kind: str = "ours") -> Machine:
        self.made += 1
        state = self.factory.tpm(kind, self.made)
        return Machine(self.stack.enter_context(software_tpm(self.directory / str(self.made), state)))

    def booted(self, boot: RecordedBoot = HEARTH, kind: str = "ours") -> Machine:
        machine = self.new(kind)
        machine.boot(boot.log)
        return machine

    def expectation(self, boot: RecordedBoot = HEARTH) -> Expectation:
        return Expectation(
            boots=ExpectedBoots(boot.log_name, boot.predicted()),
            now=datetime.now(timezone.utc) + timedelta(minutes=1),
            authorities=read_authorities([("authority", self.factory.authority.certificates)]),
            node_document=DOCUMENT.hex(),
        )

    def case(self, machine: Machine, boot: RecordedBoot = HEARTH, **algorithms: str) -> Case:
        challenge = new_challenge()
        identity, answer = machine.attest(challenge, **algorithms)
        return Case(self.expectation(boot), challenge, identity, answer)

    def certificate(
        self,
        identity: Identity,
        *,
        usage: str = "2.23.133.8.1",
        days: int = 30,
        key_cert_sign: bool = True,
    ) -> bytes:
        """A certificate for an endorsement key by our authority's issuer, DER; it ends ``days`` from now."""
        issuer = x509.load_pem_x509_certificate(self.factory.authority.issuer.read_bytes())
        key = serialization.load_pem_private_key(self.factory.authority.issuer_key.read_bytes(), None)
        built = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(public_key(parse_public(identity.endorsement_key, "endorsement key")))
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=60))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), critical=False)
            .sign(key, hashes.SHA256())  # type: ignore[arg-type]
        )
        return built.public_bytes(serialization.Encoding.DER)


def forged_attestation(genuine: bytes, pcr_values: bytes, *, magic: bytes = b"\xffTCG") -> bytes:
    """A quote with another magic number or of other PCR values: its last field is their digest."""
    return magic + genuine[4:-34] + sized(hashlib.sha256(pcr_values).digest())


def with_answer(case: Case, **fields: bytes) -> Case:
    return Case(case.expectation, case.challenge, case.identity, replace(case.answer, **fields))


def with_identity(case: Case, **fields: bytes) -> Case:
    return Case(case.expectation, case.challenge, replace(case.identity, **fields), case.answer)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that attester.py would never make: made by hand in a TPM, or outside of any."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm, public_area
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.evidence import QUOTED_PCRS, Identity
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.marshalling import sized
from tests.unit.plugins.module_utils._tpm.machines import Machine, activation, credential_for

GOOD_ATTRIBUTES = (
    public_area.RESTRICTED
    | public_area.SIGN
    | public_area.FIXED_TPM
    | public_area.FIXED_PARENT
    | public_area.SENSITIVE_DATA_ORIGIN
    | public_area.USER_WITH_AUTH
)


def software_key_public(private: ec.EllipticCurvePrivateKey, attributes: int = GOOD_ATTRIBUTES) -> bytes:
    """The public area that a TPM would show for such a key, as TPM2B_PUBLIC."""
    numbers = private.public_key().public_numbers()
    area = struct.pack(">HHIH", algorithm.ECC, algorithm.SHA256, attributes, 0)
    area += struct.pack(
        ">HHHHH", algorithm.NULL, algorithm.ECDSA, algorithm.SHA256, algorithm.NIST_P256, algorithm.NULL
    )
    area += sized(numbers.x.to_bytes(32, "big")) + sized(numbers.y.to_bytes(32, "big"))
    return sized(area)


def software_signature(r: int, s: int) -> bytes:
    """As TPMT_SIGNATURE."""
    head = struct.pack(">HH", algorithm.ECDSA, algorithm.SHA256)
    return head + sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))


@dataclass
class KeyInTpm:
    """A signing key in the machine's TPM, in the context file ``own.ctx``, with the endorsement key in ``ek.ctx``."""

    machine: Machine
    public: bytes

    def activate(self, case: Case) -> bytes:
        tpm = self.machine.tpm
        (tpm.directory / "own.credential").write_bytes(credential_for(case.identity, case.challenge))
        with_ek_policy(
            self.machine,
            *("tpm2_activatecredential", "-c", "own.ctx", "-C", "ek.ctx", "-i", "own.credential", "-o", "own.secret"),
        )
        return activation((tpm.directory / "own.secret").read_bytes(), case.challenge.nonce)

    def quote(self, nonce: bytes, pcrs: str = ",".join(map(str, QUOTED_PCRS))) -> tuple[bytes, bytes]:
        tpm = self.machine.tpm
        tpm.run(
            *("tpm2_quote", "-c", "own.ctx", "-g", "sha256", "-q", nonce.hex(), "-l", f"sha256:{pcrs}"),
            *("-m", "own.quote", "-s", "own.signature"),
        )
        tpm.flush()
        return (tpm.directory / "own.quote").read_bytes(), (tpm.directory / "own.signature").read_bytes()

    def attestation_for(self, case: Case) -> bytes:
        return self.quote(case.challenge.nonce)[0]

    def sign(self, data: bytes) -> bytes:
        """What the key signs of any data: a restricted key only if it does not begin like a TPM's own structures."""
        tpm = self.machine.tpm
        (tpm.directory / "own.data").write_bytes(data)
        tpm.run("tpm2_hash", "-C", "e", "-g", "sha256", "-o", "own.digest", "-t", "own.ticket", "own.data")
        tpm.run(
            *("tpm2_sign", "-c", "own.ctx", "-g", "sha256", "-s", "ecdsa", "-f", "tss", "-o", "own.signature"),
            *("-d", "-t", "own.ticket", "own.digest"),
        )
        tpm.flush()
        return (tpm.directory / "own.signature").read_bytes()


def with_ek_policy(machine: Machine, *command: str) -> None:
    """Run a command that uses the endorsement key."""
    machine.tpm.run("tpm2_startauthsession", "--policy-session", "-S", "own.session")
    machine.tpm.run("tpm2_policysecret", "-S", "own.session", "-c", "e")
    machine.tpm.run(*command, "-P", "session:own.session")
    machine.tpm.flush()


def unrestricted_key_below_ek(machine: Machine) -> KeyInTpm:
    return _key_below(machine, "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign")


def restricted_key_below_ek(machine: Machine) -> KeyInTpm:
    return _key_below(machine, "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|restricted")


def restricted_key_below_owner(machine: Machine) -> KeyInTpm:
    """Beside the endorsement key, and no child of it."""
    tpm = machine.tpm
    tpm.run("tpm2_createek", "-G", "rsa", "-c", "ek.ctx", "-u", "ek.pub")
    tpm.flush()
    tpm.run("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", "srk.ctx")
    tpm.flush()
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|restricted"
    tpm.run(
        *("tpm2_create", "-C", "srk.ctx", "-G", "ecc:ecdsa-sha256:null", "-a", attributes),
        *("-u", "own.pub", "-r", "own.priv"),
    )
    tpm.flush()
    tpm.run("tpm2_load", "-C", "srk.ctx", "-u", "own.pub", "-r", "own.priv", "-c", "own.ctx")
    tpm.flush()
    return KeyInTpm(machine, (tpm.directory / "own.pub").read_bytes())


def _key_below(machine: Machine, attributes: str) -> KeyInTpm:
    tpm = machine.tpm
    tpm.run("tpm2_createek", "-G", "rsa", "-c", "ek.ctx", "-u", "ek.pub")
    tpm.flush()
    with_ek_policy(
        machine,
        *("tpm2_create", "-C", "ek.ctx", "-G", "ecc:ecdsa-sha256:null", "-a", attributes),
        *("-u", "own.pub", "-r", "own.priv"),
    )
    with_ek_policy(machine, "tpm2_load", "-C", "ek.ctx", "-u", "own.pub", "-r", "own.priv", "-c", "own.ctx")
    return KeyInTpm(machine, (tpm.directory / "own.pub").read_bytes())


def identity_with(machine: Machine, key: KeyInTpm) -> Identity:
    directory = machine.tpm.directory
    return Identity((directory / "ek.pub").read_bytes(), machine.tpm.certificate(), key.public)

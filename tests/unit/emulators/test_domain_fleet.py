# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets of real machines by their command line: what is wrong is said before anything happens."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.emulators.redfish.cli import main, parser, plan_of, real_machines
from tests.emulators.redfish.domains import virsh
from tests.emulators.redfish.machine import MachineFailed
from tests.emulators.redfish.plan import FleetMember, Plan, PlanError
from tests.emulators.redfish.tls import GivenAuthority, server_context

URI = "test:///default"  # libvirt's driver without any hypervisor: one domain, called test
needs_virsh = pytest.mark.skipif(
    shutil.which("virsh") is None, reason="virsh (Debian: libvirt-clients) is not installed"
)
ONE = {"name": "test", "bmc": {"address": "127.51.4.11"}, "slot": "lab-u07"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users can go through, unlike tmp_path."""
    made = Path(tempfile.mkdtemp(prefix="hearth-", dir="/var/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def planned(folder: Path) -> Callable[..., tuple[Plan, list[FleetMember]]]:
    """The plan for such a file of machines, with further words of the command line."""

    def make(machines: Any, *words: str) -> tuple[Plan, list[FleetMember]]:
        path = folder / "machines.json"
        path.write_text(machines if isinstance(machines, str) else json.dumps(machines))
        options = parser().parse_args(["--machines", str(path), "--libvirt-uri", URI, *words])
        plan, _dummy = plan_of(options)
        return real_machines(options, plan, folder)

    return make


@needs_virsh
def test_a_machine_brings_its_own_identity(planned: Callable[..., tuple[Plan, list[FleetMember]]]) -> None:
    plan, (member,) = planned({"machines": [ONE]})
    assert member.domain is not None
    assert member.unit.uuid == member.domain.uuid == "6695eb01-f6a4-8304-79aa-97f2502e193f"
    assert (member.unit.address, member.unit.rack, member.unit.slot) == ("127.51.4.11", "lab", 7)
    assert (member.personality.name, plan.bmcs) == ("generic", 1)
    assert member.personality.tree()["/redfish/v1/Systems/1"]["MemorySummary"]["TotalSystemMemoryGiB"] == 8


@needs_virsh
def test_the_platform_is_a_choice(planned: Callable[..., tuple[Plan, list[FleetMember]]]) -> None:
    _plan, (member,) = planned({"machines": [ONE]}, "--platforms", "openbmc")
    assert member.personality.name == "openbmc" and "/redfish/v1/Systems/system" in member.personality.tree()
    _plan, (member,) = planned({"machines": [{**ONE, "platform": "openbmc"}]})
    assert member.personality.name == "openbmc"


@needs_virsh
@pytest.mark.parametrize(
    ("machines", "words", "reason"),
    [
        ("{", (), "machines.json"),
        ({}, (), '"machines"'),
        ({"machines": []}, (), '"machines"'),
        ({"machines": [{**ONE, "name": "nobody"}]}, (), "machine 1: .*nobody"),
        ({"machines": [{**ONE, "name": "a; destroy test"}]}, (), "no name of a domain"),
        ({"machines": [{"name": "test"}]}, (), "bmc.address None"),
        ({"machines": [{**ONE, "bmc": {"address": "rack1"}}]}, (), "no IPv4 address"),
        ({"machines": [ONE, ONE]}, (), "two machines"),
        ({"machines": [{**ONE, "platform": "idrac9"}]}, (), "idrac9"),
        ({"machines": [ONE]}, ("--platforms", "ilo6"), "ilo6"),
        ({"machines": [ONE]}, ("--bmcs", "3"), "--bmcs"),
        ({"machines": [ONE]}, ("--media-ca", "/nowhere/ca.pem"), "--media-ca"),
        ({"machines": [ONE]}, ("--password-file", "/nowhere/password"), "--password-file"),
        ({"machines": [ONE]}, ("--ca-key", "/nowhere/key"), "go together"),
        ({"machines": [ONE]}, ("--media-dir", f"/var/tmp/{'x' * 60}"), "shorter"),
    ],
)
def test_what_cannot_be_is_said(
    planned: Callable[..., tuple[Plan, list[FleetMember]]], machines: Any, words: Sequence[str], reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        planned(machines, *words)


@needs_virsh
def test_media_have_to_be_within_reach_of_qemu(
    planned: Callable[..., tuple[Plan, list[FleetMember]]], folder: Path
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PlanError, match="closed"):
        planned({"machines": [ONE]}, "--media-dir", str(closed / "media"))
    left = folder / "media" / "left-over.sock"
    left.parent.mkdir()
    left.touch()
    plan, _dummy = planned({"machines": [ONE]})
    assert plan.media_dir == str(left.parent) and not left.exists()


def test_the_command_line_ends_with_the_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--machines", str(folder / "none.json"), "--state-dir", str(folder)]) == 2
    assert "none.json" in capsys.readouterr().err


def test_without_virsh_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(MachineFailed, match="libvirt-clients"):
        virsh.read_now(URI, "version")


# the CA


def ca(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=days))
    made = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        protection = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_a_given_ca_issues_the_bmcs_certificates(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    authority = GivenAuthority(ca(key), pem(key))
    issued = authority.issue(["127.51.4.11"])
    server_context(issued)
    certificate = x509.load_pem_x509_certificate(issued[issued.index(b"-----BEGIN CERT") :])
    root = x509.load_pem_x509_certificate(authority.pem)
    certificate.verify_directly_issued_by(root)
    assert certificate.not_valid_after_utc <= root.not_valid_after_utc
    assert GivenAuthority(ca(key), pem(key)).issue(["127.51.4.11"])[:200] == issued[:200], "the key stays"


def test_keys_follow_from_the_ca_that_nobody_else_has() -> None:
    one, two = (ec.generate_private_key(ec.SECP256R1()) for _dummy in range(2))
    issued = [GivenAuthority(ca(key), pem(key)).issue(["127.51.4.11"]) for key in (one, two)]
    assert issued[0][:200] != issued[1][:200]


def test_a_ca_that_is_none_is_refused() -> None:
    one, two = (ec.generate_private_key(ec.SECP256R1()) for _dummy in range(2))
    for certificate, key, reason in (
        (ca(one), pem(two), "not that of the certificate"),
        (ca(one), pem(one, b"secret"), "encrypted"),
        (b"nothing", pem(one), "PEM"),
    ):
        with pytest.raises(ValueError, match=reason):
            GivenAuthority(certificate, key)

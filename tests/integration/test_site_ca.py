# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role site_ca: a root key in an encrypted file or in a PKCS#11 token, and the same certificates from either."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.integration.playbook_run import Ran
from tests.integration.site_ca import SECRET, SiteCa, changed, lacking

ADDRESS = "127.64.0.5"

in_a_file = pytest.mark.parametrize("site", ["file"], indirect=True)
in_a_token = pytest.mark.parametrize("site", ["pkcs11"], indirect=True)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """What a BMC asks for that wants to be an authority, and to be called like another."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "controller.example.net")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("controller.example.net")]), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


REQUEST = request(ec.generate_private_key(ec.SECP256R1()))
CERTIFICATES: list[dict[str, Any]] = [
    {"name": "media", "hosts": ["Media.example.net", ADDRESS, "fd00:0::5"]},
    {"name": "keylime", "hosts": ["verifier.example.net"], "use": "both"},
    {"name": "bmc-u07", "hosts": ["10.20.0.17"], "request": REQUEST},
]


@dataclass(frozen=True)
class Site:
    """An authority that was made, and the runs that made it: in check mode, in earnest, once more."""

    ca: SiteCa
    checked: Ran
    after_check: dict[str, str]
    made: Ran
    again: Ran

    def read(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.ca.certificates / "media" / name / "certificate.pem").read_bytes())


@pytest.fixture(scope="module", params=["file", "pkcs11"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if missing := lacking(request.param):
        pytest.skip(missing)
    ca = SiteCa(tmp_path_factory.mktemp("site-ca"), request.param)
    try:
        checked = ca.everything(CERTIFICATES, "--check", "--diff")
        after_check = ca.files()
        made = ca.everything(CERTIFICATES, "-vvvv", "--diff")
        yield Site(ca, checked, after_check, made, ca.everything(CERTIFICATES))
    finally:
        ca.end()


def test_check_mode_says_what_the_run_does_and_does_nothing(site: Site) -> None:
    assert site.checked.code == 0, site.checked.said
    assert site.after_check == {}
    assert site.made.code == 0, site.made.said
    assert changed(site.checked) == changed(site.made)
    assert all(changed(site.made).values())


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert site.again.code == 0, site.again.said
    assert changed(site.again) == {"ca": 0, "media": 0}
    issued = site.again.results[-1]["site_ca_issued"]
    assert {name: (one["changed"], one["why"]) for name, one in issued.items()} == dict.fromkeys(issued, (False, ""))


def test_either_store_leaves_the_same_files(site: Site) -> None:
    files = {re.sub(r"[0-9a-f]{30,40}\.pem", "serial.pem", path): mode for path, mode in site.ca.files().items()}
    ledger = {
        f"ca/issued/media/{name}/{file}": "0600"
        for name in ("media", "keylime", "bmc-u07")
        for file in ("serial.pem", "request.csr", "extensions.cnf")
    }
    machine = {
        f"certificates/media/{name}/{file}": mode
        for name in ("media", "keylime", "bmc-u07")
        for file, mode in (("certificate.pem", "0644"), ("ca.pem", "0644"), ("key.pem", "0600"))
        if (name, file) != ("bmc-u07", "key.pem")
    }
    authority = {"ca/ca.pem": "0644", "ca/openssl.cnf": "0600"}
    root_key = {"ca/root.key": "0600"} if site.ca.token is None else {}
    assert files == {**ledger, **machine, **authority, **root_key}


def test_a_client_that_trusts_the_authority_believes_the_server(site: Site) -> None:
    """Under Python's strictest rules, by name and by address."""
    place = site.ca.certificates / "media" / "media"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place / "certificate.pem", place / "key.pem")
    client = ssl.create_default_context(cafile=str(place / "ca.pem"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_server((ADDRESS, 0)) as listener:

        def serve() -> None:
            for _number in range(3):
                connection, _peer = listener.accept()
                with connection:
                    try:
                        server.wrap_socket(connection, server_side=True).close()
                    except (ssl.SSLError, OSError):
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        for name in (ADDRESS, "media.example.net"):
            with socket.create_connection(listener.getsockname()) as plain:
                client.wrap_socket(plain, server_hostname=name).close()
        with socket.create_connection(listener.getsockname()) as plain, pytest.raises(ssl.SSLCertVerificationError):
            client.wrap_socket(plain, server_hostname="other.example.net")
        thread.join(10)


def test_what_each_certificate_may_do(site: Site) -> None:
    uses = {
        name: site.read(name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        for name in ("media", "keylime")
    }
    assert set(uses["media"]) == {ExtendedKeyUsageOID.SERVER_AUTH}
    assert set(uses["keylime"]) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    authority = x509.load_pem_x509_certificate((site.ca.directory / "ca.pem").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)


def test_of_a_request_only_the_key_counts(site: Site) -> None:
    """A BMC that asks to be an authority and the controller gets a server's certificate for its own address."""
    issued = site.read("bmc-u07")
    asked = x509.load_pem_x509_csr(REQUEST.encode())
    assert issued.public_key() == asked.public_key()
    assert issued.subject.rfc4514_string() == "CN=bmc-u07"
    assert issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["10.20.0.17"]
    assert issued.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is False


def test_the_secret_is_nowhere(site: Site) -> None:
    """In no output, argument, environment, ledger or temporary file; only where the test has put it."""
    for ran in (site.checked, site.made, site.again):
        assert SECRET not in ran.said and SECRET not in repr(ran.results)
    witnessed = site.ca.witnessed.read_text(encoding="utf-8", errors="replace")
    assert SECRET not in witnessed
    # the witnesses stood where the programs were started
    assert witnessed.count("/openssl\n") >= 6
    holding = [
        path.relative_to(site.ca.folder)
        for path in site.ca.folder.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    ours = {Path("variables.yml"), Path("softhsm/site.pin")}
    assert set(holding) <= ours


@in_a_file
def test_the_root_key_is_encrypted(site: Site) -> None:
    key = site.ca.directory / "root.key"
    assert "ENCRYPTED PRIVATE KEY" in key.read_text()
    command = ["openssl", "pkey", "-in", str(key), "-noout", "-passin", "stdin"]
    assert subprocess.run(command, input=b"another\n", capture_output=True, check=False).returncode != 0
    assert subprocess.run(command, input=SECRET.encode() + b"\n", capture_output=True, check=False).returncode == 0


@in_a_file
def test_what_ends_soon_or_has_another_name_is_issued_anew_with_the_same_key(site: Site) -> None:
    before = {name: site.read(name) for name in ("media", "keylime")}
    wanted = [{**CERTIFICATES[0], "hosts": [ADDRESS]}, {**CERTIFICATES[1], "days": 500}]
    ran = site.ca.issue("media", wanted, site_ca_certificate_days=500, site_ca_renew_days=370)
    assert ran.code == 0, ran.said
    said = ran.results[-1]["site_ca_issued"]
    assert said["media"]["why"] == "it ends within 370 days, it has other names"
    assert said["keylime"]["why"] == "it ends within 370 days"
    for name, old in before.items():
        new = site.read(name)
        assert said[name]["changed"] and said[name]["serial"] == f"{new.serial_number:x}"
        assert new.serial_number != old.serial_number and new.public_key() == old.public_key()
        assert (new.not_valid_after_utc - old.not_valid_after_utc).days == 135
        # both are on record, and the newest is what is looked at
        assert len(list((site.ca.directory / "issued/media" / name).glob("*.pem"))) == 2


WRONG: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a name with a slash": ([{"name": "../x", "hosts": ["a"]}], "letters, digits, dots"),
    "a line more": (
        [{"name": "x", "hosts": ["a\nbasicConstraints = CA:TRUE"]}],
        "neither a DNS name nor an IP address",
    ),
    "a second extension": ([{"name": "x", "hosts": ["a,IP:1.2.3.4"]}], "neither a DNS name nor an IP address"),
    "no host": ([{"name": "x"}], "all but a client has hosts"),
    "a weak key": (
        [{"name": "x", "hosts": ["a"], "request": request(rsa.generate_private_key(65537, 1024))}],
        "at least 2048 bits",
    ),
    "no request": ([{"name": "x", "hosts": ["a"], "request": "-----BEGIN"}], "must be PEM"),
    "one name twice": ([{"name": "x", "hosts": ["a"]}] * 2, "each name stands once"),
}


@in_a_file
def test_what_cannot_be_issued_is_refused_before_anything_is_changed(site: Site) -> None:
    before = site.ca.files()
    ran, said = site.ca.wrong(
        "issue", [{"site_ca_certificates": certificates} for certificates, _said in WRONG.values()]
    )
    assert ran.code != 0 and "Traceback" not in ran.said
    for (what, (_certificates, expected)), found in zip(WRONG.items(), said, strict=True):
        assert expected in " ".join(found.split()), what
    assert site.ca.files() == before and not any(changed(ran).values())


def test_an_authority_that_stands_is_never_made_anew(site: Site) -> None:
    before = site.ca.files()
    mistakes = [({"site_ca_name": "Another"}, "never made anew")]
    if site.ca.token is None:
        mistakes.append(({"site_ca_passphrase": "another-passphrase-0815"}, "passphrase that it was encrypted with"))
        mistakes.append(({"site_ca_passphrase": "canary-short"}, "at least 16 characters"))
        keyless = site.ca.folder / "keyless"
        keyless.mkdir()
        (keyless / "ca.pem").write_bytes((site.ca.directory / "ca.pem").read_bytes())
        mistakes.append(({"site_ca_directory": str(keyless)}, "root.key is not there"))
    ran, said = site.ca.wrong("main", [mistake for mistake, _said in mistakes])
    assert ran.code != 0 and "another-passphrase" not in ran.said and "canary-short" not in ran.said
    for (mistake, expected), found in zip(mistakes, said, strict=True):
        assert expected in " ".join(found.split()), mistake
    assert site.ca.files() == before and not any(changed(ran).values())


@in_a_token
def test_a_pin_file_that_would_cost_a_try_or_that_others_read_is_refused(site: Site) -> None:
    assert site.ca.token
    files = {"newline": (SECRET + "\n", 0o600), "readable": (SECRET, 0o644), "empty": ("", 0o600)}
    paths = [site.ca.pin_file(name, text, mode) for name, (text, mode) in files.items()]
    site.ca.witnessed.write_text("")
    # the last one is on a disk
    places = [*paths, site.ca.token.pin_file, site.ca.folder / "nothing"]
    ran, said = site.ca.wrong("main", [{"site_ca_token_pin_file": str(path)} for path in places])
    assert ran.code != 0
    for place, found in zip(places, said, strict=True):
        assert f"{place} must be a regular file with mode 0600 or 0400 on a tmpfs" in " ".join(found.split())
    assert site.ca.witnessed.read_text() == ""


@in_a_token
def test_a_wrong_pin_is_tried_once_for_all_machines_and_then_no_more(site: Site) -> None:
    """Last: what a wrong PIN leaves on the token is what the role looks at."""
    site.ca.pin_file("pin", "wrong-pin")
    site.ca.witnessed.write_text("")
    wanted = [{"name": "new", "hosts": ["a.example.net"]}]
    ran = site.ca.issue("media,verifier", wanted)
    assert ran.code != 0 and "a try is gone" in " ".join(ran.said.split()), ran.said
    logins = site.ca.witnessed.read_text().count("/openssl\n")
    assert logins == 1
    ran = site.ca.issue("media,verifier", wanted)
    assert ran.code != 0 and "uPIN low count" in " ".join(ran.said.split()), ran.said
    assert site.ca.witnessed.read_text().count("/openssl\n") == logins

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pins are written, and who is trusted for them."""

from __future__ import annotations

import base64
import hashlib

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Peer, Trust, judge, parse_pin
from tests.servers.certificates import Authority

DIGEST = hashlib.sha256(b"key").hexdigest()
BASE64 = base64.b64encode(bytes.fromhex(DIGEST)).decode()
COLONS = ":".join(DIGEST[at : at + 2] for at in range(0, 64, 2)).upper()


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        (f"spki-sha256:{DIGEST}", f"spki-sha256:{DIGEST}"),
        (f" SPKI-SHA256:{DIGEST.upper()} \n", f"spki-sha256:{DIGEST}"),
        (f"cert-sha256:{COLONS}", f"cert-sha256:{DIGEST}"),
        (f"spki-sha256:{COLONS}", f"spki-sha256:{DIGEST}"),
        (f"spki-sha256:{BASE64}", f"spki-sha256:{DIGEST}"),
        (f"sha256//{BASE64}", f"spki-sha256:{DIGEST}"),
    ],
)
def test_a_pin_has_one_canonical_form(text: str, pin: str) -> None:
    assert parse_pin(text) == pin


@pytest.mark.parametrize(
    "text",
    [
        "",
        DIGEST,
        f"md5:{DIGEST[:32]}",
        f"spki-sha1:{DIGEST[:40]}",
        f"spki-sha256:{DIGEST[:-1]}",
        f"spki-sha256:{DIGEST}00",
        f"cert-sha256:{BASE64}",
        f"spki-sha256:{BASE64[:-4]}",
        f"spki-sha256:{'Z' * 64}",
        "spki-sha256:",
    ],
)
def test_anything_else_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        parse_pin(text)


def test_an_unknown_mode_is_bad_input() -> None:
    with pytest.raises(BadInput):
        Trust("tofu")


def test_digests_are_those_of_an_independent_library(authority: Authority) -> None:
    certificate = authority.issue("127.41.0.1")
    peer = judge(Trust("anonymous"), certificate.der)
    assert (peer.cert_sha256, peer.spki_sha256) == (certificate.cert_sha256, certificate.spki_sha256)
    assert parse_pin(peer.pin) == peer.pin


def test_who_is_trusted(authority: Authority) -> None:
    certificate, other = authority.issue("127.41.0.1"), authority.issue("127.41.0.1")

    def how(trust: Trust) -> tuple[bool, str]:
        peer = judge(trust, certificate.der)
        return peer.trusted, peer.how

    assert how(Trust("verify")) == (True, "ca")
    assert how(Trust("off")) == (True, "off")
    assert how(Trust("anonymous")) == (False, "none")
    assert how(Trust("pin")) == (False, "none")
    assert how(Trust("pin", pins=frozenset([f"spki-sha256:{certificate.spki_sha256}"]))) == (True, "pin")
    assert how(Trust("pin", pins=frozenset([f"cert-sha256:{certificate.cert_sha256}"]))) == (True, "pin")
    assert how(Trust("pin", pins=frozenset([f"spki-sha256:{other.spki_sha256}"]))) == (False, "none")
    # The digest of one thing is no pin of the other, and pins count in mode "pin" only.
    assert how(Trust("pin", pins=frozenset([f"cert-sha256:{certificate.spki_sha256}"]))) == (False, "none")
    assert how(Trust("anonymous", pins=frozenset([f"spki-sha256:{certificate.spki_sha256}"]))) == (False, "none")


def test_a_key_outlives_a_renewed_certificate(authority: Authority) -> None:
    old = authority.issue("127.41.0.1")
    renewed = authority.issue("127.41.0.1", key=old.key)
    assert old.cert_sha256 != renewed.cert_sha256
    assert judge(Trust("pin", pins=frozenset([f"spki-sha256:{old.spki_sha256}"])), renewed.der).trusted


@pytest.mark.parametrize("mode", ["verify", "pin", "anonymous"])
def test_plain_http_is_trusted_by_nobody_who_did_not_write_off(mode: str) -> None:
    assert judge(Trust(mode), None) == Peer("", "", False, "none")
    assert judge(Trust("off"), None) == Peer("", "", True, "off")

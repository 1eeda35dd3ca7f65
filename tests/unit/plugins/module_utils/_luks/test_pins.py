# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import jose
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, ProtocolViolation
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.header import parse_header
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import (
    Sealed,
    Sss,
    Tang,
    WantPkcs11,
    WantSss,
    WantTang,
    read_sealed,
)

# RFC 7638, 3.1.
RFC_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
    "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6"
    "qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ"
    "zKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}


def tang(url: str, *signers: str) -> Sealed:
    return Sealed(Tang(url, frozenset(signers), "kid"), "jwe")


def test_thumbprint_of_the_rfc() -> None:
    assert jose.thumbprint(RFC_KEY) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert jose.thumbprint(RFC_KEY) in jose.thumbprints(RFC_KEY) and len(jose.thumbprints(RFC_KEY)) == 2


@pytest.mark.parametrize("key", [{}, {"kty": "EC", "crv": "P-521"}, {"kty": "what"}])
def test_a_key_that_is_not_whole_has_no_thumbprint(key: dict[str, Any]) -> None:
    assert jose.thumbprints(key) == frozenset()
    with pytest.raises(ValueError, match="not a whole JWK"):
        jose.thumbprint(key)


def test_compact_and_flattened_jwe() -> None:
    assert jose.flattened("a..b.c.d") == {"protected": "a", "iv": "b", "ciphertext": "c", "tag": "d"}
    assert jose.compacted(jose.flattened("a..b.c.d")) == "a..b.c.d"


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}",
        b'{"clevis":{}}',
        b'{"clevis":{"pin":"tang","tang":{}}}',
        b'{"clevis":{"pin":"tpm2","tpm2":{"jwk_pub":"AAAA","hash":"sha256","key":"ecc"}}}',
        b'{"clevis":{"pin":"sss","sss":{"t":1,"jwe":["x"]}}}',
        b'{"clevis":{"pin":"sss","sss":[]}}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_header_is_an_error_and_no_crash(header: bytes) -> None:
    with pytest.raises(ValueError, match=".*"):
        read_sealed(f"{jose.b64_encode(header)}..a.b.c")


def test_sss_matches_in_any_order_and_only_whole() -> None:
    wanted = WantSss(1, (WantTang("http://a", "1"), WantTang("http://b", "2")))
    assert wanted.matches(Sss(1, (tang("http://b", "2"), tang("http://a", "1"))))
    assert not wanted.matches(Sss(2, (tang("http://b", "2"), tang("http://a", "1"))))
    assert not wanted.matches(Sss(1, (tang("http://a", "1"),)))
    assert not wanted.matches(Sss(1, (tang("http://a", "1"), tang("http://b", "3"))))
    assert not wanted.matches(Sss(1, (*(tang("http://a", "1"),) * 2, tang("http://b", "2"))))


def test_pin_value_never_comes_into_a_header() -> None:
    with pytest.raises(BadInput) as refused:
        WantPkcs11("pkcs11:token=t?pin-value=4711").check(True)
    assert "4711" not in json.dumps(refused.value.as_dict())


@pytest.mark.parametrize("dumped", [b"", b"[]", b"{}", b'{"keyslots":[]}', b'{"keyslots":{"x":{}}}'])
def test_what_is_no_metadata_is_an_error_and_no_crash(dumped: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_header("uuid", dumped, "disk")

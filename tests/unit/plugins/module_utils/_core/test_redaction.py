# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are hidden where they stand, and an ordinary word that happens to be one destroys nothing else."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.redaction import MASK, Redactor

LONG = 'k3y-"\\with/all&kinds'


@pytest.mark.parametrize(
    "text",
    [
        f"could not log in with {LONG}",
        json.dumps({"found": LONG}),
        "https://10.0.0.1/login?p=k3y-%22%5Cwith%2Fall%26kinds",
        f"{LONG}{LONG}",
    ],
)
def test_a_long_secret_is_hidden_everywhere(text: str) -> None:
    hidden = Redactor([LONG]).text(text)
    assert "k3y" not in hidden and "kinds" not in hidden and MASK in hidden


@pytest.mark.parametrize("scheme", ["Basic", "Bearer", "basic"])
def test_the_value_of_a_header_field_is_hidden_without_its_scheme(scheme: str) -> None:
    encoded = base64.b64encode(b"admin:calvin-4711").decode()
    assert encoded not in Redactor([f"{scheme} {encoded}"]).text(f"sent {encoded} in vain")


def test_an_ordinary_word_is_hidden_where_it_is_quoted_alone() -> None:
    redactor = Redactor(["admin"])
    assert (
        redactor.text("The value 'admin' for Password is too short") == f"The value '{MASK}' for Password is too short"
    )
    for innocent in ("the role Administrator", "admin-bmc-07", "user admin has logged in", '"administrator"'):
        assert redactor.text(innocent) == innocent


def test_a_short_secret_is_no_pattern() -> None:
    assert Redactor(["a.c(+"]).text("'a.c(+' and 'abc' and 'a.c(+x'") == f"'{MASK}' and 'abc' and 'a.c(+x'"


def test_fields_named_as_secrets_are_hidden_though_nobody_named_the_secret() -> None:
    redactor = Redactor()
    for text in (
        "Authorization: Basic YWRtaW46eA==",
        "x-auth-token=abcdef0123",
        '{"UserName": "a", "Password": "s3cret \\" x"}',
        "{'BMCPassword': 's3cret'}",
        "https://admin:s3cret@10.0.0.1/",
    ):
        hidden = redactor.text(text)
        assert MASK in hidden
        assert not any(secret in hidden for secret in ("YWRtaW46eA==", "abcdef0123", "s3cret"))
    assert "admin" in redactor.text("https://admin:s3cret@10.0.0.1/")
    assert '"UserName": "a"' in redactor.text('{"UserName": "a", "Password": "b"}')


def test_data_keeps_its_shape() -> None:
    data = {
        "UserName": "admin",
        "Password": "admin",
        "X-Auth-Token": "t",
        "empty_password": "",
        "list": [f"before {LONG} after", 1, None, True],
        "pair": ("admin", 2.5),
    }
    assert Redactor(["admin", LONG]).data(data) == {
        "UserName": "admin",
        "Password": MASK,
        "X-Auth-Token": MASK,
        "empty_password": "",
        "list": [f"before {MASK} after", 1, None, True],
        "pair": ("admin", 2.5),
    }


def test_nothing_is_no_secret() -> None:
    assert Redactor([""]).text("as it was") == "as it was"

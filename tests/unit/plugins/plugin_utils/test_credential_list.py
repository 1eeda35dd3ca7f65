# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.plugin_utils._credential_list import read_credentials

SITE = {"name": "site", "username": "ops", "password": "s3cret-site"}
FACTORY = {"name": "factory", "username": "root", "password": "s3cret-factory", "targets": ["10.0.0.0/28"]}


def names(credentials, address, named=None):
    return [credential.name for credential in credentials.serving(address, named)]


def test_credentials_for_this_address_come_before_general_ones():
    credentials = read_credentials([SITE, FACTORY], None, None)
    assert names(credentials, "10.0.0.5") == ["factory", "site"]
    assert names(credentials, "10.0.1.5") == ["site"]


def test_a_slot_that_names_one_gets_that_one_alone():
    credentials = read_credentials([SITE, FACTORY], None, None)
    assert names(credentials, "10.0.1.5", "site") == ["site"]
    assert names(credentials, "10.0.1.5", "unknown") == []


def test_username_and_password_are_one_more_entry_and_the_last():
    assert names(read_credentials([SITE], "u", "p"), "10.0.0.1") == ["site", "default"]


def test_the_environment_gives_a_list_as_json():
    assert names(read_credentials(json.dumps([SITE, FACTORY]), None, None), "10.0.0.5") == ["factory", "site"]


def test_without_any_there_is_none():
    assert names(read_credentials(None, None, None), "10.0.0.1") == []


@pytest.mark.parametrize(
    "entries,username,password",
    [
        ("text s3cret-site", None, None),
        ('[{"username": "u", "password": "s3cret-site"', None, None),
        ({"username": "u"}, None, None),
        (["text"], None, None),
        ([{"username": "u"}], None, None),
        ([{"password": "s3cret-site"}], None, None),
        ([{**SITE, "extra": 1}], None, None),
        ([{**SITE, "targets": []}], None, None),
        ([{**SITE, "targets": "10.0.0.0/24"}], None, None),
        ([{**SITE, "targets": ["10.0.0.0/99"]}], None, None),
        ([SITE, SITE], None, None),
        (None, "u", None),
        (None, None, "s3cret-site"),
    ],
)
def test_what_cannot_be_right_is_refused_without_a_password_in_the_message(entries, username, password):
    with pytest.raises(BadInput) as refused:
        read_credentials(entries, username, password)
    assert "s3cret" not in str(refused.value.as_dict())
    assert refused.value.next


def test_a_password_is_not_in_the_representation():
    assert "s3cret" not in repr(read_credentials([SITE, FACTORY], None, None))

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.template import is_trusted_as_template

from ansible_collections.hearth.datacenter.plugins.plugin_utils._inert import inert


@pytest.mark.parametrize("text", ["", "plain", "{ { 7 } }", "a } b", "100 %", "{1}"])
def test_what_holds_no_template_is_trusted_and_so_plain_in_the_list(text):
    assert inert(text) == text and is_trusted_as_template(inert(text))


@pytest.mark.parametrize("text", ["{{ 7 }}", "a{%b", "{#", "x{{{"])
def test_what_holds_an_opener_is_never_trusted(text):
    assert inert(text) == text and not is_trusted_as_template(inert(text))
    assert not is_trusted_as_template(inert({"a": [text]})["a"][0])


def test_data_keeps_its_shape():
    data = {"a": [1, None, True, 2.5, {"b": "c"}], "d": ["e"]}
    assert inert(data) is data
    assert data == {"a": [1, None, True, 2.5, {"b": "c"}], "d": ["e"]}
    assert is_trusted_as_template(data["a"][4]["b"]) and is_trusted_as_template(data["d"][0])


def test_equal_strings_become_one_object():
    known: dict[str, str] = {}
    first, second = inert("".join(["ab", "c"]), known), inert("".join(["a", "bc"]), known)
    assert first is second

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a template may be, and where surely none is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from ansible.template import trust_as_template

from ansible_collections.hearth.datacenter.plugins.plugin_utils._action import may_be_template


class Lazy(Mapping[str, object]):
    """As Ansible's own variables: a mapping, and no dict."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __getitem__(self, key: str) -> object:
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter(("key",))

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("text", ["{{ x }}", "a {% if y %}", "{# remark #}", trust_as_template("{{ x }}")])
@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: [x], lambda x: (1, x), lambda x: {"a": {"b": [x]}}, Lazy])
def test_a_template_is_found_however_deep(text: str, wrapped: type) -> None:
    assert may_be_template(wrapped(text))


@pytest.mark.parametrize(
    "value", ["", "{", "{ {", "}}", 1, 2.5, None, True, [], {}, {"{{ key }}": 1}, b"{{", Lazy("a")]
)
def test_nothing_else_is_taken_for_one(value: object) -> None:
    assert not may_be_template(value)

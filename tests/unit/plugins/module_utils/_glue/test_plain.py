# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from collections import OrderedDict

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.plain import plain


class Text(str):
    def __str__(self) -> str:
        return "something else"


class Number(int):
    pass


class Fraction(float):
    pass


def test_subclasses_become_what_they_stand_for() -> None:
    value = OrderedDict({Text("a"): [Number(1), Fraction(1.5), True, None, (Text("b"),)]})
    made = plain(value)
    assert made == {"a": [1, 1.5, True, None, ["b"]]}
    assert made.__class__ is dict and [key.__class__ for key in made] == [str]
    assert [one.__class__ for one in made["a"]] == [int, float, bool, type(None), list]


def test_values_that_ansible_tags_become_builtins() -> None:
    from ansible.template import trust_as_template

    tagged = trust_as_template("{{ x }}")
    assert tagged.__class__ is not str
    assert plain({"a": [tagged]})["a"][0].__class__ is str


def test_yaml_dates_become_text() -> None:
    assert plain(datetime.date(2026, 11, 21)) == "2026-11-21"


@pytest.mark.parametrize("value", [b"bytes", object(), {"a": [object()]}])
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="no plain data"):
        plain(value)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ETag ladder against BMCs of every kind; the wire is in test_transport."""

from __future__ import annotations

from typing import Callable, List, Optional

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.etag import conditionally, ladder, opaque
from ansible_collections.hearth.datacenter.plugins.module_utils._core.response import Headers, Response


class Bmc:
    """Answers changes by its own idea of ETags, and keeps what it was sent."""

    def __init__(self, status_of: Callable[[Optional[str]], int], etags: List[str]) -> None:
        self.sent: List[Optional[str]] = []
        self.asked = 0
        self._status_of = status_of
        self._etags = etags

    def send(self, if_match: Optional[str]) -> Response:
        self.sent.append(if_match)
        return Response(self._status_of(if_match), Headers([]), b"")

    def current(self) -> str:
        self.asked += 1
        return self._etags[min(self.asked, len(self._etags)) - 1]

    def change(self, etag: Optional[str]) -> int:
        return conditionally(self.send, self.current, etag).status


@pytest.mark.parametrize(
    ("etag", "forms"),
    [
        ('"a"', ['"a"', 'W/"a"', "a", None]),
        ('W/"a"', ['"a"', 'W/"a"', "a", None]),
        ("a", ['"a"', 'W/"a"', "a", None]),
        ('""a""', ['""a""', '"a"', 'W/"a"', "a", None]),
        ("W/a", ["W/a", '"a"', 'W/"a"', "a", None]),
        ('""', [None]),
        ("", [None]),
    ],
)
def test_forms_of_an_etag(etag: str, forms: List[Optional[str]]) -> None:
    assert ladder(etag) == forms


def test_what_an_etag_says_does_not_hang_on_its_form() -> None:
    assert {opaque(form) for form in ('"a"', 'W/"a"', "a", '""a""', 'w/"a"', ' "a" ')} == {"a"}


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ('"a"', ['"a"']),
        ('W/"a"', ['"a"', 'W/"a"']),
        ("a", ['"a"', 'W/"a"', "a"]),
        (None, ['"a"', 'W/"a"', "a", None]),  # newer Lenovo XCC refuses If-Match altogether
    ],
)
def test_the_form_that_is_accepted_is_found(accepted: Optional[str], sent: List[Optional[str]]) -> None:
    bmc = Bmc(lambda form: 200 if form == accepted else 412, ['"a"'])
    assert bmc.change('"a"') == 200 and bmc.sent == sent


def test_a_form_that_is_called_malformed_is_left_out() -> None:
    bmc = Bmc(lambda form: {'"a"': 412, 'W/"a"': 400, "a": 400, None: 204}[form], ['"a"'])
    assert bmc.change('"a"') == 204


def test_a_refusal_of_the_change_itself_is_final() -> None:
    bmc = Bmc(lambda form: 400, ['"a"'])
    assert bmc.change('"a"') == 400 and bmc.sent == ['"a"'] and bmc.asked == 0


def test_a_resource_that_did_change_is_left_alone() -> None:
    bmc = Bmc(lambda form: 200 if form is None else 412, ['"b"', '"b"'])
    assert bmc.change('"a"') == 412 and bmc.sent == ['"a"']


def test_an_etag_that_is_another_each_time_says_nothing() -> None:
    bmc = Bmc(lambda form: 200 if form is None else 412, ['"b"', '"c"', '"d"'])
    assert bmc.change('"a"') == 200 and bmc.sent[-1] is None


def test_without_an_etag_there_is_no_condition() -> None:
    for nothing in (None, ""):
        bmc = Bmc(lambda form: 200, [])
        assert bmc.change(nothing) == 200 and bmc.sent == [None] and bmc.asked == 0


def test_a_condition_that_is_demanded_is_made() -> None:
    bmc = Bmc(lambda form: {None: 428, 'W/"x"': 200}.get(form, 412), ['W/"x"'])
    assert bmc.change(None) == 200 and bmc.sent == [None, '"x"', 'W/"x"']


def test_a_condition_that_is_demanded_of_who_gives_no_etag() -> None:
    bmc = Bmc(lambda form: 200 if form == "*" else 428, [""])
    assert bmc.change(None) == 200 and bmc.sent == [None, "*"]


def test_one_that_accepts_nothing_is_not_asked_for_ever() -> None:
    bmc = Bmc(lambda form: 428 if form is None else 412, ['"x"'])
    assert bmc.change(None) == 412 and bmc.sent == [None, '"x"', 'W/"x"', "x", "*"]

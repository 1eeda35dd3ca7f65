# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a BMC says cannot act on whoever reads it: template engines, terminals, people."""

from __future__ import annotations

import itertools
import json
import random
import time
import unicodedata

import pytest
from jinja2 import Environment

from ansible_collections.hearth.datacenter.plugins.module_utils._core.hostile import clean, clean_json, host_name

MARKS = ("{{", "{%", "{#", "}}", "%}", "#}")

ATTACKS = [
    ("{{ lookup('pipe', 'id') }}", "{ { lookup('pipe', 'id') } }"),
    ("{% for x in y %}{% endfor %}", "{ % for x in y % }{ % endfor % }"),
    ("{# hidden #}", "{ # hidden # }"),
    ("{{{ 7*7 }}}", "{ { { 7*7 } } }"),
    ("{{{{", "{ { { {"),
    ("{%}", "{ % }"),
    ("{#}", "{ # }"),
    ("{{%7%}}", "{ { %7% } }"),
    # halves that a removal brings together
    ("{\u200b{ 7*7 }\u200b}", "{ { 7*7 } }"),
    ("{\u200d{ 7*7 }\u2060}", "{ { 7*7 } }"),
    ("{\x00{ 7*7 }\x00}", "{ { 7*7 } }"),
    ("{\x1b[31m{ 7*7 }\x1b[0m}", "{ { 7*7 } }"),
    ("{\x1b]0;title\x07{7*7}\x9b1m}", "{ {7*7} }"),
    ("{\ud800{ 7*7 }\udfff}", "{ { 7*7 } }"),
    ("{\u202e{ 7*7 }\u202c}", "{ { 7*7 } }"),
    ("{\u00ad{ 7*7 }\ufeff}", "{ { 7*7 } }"),
    ("{\U000e0001{7*7}\U000e007f}", "{ {7*7} }"),
    ("{\x1b{{ 7*7 }}", "{ { 7*7 } }"),
    ("{\x9d{\x9c{{ 7*7 }}", "{ { { 7*7 } }"),
    # terminals
    ("\x1b[2J\x1b[1;1Hall is well", "all is well"),
    ("\x1b]0;a title\x07text", "text"),
    ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1bP1$r0m\x1b\\text", "text"),
    ("\x1b_application\x1b\\text", "text"),
    ("\x9b31mred\x9bm", "red"),
    ("\x9d0;title\x9ctext", "text"),
    ("\x1b]never ends", "never ends"),
    ("\x1b[31", "31"),  # cut in the middle: what is left is text
    ("\x1bctext", "text"),
    ("text\x1b", "text"),
    ("over\x08\x08\x08\x08hidden", "overhidden"),
    ("a\rb\nc\td\x0be", "a b c d e"),
    ("a\u2028b\u2029c\x85d\u00a0e", "a b c d e"),
    ("nul\x00byte", "nulbyte"),
    # people
    ("\u202egnp.exe", "gnp.exe"),
    ("\u2066\u2067left\u2069", "left"),
    ("zero\u200bwidth\u200c\u200d\ufeff", "zerowidth"),
    ("\ue000private\U000f0000", "private"),
    ("\ud83dlone\ude00", "lone"),
    # and what is honest stays
    ("  PowerEdge R760  ", "PowerEdge R760"),
    ("ThinkSystem SR650 V3 (7D76)", "ThinkSystem SR650 V3 (7D76)"),
    ("R\u00fcckwand-Knoten \u6771\u4eac \u2122", "R\u00fcckwand-Knoten \u6771\u4eac \u2122"),
    ("100% {a} #1 }", "100% {a} #1 }"),
    ("", ""),
    ("\x00", ""),
]


@pytest.mark.parametrize(("attack", "harmless"), ATTACKS)
def test_attacks(attack: str, harmless: str) -> None:
    assert clean(attack) == harmless


def is_harmless(text: str, limit: int = 256) -> None:
    assert len(text) <= limit and text == text.strip()
    assert not any(mark in text for mark in MARKS)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in text)
    assert Environment().from_string(text).render() == text
    text.encode("utf-8")
    assert json.loads(json.dumps(text)) == text
    assert clean(text, limit) == text


@pytest.mark.parametrize(("attack", "_harmless"), ATTACKS)
def test_nothing_is_left_to_execute(attack: str, _harmless: str) -> None:
    is_harmless(clean(attack))


def test_nothing_is_left_in_any_order() -> None:
    """Every string of up to five of the pieces that marks and their disguises consist of."""
    pieces = ("{", "}", "%", "#", "\u200b", "\x1b[m", " ", "7*7", "\x9d", "\x07")
    for length in range(1, 5):
        for combination in itertools.product(pieces, repeat=length):
            text = clean("".join(combination))
            assert not any(mark in text for mark in MARKS), combination
    chance = random.Random(7)
    for _round in range(3000):
        is_harmless(clean("".join(chance.choice(pieces) for _piece in range(40)), 30), 30)


def test_nothing_is_left_of_random_unicode() -> None:
    chance = random.Random(11)
    for _round in range(500):
        is_harmless(clean("".join(chr(chance.choice((chance.randrange(0x110000), 0x7B, 0x7D))) for _char in range(60))))


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert clean("a" * 256) == "a" * 256
    assert clean("a" * 257) == "a" * 255 + "\u2026"
    assert clean("ab cd ef", 4) == "ab\u2026"
    assert clean("{{" * 300)[-1] == "\u2026" and len(clean("{{" * 300)) <= 256
    assert clean("\x00" * 1_000_000 + "tail").endswith("\u2026")


@pytest.mark.parametrize(
    "piece", ["a", "{{", "\x1b]", "\x1b[1;", "\x9d", "\u200b", "\ud800", "{\x00", "\x1b", "\x1bP\x1b", "} "]
)
def test_a_megabyte_costs_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    for _round in range(5):
        is_harmless(clean(text))
    assert time.process_time() - started < 0.5


def test_json_is_cleaned_through_and_through() -> None:
    hostile = {
        "{{ key }}": ["{% x %}", {"deep": ("\x1b[1mbold", 1, 2.5, True, None)}],
        "__ansible_vault": "x",
        "__ansible_unsafe": "{{ y }}",
        3: b"bytes",
        "nan": float("nan"),
        "inf": float("-inf"),
        "large": 10**30,
    }
    assert clean_json(hostile) == {
        "{ { key } }": ["{ % x % }", {"deep": ["bold", 1, 2.5, True, None]}],
        "ansible_vault": "x",
        "ansible_unsafe": "{ { y } }",
        "3": "b'bytes'",
        "nan": None,
        "inf": None,
        "large": None,
    }


def test_json_has_bounds_in_depth_and_number() -> None:
    deep: object = "end"
    for _level in range(100_000):
        deep = [deep]
    json.dumps(clean_json(deep))
    wide = clean_json({"list": list(range(1_000_000)), "after": 1}, items=100)
    assert isinstance(wide, dict) and len(wide["list"]) < 100 and "after" not in wide
    endless: list[object] = []
    endless.append(endless)
    json.dumps(clean_json(endless))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rack1-u07", "rack1-u07"),
        ("J7K2M03", "J7K2M03"),
        ("BMC 4 / left", "BMC-4-left"),
        ("../../etc/passwd", "etc-passwd"),
        ("-rf", "rf"),
        ("{{ lookup('pipe','id') }}", "lookup-pipe-id"),
        ("a\x1b[31mb", "ab"),
        ("R\u00fcck", "R-ck"),
        ("[fe80::1]:443", "fe80-1-443"),
        ("\u6771\u4eac", ""),
        ("...", ""),
        ("", ""),
        ("x" * 500, "x" * 127),
    ],
)
def test_host_names_hold_nothing_but_a_name(text: str, name: str) -> None:
    assert host_name(text) == name

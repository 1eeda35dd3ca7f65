# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""$filter expressions: comparisons of properties with literals, joined by and, or, not and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json

Test = Callable[[dict[str, Json]], bool]
_Operand = Callable[[dict[str, Json]], Json]
_TOKEN = re.compile(r"\s*(?:(\()|(\))|'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)(?![\w])|([A-Za-z@][\w@./]*))")
_COMPARISONS: dict[str, Callable[[Json, Json], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": lambda left, right: bool(left > right),
    "ge": lambda left, right: bool(left >= right),
    "lt": lambda left, right: bool(left < right),
    "le": lambda left, right: bool(left <= right),
}
_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Test:
    """Raises a 400 refusal for what is no expression."""
    parser = _Parser(text)
    test = parser.either()
    if parser.kind:
        raise parser.malformed()
    return test


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._at = 0
        self.kind = ""  # of the token ahead: "(" ")" "value" "word", "" at the end
        self._value: Json = None
        self._step()

    def malformed(self) -> Refusal:
        return Refusal(400, "QueryParameterValueFormatError", self._text, "$filter")

    def _step(self) -> None:
        if self._at == len(self._text):
            self.kind = ""
            return
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self.malformed()
        self._at = match.end()
        opening, closing, quoted, number, word = match.groups()
        if opening or closing:
            self.kind = opening or closing
        elif quoted is not None:
            self.kind, self._value = "value", quoted.replace("''", "'")
        elif number is not None:
            self.kind, self._value = "value", float(number)
        elif word in _WORDS:
            self.kind, self._value = "value", _WORDS[word]
        else:
            self.kind, self._value = "word", word

    def _took(self, word: str) -> bool:
        if self.kind == "word" and self._value == word:
            self._step()
            return True
        return False

    def either(self) -> Test:
        tests = [self._both()]
        while self._took("or"):
            tests.append(self._both())
        return lambda body: any(test(body) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._took("and"):
            tests.append(self._one())
        return lambda body: all(test(body) for test in tests)

    def _one(self) -> Test:
        if self._took("not"):
            negated = self._one()
            return lambda body: not negated(body)
        if self.kind == "(":
            self._step()
            inner = self.either()
            if self.kind != ")":
                raise self.malformed()
            self._step()
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        left = self._operand()
        compare = _COMPARISONS.get(self._value) if self.kind == "word" and isinstance(self._value, str) else None
        if compare is None:
            raise self.malformed()
        self._step()
        right = self._operand()

        def test(body: dict[str, Json]) -> bool:
            try:
                return compare(left(body), right(body))
            except TypeError:  # a number and a string
                return False

        return test

    def _operand(self) -> _Operand:
        value = self._value
        if self.kind == "value":
            self._step()
            return lambda body: value
        if self.kind == "word":
            self._step()
            return lambda body: _at(body, value)
        raise self.malformed()


def _at(body: Json, path: str) -> Json:
    for name in path.split("/"):
        body = body.get(name) if isinstance(body, dict) else None
    return body

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of GRUB's script language that a static configuration needs, read into commands.

What this reads is what can be predicted: plain commands, ``if`` with conditions, ``menuentry``. Functions, loops,
wildcards and everything else are refused, since a prediction that guesses is none. Grammar: GRUB manual 2.06, section
"Writing full configuration files directly".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Mapping, Optional, Tuple, Union

from .._core.errors import Unsupported

_KEYWORDS = frozenset({"if", "then", "elif", "else", "fi"})
_REFUSED = frozenset({"for", "while", "until", "function", "select", "case", "submenu", "time"})
_SPACE = " \t"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@dataclass(frozen=True)
class Piece:
    """A part of a word: text, or a variable's name."""

    text: str
    is_variable: bool = False
    quoted: bool = False


@dataclass(frozen=True)
class Word:
    """One argument as it is written; ``block`` is one in braces, verbatim."""

    pieces: Tuple[Piece, ...]
    block: Optional[str] = None

    def expanded(self, variables: Mapping[str, str]) -> str:
        """The argument that the command gets; Unsupported where GRUB would split it in two."""
        if self.block is not None:
            return self.block
        parts = []
        for piece in self.pieces:
            text = variables.get(piece.text, "") if piece.is_variable else piece.text
            if piece.is_variable and not piece.quoted and (not text or set(text) & set(" \t\n*?")):
                raise _unsupported(f"${piece.text} unquoted, which is {text!r}")
            parts.append(text)
        return "".join(parts)


@dataclass(frozen=True)
class Command:
    """A command and its arguments; ``negated`` by a leading ``!``."""

    words: Tuple[Word, ...]
    negated: bool = False


@dataclass(frozen=True)
class Branch:
    """One ``if`` or ``elif``: the condition's commands, the last of which decides, and what follows."""

    condition: Tuple[Statement, ...]
    body: Tuple[Statement, ...]


@dataclass(frozen=True)
class If:
    branches: Tuple[Branch, ...]
    otherwise: Tuple[Statement, ...]


Statement = Union[Command, If]


def parse(script: str) -> Tuple[Statement, ...]:
    """The statements of a script; Unsupported for what lies outside the part described above."""
    parser = _Parser(script)
    statements, end = parser.statements(frozenset())
    if end:
        raise _unsupported(f"{end!r} without its if")
    return statements


class _Parser:
    def __init__(self, script: str) -> None:
        self._script = script
        self._at = 0

    def statements(self, until: frozenset[str]) -> Tuple[Tuple[Statement, ...], str]:
        """Statements up to a keyword of ``until`` (which is consumed and returned) or the end of the script ("")."""
        found: List[Statement] = []
        while True:
            self._skip_separators()
            if self._at >= len(self._script):
                if until:
                    raise _unsupported(f"the end where {' or '.join(sorted(until))} belongs")
                return tuple(found), ""
            start = self._at
            word = self._word()
            plain = _plain(word)
            if plain in until:
                return tuple(found), plain
            if plain in _REFUSED or plain in _KEYWORDS - {"if"}:
                raise _unsupported(f"{plain!r}")
            if plain == "if":
                found.append(self._if())
            else:
                self._at = start
                found.append(self._command())

    def _if(self) -> If:
        branches: List[Branch] = []
        while True:
            condition, _then = self.statements(frozenset({"then"}))
            body, end = self.statements(frozenset({"elif", "else", "fi"}))
            branches.append(Branch(condition, body))
            if end == "else":
                otherwise, _fi = self.statements(frozenset({"fi"}))
                return If(tuple(branches), otherwise)
            if end == "fi":
                return If(tuple(branches), ())

    def _command(self) -> Command:
        words: List[Word] = []
        negated = False
        while True:
            self._skip_space()
            if self._at >= len(self._script) or self._script[self._at] in "\n;":
                break
            if self._script[self._at] == "#":
                self._skip_comment()
                break
            if self._script[self._at] == "{":
                words.append(Word((), block=self._block()))
                continue
            word = self._word()
            if not words and not negated and _plain(word) == "!":
                negated = True
                continue
            words.append(word)
        if not words:
            raise _unsupported("an empty command")
        return Command(tuple(words), negated)

    def _word(self) -> Word:
        pieces: List[Piece] = []
        while self._at < len(self._script):
            char = self._script[self._at]
            if char in " \t\n;":
                break
            if char in "|&<>`*?{}":
                raise _unsupported(f"an unquoted {char!r}")
            if char == "'":
                pieces.append(Piece(self._until_quote(), quoted=True))
            elif char == '"':
                pieces.extend(self._double_quoted())
            elif char == "$":
                pieces.append(self._variable(quoted=False))
            elif char == "\\":
                self._at += 1
                pieces.append(Piece(self._take()))
            else:
                pieces.append(Piece(self._take()))
        if not pieces:
            raise _unsupported(f"{self._script[self._at : self._at + 1]!r} where a command belongs")
        return Word(tuple(pieces))

    def _until_quote(self) -> str:
        end = self._script.find("'", self._at + 1)
        if end < 0:
            raise _unsupported("a quote that does not end")
        text = self._script[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double_quoted(self) -> List[Piece]:
        self._at += 1
        # An empty quoted piece keeps "" an argument.
        pieces: List[Piece] = [Piece("", quoted=True)]
        while True:
            char = self._script[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                return pieces
            if char == "$":
                pieces.append(self._variable(quoted=True))
            elif char == "\\":
                self._at += 1
                escaped = self._take()
                pieces.append(Piece(escaped if escaped in '"\\$' else "\\" + escaped, quoted=True))
            else:
                pieces.append(Piece(self._take(), quoted=True))

    def _variable(self, *, quoted: bool) -> Piece:
        self._at += 1
        braced = self._script[self._at : self._at + 1] == "{"
        self._at += braced
        start = self._at
        while self._at < len(self._script) and self._script[self._at] in _NAME:
            self._at += 1
        name = self._script[start : self._at]
        if not name:
            raise _unsupported("a $ without a variable's name")
        if braced and self._take() != "}":
            raise _unsupported(f"${{{name} without its end")
        return Piece(name, is_variable=True, quoted=quoted)

    def _block(self) -> str:
        """From ``{`` to its ``}``, verbatim: what GRUB measures with the command."""
        start = self._at
        depth = 0
        quote = ""
        while self._at < len(self._script):
            char = self._take()
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == "\\" or char == "#":
                # Both would hide a brace, and neither is needed in the body of a static entry.
                raise _unsupported(f"{char!r} inside a menu entry")
            elif char in "{}":
                depth += 1 if char == "{" else -1
                if not depth:
                    return self._script[start : self._at]
        raise _unsupported("a { without its }")

    def _take(self) -> str:
        if self._at >= len(self._script):
            raise _unsupported("the end inside a word")
        self._at += 1
        return self._script[self._at - 1]

    def _skip_space(self) -> None:
        while self._at < len(self._script) and self._script[self._at] in _SPACE:
            self._at += 1

    def _skip_comment(self) -> None:
        while self._at < len(self._script) and self._script[self._at] != "\n":
            self._at += 1

    def _skip_separators(self) -> None:
        while self._at < len(self._script) and self._script[self._at] in " \t\n;#":
            if self._script[self._at] == "#":
                self._skip_comment()
            else:
                self._at += 1


def _plain(word: Word) -> str:
    """The word's text where it is written without quotes and variables: only such one can be a keyword."""
    if any(piece.is_variable or piece.quoted for piece in word.pieces):
        return ""
    return "".join(piece.text for piece in word.pieces)


def _unsupported(found: str) -> Unsupported:
    return Unsupported(
        "what GRUB would measure of this configuration cannot be predicted",
        expected="commands, if with [ ], and menuentry: no functions, loops, pipes or wildcards",
        found=found,
        where="grub.cfg",
        next="Write the configuration without it.",
    )

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets out of what people, logs and results show.

A factory password is often an ordinary word: blotting out every "admin" of a result would destroy it and tell the
password to whoever compares. So a secret is hidden where secrets stand: in fields whose name says so, and where it is
a whole quoted word of a message. Only secrets that no ordinary text contains are hidden wherever they occur.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Callable, Dict, Iterable, List, Tuple
from urllib.parse import quote

MASK = "********"

_SECRET_KEY = re.compile(r"pass(?:word|phrase|wd)|secret|token|private_?key|authorization|cookie", re.IGNORECASE)
_FIELD = re.compile(r"(?i)((?:proxy-)?authorization|x-auth-token|(?:set-)?cookie)(\s*[:=]\s*)[^\r\n,;]+")
_JSON_FIELD = re.compile(
    r"""(?ix) (["'][\w.\-@]*(?:pass(?:word|phrase|wd)|secret|token|private_?key)[\w.\-@]*["']\s*[:=]\s*)
        (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )"""
)
_USERINFO = re.compile(r"(://[^\s/@:]*):[^\s/@]+@")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


class Redactor:
    """Knows the secrets of one run. Thread-safe."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        #: each form of a secret, and what hides it in a text that holds it
        self._forms: Dict[str, Callable[[str], str]] = {}
        self._values: Tuple[str, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide this one as well, in the forms in which it travels (JSON, URL); "Basic x" and "Bearer x" hide x."""
        if not secret:
            return
        with self._lock:
            scheme, space, rest = secret.partition(" ")
            if space and scheme.lower() in ("basic", "bearer"):
                secret = rest
            for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
                if form not in self._forms:
                    self._forms[form] = _hider(form)
            self._values = (*self._values, secret)

    def text(self, text: str) -> str:
        """A message or a log line."""
        if ":" in text or "=" in text:  # without one of them no field has a value
            text = _FIELD.sub(rf"\g<1>\g<2>{MASK}", text)
            text = _JSON_FIELD.sub(rf'\g<1>"{MASK}"', text)
            text = _USERINFO.sub(rf"\g<1>:{MASK}@", text)
        for form, hide in list(self._forms.items()):
            if form in text:
                text = hide(text)
        return text

    def data(self, value: object) -> object:
        """A copy of JSON-like data: fields named as secrets masked, other strings as messages.

        A string that is an ordinary word, and equal to a secret, stays where the field's name says nothing of one.
        """
        if isinstance(value, str):
            return value if value in self._values and _is_ordinary(value) else self.text(value)
        if isinstance(value, dict):
            return {key: self._field(str(key), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            items: List[object] = [self.data(inner) for inner in value]
            return items if isinstance(value, list) else tuple(items)
        return value

    def _field(self, key: str, value: object) -> object:
        if isinstance(value, str) and value and _SECRET_KEY.search(key):
            return MASK
        return self.data(value)


def _is_ordinary(secret: str) -> bool:
    """A word that texts contain without meaning the secret: short, or letters only."""
    return len(secret) < 8 or secret.isalpha()


def _hider(form: str) -> Callable[[str], str]:
    """What hides one form of a secret in a text that holds it."""
    if not _is_ordinary(form):
        return lambda text: text.replace(form, MASK)
    # Compiled only where it is needed, which in most tasks is nowhere: that takes longer than a request.
    return lambda text: re.sub(f"(?<=[{_QUOTES}]){re.escape(form)}(?=[{_QUOTES}])", MASK, text)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the state store lies, as the user writes it: a path, ``sqlite:///path`` or ``postgresql://…``.

A location may carry a password. It is taken out here, once: what is shown, logged or raised is :attr:`Location.shown`.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from ..errors import BadInput

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

_FORMS = "a path, sqlite:///path/to/state.sqlite3 or postgresql://user@host/database"
_YES = ("yes", "true", "1")
_NO = ("no", "false", "0")


@dataclass(frozen=True)
class Location:
    """A parsed location; ``target`` is a file's path (SQLite) or a URL without its password (PostgreSQL)."""

    kind: str
    target: str
    shown: str
    password: str = field(default="", repr=False)
    persistent: Optional[bool] = None
    """What the user said with ``?persistent=``; None: nothing was said, look at the disk."""

    @property
    def without_password(self) -> str:
        """The same location as text, which :func:`parse_location` reads again."""
        if self.persistent is None:
            return self.target
        said = "persistent=" + (_YES if self.persistent else _NO)[0]
        if self.kind == SQLITE:
            return f"sqlite://{quote(self.target)}?{said}"
        return self.target + ("&" if "?" in self.target else "?") + said


def parse_location(text: str) -> Location:
    """Read a location; BadInput (which never repeats what was written) when it is none of the three forms."""
    if not text.strip() or "\0" in text:
        raise BadInput("The location of the state store is empty or not text.", expected=_FORMS, where="hearth_state")
    scheme, separator, rest = text.partition("://")
    if not separator:
        path = os.path.abspath(os.path.expanduser(text))
        return Location(SQLITE, path, path)
    if scheme == "sqlite":
        return _sqlite_url(rest)
    if scheme in ("postgresql", "postgres"):
        return _postgresql_url(text)
    raise BadInput(
        "The location of the state store has a scheme that is not known.",
        expected=_FORMS,
        found=scheme + "://…",
        where="hearth_state",
    )


def chosen_location(given: str, environ: Mapping[str, str], *, make: bool = True) -> str:
    """The location that counts on this machine: what was given, else HEARTH_STATE, else :func:`default_path`.

    The directory of the default is made (mode 0700) unless ``make`` is False; another one is the user's to make.
    """
    said = given or environ.get("HEARTH_STATE", "")
    if said:
        return said
    path = default_path(environ, os.path.expanduser("~"))
    if make:
        # Where that is not possible, opening the store says so: the error is the same for every location.
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return path


def default_path(environ: Mapping[str, str], home: str) -> str:
    """The store's file when nobody said where: below $XDG_STATE_HOME, which is ~/.local/state unless set."""
    base = environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    if not os.path.isabs(base):
        base = os.path.join(home, ".local", "state")
    return os.path.join(base, "hearth", "state.sqlite3")


def _sqlite_url(rest: str) -> Location:
    path, _mark, query = rest.partition("?")
    path = unquote(path)
    if not path.startswith("/"):
        raise BadInput(
            "A sqlite:// location needs an absolute path.",
            expected="sqlite:///path/to/state.sqlite3 (three slashes)",
            found="sqlite://" + rest,
            where="hearth_state",
        )
    parameters, persistent = _persistent(query)
    if parameters:
        raise BadInput(
            "A sqlite:// location knows one parameter, persistent.",
            expected="?persistent=yes or ?persistent=no",
            found=", ".join(name for name, _value in parameters),
            where="hearth_state",
        )
    path = os.path.abspath(path)
    return Location(SQLITE, path, path, persistent=persistent)


def _postgresql_url(text: str) -> Location:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _unreadable_url() from None
    # An unescaped "/", "?" or "#" inside a password ends the authority early; its rest would then be shown as a path.
    if "@" in parts.path or "@" in parts.query or "#" in text:
        raise _unreadable_url()
    parameters, persistent = _persistent(parts.query)
    if any(name == "sslpassword" for name, _value in parameters):
        raise BadInput(
            "The location of the state store cannot carry the password of a TLS key.",
            expected="sslkey= with a key that needs no password, in a file of mode 0600",
            where="hearth_state",
        )
    query = urlencode([(name, value) for name, value in parameters if name != "password"])
    login, at_sign, hosts = parts.netloc.rpartition("@")
    user, _colon, escaped = login.partition(":")
    password = unquote(escaped) or dict(parameters).get("password", "")
    target = urlunsplit((POSTGRESQL, user + at_sign + hosts, parts.path, query, ""))
    return Location(POSTGRESQL, target, target, password=password, persistent=persistent)


def _persistent(query: str) -> Tuple[Tuple[Tuple[str, str], ...], Optional[bool]]:
    """Take ``persistent`` out of a query: the other parameters, and what was said."""
    said: Optional[bool] = None
    others = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "persistent":
            others.append((name, value))
        elif value.lower() in _YES + _NO:
            said = value.lower() in _YES
        else:
            raise BadInput(
                "persistent in the location of the state store is yes or no.",
                expected="persistent=yes or persistent=no",
                found="persistent=" + value,
                where="hearth_state",
            )
    return tuple(others), said


def _unreadable_url() -> BadInput:
    return BadInput(
        "The PostgreSQL location of the state store cannot be read (it is not repeated here: it may hold a password).",
        expected="postgresql://user:password@host:port/database with every special character percent-encoded",
        where="hearth_state",
        next="Write / ? # @ : and % in user name and password as %2F %3F %23 %40 %3A %25,"
        " or leave the password to PGPASSWORD or ~/.pgpass.",
    )

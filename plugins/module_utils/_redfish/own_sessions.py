# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the sessions on a BMC are ours, where nobody told: by proof, since the others are other people's.

A session is left behind by a worker that was killed, and by a login whose answer was lost. What proves that it is ours:

- its Context, a random text that went with the login and was written down before (only where the platform keeps it);
- the path that the BMC told when it was opened, with an Id that is not given twice or the CreatedTime that it told;
- being the only one of our user name, while a token says that one of ours is open.

Without proof it stays until it ages out.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Protocol, Sequence

from .._core.errors import HearthError, Unreachable
from .._core.transport import Transport
from .document import last_segment, link
from .login import Login
from .platforms.record import Platform

_UNGUESSABLE = 8  # characters of a session Id that is not given twice
_WHAT = "a session left behind"

Note = Mapping[str, str]
"""What the turn's file says: session, username, created, and context (several, with spaces between them)."""


class Reader(Protocol):
    """What is needed of a client."""

    transport: Transport

    @property
    def platform(self) -> Platform: ...

    @property
    def username(self) -> str: ...

    @property
    def sessions(self) -> str: ...

    @property
    def session_path(self) -> str: ...

    @property
    def session_context(self) -> str: ...

    @property
    def session_created(self) -> str: ...

    def find(self, path: str, what: str = "") -> Any: ...

    def members(self, path: str, what: str = "") -> Iterator[Dict[str, Any]]: ...

    def member_links(self, path: str, what: str = "") -> List[str]: ...

    def note(self, error: HearthError, what: str) -> None: ...


def note_of(client: Reader) -> Dict[str, str]:
    """What has to be written down of the session that is open; empty for none."""
    if not client.session_path and not client.session_context:
        return {}
    said = {
        "session": client.session_path,
        "username": client.username,
        "created": client.session_created,
        "context": client.session_context,
    }
    return {name: value for name, value in said.items() if value}


def delete_left_behind(client: Reader, note: Note, lost: Sequence[str]) -> int:
    """Delete what the note tells of and the sessions with the contexts of lost logins; how many were."""
    contexts = {*note.get("context", "").split(), *lost} - {client.session_context}
    deleted = 0
    path = note.get("session", "")
    if path and path != client.session_path:
        document = client.find(path, _WHAT)
        if document is not None and _is_the_noted(document, path, note, client.username):
            deleted += _delete(client, path)
    if contexts and client.platform.session_context:
        for document in client.members(client.sessions, _WHAT):
            if document.get("Context") in contexts and link(document) != client.session_path:
                deleted += _delete(client, link(document))
    return deleted


def own_session(client: Reader, login: Login) -> str:
    """The path of the session whose token is in use and whose path the BMC did not tell; "" where nothing proves it."""
    try:
        paths = client.member_links(client.sessions, "sessions")
        documents = {link(document): document for document in client.members(client.sessions, "sessions")}
    except HearthError:
        return ""
    if login.context:
        return next((path for path, document in documents.items() if document.get("Context") == login.context), "")
    ours = [path for path, document in documents.items() if document.get("UserName") == login.credential.username]
    # One that could not be read may be ours.
    return ours[0] if len(ours) == 1 and len(documents) == len(paths) else ""


def _is_the_noted(document: Mapping[str, Any], path: str, note: Note, username: str) -> bool:
    if not document.get("UserName") == note.get("username") == username:
        return False
    if document.get("Context") and document.get("Context") in note.get("context", "").split():
        return True
    if note.get("created") and document.get("CreatedTime") == note["created"]:
        return True
    # An Id that the BMC counts up may be somebody else's by now.
    return len(last_segment(path)) >= _UNGUESSABLE


def _delete(client: Reader, path: str) -> int:
    try:
        return int(client.transport.request("DELETE", path).status < 300)
    except Unreachable as error:
        client.note(error, _WHAT)
        return 0

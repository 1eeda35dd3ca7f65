# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key directory of a Tang server: one JWK to a file. A file whose name begins with a dot is not advertised any
more, and still recovers what was bound to it (tangd(8), key rotation)."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from .._core import durable_file, jose
from .._core.errors import BadInput, Busy, NotFound, Refused
from .._core.hostile import clean

#: What tangd takes for a key.
_SUFFIX = ".jwk"
#: Ends the name of a file that is being written; tangd passes it by.
UNFINISHED = ".hearth-new"
_LARGEST = 64 * 1024

#: A key signs advertisements, or recovers what clients bound to it.
SIGN, EXCHANGE = "sign", "exchange"
#: jose's names for what makes such a key.
ALGORITHMS = {SIGN: "ES512", EXCHANGE: "ECMR"}
_OPERATION = {SIGN: "verify", EXCHANGE: "deriveKey"}


@dataclass(frozen=True)
class TangKey:
    """One key, by its public half."""

    file: str
    """Name of its file in the directory."""
    use: str
    algorithm: str
    public: Mapping[str, str] = field(repr=False)

    @property
    def hidden(self) -> bool:
        return self.file.startswith(".")

    @property
    def thumbprints(self) -> FrozenSet[str]:
        """By SHA-256, and by SHA-1, which old Tang servers print."""
        return jose.thumbprints(self.public)

    @property
    def thumbprint(self) -> str:
        """By SHA-256."""
        return jose.thumbprint(self.public)

    def advertised_as(self) -> Dict[str, Any]:
        """The key as an advertisement shows it."""
        return {**self.public, "alg": self.algorithm, "key_ops": [_OPERATION[self.use]]}

    def as_dict(self) -> Dict[str, object]:
        return {"thumbprint": self.thumbprint, "use": self.use, "hidden": self.hidden, "file": clean(self.file)}


@dataclass(frozen=True)
class Contents:
    """A key directory at one moment."""

    keys: Tuple[TangKey, ...]
    unreadable: Tuple[str, ...]
    """Files that should be keys and are none: tangd passes them by."""
    unfinished: Tuple[str, ...]
    """What a run left that was killed while it wrote a key: never used by anybody."""

    @property
    def advertised(self) -> Tuple[TangKey, ...]:
        return tuple(key for key in self.keys if not key.hidden)

    @property
    def hidden(self) -> Tuple[TangKey, ...]:
        return tuple(key for key in self.keys if key.hidden)


class KeyDirectory:
    """``random`` gives bytes to overwrite a deleted key with."""

    def __init__(self, path: str, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self.path = path
        self._random = random

    def read(self) -> Contents:
        """What is there now; the private halves are forgotten at once."""
        keys: List[TangKey] = []
        unreadable: List[str] = []
        unfinished: List[str] = []
        for name in self._names():
            if name.endswith(UNFINISHED):
                unfinished.append(name)
            elif name.endswith(_SUFFIX):
                key = self._key(name)
                if key is None:
                    unreadable.append(name)
                else:
                    keys.append(key)
        return Contents(tuple(keys), tuple(unreadable), tuple(unfinished))

    def write(self, private: bytes) -> TangKey:
        """Put a new key in place, wholly and on the disk: advertised from now on. Its file belongs to who owns the
        directory, as tangd runs with that user."""
        said = _public(private)
        if said is None:
            raise Refused("jose made no key", expected="a JWK with an elliptic curve", where=self.path)
        use, algorithm, public = said
        key = TangKey(jose.thumbprint(public) + _SUFFIX, use, algorithm, public)
        try:
            durable_file.write(
                os.path.join(self.path, key.file),
                private,
                unfinished=os.path.join(self.path, f".{use}{UNFINISHED}"),
                mode=0o440,
                for_owner_of_directory=True,
            )
        except OSError as error:
            raise self._failed("written", key.file, error) from error
        return key

    def hide(self, key: TangKey) -> None:
        """Advertise the key no more. What is bound to it still opens."""
        try:
            os.rename(os.path.join(self.path, key.file), os.path.join(self.path, f".{key.file}"))
            durable_file.sync_directory(self.path)
        except OSError as error:
            raise self._failed("renamed", key.file, error) from error

    def erase(self, name: str) -> None:
        """Overwrite a file and remove it: what is bound to this key opens nowhere any more, save by a backup of it.

        Overwriting reaches the blocks where the file lies now: no copy, no snapshot, no spare block of an SSD."""
        try:
            durable_file.overwrite_and_remove(os.path.join(self.path, name), self._random)
        except OSError as error:
            raise self._failed("deleted", name, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other run of ours changes the directory meanwhile; Busy where one does."""
        handle = self._opened()
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(
                    "another run works on these keys now", where=self.path, next="Run the task again when it has ended."
                ) from error
            yield
        finally:
            os.close(handle)

    def _names(self) -> List[str]:
        try:
            return sorted(os.listdir(self.path))
        except OSError as error:
            raise self._unusable(error) from error

    def _opened(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unusable(error) from error

    def _key(self, name: str) -> Optional[TangKey]:
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                said = _public(file.read(_LARGEST))
        except OSError as error:
            raise self._failed("read", name, error) from error
        return None if said is None else TangKey(name, *said)

    def _unusable(self, error: OSError) -> NotFound:
        return NotFound(
            "the key directory cannot be read",
            expected="the directory that tangd is started with",
            found=error.strerror or "",
            where=self.path,
            next="Name it (/var/lib/tang on Debian, /var/db/tang elsewhere), and run the task as root or its owner.",
        )

    def _failed(self, done: str, name: str, error: OSError) -> Refused:
        return Refused(
            f"a key file cannot be {done}",
            expected="a regular file that this user may change",
            found=f"{clean(name)}: {error.strerror}",
            where=self.path,
            next="Mend that and run the task again; it goes on from what is there.",
        )


def hidden_file(thumbprint: str) -> str:
    """The name of a hidden key's file, as Tang's programs and this one give it."""
    return f".{thumbprint}{_SUFFIX}"


def checked_thumbprint(text: str) -> str:
    """BadInput for what is no thumbprint of SHA-256 or SHA-1."""
    try:
        size = len(jose.b64_decode(text))
    except ValueError:
        size = 0
    if size not in (32, 20):
        raise BadInput(
            "that is no thumbprint of a key",
            expected="43 characters of base64url, as tang-show-keys prints them",
            found=clean(text, 64),
            next="Take it from this module's result.",
        )
    return text


def _public(text: bytes) -> Optional[Tuple[str, str, Dict[str, str]]]:
    """Use, algorithm and public members of a JWK; None where it is no key that tangd can use."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("d"), str):
        return None
    public = {name: str(said.get(name)) for name in ("crv", "kty", "x", "y")}
    operations = said.get("key_ops")
    algorithm = str(said.get("alg", ""))
    use = ""
    for name in ALGORITHMS:
        wanted = {SIGN: "sign", EXCHANGE: "deriveKey"}[name]
        if wanted in operations if isinstance(operations, list) else algorithm == ALGORITHMS[name]:
            use = name
    if not use or public["kty"] != "EC" or not jose.thumbprints(public):
        return None
    return use, algorithm or ALGORITHMS[use], public

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key files: one for each FRU, with the public half of its key and the private half, sealed.

Written so that a killed run leaves the old file, the new one or none, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

from .._core import durable_file, lock_file
from .._core.errors import BadInput, LeaseHeld
from . import jwe
from .jwk import PublicKey, public_key
from .own_directory import require_own

_FORMAT = 1
_LARGEST = jwe.LARGEST
#: Ends the name of a file that is being written.
UNFINISHED = ".new"


@dataclass(frozen=True)
class FruKey:
    """A FRU's key as it is kept: nothing in it is secret, but for ``sealed`` towards those who can unseal it."""

    fru: str
    store: str
    """The kind of the key store that sealed it."""
    public: PublicKey
    sealed: bytes
    """JWE whose content is the private key."""

    @property
    def kid(self) -> str:
        return self.public.kid

    def as_json(self) -> bytes:
        document = {
            "format": _FORMAT,
            "fru": self.fru,
            "store": self.store,
            "public": self.public.as_dict(),
            "sealed": json.loads(self.sealed),
        }
        return json.dumps(document, sort_keys=True, indent=2).encode("ascii") + b"\n"


class KeyDirectory:
    """A directory with key files. ``random`` gives bytes to overwrite with."""

    def __init__(self, path: str, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self.path = path
        self._random = random

    def require(self) -> None:
        """BadInput where it is not there, or others may write."""
        require_own(self.path, "The key directory", writing=True)

    def path_of(self, fru: str) -> str:
        """Readable, and one file for one FRU, whatever letters its name has."""
        digest = hashlib.sha256(fru.encode("utf-8")).hexdigest()[:16]
        return os.path.join(self.path, f"{lock_file.file_name(fru)[:64]}-{digest}.key.json")

    def read(self, fru: str) -> Optional[FruKey]:
        """The key of a FRU, None where there is no file. BadInput for a file that is not what was written."""
        path = self.path_of(fru)
        try:
            with open(path, "rb") as file:
                text = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInput(f"The key file can't be read: {error.strerror}.", where=path) from error
        return _parsed(text, fru, path)

    def write(self, key: FruKey) -> None:
        """Put a key in place: wholly, and on the disk when this returns."""
        write_durably(self.path_of(key.fru), key.as_json())

    def erase(self, fru: str) -> bool:
        """Overwrite the file and remove it; False where there was none.

        Overwriting reaches the blocks where the file lies now. It reaches no copy, no snapshot, no spare block of an
        SSD: where that counts, the private half must be sealed by something that can destroy its own key.
        """
        path = self.path_of(fru)
        # What a run left that was killed while it wrote the file goes with it.
        unfinished = self._overwrite_and_remove(path + UNFINISHED)
        return self._overwrite_and_remove(path) or unfinished

    def _overwrite_and_remove(self, path: str) -> bool:
        try:
            durable_file.overwrite_and_remove(path, self._random)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise BadInput(f"The key file can't be destroyed: {error.strerror}.", where=path) from error
        return True

    @contextmanager
    def locked(self, fru: str) -> Iterator[None]:
        """Nobody else makes or destroys this FRU's key meanwhile; LeaseHeld where somebody does."""
        self.require()
        path = self.path_of(fru) + ".lock"
        handle = lock_file.taken(path)
        if handle < 0:
            raise LeaseHeld(
                "Another run works on the key of this machine now.",
                where=path,
                next="Run again when that one has ended.",
            )
        try:
            yield
        finally:
            os.close(handle)


def write_durably(path: str, content: bytes) -> None:
    """Replace a file by one with this content and mode 0600, on the disk when this returns; BadInput where that can't
    be done."""
    try:
        durable_file.write(path, content, unfinished=path + UNFINISHED)
    except OSError as error:
        raise BadInput(f"The file can't be written: {error.strerror}.", where=path) from error


def _parsed(text: bytes, fru: str, path: str) -> FruKey:
    try:
        said = json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != _FORMAT or not isinstance(said.get("sealed"), dict):
        raise BadInput(
            "The key file is damaged, or of another version.",
            expected=f"a key file of format {_FORMAT}",
            where=path,
            next="If the key was being destroyed when a run was killed, destroy it again; else restore the file.",
        )
    if said.get("fru") != fru:
        raise BadInput("The key file is another machine's.", expected=fru, found=str(said.get("fru"))[:80], where=path)
    public = said.get("public")
    key = public_key(public if isinstance(public, dict) else {}, path)
    return FruKey(fru, str(said.get("store")), key, json.dumps(said["sealed"]).encode("ascii"))

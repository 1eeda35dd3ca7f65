# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cryptsetup on one device or image file. Nothing is mapped: passphrases are tested only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from .._core.errors import BadInput, NotFound
from .._core.programs import Programs, in_memory
from .header import Header, parse_header

#: cryptsetup's own exit status for "no key available with this passphrase" (cryptsetup(8), RETURN CODES).
_NO_KEY = 2


@dataclass(frozen=True)
class Luks:
    """The LUKS2 header of a device."""

    device: str
    programs: Programs

    def read(self) -> Header:
        """The header as it is now."""
        if not os.path.exists(self.device):
            raise NotFound("no such device", expected="a LUKS2 device", found=self.device, where="the node")
        if self.programs.attempt("cryptsetup", "isLuks", "--type", "luks2", self.device).code:
            raise BadInput(
                "not a LUKS2 device",
                expected="a device or file with a LUKS2 header",
                found="another type, or no header",
                where=self.device,
                next="Name the encrypted device itself. LUKS1 has no tokens: convert it (cryptsetup convert).",
            )
        uuid = self._run("luksUUID", self.device).decode().strip()
        return parse_header(uuid, self._run("luksDump", "--dump-json-metadata", self.device), self.device)

    def opens(self, secret: bytes, keyslot: Optional[int] = None) -> bool:
        """Whether the secret opens the device, or this very keyslot."""
        chosen: List[str] = [] if keyslot is None else ["--key-slot", str(keyslot)]
        argv = ("cryptsetup", "open", "--test-passphrase", "--batch-mode", "--disable-external-tokens")
        ended = self.programs.attempt(*argv, *chosen, "--key-file", "-", self.device, stdin=secret)
        if ended.code not in (0, 1, _NO_KEY):
            self._run(*argv[1:], *chosen, "--key-file", "-", self.device, stdin=secret)
        return ended.code == 0

    def add_key(self, keyslot: int, existing: bytes, new: bytes, iterations: int) -> None:
        """A new secret in a free keyslot. The secret has 256 bits: stretching it would only delay each boot."""
        with in_memory(new) as handle:
            self._run(
                *("luksAddKey", "--batch-mode", "--key-slot", str(keyslot)),
                *("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", str(iterations)),
                *("--key-file", "-", self.device, f"/proc/self/fd/{handle}"),
                stdin=existing,
                handles=(handle,),
            )

    def kill(self, keyslot: int) -> None:
        self._run("luksKillSlot", "--batch-mode", self.device, str(keyslot))

    def import_token(self, token: Mapping[str, Any]) -> None:
        self._run("token", "import", "--json-file", "-", self.device, stdin=json.dumps(token).encode())

    def remove_token(self, number: int) -> None:
        self._run("token", "remove", "--token-id", str(number), self.device)

    def _run(self, *argv: str, stdin: bytes = b"", handles: tuple[int, ...] = ()) -> bytes:
        return self.programs.run("cryptsetup", *argv, stdin=stdin, handles=handles, where=self.device)

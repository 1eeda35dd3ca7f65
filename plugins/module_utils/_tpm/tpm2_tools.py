# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of tpm2-tools, on the machine whose TPM it is. Standard library only: this runs on nodes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Dict, Mapping, Tuple

from .._core.errors import MissingTool, NoTpm, Refused, TimedOut, TpmLockedOut
from .._core.hostile import clean

#: Through the kernel's resource manager, so that others may use the TPM at the same time.
DEVICE = "/dev/tpmrm0"
#: How tpm2-tools are told of another TPM than the machine's own.
TCTI = "TPM2TOOLS_TCTI"

#: Seconds; an RSA key takes a slow TPM half a minute.
_PATIENCE = 180

# TCG "TPM 2.0 Library", Part 2, 6.6: TPM_RC_LOCKOUT; TPM_RC_BAD_AUTH and TPM_RC_AUTH_FAIL with the session's number.
_LOCKOUT = re.compile(r"0x0*921\b")
_AUTHORIZATION = re.compile(r"0x0*9(?:a2|8e)\b", re.IGNORECASE)


def require_tpm(environment: Mapping[str, str]) -> None:
    """NoTpm where neither the environment names a TPM nor the machine has one."""
    if not environment.get(TCTI) and not os.path.exists(DEVICE):
        raise NoTpm(
            "this machine shows no TPM 2.0",
            expected=DEVICE,
            found="no such device",
            where="the node",
            next="Switch the TPM on in the firmware's setup. Where there is none, the user has to say so.",
        )


class Tpm2Tools:
    """Runs the programs one after the other, in one directory."""

    def __init__(self, directory: str, environment: Mapping[str, str]) -> None:
        """NoTpm where neither the environment names a TPM nor the machine has one."""
        require_tpm(environment)
        self._directory = directory
        self._environment: Dict[str, str] = dict(environment)
        self._environment[TCTI] = self._environment.get(TCTI) or f"device:{DEVICE}"

    def run(self, tool: str, *arguments: str) -> bytes:
        """What the program prints; files that it reads and writes are in the directory."""
        program = shutil.which(tool, path=self._environment.get("PATH"))
        if program is None:
            raise MissingTool(
                f"{tool} is not installed",
                expected="tpm2-tools 5 or newer",
                found="no such program",
                where="the node",
                next="Install tpm2-tools.",
            )
        try:
            # run_command, which ansible-test wants here, exists only in a module, and bounds no time.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [program, *arguments],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimedOut(
                f"{tool} did not end", expected=f"an answer within {_PATIENCE} s", where="the node"
            ) from error
        if done.returncode:
            raise self._refused(tool, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def flush(self) -> None:
        """Give the TPM's memory back where no resource manager does it."""
        for kind in ("--transient-object", "--loaded-session", "--saved-session"):
            self.run("tpm2_flushcontext", kind)

    def refuse_lockout(self) -> None:
        """TpmLockedOut while the TPM's protection against guessing is at work."""
        properties = self.run("tpm2_getcap", "properties-variable").decode("utf-8", "replace")
        if re.search(r"inLockout:\s*1\b", properties):
            raise _locked_out("TPM2_PT_PERMANENT: inLockout")

    def nv_indices(self) -> Tuple[int, ...]:
        listed = self.run("tpm2_getcap", "handles-nv-index").decode("utf-8", "replace")
        return tuple(int(index, 16) for index in re.findall(r"0x[0-9A-Fa-f]+", listed))

    def _refused(self, tool: str, said: str) -> Refused:
        if _LOCKOUT.search(said):
            return _locked_out(clean(said))
        if _AUTHORIZATION.search(said):
            return Refused(
                f"{tool} is not authorized",
                expected="an endorsement hierarchy without a password",
                found=clean(said),
                where="the node's TPM",
                next="Take the password off the hierarchy (tpm2_changeauth), or clear the TPM.",
            )
        return Refused(f"{tool} failed", expected="exit status 0", found=clean(said), where="the node's TPM")


def _locked_out(found: str) -> TpmLockedOut:
    return TpmLockedOut(
        "the TPM is locked out",
        expected="a TPM that is not in dictionary attack lockout",
        found=found,
        where="the node's TPM",
        next="Wait for its recovery time, or run tpm2_dictionarylockout --clear-lockout with the lockout password.",
    )

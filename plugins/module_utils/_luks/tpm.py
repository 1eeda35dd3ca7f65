# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the node's TPM needs between the programs that use it."""

from __future__ import annotations

from .._core.programs import Programs


def flush_tpm(programs: Programs) -> None:
    """A TPM without the kernel's resource manager keeps each session that a program leaves: soon it has no room."""
    if programs.environment.get("TPM2TOOLS_TCTI"):
        for kind in ("-s", "-t", "-l"):
            programs.attempt("tpm2_flushcontext", kind)

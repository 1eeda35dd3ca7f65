# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of its own: what listens in it cannot be reached from outside, loopback addresses included."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shlex
import subprocess
import sys
import typing as t


class NoNamespaces(Exception):
    """This machine or this user cannot have one; the text says why."""


@contextlib.contextmanager
def network_namespace(folder: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Makes one with nothing in it but its loopback, and gives a Python that runs inside."""
    name = f"hearth-{os.getpid()}"
    for command in (["ip", "netns", "add", name], ["ip", "-n", name, "link", "set", "lo", "up"]):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise NoNamespaces("iproute2 (the command ip) is not installed") from None
        except subprocess.CalledProcessError as error:
            raise NoNamespaces(f"{' '.join(command)}: {error.stderr.strip()}") from None
    try:
        inside = folder / "python-inside"
        inside.write_text(f'#!/bin/sh\nexec ip netns exec {name} {shlex.quote(sys.executable)} "$@"\n')
        inside.chmod(0o755)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, stdin=subprocess.DEVNULL)

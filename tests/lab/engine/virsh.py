# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt, through virsh: the tool that a reader would type, and no library to build."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from subprocess import CompletedProcess

from tests.lab.engine.commands import attempt, run

URI = "qemu:///system"


def virsh(*arguments: str, stdin: str | None = None, timeout: float = 120.0) -> str:
    return run(["virsh", "-q", "-c", URI, *arguments], stdin=stdin, timeout=timeout)


def ask(*arguments: str, timeout: float = 60.0) -> CompletedProcess[str]:
    return attempt(["virsh", "-q", "-c", URI, *arguments], timeout=timeout)


def answers() -> bool:
    """Whether a libvirtd serves here."""
    return ask("version", timeout=30.0).returncode == 0


def domains() -> list[str]:
    return virsh("list", "--all", "--name").split()


def running_domains() -> list[str]:
    return virsh("list", "--name").split()


def pools() -> list[str]:
    return virsh("pool-list", "--all", "--name").split()


def active_networks() -> list[str]:
    return virsh("net-list", "--name").split()


def state(domain: str) -> str:
    """``running``, ``shut off``, ``paused``, …"""
    return virsh("domstate", domain).strip()


def definition(domain: str) -> ET.Element | None:
    """What is defined for the next start, or None where there is no such domain."""
    answer = ask("dumpxml", "--inactive", "--security-info", domain)
    return ET.fromstring(answer.stdout) if answer.returncode == 0 else None


def qemu_owner() -> tuple[int, int]:
    """Whom libvirt runs QEMU as: files that libvirt does not know of must be that user's."""
    for secmodel in ET.fromstring(virsh("capabilities")).iter("secmodel"):
        if secmodel.findtext("model") == "dac":
            for label in secmodel.iter("baselabel"):
                user, _colon, group = (label.text or "").partition(":")
                return int(user.lstrip("+")), int(group.lstrip("+"))
    return 0, 0


def confinements() -> Sequence[str]:
    """The security drivers that confine QEMU: ``apparmor``, ``selinux``."""
    models = (each.findtext("model") or "" for each in ET.fromstring(virsh("capabilities")).iter("secmodel"))
    return [model for model in models if model in ("apparmor", "selinux")]

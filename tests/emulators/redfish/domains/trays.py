# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CD-ROM drives of a domain, and the virtual media in them: images on web servers, served to QEMU over NBD."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from tests.emulators.redfish.domains.description import Tray
from tests.emulators.redfish.domains.nbd import EXPORT, NbdServer
from tests.emulators.redfish.domains.remote_image import RemoteImage, Source
from tests.emulators.redfish.domains.virsh import Virsh
from tests.emulators.redfish.machine import MachineFailed


@dataclass(frozen=True)
class LoadedTray:
    """A CD-ROM drive as the running domain has it."""

    identifier: str  # of the device in QEMU
    socket: str  # of the NBD server that it reads from; "" without a medium or with one of another kind


@dataclass(frozen=True)
class LiveDomain:
    trays: dict[str, LoadedTray]  # target ("sda") → …
    qemu_user: tuple[int, int] | None  # uid and gid that QEMU runs as, where libvirt says so


def read_live(text: str) -> LiveDomain:
    """From the XML of the running domain. Raises MachineFailed."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise MachineFailed(f"libvirt's XML cannot be read: {error}") from error
    trays = {}
    for disk in root.iterfind("devices/disk[@device='cdrom']"):
        target, alias = disk.find("target"), disk.find("alias")
        host = disk.find("source/host[@transport='unix']")
        if target is not None and alias is not None:
            name = alias.get("name", "")
            trays[target.get("dev", "")] = LoadedTray(name, "" if host is None else host.get("socket", ""))
    label = root.findtext("seclabel[@model='dac']/label", "")
    uid, _dummy, gid = label.replace("+", "").partition(":")
    return LiveDomain(trays, (int(uid), int(gid)) if uid.isdecimal() and gid.isdecimal() else None)


class Medium:
    """An inserted image and the socket that QEMU reads it from."""

    def __init__(self, source: Source, folder: Path, name: str, said: Callable[[str], None]) -> None:
        """Blocks while the server is asked. Raises MediumRefused or OSError."""
        self.image = RemoteImage(source, said=said)
        try:
            self.server = NbdServer(self.image, folder / f"{name}-{secrets.token_hex(4)}.sock")
        except BaseException:
            self.image.close()
            raise

    def dies(self) -> None:
        """Reads fail from now on: whoever waits for one goes on. Blocks a moment."""
        self.image.close()

    def close(self) -> None:
        self.image.close()
        self.server.close()


async def plug(virsh: Virsh, domain: str, tray: Tray, medium: Medium, live: LiveDomain) -> None:
    """Raises MachineFailed, with an empty tray."""
    if live.qemu_user is not None:
        medium.server.give_to(*live.qemu_user)
    source = (
        f"<source protocol='nbd' name='{EXPORT}'>"
        f"<host transport='unix' socket={quoteattr(str(medium.server.path))}/></source>"
    )
    try:
        await _update(virsh, domain, tray, "network", source)
    except MachineFailed:
        with contextlib.suppress(MachineFailed):
            await unplug(virsh, domain, tray)
        raise


async def unplug(virsh: Virsh, domain: str, tray: Tray) -> None:
    """By force: a guest that has locked the drive is not asked. Raises MachineFailed."""
    await _update(virsh, domain, tray, "file", "")


async def _update(virsh: Virsh, domain: str, tray: Tray, kind: str, source: str) -> None:
    disk = (
        f"<disk type='{kind}' device='cdrom'><driver name='qemu' type='raw'/>{source}"
        f"<target dev={quoteattr(tray.target)} bus={quoteattr(tray.bus)}/><readonly/></disk>"
    )
    await virsh.run("update-device", domain, "/dev/stdin", "--live", "--force", sent=disk)

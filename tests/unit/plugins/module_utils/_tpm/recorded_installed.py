# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots from disks of our own virtual machines: their event logs, the PCRs that Linux showed, and the initrd.

Recorded from QEMU 7.2 with OVMF_CODE_4M.secboot.fd and swtpm 0.7.1 (tpm-crb, banks sha256 and sha384). One disk has an
EFI system partition and /boot, with Debian 12's shim-signed 1.51~1+deb12u1+16.1-2~deb12u1 and grubx64 of GRUB
2.06-13+deb12u2, under Microsoft's keys; the other a unified kernel image of systemd-stub 252.39-1~deb12u2, under OVMF's
snakeoil keys. The kernel of both is 6.1.192-2. The initrd is one static program that wrote all this to the serial line.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from tests.unit.plugins.module_utils._tpm.recorded_boots import LOGS


@dataclass(frozen=True)
class RecordedDisk:
    log_name: str

    @property
    def log(self) -> bytes:
        return self._bytes("binary_bios_measurements")

    @property
    def initrd(self) -> bytes:
        return self._bytes("initrd")

    def pcrs(self, bank: str) -> dict[int, bytes]:
        """As /sys/class/tpm/tpm0/pcr-* said."""
        return {int(pcr): bytes.fromhex(value) for pcr, value in self._recorded()["pcrs"][bank].items()}

    def _bytes(self, name: str) -> bytes:
        return base64.b64decode("".join(self._recorded()[name]))

    def _recorded(self) -> dict[str, Any]:
        recorded: dict[str, Any] = json.loads((LOGS / f"{self.log_name}.json").read_text(encoding="utf-8"))
        return recorded


GRUB_DISK = RecordedDisk("installed_grub")
UNIFIED_DISK = RecordedDisk("installed_unified")

BOOT_UUID = "0b3c1f66-6f0d-4f0f-9b8e-8d1c3a5e7f21"
ESP_CONFIG = f"""\
search.fs_uuid {BOOT_UUID} root hd0,gpt2\x20
set prefix=($root)'/grub'
configfile $prefix/grub.cfg
"""
GRUB_CONFIG = """\
set default=0
set timeout=0
menuentry 'Debian GNU/Linux' --class debian --unrestricted {
\tlinux /vmlinuz root=/dev/mapper/root ro console=ttyS0 panic=5
\tinitrd /initrd.img
}
"""
COMMAND_LINE = "root=/dev/mapper/root ro console=ttyS0 panic=5"
OS_RELEASE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'

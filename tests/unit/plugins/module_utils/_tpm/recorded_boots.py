# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots of our own virtual machines: what was on the medium, and the event log that the firmware and GRUB left.

Recorded from QEMU 7.2 with OVMF_CODE_4M.ms.fd, Microsoft's keys enrolled, swtpm 0.7.1 as tpm-crb; Debian 12's
shim-signed 1.51~1+deb12u1+16.1-2~deb12u1, gcdx64 of GRUB 2.06-13+deb12u2 and kernel 6.1.192-2.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.prediction import (
    BootImage,
    ExpectedEvent,
    predict_live_image_boots,
)

LOGS = Path(__file__).parent / "logs"

# What Debian's gcdx64.efi.signed holds in its memdisk; test_grub_image.py reads it out of the installed one.
GCD_CONFIG = """\
if [ -z "$prefix" -o ! -e "$prefix" ]; then
\tif ! search --file --set=root /.disk/info; then
\t\tsearch --file --set=root /.disk/mini-info
\tfi
\tset prefix=($root)/boot/grub
fi
if [ -e $prefix/x86_64-efi/grub.cfg ]; then
\tsource $prefix/x86_64-efi/grub.cfg
elif [ -e $prefix/grub.cfg ]; then
\tsource $prefix/grub.cfg
else
\tsource $cmdpath/grub.cfg
fi
"""

SHIM = BootImage("shim", "/EFI/BOOT/BOOTX64.EFI", "80a66d53a945d2286fcadd780fae1c225aa732079cd67b5225dc78aaab4e2ff8")
GRUB = BootImage("grub", "/EFI/BOOT/grubx64.efi", "dca841985136f0533ecd18b589ddf75503660b499c2dcd77b7c7efa7bc5d6a02")
KERNEL_AUTHENTICODE = "6b1bf35c3bee9918250f593a6fff889c75c1e239cd2fe9e5bb0cd3de9dcb8e51"
KERNEL_FILE = "26f2e57c99338feaf71c46fa4babdc7e1a6c115943002d109fdb746667104f5f"


@dataclass(frozen=True)
class RecordedBoot:
    log_name: str
    device: str
    boot_device: str
    """The partition that GRUB was started from, where it is another one; "" where not."""
    grub_cfg: str
    kernel: str
    initrd: str
    initrd_sha256: str

    @property
    def log(self) -> bytes:
        """As Linux showed it in binary_bios_measurements."""
        recorded = json.loads((LOGS / f"{self.log_name}.json").read_text(encoding="utf-8"))
        return base64.b64decode("".join(recorded["binary_bios_measurements"]))

    def files(self) -> dict[str, str]:
        return {
            "/boot/grub/grub.cfg": hashlib.sha256(self.grub_cfg.encode()).hexdigest(),
            self.kernel: KERNEL_FILE,
            self.initrd: self.initrd_sha256,
            "/.disk/info": hashlib.sha256(b"hearth test\n").hexdigest(),
        }

    def images(self) -> list[BootImage]:
        return [SHIM, GRUB, BootImage("kernel", self.kernel, KERNEL_AUTHENTICODE)]

    def predicted(self) -> tuple[tuple[ExpectedEvent, ...], ...]:
        return predict_live_image_boots(
            images=self.images(),
            embedded_config=GCD_CONFIG,
            files=self.files(),
            configs={"/boot/grub/grub.cfg": self.grub_cfg},
        )


MENUENTRY = RecordedBoot(
    log_name="menuentry_cd0",
    device="cd0",
    boot_device="",
    grub_cfg=(
        'set timeout=0\nset default=0\nmenuentry "Hearth live" {\n'
        "\tlinux /live/vmlinuz console=ttyS0 panic=5 ro\n\tinitrd /live/initrd.img\n}\n"
    ),
    kernel="/live/vmlinuz",
    initrd="/live/initrd.img",
    initrd_sha256="96f31110ba3a88ea11190ecb80baec0d9e9ae776a327a3f0d3c7e86c6548063b",
)

# The same medium as a disk: firmware tried the empty CD drive first, came back, and GRUB counts it as the second CD.
SECOND_TRY = RecordedBoot(
    log_name="menuentry_cd1_second_try",
    device="cd1",
    boot_device="",
    grub_cfg=MENUENTRY.grub_cfg,
    kernel=MENUENTRY.kernel,
    initrd=MENUENTRY.initrd,
    initrd_sha256=MENUENTRY.initrd_sha256,
)

# Such a medium as a disk, with an EFI partition that the firmware found.
FROM_PARTITION = replace(
    MENUENTRY,
    log_name="menuentry_hd0_partition",
    device="hd0",
    boot_device="hd0,gpt2",
    initrd_sha256="2744946a8f67f33422815aa6aa3bcab9d318803fe8322c0b0e636f291ee88194",
)

# The live image as its role built it first.
HEARTH = RecordedBoot(
    log_name="hearth_cd0",
    device="cd0",
    boot_device="",
    grub_cfg=(
        "linux /hearth/vmlinuz boot=hearth panic=30 ima_policy=tcb ima_hash=sha256 console=tty0 "
        "console=ttyS0,115200n8\ninitrd /hearth/initrd.img\nboot\n"
    ),
    kernel="/hearth/vmlinuz",
    initrd="/hearth/initrd.img",
    initrd_sha256="fe2527bd25aff6fd9ddb1f7286babc2db00952dfaa723ec75c2cebfc34deb3e0",
)

RECORDED = (MENUENTRY, SECOND_TRY, FROM_PARTITION, HEARTH)

# The first medium, with 1024 zeros behind its initrd.
SWAPPED_INITRD = replace(
    MENUENTRY,
    log_name="menuentry_swapped_initrd",
    initrd_sha256="",
)

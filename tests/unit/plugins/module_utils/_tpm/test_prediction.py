# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is predicted from files is what firmware and GRUB measured."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import Unsupported
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.prediction import (
    event_from_dict,
    predict_grub_boot,
)
from tests.unit.plugins.module_utils._tpm.recorded_boots import GCD_CONFIG, MENUENTRY, RECORDED, RecordedBoot


def measured(log: bytes, pcr: int) -> list[str]:
    """SHA-256 digests of one PCR: a second reader of the log, which knows only what these logs hold."""
    (length,) = struct.unpack_from("<I", log, 28)
    at = 32 + length
    found = []
    while at < len(log):
        index, _type, count, algorithm = struct.unpack_from("<IIIH", log, at)
        assert (count, algorithm) == (1, 0x0B)
        digest = log[at + 14 : at + 46]
        (size,) = struct.unpack_from("<I", log, at + 46)
        at += 50 + size
        if index == pcr:
            found.append(digest.hex())
    return found


@pytest.mark.parametrize("boot", RECORDED, ids=lambda boot: boot.log_name)
@pytest.mark.parametrize("pcr", [8, 9])
def test_grub_measures_what_was_predicted(boot: RecordedBoot, pcr: int) -> None:
    events = boot.predicted()[1 if boot.boot_device else 0]
    expected = [event.on(boot.device, boot.boot_device).digest_sha256 for event in events if event.pcr == pcr]
    assert expected == measured(boot.log, pcr)


@pytest.mark.parametrize("boot", RECORDED, ids=lambda boot: boot.log_name)
def test_firmware_measures_the_chain_that_was_predicted(boot: RecordedBoot) -> None:
    expected = [event.digest_sha256 for event in boot.predicted()[0] if event.pcr == 4]
    found = measured(boot.log, 4)
    if boot.log_name.endswith("second_try"):
        returning = b"Returning from EFI Application from Boot Option"
        assert found.pop(2) == hashlib.sha256(returning).hexdigest()
        assert found.pop(2) == expected[0]
    assert expected == found


def test_from_a_partition_grub_searches_for_the_medium_first() -> None:
    _as_medium, from_partition = MENUENTRY.predicted()
    texts = [event.on("hd0", "hd0,gpt2").what for event in from_partition if event.pcr == 8]
    assert texts[:5] == [
        "grub_cmd: [ -z (hd0,gpt2)/boot/grub -o ! -e (hd0,gpt2)/boot/grub ]",
        "grub_cmd: ! search --file --set=root /.disk/info",
        "grub_cmd: set prefix=(hd0)/boot/grub",
        "grub_cmd: [ -e (hd0)/boot/grub/x86_64-efi/grub.cfg ]",
        "grub_cmd: [ -e (hd0)/boot/grub/grub.cfg ]",
    ]
    assert next(event.what for event in from_partition if event.pcr == 9) == "({device})/.disk/info"


def test_a_medium_that_grub_would_not_find_from_a_partition_boots_as_a_cd_only() -> None:
    files = {path: digest for path, digest in MENUENTRY.files().items() if path != "/.disk/info"}
    with pytest.raises(Unsupported):
        predict_grub_boot(
            images=MENUENTRY.images(),
            embedded_config=GCD_CONFIG,
            files=files,
            configs={"/boot/grub/grub.cfg": MENUENTRY.grub_cfg},
            loaded_from="partition",
        )


def test_an_event_survives_the_manifest() -> None:
    for event in MENUENTRY.predicted()[0]:
        assert event_from_dict(event.as_dict()) == event
        assert ("digest_sha256" in event.as_dict()) is (event.pcr != 8 or "{device}" not in event.what)


@pytest.mark.parametrize(
    "grub_cfg",
    [
        "load_env\n" + MENUENTRY.grub_cfg,
        "function f {\n}\n" + MENUENTRY.grub_cfg,
        "for x in a b; do true; done\n" + MENUENTRY.grub_cfg,
        MENUENTRY.grub_cfg.replace("default=0", "default=1"),
        MENUENTRY.grub_cfg.replace("/live/initrd.img", "/live/other.img"),
        MENUENTRY.grub_cfg.replace("linux /live/vmlinuz", "linux /live/initrd.img"),
        MENUENTRY.grub_cfg.replace("panic=5", '"a b"'),
        MENUENTRY.grub_cfg.replace("panic=5", "$nothing"),
        MENUENTRY.grub_cfg.replace("Hearth live", "{device}"),
        MENUENTRY.grub_cfg + "source /boot/grub/other.cfg\n",
        "chainloader /EFI/BOOT/grubx64.efi\n" + MENUENTRY.grub_cfg,
        "if [ -f /x ]; then\nboot\nfi\n" + MENUENTRY.grub_cfg,
        MENUENTRY.grub_cfg.replace("}", "# }"),
        MENUENTRY.grub_cfg + "echo 'never ends\n",
        "boot\n" + MENUENTRY.grub_cfg,
        "",
    ],
)
def test_what_cannot_be_predicted_is_refused(grub_cfg: str) -> None:
    with pytest.raises(Unsupported):
        replace(MENUENTRY, grub_cfg=grub_cfg).predicted()

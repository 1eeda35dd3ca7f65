# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unified kernel images: what was recorded, what systemd-measure says, and what is refused."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AttestationRefused,
    BadInput,
    Unsupported,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pcr_policy import policy_digest
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.installed_boot import UnifiedFiles
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measured_boot import (
    Measured,
    Question,
    measured_boot,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measurement import BANKS, value_of
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.unified_image import (
    phase_measurements,
    read_unified_image,
)
from tests.unit.plugins.module_utils._tpm.installed_files import SHIM, efi_variables, installed
from tests.unit.plugins.module_utils._tpm.machines import Machines
from tests.unit.plugins.module_utils._tpm.recorded_installed import COMMAND_LINE, UNIFIED_DISK
from tests.unit.plugins.module_utils._tpm.unified_images import (
    magic,
    recorded_sections,
    sign,
    small_image,
    unified_image,
)

MEASURE = Path("/usr/lib/systemd/systemd-measure")
MEASURED_BANKS = ("sha256", "sha384")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image that was recorded, made once more."""
    folder = tmp_path_factory.mktemp("unified")
    return sign(unified_image(folder, recorded_sections()), folder)


def ask(folder: Path, image: Path, bank: str = "sha256", pcrs: tuple[int, ...] = (4, 7, 11), **more: Any) -> Measured:
    log = folder / "event_log"
    log.write_bytes(UNIFIED_DISK.log)
    variables = folder / "efivars"
    if not variables.exists():
        efi_variables(variables, UNIFIED_DISK.log)
    question = Question(
        bank=BANKS[bank],
        pcrs=pcrs,
        event_log=str(log),
        efi_variables=str(variables),
        files=more.pop("files", UnifiedFiles(str(image))),
        pcr_values=UNIFIED_DISK.pcrs(bank),
        **more,
    )
    return measured_boot(question, os.environ)


@pytest.mark.parametrize("bank", MEASURED_BANKS)
def test_every_pcr_of_a_unified_kernel_image_is_predicted(bank: str, image: Path, tmp_path: Path) -> None:
    measured = ask(tmp_path, image, bank, have_booted=True)
    shown = UNIFIED_DISK.pcrs(bank)
    assert measured.predicted == {pcr: shown[pcr] for pcr in (4, 7, 11)}
    assert (measured.differences, measured.command_line, measured.secure_boot) == ((), COMMAND_LINE, True)
    # And that the next boot will have the same PCR 7.
    assert ask(tmp_path, image, bank).predicted == measured.predicted


def test_another_section_is_named(tmp_path: Path) -> None:
    sections = {**recorded_sections(), ".cmdline": f"{COMMAND_LINE} init=/bin/sh".encode()}
    other = sign(unified_image(tmp_path, sections), tmp_path)
    measured = ask(tmp_path, other, pcrs=(7, 11))
    (difference,) = measured.differences
    assert difference.as_dict()["expected"] == "contents of .cmdline"
    assert measured.predicted[7] == UNIFIED_DISK.pcrs("sha256")[7]
    assert measured.command_line.endswith("init=/bin/sh")
    with pytest.raises(VerificationFailed, match="not what this boot measured"):
        ask(tmp_path, other, have_booted=True)


def test_an_image_that_nobody_signed_would_not_boot(tmp_path: Path) -> None:
    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, unified_image(tmp_path, recorded_sections()), pcrs=(7, 11))
    assert "a program of the authorities that were measured (db)" in refused.value.expected


def test_an_image_behind_shim_is_another_boot(image: Path, tmp_path: Path) -> None:
    files = UnifiedFiles(str(image), shim=str(installed(SHIM)))
    with pytest.raises(AttestationRefused, match="PCR 7 of the next boot"):
        ask(tmp_path, image, files=files, pcrs=(7, 11))
    with pytest.raises(Unsupported, match="PCR 4 cannot be predicted from this event log"):
        ask(tmp_path, image, files=files, pcrs=(4,))


@pytest.mark.parametrize("pcr", [8, 9, 12, 13])
def test_what_the_stub_and_the_kernel_measure_beside_it_is_not_predicted(pcr: int, image: Path, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=f"PCR {pcr} cannot be predicted"):
        ask(tmp_path, image, pcrs=(7, pcr))


def measure(folder: Path, sections: dict[str, bytes], *words: str, **more: Any) -> bytes:
    """systemd's own prediction."""
    if not MEASURE.exists():
        pytest.skip(f"{MEASURE} is not installed")
    files = []
    for name, contents in sections.items():
        path = folder / f"measure{name}"
        path.write_bytes(contents)
        files.append(f"-{name.replace('.', '-')}={path}")
    return subprocess.run([MEASURE, *words, *files], check=True, capture_output=True, **more).stdout


EVERY_SECTION = {
    ".linux": b"a kernel",
    ".osrel": b"ID=debian\n",
    ".cmdline": b"root=/dev/sda ro",
    ".initrd": b"an initrd" * 1000,
    ".splash": b"BM",
    ".dtb": b"\xd0\x0d\xfe\xed",
    ".pcrpkey": b"-----BEGIN PUBLIC KEY-----\n",
}


@pytest.mark.parametrize("phases", [(), ("enter-initrd",), ("enter-initrd", "leave-initrd", "sysinit", "ready")])
@pytest.mark.parametrize("left_out", [(), (".osrel",), (".splash", ".dtb", ".pcrpkey")])
def test_systemd_measure_predicts_the_same(phases: tuple[str, ...], left_out: tuple[str, ...], tmp_path: Path) -> None:
    sections = {name: contents for name, contents in EVERY_SECTION.items() if name not in left_out}
    said = measure(
        tmp_path,
        sections,
        *("calculate", "--json=short", "--bank=sha256", "--bank=sha384", f"--phase={':'.join(phases) or ':'}"),
    )
    theirs = json.loads(said)
    unified = read_unified_image(small_image([*reversed(sections.items()), (".pcrsig", b"{}"), magic("252.39-1")]))
    for bank in MEASURED_BANKS:
        made = (*unified.measurements(BANKS[bank]), *phase_measurements(phases, BANKS[bank]))
        (value,) = [one["hash"] for one in theirs[bank] if one["pcr"] == 11]
        assert value == value_of(11, made, BANKS[bank]).hex()


def test_the_policy_is_what_systemd_measure_signs(machines: Machines, tmp_path: Path) -> None:
    """``pol`` in the JSON that goes into .pcrsig."""
    machine = machines.new()
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    sections = {".linux": b"a kernel", ".cmdline": b"ro"}
    said = measure(
        tmp_path,
        sections,
        *("sign", f"--tpm2-device={machine.tpm.tcti}", "--bank=sha256", "--phase=enter-initrd"),
        *(f"--private-key={private}", f"--public-key={public}"),
    )
    (signed,) = json.loads(said)["sha256"]
    unified = read_unified_image(small_image([*sections.items(), magic("252")]))
    made = (*unified.measurements(algorithm.SHA256), *phase_measurements(["enter-initrd"], algorithm.SHA256))
    value = value_of(11, made, algorithm.SHA256)
    assert (signed["pcrs"], signed["pol"]) == ([11], policy_digest("sha256", [11], value, "sha256"))


def test_a_newer_stub_measures_more() -> None:
    sections = [*EVERY_SECTION.items(), (".uname", b"6.12"), (".sbat", b"sbat,1"), (".ucode", b"microcode")]

    def names(version: str) -> list[str]:
        unified = read_unified_image(small_image([*sections, magic(version)]))
        return [name for name, _contents in unified.sections]

    older = [".linux", ".osrel", ".cmdline", ".initrd", ".splash", ".dtb", ".pcrpkey"]
    assert names("252.39-1~deb12u2") == names("253") == older
    assert names("254.1") == [*older[:6], ".uname", ".sbat", ".pcrpkey"]
    assert names("257.7-1") == [*older[:4], ".ucode", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey"]


def test_pcr_4_of_a_newer_stub_is_not_predicted(tmp_path: Path) -> None:
    newer = tmp_path / "newer.efi"
    newer.write_bytes(small_image([(".linux", b"k"), (".cmdline", b"ro"), magic("255.4")]))
    with pytest.raises(Unsupported, match="PCR 4 can be predicted only"):
        ask(tmp_path, newer, pcrs=(4, 11))
    assert set(ask(tmp_path, newer, pcrs=(11,)).predicted) == {11}


def test_what_a_loader_fills_with_zeros_is_measured_too() -> None:
    unified = read_unified_image(small_image([(".linux", b"k"), (".cmdline", b"ro"), magic("252")], filling=1000))
    assert dict(unified.sections)[".cmdline"] == b"ro" + bytes(1000)
    assert unified.command_line == "ro"


WHOLE = [(".linux", b"k"), (".cmdline", b"ro"), magic("252")]


@pytest.mark.parametrize(
    "image",
    [
        small_image(WHOLE[:2]),
        small_image([*WHOLE[:2], magic("251.4")]),
        small_image([*WHOLE[:2], (".sdmagic", b"something else")]),
        small_image(WHOLE[1:]),
        small_image([WHOLE[0], WHOLE[2]]),
        small_image([*WHOLE, (".cmdline", b"rw")]),
        small_image([*WHOLE, (".profile", b"ID=other")]),
        small_image([*WHOLE, (".dtbauto", b"\xd0\x0d\xfe\xed")]),
        small_image(WHOLE, filling=2 * 1024 * 1024),
    ],
)
def test_what_cannot_be_predicted_is_refused(image: bytes) -> None:
    with pytest.raises(Unsupported, match="PCR 11 cannot be predicted"):
        read_unified_image(image)


def with_section_count(image: bytes, count: int) -> bytes:
    return image[:70] + struct.pack("<H", count) + image[72:]


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"MZ",
        small_image(WHOLE)[:200],
        small_image(WHOLE)[:-600],
        with_section_count(small_image(WHOLE), 97),
        with_section_count(small_image(WHOLE), 0xFFFF),
    ],
)
def test_what_is_no_program_is_refused(image: bytes) -> None:
    with pytest.raises(BadInput, match="no UEFI program"):
        read_unified_image(image)


def test_damage_anywhere_never_raises_anything_else() -> None:
    whole = small_image([*EVERY_SECTION.items(), magic("252")])
    chance = random.Random(11)
    ends = set()
    for _round in range(3000):
        damaged = bytearray(whole)
        for _flip in range(chance.randint(1, 4)):
            damaged[chance.randrange(700)] = chance.randrange(256)
        try:
            end = chance.choice([len(damaged), chance.randint(300, len(damaged))])
            read_unified_image(bytes(damaged[:end])).measurements(algorithm.SHA384)
            ends.add("read")
        except (BadInput, Unsupported) as error:
            ends.add(error.type)
    assert ends == {"read", "BadInput", "Unsupported"}


def test_a_directory_or_a_device_is_no_image(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Exception, match="cannot be read"):
            ask(tmp_path, path, pcrs=(11,))
    with pytest.raises(BadInput, match="no UEFI program"):
        ask(tmp_path, Path(os.devnull), pcrs=(11,))

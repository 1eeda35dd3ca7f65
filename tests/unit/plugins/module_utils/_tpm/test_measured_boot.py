# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a log leads to, who is to blame where it does not, and what is predicted from files."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AttestationRefused,
    BadInput,
    HearthError,
    NotFound,
    ProtocolViolation,
    Unsupported,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import Event, parse_event_log
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.installed_boot import Mount
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measured_boot import (
    PCRS,
    Measured,
    Question,
    measured_boot,
)
from tests.unit.plugins.module_utils._tpm.installed_files import (
    SHIM,
    GrubTree,
    efi_variables,
    installed,
    medium_tree,
)
from tests.unit.plugins.module_utils._tpm.machines import Machines, changed_log, event
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH, MENUENTRY
from tests.unit.plugins.module_utils._tpm.recorded_installed import GRUB_DISK

BANK = algorithm.SHA256


def values_of(log: bytes, bank: int = BANK) -> dict[int, bytes]:
    """What the PCRs hold on a machine that measured this."""
    size = algorithm.DIGEST_SIZE[bank]
    replayed = parse_event_log(log).replay(bank)
    return {pcr: replayed.get(pcr, bytes(size)) for pcr in PCRS}


def ask(folder: Path, log: bytes, values: Mapping[int, bytes] | None = None, **more: Any) -> Measured:
    """``values``: what the PCRs hold, if it is not what the log says."""
    path = folder / "event_log"
    path.write_bytes(log)
    question = Question(
        **{
            "bank": BANK,
            "pcrs": (7, 8, 9),
            "event_log": str(path),
            "efi_variables": str(folder / "efivars"),
            "pcr_values": values_of(log) if values is None else values,
            **more,
        }
    )
    return measured_boot(question, os.environ)


# The log and the PCRs.


def test_a_log_and_a_tpm_agree(machines: Machines, tmp_path: Path) -> None:
    machine = machines.booted(HEARTH)
    question = Question(
        bank=BANK, pcrs=(0, 4, 7, 8, 9), event_log=machine.log_file, efi_variables=str(tmp_path), pcr_values={}
    )
    measured = measured_boot(question, machine.tpm.environment)
    # The node's document went into PCR 12, which the log does not tell of.
    assert [one.pcr for one in measured.replay.unexplained] == [12]
    assert measured.values((8, 9)) == machine.tpm.run("tpm2_pcrread", "sha256:8,9", "-Q", "-o", "/dev/stdout")
    assert measured.secure_boot and not measured.predicted and measured.log_sha256 == sha256(machine.log)
    with pytest.raises(AttestationRefused) as refused:
        measured_boot(replace(question, pcrs=(9, 12)), machine.tpm.environment)
    assert refused.value.found == "PCR 12: something was measured, and the log has no event of this PCR"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_bank_that_the_log_or_the_tpm_does_not_have(machines: Machines, tmp_path: Path) -> None:
    machine = machines.booted(HEARTH)
    question = Question(
        bank=algorithm.SHA384, pcrs=(8,), event_log=machine.log_file, efi_variables=str(tmp_path), pcr_values={}
    )
    with pytest.raises(ProtocolViolation, match="cannot be read"):
        measured_boot(question, machine.tpm.environment)
    machine.log = GRUB_DISK.log
    with pytest.raises(Unsupported, match="does not measure into this bank"):
        measured_boot(replace(question, event_log=machine.log_file), machine.tpm.environment)


def event_of(log: bytes, pcr: int, index: int) -> Event:
    return parse_event_log(log).of_pcr(pcr)[index]


def left_out(events: list[Event], number: int) -> list[Event]:
    return [one for one in events if one.number != number]


@pytest.mark.parametrize("pcr", [0, 4, 7, 8, 9])
def test_an_event_that_was_not_measured_is_named(pcr: int, tmp_path: Path) -> None:
    alien = event(pcr, 13, b"grub_cmd: never\0", hashlib.sha256(b"never").digest())

    def with_alien(events: list[Event]) -> list[Event]:
        place = event_of(HEARTH.log, pcr, 1).number - 1
        return [*events[:place], alien, *events[place:]]

    longer = changed_log(HEARTH.log, with_alien)
    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, longer, values_of(HEARTH.log), pcrs=(pcr,))
    number = event_of(longer, pcr, 1).number
    assert f"PCR {pcr}: this event is in the log and was not measured (event {number}: " in refused.value.found
    assert values_of(HEARTH.log)[pcr].hex() in refused.value.expected


def test_a_log_that_goes_on_too_long_is_cut_where_the_pcr_stopped(tmp_path: Path) -> None:
    stop = event_of(HEARTH.log, 8, 3)
    shorter = changed_log(
        HEARTH.log, lambda events: [one for one in events if one.pcr != 8 or one.number < stop.number]
    )
    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, HEARTH.log, values_of(shorter))
    assert f"this event and all behind it are in the log and were not measured (event {stop.number}: " in str(
        refused.value.found
    )


def test_a_digest_that_is_not_of_the_events_text_is_named(tmp_path: Path) -> None:
    true = event_of(HEARTH.log, 8, 4)

    def forged(events: list[Event]) -> list[Event]:
        return [replace(one, digests={BANK: bytes(32)}) if one.number == true.number else one for one in events]

    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, changed_log(HEARTH.log, forged), values_of(HEARTH.log))
    assert f"is another than that of its text (event {true.number}: grub_cmd: linux" in refused.value.found


def test_events_in_another_order_are_named(tmp_path: Path) -> None:
    first, second = event_of(HEARTH.log, 9, 0), event_of(HEARTH.log, 9, 1)

    def swapped(events: list[Event]) -> list[Event]:
        there = {first.number: second, second.number: first}
        return [there.get(one.number, one) for one in events]

    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, changed_log(HEARTH.log, swapped), values_of(HEARTH.log))
    assert f"in front of the one before it (event {second.number}: {first.text})" in refused.value.found


def test_what_was_measured_without_an_event_is_told(tmp_path: Path) -> None:
    shorter = changed_log(HEARTH.log, lambda events: left_out(events, event_of(HEARTH.log, 9, 1).number))
    with pytest.raises(AttestationRefused, match="does not lead to what the PCRs hold") as refused:
        ask(tmp_path, shorter, values_of(HEARTH.log))
    assert refused.value.found == "PCR 9: more was measured than the log says, or something else"


@pytest.mark.parametrize(("pcr", "index"), [(8, 2), (7, 0)])
def test_an_event_that_says_something_else_is_refused_though_the_log_leads_there(
    pcr: int, index: int, tmp_path: Path
) -> None:
    true = event_of(HEARTH.log, pcr, index)

    def lying(events: list[Event]) -> list[Event]:
        return [
            replace(one, data=b"grub_cmd: set harmless=1\0") if one.number == true.number else one for one in events
        ]

    told = changed_log(HEARTH.log, lying)
    assert values_of(told) == values_of(HEARTH.log)
    with pytest.raises(AttestationRefused, match="something else than was measured") as refused:
        ask(tmp_path, told)
    assert f"event {true.number} of PCR {pcr}" in refused.value.found


def test_a_pcr_that_the_system_itself_extended(tmp_path: Path) -> None:
    cap = hashlib.sha256(b"capped").digest()
    values = values_of(HEARTH.log)
    capped = {**values, 8: hashlib.sha256(values[8] + cap).digest()}
    with pytest.raises(AttestationRefused, match="does not lead"):
        ask(tmp_path, HEARTH.log, capped)
    measured = ask(tmp_path, HEARTH.log, capped, extended_since={8: [cap]})
    assert (measured.replay.unexplained, measured.values((8,))) == ((), values[8])
    with pytest.raises(AttestationRefused, match="does not lead") as refused:
        ask(tmp_path, HEARTH.log, values, extended_since={8: [cap]})
    assert refused.value.found == "PCR 8: it was not extended since, though it should have been"


@pytest.mark.parametrize(
    "words", [["enter-initrd"], ["sysinit", "ready"], ["enter-initrd", "leave-initrd", "sysinit", "ready"]]
)
def test_phases_of_systemd_are_known(words: list[str], tmp_path: Path) -> None:
    values = values_of(HEARTH.log)
    for word in words:
        values[11] = hashlib.sha256(values[11] + hashlib.sha256(word.encode()).digest()).digest()
    assert ask(tmp_path, HEARTH.log, values, pcrs=(11,)).replay.phases == tuple(words)
    values[11] = bytes([1]) * 32
    with pytest.raises(AttestationRefused):
        ask(tmp_path, HEARTH.log, values, pcrs=(11,))


def test_a_log_with_many_events_is_judged_in_time(tmp_path: Path) -> None:
    many = [event(8, 13, b"grub_cmd: true\0", hashlib.sha256(b"true").digest())] * 15000
    log = changed_log(HEARTH.log, lambda events: [*events, *many])
    begun = time.monotonic()
    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, log, values_of(HEARTH.log))
    assert "PCR 8: more was measured" in refused.value.found and time.monotonic() - begun < 10


def test_a_damaged_log_is_refused_or_says_the_same(tmp_path: Path) -> None:
    chance = random.Random(6)
    values = values_of(HEARTH.log)
    whole = ask(tmp_path, HEARTH.log)
    refused = 0
    for _round in range(400):
        damaged = bytearray(HEARTH.log)
        for _flip in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            measured = ask(
                tmp_path, bytes(damaged[: chance.choice([len(damaged), chance.randint(0, len(damaged))])]), values
            )
        except HearthError:
            refused += 1
            continue
        assert measured.values((7, 8, 9)) == whole.values((7, 8, 9))
    # Most of a log is of other PCRs; what is cut off is missed.
    assert 200 < refused < 400


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"pcrs": (10,)}, BadInput),
        ({"pcrs": (16,)}, BadInput),
        ({"have_booted": True}, BadInput),
        ({"values": {8: bytes(32)}}, BadInput),
        ({"event_log": "/nonexistent"}, NotFound),
        ({"event_log": os.devnull}, NotFound),
        ({"event_log": "/etc/hostname"}, ProtocolViolation),
        ({"bank": algorithm.SHA384}, ProtocolViolation),
    ],
)
def test_wrong_questions(more: dict[str, Any], error: type[HearthError], tmp_path: Path) -> None:
    with pytest.raises(error):
        ask(tmp_path, HEARTH.log, **more)


# Predictions.


@pytest.fixture
def tree(tmp_path: Path) -> GrubTree:
    """What the boot of MENUENTRY came from, but for its initrd."""
    efi_variables(tmp_path / "efivars", MENUENTRY.log)
    return medium_tree(tmp_path / "medium")


def test_only_the_other_initrd_is_told(tree: GrubTree, tmp_path: Path) -> None:
    measured = ask(tmp_path, MENUENTRY.log, pcrs=(4, 7, 8, 9), files=tree.files())
    values = values_of(MENUENTRY.log)
    assert {pcr: measured.predicted[pcr] for pcr in (4, 7, 8)} == {pcr: values[pcr] for pcr in (4, 7, 8)}
    (difference,) = measured.differences
    said = difference.as_dict()
    assert (said["pcr"], said["expected"], said["found"]) == (9, "/live/initrd.img", "/live/initrd.img")
    assert said["number"] == event_of(MENUENTRY.log, 9, -1).number
    assert said["found_digest"] == MENUENTRY.initrd_sha256 != said["expected_digest"]
    assert measured.command_line == "/live/vmlinuz console=ttyS0 panic=5 ro"
    with pytest.raises(VerificationFailed) as failed:
        ask(tmp_path, MENUENTRY.log, files=tree.files(), have_booted=True)
    assert failed.value.found == f"PCR 9: event {said['number']} /live/initrd.img instead of /live/initrd.img"
    assert ask(tmp_path, MENUENTRY.log, pcrs=(4, 7, 8), files=tree.files(), have_booted=True).differences == ()


def test_what_will_be_there_is_predicted_before_it_is(tree: GrubTree, tmp_path: Path) -> None:
    new = tmp_path / "new.cfg"
    new.write_text(MENUENTRY.grub_cfg.replace("ro\n", "ro init=/bin/sh\n"), encoding="utf-8")
    tree.replacements[str(tree.folder / "boot/grub/grub.cfg")] = str(new)
    before = ask(tmp_path, MENUENTRY.log, files=tree.files())
    assert before.command_line.endswith(" ro init=/bin/sh")
    assert {one.pcr for one in before.differences} == {8, 9}
    tree.replacements.clear()
    (tree.folder / "boot/grub/grub.cfg").write_bytes(new.read_bytes())
    after = ask(tmp_path, MENUENTRY.log, files=tree.files())
    assert before.predicted == after.predicted


def test_a_link_is_followed_within_the_file_system_only(tree: GrubTree, tmp_path: Path) -> None:
    plain = ask(tmp_path, MENUENTRY.log, files=tree.files())
    initrd = tree.folder / "live/initrd.img"
    initrd.rename(tree.folder / "live/initrd.img-6.1")
    initrd.symlink_to("initrd.img-6.1")
    assert ask(tmp_path, MENUENTRY.log, files=tree.files()).predicted == plain.predicted
    initrd.unlink()
    initrd.symlink_to("/etc/hostname")
    with pytest.raises(Unsupported, match="another file system"):
        ask(tmp_path, MENUENTRY.log, files=tree.files())


@pytest.mark.parametrize(
    "grub_cfg",
    [
        "load_env\n" + MENUENTRY.grub_cfg,
        "search --label --set=root HEARTH\n" + MENUENTRY.grub_cfg,
        "search.fs_label HEARTH root\n" + MENUENTRY.grub_cfg,
        "search.other HEARTH root\n" + MENUENTRY.grub_cfg,
        "search --fs-uuid --set=root --hint hd0,gpt2 AAAA-BBBB\n" + MENUENTRY.grub_cfg,
        MENUENTRY.grub_cfg.replace("/live/initrd.img", "/live/missing.img"),
        MENUENTRY.grub_cfg.replace("/live/initrd.img", "(hd7)/live/initrd.img"),
        MENUENTRY.grub_cfg.replace("set default=0", "set default=saved"),
        "if [ -s $prefix/grubenv ]; then\nload_env\nfi\n" + MENUENTRY.grub_cfg,
        "menuentry --id x title {\n\tlinux /live/vmlinuz\n}\n",
        "menuentry nothing {\n\techo nothing\n}\n",
        "source $prefix/grub.cfg\n",
        "# a long comment\n" * (64 * 1024 + 1),
    ],
)
def test_a_configuration_that_cannot_be_predicted_is_refused(grub_cfg: str, tree: GrubTree, tmp_path: Path) -> None:
    (tree.folder / "boot/grub/grub.cfg").write_text(grub_cfg, encoding="utf-8")
    with pytest.raises(Unsupported):
        ask(tmp_path, MENUENTRY.log, files=tree.files())


def test_a_script_that_is_no_text_or_not_there(tree: GrubTree, tmp_path: Path) -> None:
    script = tree.folder / "boot/grub/grub.cfg"
    script.write_bytes(b"\xff\xfe")
    with pytest.raises(Unsupported, match="no text"):
        ask(tmp_path, MENUENTRY.log, files=tree.files())
    script.write_text("source /boot/grub/other.cfg\n", encoding="utf-8")
    with pytest.raises(NotFound, match="cannot be read"):
        ask(tmp_path, MENUENTRY.log, files=tree.files())


@pytest.mark.parametrize("pcr", [10, 11, 12, 13])
def test_a_pcr_that_does_not_follow_from_grubs_files(pcr: int, tree: GrubTree, tmp_path: Path) -> None:
    with pytest.raises((Unsupported, BadInput)):
        ask(tmp_path, MENUENTRY.log, pcrs=(pcr,), files=tree.files())


def test_grubs_names_come_from_the_log_where_they_leave_no_choice(tree: GrubTree, tmp_path: Path) -> None:
    named = medium_tree(tmp_path / "named", device="cd0")
    found = ask(tmp_path, MENUENTRY.log, pcrs=(8,), files=tree.files())
    assert found.predicted == ask(tmp_path, MENUENTRY.log, pcrs=(8,), files=named.files()).predicted
    other = medium_tree(tmp_path / "other", device="cd1")
    assert ask(tmp_path, MENUENTRY.log, pcrs=(8,), files=other.files()).predicted != found.predicted
    for mounts in ([*tree.mounts, Mount(str(tmp_path))], [Mount(str(tmp_path), "cd0"), Mount(str(tmp_path), "cd0")]):
        tree.mounts = mounts
        with pytest.raises(BadInput, match="name of a file system is not known"):
            ask(tmp_path, MENUENTRY.log, pcrs=(8,), files=tree.files())


def test_pcr_4_needs_a_chain_like_that_of_the_log(tree: GrubTree, tmp_path: Path) -> None:
    short = changed_log(
        MENUENTRY.log, lambda events: [one for one in events if one.pcr != 4 or one.event_type != APPLICATION]
    )
    with pytest.raises(Unsupported, match="PCR 4 cannot be predicted from this event log"):
        ask(tmp_path, short, pcrs=(4,), files=tree.files())
    with pytest.raises(Unsupported, match="by way of shim"):
        ask(tmp_path, MENUENTRY.log, pcrs=(4,), files=replace(tree.files(), shim=""))


APPLICATION = "EV_EFI_BOOT_SERVICES_APPLICATION"


def test_what_firmware_started_first_stays_in_pcr_4(tree: GrubTree, tmp_path: Path) -> None:
    place = next(one.number for one in parse_event_log(MENUENTRY.log).of_pcr(4) if one.event_type == APPLICATION) - 1
    of_firmware = event(4, 0x80000003, b"a program of the maker")
    log = changed_log(MENUENTRY.log, lambda events: [*events[:place], of_firmware, *events[place:]])
    measured = ask(tmp_path, log, pcrs=(4,), files=tree.files(), have_booted=True)
    assert measured.predicted[4] == values_of(log)[4] != values_of(MENUENTRY.log)[4]


# PCR 7 of the next boot.


def pcr_7(tree: GrubTree, folder: Path, log: bytes = MENUENTRY.log) -> bytes:
    return ask(folder, log, pcrs=(7,), files=tree.files()).predicted[7]


def test_pcr_7_stays_while_nothing_is_pending(tree: GrubTree, tmp_path: Path) -> None:
    assert pcr_7(tree, tmp_path) == values_of(MENUENTRY.log)[7]


def test_pcr_7_is_not_predicted_from_a_log_that_lies_about_shim(tree: GrubTree, tmp_path: Path) -> None:
    """PCR 7 itself is as the log says, and the shim that will boot is not the one that has."""
    shim = next(one for one in parse_event_log(MENUENTRY.log).of_pcr(4) if one.event_type == APPLICATION)
    booted = changed_log(
        MENUENTRY.log,
        lambda events: [
            replace(one, digests={BANK: bytes(32)}) if one.number == shim.number else one for one in events
        ],
    )
    with pytest.raises(AttestationRefused, match="does not lead to what the PCRs hold") as refused:
        ask(tmp_path, MENUENTRY.log, values_of(booted), pcrs=(7,), files=tree.files())
    assert refused.value.found.startswith("PCR 4: ")


def variable(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"{name}-*")
    return found


SHIM_LOCK = "605dab50-e046-4300-abb6-3dd810dd8b23"

Change = Callable[[GrubTree, Path], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree, folder: variable(folder, "db").write_bytes(bytes(80)), "the variable db as it was measured"),
        (lambda tree, folder: variable(folder, "KEK").unlink(), "the variable KEK as it was measured"),
        (
            lambda tree, folder: variable(folder, "dbx").write_bytes(variable(folder, "dbx").read_bytes() + b"\0"),
            "the variable dbx as it was measured",
        ),
        (lambda tree, folder: (folder / f"MokNew-{SHIM_LOCK}").write_bytes(bytes(8)), "nothing for shim to do"),
        (lambda tree, folder: (folder / f"SbatPolicy-{SHIM_LOCK}").write_bytes(bytes(5)), "nothing for shim to do"),
        (
            lambda tree, folder: tree.shim.write_bytes(installed(SHIM.with_name("mmx64.efi.signed")).read_bytes()),
            "the shim that booted",
        ),
        (
            lambda tree, folder: tree.grub.write_bytes(unsigned(tree.grub.read_bytes())),
            "a program of the authorities that were measured",
        ),
        (
            lambda tree, folder: (tree.folder / "live/vmlinuz").write_bytes(
                unsigned((tree.folder / "live/vmlinuz").read_bytes())
            ),
            "a program of the authorities that were measured",
        ),
    ],
)
def test_pcr_7_is_not_predicted_where_it_will_change(change: Change, said: str, tree: GrubTree, tmp_path: Path) -> None:
    change(tree, tmp_path / "efivars")
    with pytest.raises(AttestationRefused, match="will not be that of this one") as refused:
        pcr_7(tree, tmp_path)
    assert said in refused.value.expected, refused.value.as_dict()


def unsigned(image: bytes) -> bytes:
    """A program without its signature: the certificate table's entry is empty."""
    pe = int.from_bytes(image[0x3C:0x40], "little")
    entry = pe + 24 + 112 + 8 * 4
    return image[:entry] + bytes(8) + image[entry + 8 :]


def test_pcr_7_is_not_predicted_without_its_variables(tree: GrubTree, tmp_path: Path) -> None:
    (tmp_path / "efivars").rename(tmp_path / "elsewhere")
    with pytest.raises(NotFound, match="UEFI variables"):
        pcr_7(tree, tmp_path)


def test_pcr_7_is_not_predicted_with_secure_boot_off(tree: GrubTree, tmp_path: Path) -> None:
    def off(events: list[Event]) -> list[Event]:
        switch = event_of(MENUENTRY.log, 7, 0)
        told = event(7, switch.kind, switch.data[:-1] + b"\0")
        return [told if one.number == switch.number else one for one in events]

    for booted in (False, True):
        with pytest.raises(AttestationRefused, match="does not show that Secure Boot was on") as refused:
            ask(tmp_path, changed_log(MENUENTRY.log, off), pcrs=(7,), files=tree.files(), have_booted=booted)
        assert "Secure Boot is off" in refused.value.found


def test_an_authority_that_nothing_needs_is_told(tree: GrubTree, tmp_path: Path) -> None:
    """As after a boot of something else that firmware's own keys vouch for."""
    shim_authority = event_of(MENUENTRY.log, 7, -1)
    owner = bytes(16)
    name = "db".encode("utf-16-le")
    value = owner + hashlib.sha256(b"a program that is not there").digest()
    data = shim_authority.data[:16] + (2).to_bytes(8, "little") + len(value).to_bytes(8, "little") + name + value
    log = changed_log(MENUENTRY.log, lambda events: [*events, event(7, 0x800000E0, data)])
    with pytest.raises(AttestationRefused) as refused:
        pcr_7(tree, tmp_path, log)
    assert refused.value.found == "none needs db"

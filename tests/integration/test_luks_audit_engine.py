# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit on image files that are broken in each way that it has to find."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._luks.audit import Escrowed
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.binding import AnyWanted
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import WantSss, WantTang, WantTpm2
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.luks_image import PASSPHRASE, LuksImage

ROOT_PCRS = (7, 8, 9)


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


def bound(bench: LuksBench, wanted: AnyWanted, root: bool = True) -> LuksImage:
    image = bench.image()
    bench.binder(image).bind(wanted, root=root, exclusive=False)
    return image


def escrow(bench: LuksBench, image: LuksImage, keyslot: int = 0) -> tuple[Escrowed, ...]:
    salt = bench.audit(image)["keyslots"][str(keyslot)]["salt_fingerprint"]
    return (Escrowed("key-2026", salt),)


def test_nothing_to_say_of_a_device_that_is_as_it_should_be(bench: LuksBench) -> None:
    tang = bench.tang()
    wanted = WantSss(2, (WantTpm2(ROOT_PCRS), WantTang(tang.url, tang.thumbprint)))
    assert bench.tpm
    image = bound(bench, wanted)
    before = hashlib.sha256(image.path.read_bytes()).digest()
    seen = bench.audit(image)
    expected = {
        "policy": (wanted,),
        "escrow": escrow(bench, image),
        "fingerprint": seen["fingerprint"],
        "state_fingerprint": seen["state_fingerprint"],
    }
    audit = bench.audit(image, **expected)
    assert audit["findings"] == []
    assert [slot["role"] for slot in audit["keyslots"].values()] == ["recovery", "binding"]
    assert audit["bindings"][0]["opens"] is True
    assert hashlib.sha256(image.path.read_bytes()).digest() == before


def test_unreachable_tang_in_an_sss_that_still_opens(bench: LuksBench) -> None:
    first, second = bench.tang(), bench.tang()
    image = bound(bench, WantSss(1, tuple(WantTang(tang.url, tang.thumbprint) for tang in (first, second))))
    first.stop()
    report = ["clevis-luks-report", "-d", str(image.path), "-s", "1", "-q"]
    assert subprocess.run(report, capture_output=True, check=False).returncode == 0, "clevis sees nothing"
    audit = bench.audit(image)
    assert [finding["code"] for finding in audit["findings"] if finding["severity"] == "critical"] == [
        "tang_unreachable"
    ]
    assert audit["bindings"][0]["opens"] is True


def test_unreachable_tang(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    tang.stop()
    assert ("critical", "tang_unreachable") in bench.codes(image)


def test_rotated_tang_and_then_its_keys_deleted(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    tang.rotate()
    assert ("warning", "tang_key_rotated") in bench.codes(image)
    tang.forget_hidden()
    assert ("critical", "tang_key_gone") in bench.codes(image)


def test_owner_password_on_the_tpm(bench: LuksBench) -> None:
    assert bench.tpm
    image = bound(bench, WantTpm2(ROOT_PCRS))
    bench.tpm.run("tpm2_changeauth", "-c", "owner", "secret")
    assert ("critical", "tpm_owner_password") in bench.codes(image)


def test_cleared_tpm(bench: LuksBench) -> None:
    assert bench.tpm
    image = bound(bench, WantTpm2(ROOT_PCRS))
    bench.tpm.run("tpm2_clear", "-c", "p")
    assert ("critical", "tpm2_refuses") in bench.codes(image)


def test_changed_pcr(bench: LuksBench) -> None:
    assert bench.tpm
    image = bound(bench, WantTpm2(ROOT_PCRS))
    bench.tpm.extend([(8, b"\x66" * 32)])
    assert ("critical", "tpm2_refuses") in bench.codes(image)


@pytest.mark.parametrize(
    "pcrs, code",
    [((7,), "pcr7_alone"), ((), "tpm2_without_pcrs"), ((7, 8), "pcr8_without_9"), ((11,), "pcr11_without_7")],
)
def test_weak_pcrs(bench: LuksBench, pcrs: tuple[int, ...], code: str) -> None:
    assert bench.tpm
    image = bound(bench, WantTpm2(pcrs), root=False)
    assert ("critical", code) in bench.codes(image, root=True)
    assert ("critical", code) not in bench.codes(image, root=False)


def test_pcrs_of_the_sha1_bank(bench: LuksBench) -> None:
    image = bench.image()
    assert bench.tpm
    token = {"type": "clevis", "keyslots": [], "jwe": {}}
    sealed = subprocess.run(
        ["clevis", "encrypt", "tpm2", '{"pcr_bank":"sha256","pcr_ids":"7,8,9"}'],
        input=b"other",
        env=bench.environment,
        capture_output=True,
        check=True,
    ).stdout.decode()
    protected, rest = sealed.split(".", 1)
    header = base64.urlsafe_b64decode(protected + "==").replace(b'"pcr_bank":"sha256"', b'"pcr_bank":"sha1"')
    parts = [base64.urlsafe_b64encode(header).rstrip(b"=").decode(), *rest.split(".")]
    jwe = dict(zip(("protected", "encrypted_key", "iv", "ciphertext", "tag"), parts))
    image.token({**token, "keyslots": ["0"], "jwe": {name: part for name, part in jwe.items() if part}})
    assert ("warning", "sha1_bank") in bench.codes(image)


def test_null_pin(bench: LuksBench) -> None:
    image = bench.image()
    bind = ["clevis", "luks", "bind", "-y", "-d", str(image.path), "-k", "-", "null", "{}"]
    subprocess.run(bind, input=PASSPHRASE, check=True, capture_output=True)
    assert ("critical", "null_pin") in bench.codes(image)


def test_full_keyslots_and_an_unknown_one(bench: LuksBench) -> None:
    image = bench.image("--luks2-keyslots-size", "512k")
    assert ("warning", "keyslots_full") not in bench.codes(image)
    image.add(b"who wrote this?", 1)
    codes = bench.codes(image)
    assert ("warning", "keyslots_full") in codes and ("critical", "unknown_keyslot") in codes


def test_corrupted_token(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    number, token = next(iter(image.metadata()["tokens"].items()))
    image.cryptsetup("token", "remove", "--token-id", number, str(image.path))
    token["jwe"]["protected"] = token["jwe"]["protected"][:40]
    image.token(token)
    assert ("critical", "token_corrupted") in bench.codes(image)


def test_token_whose_keyslot_was_killed_by_hand(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    image.kill(1)
    assert ("warning", "left_behind") in bench.codes(image)


def test_passphrase_gone(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    held = escrow(bench, image)
    image.kill(0)
    codes = bench.codes(image, escrow=held)
    assert ("critical", "passphrase_gone") in codes
    assert ("critical", "no_recovery_path") in codes
    assert ("critical", "escrow_stale") in codes


def test_escrowed_key_was_changed_in_its_keyslot(bench: LuksBench) -> None:
    image = bench.image()
    held = escrow(bench, image)
    assert bench.codes(image, escrow=held) == []
    image.add(b"another", 1)
    image.kill(0)
    image.cryptsetup(
        "luksAddKey", "-q", "--key-slot", "0", "-d", "-", str(image.path), "/etc/hostname", stdin=b"another"
    )
    assert ("critical", "escrow_stale") in bench.codes(image, escrow=held)


def test_header_restored_from_a_backup_after_erase(bench: LuksBench) -> None:
    image = bench.image()
    retired = frozenset(slot["salt_fingerprint"] for slot in bench.audit(image)["keyslots"].values())
    backup = bench.folder / "header.backup"
    image.cryptsetup("luksHeaderBackup", "--header-backup-file", str(backup), str(image.path))
    image.cryptsetup("luksErase", "-q", str(image.path))
    assert bench.codes(image, retired_salts=retired) == [("critical", "erased"), ("critical", "passphrase_gone")]
    image.cryptsetup("luksHeaderRestore", "-q", "--header-backup-file", str(backup), str(image.path))
    assert image.opens(PASSPHRASE)
    assert ("critical", "retired_keyslot_back") in bench.codes(image, retired_salts=retired)


def test_header_of_another_volume(bench: LuksBench) -> None:
    image, other = bench.image(), bench.image()
    recorded = bench.audit(image)["fingerprint"]
    assert ("critical", "header_replaced") not in bench.codes(image, fingerprint=recorded)
    assert ("critical", "header_replaced") in bench.codes(other, fingerprint=recorded)


def test_header_changed_since_it_was_recorded(bench: LuksBench) -> None:
    image = bench.image()
    recorded = bench.audit(image)["state_fingerprint"]
    image.add(b"more", 3)
    assert ("warning", "header_changed") in bench.codes(image, state_fingerprint=recorded)


def test_null_cipher(bench: LuksBench) -> None:
    """The header carries no signature: who can write to the disk can write this (CVE-2025-59054)."""
    image = bench.image()
    recorded = bench.audit(image)["fingerprint"]
    image.forge(b"aes-xts-plain64", b"cipher_null-ecb")
    codes = bench.codes(image, fingerprint=recorded)
    assert ("critical", "null_cipher") in codes and ("critical", "header_replaced") in codes


def test_policy_drift(bench: LuksBench) -> None:
    meant, other = bench.tang(), bench.tang()
    image = bound(bench, WantTang(other.url, other.thumbprint))
    policy = (WantTang(meant.url, meant.thumbprint),)
    codes = bench.codes(image, policy=policy)
    assert ("critical", "policy_missing") in codes and ("critical", "policy_drift") in codes


def test_policy_with_another_thumbprint_is_drift(bench: LuksBench) -> None:
    tang, other = bench.tang(), bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    assert ("critical", "policy_drift") in bench.codes(image, policy=(WantTang(tang.url, other.thumbprint),))


def test_the_same_binding_twice(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    config = f'{{"url":"{tang.url}","thp":"{tang.thumbprint}"}}'
    bind = ["clevis", "luks", "bind", "-d", str(image.path), "-k", "-", "tang", config]
    subprocess.run(bind, input=PASSPHRASE, check=True, capture_output=True)
    assert ("warning", "bound_twice") in bench.codes(image)


def test_secret_in_a_keyslot_was_replaced(bench: LuksBench) -> None:
    tang = bench.tang()
    image = bound(bench, WantTang(tang.url, tang.thumbprint))
    token = next(iter(image.metadata()["tokens"].values()))
    image.add(b"not what Tang gives", 2)
    image.kill(1)
    image.token({**token, "keyslots": ["2"]})
    assert ("critical", "keyslot_changed") in bench.codes(image)


def test_unknown_token(bench: LuksBench) -> None:
    image = bench.image()
    image.token({"type": "something", "keyslots": ["0"]})
    assert ("warning", "unknown_token") in bench.codes(image)


def test_a_header_that_speaks_to_ansible_is_cleaned(bench: LuksBench) -> None:
    """Whoever can write to the disk can write a token."""
    image = bench.image()
    image.token({"type": "{{ lookup('pipe', 'id') }}", "keyslots": ["0"]})
    assert "{{" not in json.dumps(bench.audit(image))

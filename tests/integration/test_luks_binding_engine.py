# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bindings on image files, with real cryptsetup, clevis, jose, swtpm and tangd. clevis' own programs are the judge."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    HearthError,
    Refused,
    TpmLockedOut,
    Unreachable,
    Unsupported,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._luks import systemd
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.binding import AnyWanted
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import (
    WantPkcs11,
    WantSss,
    WantTang,
    WantTpm2,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.systemd import WantSystemdTpm2
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.luks_image import PASSPHRASE, LuksImage
from tests.servers.swtpm import SoftwareTpm

ROOT_PCRS = (7, 8, 9)


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


def bind(bench: LuksBench, image: LuksImage, wanted: AnyWanted, exclusive: bool = False) -> tuple[bool, str, int]:
    report = bench.binder(image).bind(wanted, root=True, exclusive=exclusive)
    assert report.keyslot is not None
    return report.changed, report.proved, report.keyslot


def header_bytes(image: LuksImage) -> str:
    return hashlib.sha256(image.path.read_bytes()).hexdigest()


def test_tang_by_thumbprint_binds_once(bench: LuksBench) -> None:
    image, tang = bench.image(), bench.tang()
    wanted = WantTang(tang.url, tang.thumbprint)
    assert bench.binder(image, dry=True).bind(wanted, root=True, exclusive=False).changed
    assert image.tokens == []
    assert bind(bench, image, wanted) == (True, "opened", 1)
    assert image.clevis_opens(1)
    before = header_bytes(image)
    assert bind(bench, image, wanted) == (False, "opened", 1)
    assert header_bytes(image) == before
    listed = subprocess.run(["clevis", "luks", "list", "-d", str(image.path)], capture_output=True, check=True).stdout
    assert tang.url in listed.decode()


def test_tang_by_advertisement(bench: LuksBench) -> None:
    image, tang = bench.image(), bench.tang()
    wanted = WantTang(tang.url, advertisement=json.loads(tang.advertisement()))
    assert bind(bench, image, wanted) == (True, "opened", 1)
    assert bind(bench, image, wanted) == (False, "opened", 1)
    assert image.clevis_opens(1)


def test_first_answer_of_a_tang_is_never_trusted(bench: LuksBench) -> None:
    image, tang = bench.image(), bench.tang()
    before = header_bytes(image)
    with pytest.raises(BadInput, match="nothing says"):
        bind(bench, image, WantTang(tang.url))
    assert header_bytes(image) == before


def test_wrong_thumbprint_changes_nothing(bench: LuksBench) -> None:
    image, tang, other = bench.image(), bench.tang(), bench.tang()
    before = header_bytes(image)
    with pytest.raises(Refused, match="other keys") as refused:
        bind(bench, image, WantTang(tang.url, other.thumbprint))
    assert refused.value.found == tang.thumbprint
    assert header_bytes(image) == before


@pytest.mark.parametrize("by", ["thumbprint", "advertisement"])
def test_unreachable_tang_changes_nothing(bench: LuksBench, by: str) -> None:
    image, tang = bench.image(), bench.tang()
    wanted = WantTang(tang.url, tang.thumbprint)
    if by == "advertisement":
        wanted = WantTang(tang.url, advertisement=json.loads(tang.advertisement()))
    tang.stop()
    before = header_bytes(image)
    with pytest.raises(Unreachable):
        bind(bench, image, wanted)
    assert header_bytes(image) == before


def test_tpm2_opens_with_its_pcrs_only(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    assert bind(bench, image, WantTpm2(ROOT_PCRS)) == (True, "opened", 1)
    assert bind(bench, image, WantTpm2(ROOT_PCRS)) == (False, "opened", 1)
    assert image.clevis_opens(1, tpm.environment)
    tpm.extend([(9, b"\x55" * 32)])
    assert not image.clevis_opens(1, tpm.environment)


def test_predicted_pcrs_are_proved_by_recomputation_and_open_after_the_boot(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    now = bench.pcr_values(*ROOT_PCRS)
    measured = b"\x77" * 32
    later = now[:64] + hashlib.sha256(now[64:] + measured).digest()
    wanted = WantTpm2(ROOT_PCRS, values=later)
    assert bind(bench, image, WantTpm2(ROOT_PCRS)) == (True, "opened", 1)
    assert bind(bench, image, wanted) == (True, "recomputed", 2)
    assert bind(bench, image, wanted, exclusive=True) == (False, "recomputed", 2)
    assert image.clevis_opens(1, tpm.environment) and not image.clevis_opens(2, tpm.environment)
    tpm.extend([(9, measured)])
    assert image.clevis_opens(2, tpm.environment) and not image.clevis_opens(1, tpm.environment)
    assert bind(bench, image, wanted, exclusive=True) == (True, "opened", 2)
    assert image.keyslots == [0, 2] and image.tokens == ["clevis"]


def test_sss_of_tpm_and_tangs_proves_each_part(bench: LuksBench) -> None:
    image, first, second, tpm = bench.image(), bench.tang(), bench.tang(), bench.tpm
    tangs = (WantTang(first.url, first.thumbprint), WantTang(second.url, second.thumbprint))
    wanted = WantSss(2, (WantTpm2(ROOT_PCRS), *tangs))
    assert bind(bench, image, wanted) == (True, "opened", 1)
    assert bind(bench, image, WantSss(2, (*reversed(tangs), WantTpm2(ROOT_PCRS)))) == (False, "opened", 1)
    assert image.clevis_opens(1, tpm.environment)
    second.stop()
    assert image.clevis_opens(1, tpm.environment), "two of three are there"
    with pytest.raises(Unreachable):
        bench.binder(bench.image()).bind(wanted, root=True, exclusive=False)


@pytest.mark.parametrize("pcrs", [(), (7,), (7, 8), (11,), (0, 4, 7)])
@pytest.mark.parametrize("how", ["tpm2", "sss", "systemd"])
def test_weak_pcrs_are_refused_for_a_root_disk(bench: LuksBench, pcrs: tuple[int, ...], how: str) -> None:
    image = bench.image()
    before = header_bytes(image)
    part = WantTpm2(pcrs)
    wanteds: dict[str, AnyWanted] = {
        "tpm2": part,
        "sss": WantSss(1, (part,)),
        "systemd": WantSystemdTpm2(pcrs),
    }
    wanted = wanteds[how]
    with pytest.raises(BadInput, match="do not protect a root disk"):
        bind(bench, image, wanted)
    assert header_bytes(image) == before


def test_pcr7_alone_is_admitted_for_a_data_disk(bench: LuksBench) -> None:
    image = bench.image()
    assert bench.tpm
    assert bench.binder(image).bind(WantTpm2((7,)), root=False, exclusive=False).proved == "opened"


def test_wrong_passphrase_changes_nothing(bench: LuksBench) -> None:
    image, tang = bench.image(), bench.tang()
    before = header_bytes(image)
    with pytest.raises(Refused, match="nothing here opens") as refused:
        bench.binder(image, b"wrong").bind(WantTang(tang.url, tang.thumbprint), root=True, exclusive=False)
    assert refused.value.found == "the passphrase is wrong"
    assert header_bytes(image) == before


def test_an_existing_binding_opens_the_way_for_the_next(bench: LuksBench) -> None:
    image, first, second = bench.image(), bench.tang(), bench.tang()
    bind(bench, image, WantTang(first.url, first.thumbprint))
    report = bench.binder(image, None).bind(WantTang(second.url, second.thumbprint), root=True, exclusive=True)
    assert [one["url"] for one in report.removed] == [first.url]
    assert image.keyslots == [0, 2] and image.clevis_opens(2)


def test_rotated_tang_is_bound_again_and_the_old_binding_goes_last(bench: LuksBench) -> None:
    image, tang = bench.image(), bench.tang()
    bind(bench, image, WantTang(tang.url, tang.thumbprint))
    tang.rotate()
    assert image.clevis_opens(1), "hidden keys still serve"
    steps: list[str] = []
    binder = bench.binder(image, None, reached=steps.append)
    binder.bind(WantTang(tang.url, tang.thumbprint), root=True, exclusive=True)
    assert steps == ["note", "add_key", "import_token", "verify", "strike_note", "kill", "remove_token"]
    tang.forget_hidden()
    assert image.keyslots == [0, 2] and image.clevis_opens(2)


def test_absent_takes_every_binding_of_the_content_and_no_other(bench: LuksBench) -> None:
    image, first, second = bench.image(), bench.tang(), bench.tang()
    wanted = WantTang(first.url, first.thumbprint)
    bind(bench, image, wanted)
    bind(bench, image, WantTang(second.url, second.thumbprint))
    assert bench.binder(image, dry=True).unbind(wanted).changed
    assert image.keyslots == [0, 1, 2]
    assert bench.binder(image).unbind(wanted).changed
    assert image.keyslots == [0, 2] and image.clevis_opens(2)
    assert not bench.binder(image).unbind(wanted).changed


@pytest.mark.parametrize("passphrase", [None, b"wrong"])
def test_the_last_way_in_stays(bench: LuksBench, passphrase: bytes | None) -> None:
    image, tang = bench.image(), bench.tang()
    wanted = WantTang(tang.url, tang.thumbprint)
    bind(bench, image, wanted)
    before = header_bytes(image)
    with pytest.raises(Refused, match="no other way"):
        bench.binder(image, passphrase).unbind(wanted)
    assert header_bytes(image) == before


def test_full_keyslots_are_an_error_before_anything_is_done(bench: LuksBench) -> None:
    image, tang = bench.image("--luks2-keyslots-size", "512k"), bench.tang()
    image.add(b"one more", 1)
    before = header_bytes(image)
    with pytest.raises(Refused, match="no keyslot is free"):
        bind(bench, image, WantTang(tang.url, tang.thumbprint))
    assert header_bytes(image) == before


def test_owner_password_on_the_tpm_is_named(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    tpm.run("tpm2_changeauth", "-c", "owner", "secret")
    with pytest.raises(HearthError):
        bind(bench, image, WantTpm2(ROOT_PCRS))
    assert image.tokens == []


def test_pkcs11_wants_a_newer_clevis(bench: LuksBench) -> None:
    image = bench.image()
    luks, clevis = bench.tools(image)
    if clevis.version() >= 21:
        pytest.skip("this clevis has the pkcs11 pin")
    assert clevis.version() > 0
    with pytest.raises(Unsupported, match="no pkcs11 pin"):
        bind(bench, image, WantPkcs11("pkcs11:token=disk"))
    with pytest.raises(BadInput, match="no place in the URI"):
        bind(bench, image, WantPkcs11("pkcs11:token=disk?pin-value=1234"))
    assert luks.read().tokens == {}


def test_systemd_tpm2(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    wanted = WantSystemdTpm2(ROOT_PCRS)
    assert bind(bench, image, wanted) == (True, "opened", 1)
    assert bind(bench, image, wanted) == (False, "opened", 1)
    assert image.tokens == ["systemd-tpm2"]
    tpm.extend([(9, b"\x55" * 32)])
    assert ("critical", "tpm2_refuses") in bench.codes(image)
    assert bench.binder(image).unbind(wanted).changed
    assert image.tokens == [] and image.keyslots == [0]


def test_a_pin_is_refused_where_it_cannot_be_proved(bench: LuksBench) -> None:
    image = bench.image()
    assert bench.tpm
    with pytest.raises(Unsupported, match="cannot be proved"):
        bind(bench, image, WantSystemdTpm2(ROOT_PCRS, pin="135790"))
    assert image.tokens == []


def test_systemd_takes_the_pin_without_argument_or_environment(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    luks, _clevis = bench.tools(image)
    systemd.enroll(luks, WantSystemdTpm2(ROOT_PCRS, pin="135790"), PASSPHRASE)
    token = image.metadata()["tokens"]["0"]
    assert token["tpm2-pin"] is True
    assert not unsealed(tpm, token, ""), "without the PIN"
    tpm.run("tpm2_dictionarylockout", "--clear-lockout")
    assert image.opens(base64.b64encode(unsealed(tpm, token, hashlib.sha256(b"135790").hexdigest())), 1)


def unsealed(tpm: SoftwareTpm, token: Mapping[str, Any], authorization: str) -> bytes:
    """What the TPM gives for a token with a PIN, by tpm2-tools alone."""
    blob = base64.b64decode(token["tpm2-blob"])
    length = 2 + int.from_bytes(blob[:2], "big")
    (tpm.directory / "private").write_bytes(blob[:length])
    (tpm.directory / "public").write_bytes(blob[length:])
    tpm.flush()
    tpm.run("tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "primary", "-Q")
    tpm.run("tpm2_flushcontext", "-t")
    tpm.run("tpm2_load", "-C", "primary", "-u", "public", "-r", "private", "-c", "object", "-Q")
    tpm.run("tpm2_flushcontext", "-t")
    tpm.run("tpm2_startauthsession", "--policy-session", "-S", "session")
    tpm.run("tpm2_policypcr", "-S", "session", "-l", f"sha256:{','.join(map(str, token['tpm2-pcrs']))}", "-Q")
    tpm.run("tpm2_policyauthvalue", "-S", "session", "-Q")
    authorized = "session:session" + (f"+hex:{authorization}" if authorization else "")
    argv = ["tpm2_unseal", "-c", "object", "-p", authorized]
    done = subprocess.run(argv, cwd=tpm.directory, env=tpm.environment, capture_output=True, check=False)
    tpm.flush()
    return done.stdout


def test_systemd_with_unmeasured_pcrs_is_taken_back(bench: LuksBench) -> None:
    image = bench.image()
    assert bench.tpm
    with pytest.raises(Refused, match="hold no measurement"):
        bench.binder(image).bind(WantSystemdTpm2((14,)), root=False, exclusive=False)
    assert image.tokens == [] and image.keyslots == [0]


def test_locked_out_tpm_is_no_denial(bench: LuksBench) -> None:
    image, tpm = bench.image(), bench.tpm
    bind(bench, image, WantTpm2(ROOT_PCRS))
    tpm.run("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=1", "--recovery-time=1000")
    tpm.run("tpm2_createprimary", "-C", "o", "-c", "primary", "-Q")
    tpm.run("tpm2_create", "-C", "primary", "-p", "right", "-u", "pub", "-r", "priv", "-i", "/etc/hostname", "-Q")
    tpm.flush()
    tpm.run("tpm2_load", "-C", "primary", "-u", "pub", "-r", "priv", "-c", "sealed", "-Q")
    for _attempt in range(2):
        subprocess.run(
            ["tpm2_unseal", "-c", "sealed", "-p", "wrong"],
            cwd=tpm.directory,
            env=tpm.environment,
            capture_output=True,
            check=False,
        )
    tpm.flush()
    later = bytes(96)
    with pytest.raises(TpmLockedOut):
        bind(bench, image, WantTpm2(ROOT_PCRS, values=later))
    assert image.keyslots == [0, 1]


SYSTEMD_MEASURE = Path("/lib/systemd/systemd-measure")


def test_systemd_with_a_signed_policy(bench: LuksBench) -> None:
    """PCR 7 as it is, and each PCR 11 that the site's key signs; a signature for another kernel changes nothing."""
    if not SYSTEMD_MEASURE.exists():
        pytest.skip(f"{SYSTEMD_MEASURE} not installed")
    bench.measured = (7,)
    image, tpm, folder = bench.image(), bench.tpm, bench.folder
    private, public = folder / "private.pem", folder / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)

    def signed(content: bytes) -> Path:
        kernel = folder / "linux"
        kernel.write_bytes(content)
        tpm.flush()
        argv = ["sign", f"--linux={kernel}", "--bank=sha256", f"--private-key={private}", f"--public-key={public}"]
        argv += ["--phase=:", f"--tpm2-device={tpm.tcti}"]
        done = subprocess.run([SYSTEMD_MEASURE, *argv], env=tpm.environment, check=True, capture_output=True)
        signature = folder / f"{content.decode()}.json"
        signature.write_bytes(done.stdout)
        return signature

    tpm.extend((11, hashlib.sha256(measured).digest()) for measured in (b".linux\0", b"runs"))
    before = header_bytes(image)
    other = WantSystemdTpm2((7,), public_key=str(public), public_key_pcrs=(11,), signature=str(signed(b"other")))
    with pytest.raises(Refused, match="systemd-cryptenroll failed"):
        bind(bench, image, other)
    assert image.keyslots == [0] and image.tokens == []
    assert before != header_bytes(image), "its note came and went"
    wanted = WantSystemdTpm2((7,), public_key=str(public), public_key_pcrs=(11,), signature=str(signed(b"runs")))
    assert bind(bench, image, wanted) == (True, "at_enrolment", 1)
    assert bind(bench, image, wanted) == (False, "at_enrolment", 1)
    assert [token["tpm2_pubkey_pcrs"] for token in image.metadata()["tokens"].values()] == [[11]]
    with pytest.raises(BadInput, match="do not protect a root disk"):
        bind(
            bench, image, WantSystemdTpm2((), public_key=str(public), public_key_pcrs=(11,), signature=wanted.signature)
        )

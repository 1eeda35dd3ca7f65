# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pcr_policy import (
    auth_policy,
    policy_digest,
    weakness,
)
from tests.servers.swtpm import manufacture, require_swtpm, software_tpm


def test_policy_digest_is_what_tpm2_tools_compute() -> None:
    require_swtpm()
    with tempfile.TemporaryDirectory(prefix="hearth-") as folder:
        state, running = Path(folder) / "state", Path(folder) / "tpm"
        manufacture(state, None)
        running.mkdir()
        with software_tpm(running, state) as tpm:
            tpm.extend((pcr, bytes([pcr]) * 32) for pcr in (0, 7, 23))
            for pcrs in ((7,), (0, 7, 8, 23)):
                listed = ",".join(map(str, pcrs))
                values = tpm.run("tpm2_pcrread", f"sha256:{listed}", "-Q", "-o", "/dev/stdout")
                tpm.run("tpm2_createpolicy", "-Q", "--policy-pcr", "-l", f"sha256:{listed}", "-L", "policy")
                expected = (tpm.directory / "policy").read_bytes().hex()
                assert policy_digest("sha256", pcrs, values, "sha256") == expected
                tpm.flush()


@pytest.mark.parametrize("public", [b"", b"\x00\x4e\x00\x08", bytes(10) + b"\x00\x20short"])
def test_what_is_no_public_area_is_an_error(public: bytes) -> None:
    with pytest.raises(ValueError, match="TPM2B_PUBLIC"):
        auth_policy(public)


@pytest.mark.parametrize("pcrs", [{7, 8, 9}, {4, 7, 8, 9}, {7, 11}])
def test_what_binds_to_what_boots(pcrs: set[int]) -> None:
    assert weakness(frozenset(pcrs)) is None


def test_a_signed_pcr_11_needs_pcr_7() -> None:
    assert weakness(frozenset({7}), frozenset({11})) is None
    weak = weakness(frozenset(), frozenset({11}))
    assert weak is not None and weak[0] == "pcr11_without_7"


@pytest.mark.parametrize(
    ("pcrs", "code"),
    [
        (set(), "tpm2_without_pcrs"),
        ({7}, "pcr7_alone"),
        ({7, 8}, "pcr8_without_9"),
        ({11}, "pcr11_without_7"),
        ({8, 9}, "weak_pcrs"),
        ({0, 7, 14}, "weak_pcrs"),
        ({7, 9}, "weak_pcrs"),
    ],
)
def test_what_does_not(pcrs: set[int], code: str) -> None:
    weak = weakness(frozenset(pcrs))
    assert weak is not None and weak[0] == code

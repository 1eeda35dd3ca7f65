# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TPM policy over PCRs comes to, and which sets of PCRs are too weak.

clevis stores neither the PCR values nor their digest; but the sealed object's public area carries the policy's digest,
which follows from the values (TPM 2.0 Library, Part 3, 23.7 PolicyPCR). So a binding to predicted values can be
proved without a boot, and without the TPM.
"""

from __future__ import annotations

import hashlib
import struct
from typing import FrozenSet, Optional, Sequence, Tuple

#: TPM_ALG_ID of the hashes that banks and policies use (TPM 2.0 Library, Part 2, 6.3).
ALGORITHMS = {"sha1": 0x0004, "sha256": 0x000B, "sha384": 0x000C, "sha512": 0x000D}
_POLICY_PCR = 0x0000017F


def policy_digest(bank: str, pcrs: Sequence[int], values: bytes, hash_name: str) -> str:
    """The authPolicy (hex) of an object that is bound to raw PCR values, concatenated by ascending number."""
    bitmap = bytearray(3)
    for pcr in pcrs:
        bitmap[pcr // 8] |= 1 << pcr % 8
    selection = struct.pack(">IHB", 1, ALGORITHMS[bank], 3) + bytes(bitmap)
    start = bytes(hashlib.new(hash_name).digest_size)
    measured = hashlib.new(hash_name, values).digest()
    return hashlib.new(hash_name, start + struct.pack(">I", _POLICY_PCR) + selection + measured).hexdigest()


def auth_policy(public: bytes) -> str:
    """The authPolicy (hex) in a TPM2B_PUBLIC (TPM 2.0 Library, Part 2, 12.2.4); ValueError where it is none."""
    try:
        (length,) = struct.unpack_from(">H", public, 10)
    except struct.error as error:
        raise ValueError("not a TPM2B_PUBLIC") from error
    policy = public[12 : 12 + length]
    if len(policy) != length:
        raise ValueError("not a TPM2B_PUBLIC")
    return policy.hex()


def weakness(pcrs: FrozenSet[int], signed_pcrs: FrozenSet[int] = frozenset()) -> Optional[Tuple[str, str]]:
    """Why this set does not bind a root disk to what boots: (code, reason), or None.

    Field notes "measured-boot": an installed disk, the same with its initrd swapped, and a live medium have the same
    PCR 0, 7 and 14; kernel and initrd are in 9, the command line in 8; a unified image is in 11, which the vendor's
    own boot chain can extend to the same value, so that 11 counts only with 7.
    """
    bound = pcrs | signed_pcrs
    if not bound:
        return "tpm2_without_pcrs", "whatever boots on this machine opens it"
    if 7 in bound and (11 in bound or {8, 9} <= bound):
        return None
    if bound == {7}:
        return "pcr7_alone", "PCR 7 is the same for a live medium and for a swapped initrd"
    if 11 in bound:
        return "pcr11_without_7", "another system of the vendor's boot chain can extend PCR 11 to the same value"
    if 8 in bound and 9 not in bound:
        return "pcr8_without_9", "kernel and initrd are in PCR 9: whoever can write /boot opens it"
    return "weak_pcrs", "it needs PCR 7, 8 and 9, or 7 and 11 with a unified kernel image"

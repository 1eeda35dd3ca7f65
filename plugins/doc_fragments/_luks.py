# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that work on a LUKS2 device. PRIVATE to the collection."""

from __future__ import annotations

from textwrap import indent


def _deeper(options: str, levels: int) -> str:
    return indent(options, "  " * levels)


_TANG = """\
url:
  description: The server's URL.
  type: str
  required: true
thumbprint:
  description: Thumbprint of a signing key that the server must have, as C(tang-show-keys) prints it.
  type: str
advertisement:
  description:
    - The server's advertisement, what C(GET /adv) gives, as a dictionary or as JSON.
    - Without a thumbprint it is what is trusted.
  type: raw
"""

_TPM2 = """\
pcr_ids:
  description: PCRs that must have their values. V([]) is none.
  type: list
  elements: int
  default: []
pcr_bank:
  description: The bank of the PCRs.
  type: str
  choices: [sha256, sha1, sha384, sha512]
  default: sha256
pcr_digest:
  description:
    - Values that the PCRs will have, if they are not those of now.
    - The raw values one after the other by ascending number, in base64url without padding.
  type: str
hash:
  description: Hash of the sealed object's name and policy.
  type: str
  choices: [sha256, sha384, sha512]
  default: sha256
key:
  description: Kind of the TPM's primary key.
  type: str
  choices: [ecc, rsa]
  default: ecc
"""

_PINS = f"""\
tang:
  description: A Tang server.
  type: dict
  suboptions:
{_deeper(_TANG, 2)}
tpm2:
  description: The machine's TPM 2.0, by clevis.
  type: dict
  suboptions:
{_deeper(_TPM2, 2)}
sss:
  description: Several of these together (Shamir's secret sharing).
  type: dict
  suboptions:
    threshold:
      description: How many of the pins are needed.
      type: int
      required: true
    tang:
      description: Tang servers.
      type: list
      elements: dict
      default: []
      suboptions:
{_deeper(_TANG, 4)}
    tpm2:
      description: TPMs. One, as a rule.
      type: list
      elements: dict
      default: []
      suboptions:
{_deeper(_TPM2, 4)}
pkcs11:
  description: A PKCS#11 token. Needs clevis 21 or newer.
  type: dict
  suboptions:
    uri:
      description: URI of the key. It may have a C(pin-source), and must not have a C(pin-value).
      type: str
      required: true
    mechanism:
      description: The mechanism, if it is not clevis' own choice.
      type: str
systemd_tpm2:
  description: The machine's TPM 2.0, by systemd-cryptenroll.
  type: dict
  suboptions:
    pcr_ids:
      description: PCRs that must have the values of now.
      type: list
      elements: int
      default: []
    with_pin:
      description: Whether a PIN is needed as well.
      type: bool
      default: false
    public_key:
      description: A file on the node with the public key (PEM) of a signed PCR policy.
      type: path
    public_key_pcr_ids:
      description: PCRs whose values the policy's signature vouches for. V([11]) for a unified kernel image.
      type: list
      elements: int
      default: []
    signature:
      description:
        - A file on the node with the signature of the policy for what runs now. systemd tries it at once.
      type: path
"""


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  device:
    description: The encrypted block device, or an image file, with a LUKS2 header.
    type: path
    required: true
  key_file:
    description: A file on the node whose content opens the device, as O(passphrase). Keep it on tmpfs.
    type: path
  timeout:
    description: Seconds that one program (clevis, cryptsetup, systemd-cryptenroll) may take.
    type: float
    default: 60.0
"""

    # Annotated, so that ansible-test's yamllint passes them by: it takes every plain assignment here for a literal.

    # Each pin as an option of its own.
    PINS: str = f"""
options:
{_deeper(_PINS, 1)}
"""

    # A list of pins.
    POLICY: str = f"""
options:
  policy:
    description: The bindings that the device should have, no more and no fewer. Each entry is one pin.
    type: list
    elements: dict
    suboptions:
{_deeper(_PINS, 3)}
"""

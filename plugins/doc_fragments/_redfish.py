# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that talk Redfish to one BMC. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  address:
    description:
      - IP address or name of the BMC, without scheme and port.
      - If not set, it is taken from C(hearth_bmc) of the host, and with it O(port), O(scheme), O(trust), O(ca_path),
        O(system), O(platform), O(pins) and O(identity), as far as the task does not set them.
      - With another address than that of C(hearth_bmc), nothing is taken from there.
    type: str
    required: true
  port:
    description: TCP port of the BMC. If not set, 443, or 80 with O(scheme=http).
    type: int
  scheme:
    description: V(http) sends the password in the clear, and needs O(trust=off).
    type: str
    choices: [https, http]
    default: https
  username:
    description:
      - User name on the BMC. Shorthand for a single entry in O(credentials), tried before them.
      - If neither is set, the variable C(hearth_bmc_credentials) counts, or C(hearth_bmc_username) and
        C(hearth_bmc_password), then the environment variables E(HEARTH_BMC_CREDENTIALS), or E(HEARTH_BMC_USERNAME) and
        E(HEARTH_BMC_PASSWORD) of the controller.
    type: str
  password:
    description: Password that belongs to O(username).
    type: str
  credentials:
    description:
      - Credentials in the order in which they are tried, each at most once per BMC and run of Ansible, whichever task,
        host or fork comes first. Another user name or password is another credential.
      - Trying stops below the account lockout threshold of the platform, counted over the run from the last login that
        worked.
      - Where one is refused that has worked earlier in the run, the accounts were changed in between, and what was
        refused before that is tried once more.
    type: list
    elements: dict
    suboptions:
      name:
        description: What messages call it. If not set, the user name.
        type: str
      username:
        description: User name on the BMC.
        type: str
        required: true
      password:
        description: Password that belongs to it.
        type: str
        required: true
  trust:
    description:
      - How the BMC proves that it is the one, before it is given a credential.
      - V(verify) wants a certificate that leads to a known authority and names the address.
      - V(pin) wants one of O(pins).
      - V(off) sends credentials to whoever answers. Quote it, or write V(false), which means the same.
    type: str
    choices: [verify, pin, 'off']
    default: verify
  ca_path:
    description:
      - File with the CA certificates for O(trust=verify), on the machine where the task runs. The system's are used
        without it.
    type: path
  pins:
    description:
      - The keys that O(trust=pin) accepts, as M(hearth.datacenter.bmc_pin) takes them.
      - If not set, those that the map or the state store (variable C(hearth_state)) of the controller holds.
    type: list
    elements: str
  platform:
    description: What discovery took the BMC for. It is only a hint.
    type: str
  discovered:
    description:
      - What discovery saw of the BMC, taken from C(hearth_bmc). As long as the BMC shows the same key, what its service
        root says is taken for known with O(platform), and not read again before each login.
      - With another key, or where the sessions are elsewhere by now, the service root is read.
    type: dict
    suboptions:
      sessions:
        description: Path of the collection of sessions, C(hearth_bmc.sessions).
        type: str
      spki_sha256:
        description: SHA-256 of the BMC's public key in hex, C(hearth_bmc.fingerprint.spki_sha256).
        type: str
  system:
    description:
      - Id or path of the system that is meant.
      - Required where the BMC has several systems. A discovered host knows its own.
    type: str
  identity:
    description:
      - What the machine must say about itself, from your records. A machine that says otherwise, or nothing, is refused
        before anything is changed.
      - If not set, what the map of the inventory says (C(hearth_bmc.expected)) counts. Where nothing says it, modules
        that change a machine do so with a warning.
    type: dict
    suboptions:
      serial:
        description:
          - Serial number, at Dell also the service tag.
          - The systems of an enclosure may all say its serial number. Only O(identity.uuid) tells those apart.
        type: str
      uuid:
        description: UUID of the system.
        type: str
  deadline:
    description: Seconds for the conversation with the BMC.
    type: float
    default: 60.0
  connect_timeout:
    description: Seconds for TCP and TLS of one connection.
    type: float
    default: 5.0
notes:
  - Runs inside Ansible's own process on the controller, whatever the host's connection, C(become) and interpreter are.
    The host may be off.
  - Tasks for several systems behind one BMC take turns.
  - Every session that is opened is closed again, also after an error.
requirements:
  - Python >= 3.11
"""

    # For a module that acts through sushy.
    SUSHY = r"""
options: {}
requirements:
  - sushy >= 5.13.0 (on the machine where the task runs)
"""

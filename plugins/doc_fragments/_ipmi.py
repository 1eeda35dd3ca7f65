# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that talk IPMI to one BMC. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  address:
    description:
      - IP address or name of the BMC, without port.
      - If not set, it is taken from C(hearth_bmc) of the host, and with it O(system) and O(identity), and O(port) where
        the BMC was discovered by IPMI, as far as the task does not set them.
      - With another address than that of C(hearth_bmc), nothing is taken from there.
    type: str
    required: true
  port:
    description: UDP port of the BMC.
    type: int
    default: 623
  username:
    description:
      - User name on the BMC, at most 16 bytes. Shorthand for a single entry in O(credentials), tried before them.
      - If neither is set, the variable C(hearth_bmc_credentials) counts, or C(hearth_bmc_username) and
        C(hearth_bmc_password), then the environment variables E(HEARTH_BMC_CREDENTIALS), or E(HEARTH_BMC_USERNAME) and
        E(HEARTH_BMC_PASSWORD) of the controller.
    type: str
  password:
    description: Password that belongs to O(username), at most 20 bytes.
    type: str
  credentials:
    description:
      - Credentials in the order in which they are tried, each at most once per BMC and run of Ansible, whichever task,
        host or fork comes first. Another user name or password is another credential.
      - Trying stops at the second that is refused, counted over the run from the last login that worked, since IPMI
        cannot say how many failures lock an account.
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
  cipher_suites:
    description:
      - The RMCP+ cipher suites that may be used, the stronger one first.
      - V(17) is SHA-256 and AES. V(3) is SHA-1 and AES, and whoever can alter the traffic can bring it about. Where it
        had to be used, the result has a warning.
      - A BMC that answers V(3) when V(17) was proposed, as VirtualBMC does, counts as one that refuses V(17).
      - All others, and IPMI 1.5, lack a proof of the BMC, encryption or both, and are never used.
    type: list
    elements: int
    choices: [17, 3]
    default: [17, 3]
  system:
    description: Not used. IPMI knows one machine behind a BMC. It is here so that a task may change its protocol.
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
        description: Serial number of product, chassis or board, from the FRU inventory.
        type: str
      uuid:
        description: UUID of the system.
        type: str
  deadline:
    description: Seconds for the conversation with the BMC.
    type: float
    default: 60.0
  connect_timeout:
    description: Seconds after which a BMC that has not answered at all is given up.
    type: float
    default: 5.0
notes:
  - Use IPMI only where a BMC has no Redfish. A login proves that the BMC knows the password, which says who it is only
    as long as no two BMCs share one. And every BMC gives whoever asks a digest of the password of an account, from
    which a short password can be guessed.
  - Runs on the controller, whatever the host's connection, C(become) and interpreter are, in a child process that ends
    with the task and gets the password on its standard input. The host may be off.
  - Every session that is opened is closed again, also after an error, and by the child process after its worker was
    killed.
  - At most two tasks of one user are at work on one BMC at the same time. The others wait, and fail with C(Busy) at
    their deadline.
  - A datagram that gets no answer is sent four times in all.
requirements:
  - Python >= 3.11
  - pyghmi (on the machine where the task runs)
"""

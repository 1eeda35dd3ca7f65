# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bmc
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Finds servers through their BMCs
version_added: 0.1.0
description:
  - Finds every server behind the BMCs of a management network, and makes each one an Ansible host with two variables,
    C(hearth_bmc) (how to reach and trust its BMC) and C(hearth_server) (what the BMC says about the machine).
  - A BMC is found by a TCP connection and the anonymous Redfish service root, a BMC without Redfish by an RMCP presence
    ping. Only then the plugin logs in and reads details. No credential goes to a peer that is not verified, see
    O(trust).
  - A BMC with several systems gives one host per system. A GPU baseboard that is no host of its own belongs to its
    host.
  - A host is named after its slot in the O(map), else by the name remembered for that machine in the O(state) store,
    else by its serial number, else by the address of its BMC. The system id is appended where a BMC has several
    systems. Names never collide.
  - What is expected (an address or name written in O(targets), an entry of O(map) or O(leases), a BMC remembered in the
    store) or accepted a TCP connection, and then did not answer, is a host in the group C(bmc_unreachable), with the
    reason in C(hearth_bmc.error). A BMC whose key is not trusted is in C(bmc_unpinned) with its fingerprint, one that
    refused every credential in C(bmc_unauthorized). An address where nobody answers and nobody is expected is no host.
  - Discovery never writes a pin. Use the playbook C(hearth.datacenter.pin_bmcs) to pin the keys that you confirm.
notes:
  - A password never enters the inventory or its cache.
  - Strings that a BMC gives lose their control characters, and template openers in them are split, so they are inert in
    templates. Still treat C(hearth_server) as what the machine claims, not as what is true.
  - Needs the Python libraries C(netaddr), and C(jmespath) for O(filter), C(pyghmi) for IPMI and C(psycopg) for a
    PostgreSQL O(state).
  - Split a fleet with O(shard) or with AWX job slices, never with both.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices: [hearth.datacenter.bmc]
  targets:
    description:
      - Where to look, each one an address, a range V(10.0.0.10-10.0.0.90) or V(10.0.0.10-90), a network V(10.0.0.0/22),
        or a host name.
      - A single address or name is expected to answer. Addresses of a range or network are not.
    type: list
    elements: str
    default: []
  exclude:
    description: Addresses, ranges and networks that are never contacted, in the forms of O(targets).
    type: list
    elements: str
    default: []
  ports:
    description:
      - Where BMCs listen, tried in this order. A number means HTTPS. V(http:8080) means plain HTTP on that port, which
        sends credentials only with O(trust=off).
    type: list
    elements: str
    default: ['443']
  username:
    description: User name on the BMCs. Shorthand for a single entry in O(credentials).
    type: str
    env:
      - name: HEARTH_BMC_USERNAME
    vars:
      - name: hearth_bmc_username
  password:
    description: Password that belongs to O(username). Templates and vaulted values are resolved.
    type: str
    env:
      - name: HEARTH_BMC_PASSWORD
    vars:
      - name: hearth_bmc_password
  credentials:
    description:
      - Ordered list of credentials, or a template that gives one. Each entry has C(name), C(username), C(password) and
        optionally C(targets), addresses and networks to which it is restricted.
      - Entries restricted to a BMC's address come before the others. Each is tried at most once per BMC and run, and
        trying stops below the account lockout threshold. The one that worked last time is tried first.
    type: raw
    env:
      - name: HEARTH_BMC_CREDENTIALS
    vars:
      - name: hearth_bmc_credentials
  trust:
    description:
      - How a BMC proves that it is the one, before it is given a credential.
      - V(verify) wants a certificate that leads to a known authority and names the address.
      - V(pin) wants a key that the O(map) or the O(state) store holds.
      - V(off) sends credentials to whoever answers. Quote it, or write V(false), which means the same.
    type: raw
    default: verify
  ca_path:
    description: File with the CA certificates for O(trust=verify). The system's are used without it.
    type: path
  details:
    description:
      - How much to read after the login.
      - V(minimal) reads identity, power and health of each system.
      - V(standard) adds firmware, location, Secure Boot and GPUs.
      - V(full) adds network interfaces and drives, at the cost of one request for each where the BMC cannot expand
        collections.
    type: str
    choices: [minimal, standard, full]
    default: standard
  map:
    description:
      - File that says which machine is expected in which slot, see the guide on slots. Each slot names its BMC by
        address, MAC or serial.
    type: path
  leases:
    description: DHCP lease files (dnsmasq, ISC dhcpd or Kea). Each leased address is an expected BMC.
    type: list
    elements: path
    default: []
  filter:
    description:
      - JMESPath expression over the record of a host (C(name), C(hearth_bmc), C(hearth_server)). Hosts for which it is
        false are left out.
    type: str
  refresh:
    description:
      - What to do with a cached result. It matters only with O(cache=true).
      - V(none) uses it as it is.
      - V(changed) asks every BMC for its anonymous root, and reads again those where the root, its ETag or the last
        error changed.
      - V(all) reads everything again.
      - C(--flush-cache) wins over this.
    type: str
    choices: [all, changed, none]
    default: none
  shard:
    description:
      - Takes only a part of the targets, by the SHA-256 of the normalised target, so it is the same on every
        controller.
    type: dict
    suboptions:
      index:
        description: Which part, counted from 0.
        type: int
        required: true
      count:
        description: How many parts there are.
        type: int
        required: true
  ipmi:
    description:
      - What to do with an address where no Redfish answers.
      - V(never) leaves it alone.
      - V(presence) sends an RMCP ping, which needs no credential. Who answers it is a host in C(bmc_unpinned), unless
        its slot in the O(map) allows the login.
      - V(login) also logs in with IPMI, whose encryption does not verify the BMC.
      - A BMC once seen with Redfish never falls back to IPMI.
    type: str
    choices: [never, presence, login]
    default: presence
  connect_timeout:
    description: Seconds for TCP and TLS of one connection.
    type: float
    default: 5
  deadline:
    description: Seconds for one BMC, from the first connection to the last answer. One over it is in
      C(bmc_unreachable).
    type: float
    default: 120
  run_deadline:
    description:
      - Seconds for the whole run. What is not asked by then is in C(bmc_unreachable) if it is expected or was seen to
        listen.
      - V(0) means no bound beyond those of each BMC.
    type: float
    default: 0
  concurrency:
    description: How many BMCs are asked at the same time. One that stalls gives up its place to another.
    type: int
    default: 128
  state:
    description:
      - The state store with pins and remembered names, a path or a C(postgresql://) URL.
      - The default is V($XDG_STATE_HOME/hearth/state.sqlite3), or V(~/.local/state/hearth/state.sqlite3).
    type: str
    env:
      - name: HEARTH_STATE
    vars:
      - name: hearth_state
seealso:
  - module: hearth.datacenter.bmc_pin
"""

EXAMPLES = r"""
# inventory/hearth.bmc.yml: one management network, keys pinned after you confirmed them
plugin: hearth.datacenter.bmc
targets: [10.20.0.0/22]
map: slots.yml
trust: pin
credentials: >-
  {{ (lookup('ansible.builtin.unvault', inventory_dir ~ '/group_vars/all/vault.yml')
      | from_yaml).hearth_bmc_credentials }}
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/hearth/inventory
keyed_groups:
  - {key: hearth_bmc.platform, prefix: platform}
  - {key: hearth_server.health, prefix: health}

---
# certificates of the site's own CA, and only machines with GPUs
plugin: hearth.datacenter.bmc
targets: [10.20.0.10-10.20.0.90]
ca_path: /etc/ssl/site-ca.pem
username: ops
password: "{{ lookup('ansible.builtin.env', 'SITE_BMC_PASSWORD') }}"
filter: "hearth_server.gpus.count > `0`"
"""

import contextlib
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import HearthError
from ansible_collections.hearth.datacenter.plugins.module_utils._core.tls import CONTEXTS
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.plugin_utils._host_cache import outcomes
from ansible_collections.hearth.datacenter.plugins.plugin_utils._hosts import host_entries
from ansible_collections.hearth.datacenter.plugins.plugin_utils._inert import inert
from ansible_collections.hearth.datacenter.plugins.plugin_utils._populate import populate
from ansible_collections.hearth.datacenter.plugins.plugin_utils._settings import read_settings, refuse_unknown
from ansible_collections.hearth.datacenter.plugins.plugin_utils._state_memory import StateMemory

if t.TYPE_CHECKING:
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "hearth.datacenter.bmc"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("bmc.yml", "bmc.yaml"))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            refuse_unknown(config, self._options)
            settings = read_settings(self, path)
            with StateMemory.opened(settings, self.display) as memory:
                found = outcomes(self, settings, memory, path, cache)
                entries = host_entries(found, settings, memory, {*inventory.hosts, *inventory.groups})
        except HearthError as error:
            raise AnsibleParserError(" ".join(part for part in (error.msg, error.next) if part)) from error
        populate(self, entries)
        if settings.ca_path is not None:
            with contextlib.suppress(HearthError):  # the task that needs it says so
                # The workers of the play are forked from this process, and each would read it for itself.
                CONTEXTS.get(Trust("verify", ca_path=settings.ca_path))

    def _compose(self, template: t.Any, variables: t.Any, *args: t.Any) -> t.Any:
        return inert(super()._compose(template, variables, *args))

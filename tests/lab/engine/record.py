# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rack.json says of a machine."""

from __future__ import annotations

from tests.lab.engine import tpm
from tests.lab.engine.machine import Machine


def of_machine(machine: Machine, bmc_port: int) -> dict[str, object]:
    """The machine as plain JSON; ``tests.lab.rack`` reads it back with types."""
    certificates = tpm.ek_certificates(machine.tpm)
    return {
        "name": machine.name,
        "index": machine.index,
        "slot": machine.slot,
        "uuid": machine.uuid,
        "serial": machine.serial,
        "accelerator": machine.accelerator,
        "bmc": {"address": machine.bmc_address, "port": bmc_port, "scheme": "https"},
        "nics": [{"network": nic.network, "mac": nic.mac} for nic in machine.nics],
        "disks": [
            {"bus": disk.bus, "serial": disk.serial, "path": str(disk.path), "size_bytes": disk.size_bytes}
            for disk in machine.disks
        ],
        "tpm": {
            "state_directory": str(machine.tpm / "tpm2"),
            "ek_certificate_sha256": certificates.get("rsa2048", ""),
            "ek_certificates_sha256": certificates,
        },
        "console": str(machine.console),
        "nvram": str(machine.nvram),
        "node_address": machine.node_address,
    }

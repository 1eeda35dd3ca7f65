# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts that a machine is made of: plausible kinds, no real machine's serials.

Serial numbers are patterns (``#`` digit, ``@`` letter, ``%`` either), filled for each unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cpu:
    manufacturer: str
    model: str
    cores: int
    threads: int
    max_mhz: int
    watts: int = 270
    architecture: str = "x86"
    instruction_set: str = "x86-64"
    vendor_id: str = "GenuineIntel"


@dataclass(frozen=True)
class Dimm:
    manufacturer: str
    part_number: str
    gib: float
    mhz: int
    kind: str = "DDR5"
    serial_pattern: str = "%%######%%"


@dataclass(frozen=True)
class Disk:
    manufacturer: str
    model: str
    capacity_bytes: int
    serial_pattern: str
    revision: str
    protocol: str = "NVMe"  # "NVMe" | "SATA" | "SAS" | "USB"
    media: str = "SSD"  # "SSD" | "HDD"
    rpm: int | None = None
    gbps: float = 16.0
    self_encrypting: bool | None = None  # None: as NVMe drives of servers mostly are


@dataclass(frozen=True)
class Gpu:
    model: str
    memory_gib: int
    part_number: str
    firmware: str
    max_watts: int
    memory_kind: str = "HBM3"
    manufacturer: str = "NVIDIA"
    serial_pattern: str = "16########0##"


@dataclass(frozen=True)
class PowerUnit:
    manufacturer: str
    model: str
    watts: int
    part_number: str
    firmware: str
    serial_pattern: str = "PS@@##@######"


XEON_6430 = Cpu("Intel(R) Corporation", "Intel(R) Xeon(R) Gold 6430", 32, 64, 3400)
XEON_8480 = Cpu("Intel(R) Corporation", "Intel(R) Xeon(R) Platinum 8480+", 56, 112, 3800, watts=350)
XEON_6338 = Cpu("Intel", "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", 32, 64, 3200, watts=205)
XEON_6787 = Cpu("Intel", "Intel(R) Xeon(R) 6787P", 86, 172, 3800, watts=350)
XEON_E2488 = Cpu("Intel(R) Corporation", "Intel(R) Xeon(R) E-2488", 8, 16, 5600, watts=95)
EPYC_9354 = Cpu(
    "Advanced Micro Devices, Inc.", "AMD EPYC 9354 32-Core Processor", 32, 64, 3800, watts=280, vendor_id="AuthenticAMD"
)
EPYC_7543 = Cpu(
    "Advanced Micro Devices, Inc.", "AMD EPYC 7543 32-Core Processor", 32, 64, 3700, watts=225, vendor_id="AuthenticAMD"
)
GRACE = Cpu("NVIDIA", "Grace A02", 72, 72, 3402, watts=500, architecture="ARM", instruction_set="ARM-A64", vendor_id="")

DDR5_32 = Dimm("SK Hynix", "HMCG88AGBRA191N", 32, 4800)
DDR5_64 = Dimm("Samsung", "M321R8GA0BB0-CQKET", 64, 4800)
DDR5_64_FAST = Dimm("Micron Technology", "MTC40F2046S1RC64BD1", 64, 6400)
DDR4_32 = Dimm("Micron Technology", "36ASF4G72PZ-3G2R1", 32, 3200, kind="DDR4")
LPDDR5_480 = Dimm("NVIDIA", "LPDDR5X-480", 480, 8532, kind="LPDDR5_SDRAM")

NVME_3T84 = Disk("Samsung", "SAMSUNG MZQL23T8HCLS-00A07", 3_840_755_982_336, "S64HN@0#######", "GDC5902Q")
NVME_1T92 = Disk("KIOXIA", "KCD81RUG1T92", 1_920_383_410_176, "72#0A%%%%%%%", "1UET7104")
NVME_M2_960 = Disk("Micron", "Micron_7450_MTFDKBG960TFR", 960_197_124_096, "22#######%%%", "E2MU200", gbps=8.0)
SATA_480 = Disk("Intel", "SSDSC2KB480GZ", 480_103_981_056, "PHYI##########P480", "7CV10111", "SATA", gbps=6.0)
SAS_HDD_12T = Disk(
    "SEAGATE",
    "ST12000NM004J",
    12_000_138_625_024,
    "ZTN0%%%%%%",
    "E002",
    protocol="SAS",
    media="HDD",
    rpm=7200,
    gbps=12.0,
)

H100 = Gpu("H100 80GB HBM3", 80, "2330-880-A1", "96.00.74.00.0D", 700)
GH200 = Gpu("NVIDIA GH200 96GB HBM3", 96, "2342-880-A1", "96.00.84.00.02", 900)
GB200 = Gpu("NVIDIA GB200 186GB HBM3e", 186, "2941-886-A1", "97.00.46.00.12", 1200)

PSU_1400 = PowerUnit("DELTA", "DPS-1400AB-5 A", 1400, "04XTN6A01", "00.1D.7D")
PSU_800 = PowerUnit("LITEON", "PS-2801-9L", 800, "865414-B21", "2.04")
PSU_2000 = PowerUnit("Supermicro", "PWS-2K05A-1R", 2000, "672042-001", "1.2")
PSU_3300 = PowerUnit("Delta", "ECD16020144", 3300, "700-01280-0000", "0204.0204.0204")
PSU_1600 = PowerUnit("ACBEL", "FSJ061", 1600, "SP57A14680", "9.40")

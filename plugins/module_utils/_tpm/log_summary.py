# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event log comes to beside the PCRs that the TPM shows. The machine's own word: it proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from . import algorithm
from .event_log import EventLog
from .secure_boot import secure_boot_state

#: Banks that every Python can compute.
_COMPARED = (algorithm.SHA1, algorithm.SHA256, algorithm.SHA384, algorithm.SHA512)


@dataclass(frozen=True)
class LoggedPcr:
    """What a log says of one PCR."""

    events: int
    agrees: Optional[bool]
    """Whether the events lead to the value that the TPM shows in each bank that both have; None: they share none."""


@dataclass(frozen=True)
class LogSummary:
    banks: Tuple[str, ...]
    events: int
    """Those that were measured; notes are not counted."""
    pcrs: Mapping[int, LoggedPcr]
    secure_boot: Optional[bool]


def summary(log: EventLog, shown: Mapping[str, Mapping[int, bytes]]) -> LogSummary:
    """``shown``: the TPM's PCRs by the name of their bank."""
    replayed = {algorithm.BANK_NAME[bank]: log.replay(bank) for bank in log.banks if bank in _COMPARED}
    measured = [event for event in log.events if event.is_measured]
    pcrs: Dict[int, LoggedPcr] = {}
    for pcr in sorted({event.pcr for event in measured}):
        same: List[bool] = [
            values[pcr] == shown[bank][pcr] for bank, values in replayed.items() if pcr in shown.get(bank, {})
        ]
        pcrs[pcr] = LoggedPcr(len(log.of_pcr(pcr)), all(same) if same else None)
    names = tuple(algorithm.BANK_NAME[bank] for bank in log.banks)
    return LogSummary(names, len(measured), pcrs, secure_boot_state(log))

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module ipmi_info, around the engine in :mod:`.._ipmi.info`."""

from __future__ import annotations

from typing import Any, Dict

from .._ipmi.access import opened
from .._ipmi.info import NEEDS_OPERATOR, read_info
from .contract import Contract, Outcome, Request
from .ipmi_options import CHANGE, IPMI_ARGUMENTS, IPMI_RULES, READ, access_of
from .redfish_info import INFO_ARGUMENTS, answer, query_of, subsets_of


def run(request: Request) -> Outcome:
    """Read what is asked for."""
    query = query_of(request.params)
    subsets = subsets_of(request.params)
    privilege = CHANGE if NEEDS_OPERATOR & set(subsets) else READ
    with opened(access_of(request.params, request.run_directory), privilege=privilege, at_least=READ) as connection:
        info = read_info(connection, subsets)
    nouns: Dict[str, Any] = {"info": info}
    if query is not None:
        nouns["query_result"] = answer(query, info)
    return Outcome(changed=False, nouns=nouns, warnings=connection.warnings)


IPMI_INFO = Contract("ipmi_info", run, argument_spec={**INFO_ARGUMENTS, **IPMI_ARGUMENTS}, **IPMI_RULES)

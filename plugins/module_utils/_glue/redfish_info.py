# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module redfish_info, around the engine in :mod:`.._redfish.info`."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple, Type

from .._core.errors import BadInput
from .._core.missing_library import missing_library
from .._redfish.access import opened
from .._redfish.info import DEFAULT_SUBSETS, SUBSETS, read_info
from .contract import Contract, Outcome, Request
from .redfish_options import REDFISH_ARGUMENTS, REDFISH_RULES, access_of

try:
    import jmespath
    from jmespath.exceptions import JMESPathError
except ImportError as missing:
    JMESPATH_MISSING: Optional[ImportError] = missing
    QUERY_ERRORS: Tuple[Type[BaseException], ...] = ()
else:
    JMESPATH_MISSING = None
    QUERY_ERRORS = (JMESPathError,)

INFO_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "subset": {
        "type": "list",
        "elements": "str",
        "choices": [*SUBSETS, "all"],
        "default": list(DEFAULT_SUBSETS),
    },
    "query": {"type": "str"},
}
"""What every module that reads from a BMC takes."""


def run(request: Request) -> Outcome:
    """Read what is asked for."""
    query = query_of(request.params)
    access = access_of(request.params, request.run_directory)
    with opened(access, cancelled=request.cancelled, on_progress=request.on_progress) as session:
        info = read_info(session, subsets_of(request.params))
    nouns: Dict[str, Any] = {"info": info}
    if query is not None:
        nouns["query_result"] = answer(query, info)
    # After the logout, which may have a word to say, too.
    return Outcome(changed=False, nouns=nouns, warnings=session.warnings)


def subsets_of(params: Mapping[str, Any]) -> Tuple[str, ...]:
    wanted = params["subset"] or DEFAULT_SUBSETS
    return tuple(SUBSETS) if "all" in wanted else tuple(wanted)


def query_of(params: Mapping[str, Any]) -> Any:
    """The compiled query, None where there is none; BadInput or MissingLibrary before anything is contacted."""
    expression = params["query"]
    if not expression:
        return None
    if JMESPATH_MISSING is not None:
        raise missing_library("jmespath", "the option query", str(JMESPATH_MISSING), otherwise=", or leave query out")
    try:
        return jmespath.compile(expression)
    except QUERY_ERRORS as error:
        raise _no_query(expression, error) from error


def answer(query: Any, info: Mapping[str, Any]) -> Any:
    """What the query finds; BadInput for one that does not fit what was read."""
    try:
        return query.search(info)
    except QUERY_ERRORS as error:
        raise _no_query(query.expression, error) from error


def _no_query(expression: str, error: BaseException) -> BadInput:
    return BadInput(
        f"query is not usable: {' '.join(str(error).split())}",
        expected="a JMESPath expression over info",
        found=expression,
        where="query",
        next="Run the task without query, and try the expression on its info.",
    )


REDFISH_INFO = Contract(
    "redfish_info",
    run,
    argument_spec={**INFO_ARGUMENTS, **REDFISH_ARGUMENTS},
    **REDFISH_RULES,
)

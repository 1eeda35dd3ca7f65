# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query parameters, and each platform's way of not having them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.emulators.redfish import filter as filters
from tests.emulators.redfish.body import type_name
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json, Manners

Read = Callable[[str], "dict[str, Json] | None"]  # path -> body
_EXPAND = re.compile(r"([.*~])(?:\(\$levels=(-?\w+)\))?\Z")
_PLAIN = ("$top", "$skip", "$select", "$filter", "only", "excerpt")  # what Manners.query is about
_EXCERPTS = {  # properties that the schema marks as excerpts of any kind
    "Sensor": ("Reading", "ApparentVA", "ReactiveVAR", "PowerFactor", "SensorResetTime", "LifetimeReading", "SpeedRPM",
               "CrestFactor", "THDPercent", "ApparentkVAh", "ReactivekVARh", "PhaseAngleDegrees"),
}  # fmt: skip
_MOST_RESOURCES = 20_000  # of one expanded answer


@dataclass(frozen=True)
class Query:
    expand: str = ""  # "" | "." | "*" | "~"
    levels: int = 1
    select: tuple[str, ...] = ()
    matches: filters.Test | None = None
    top: int | None = None
    skip: int = 0
    only: bool = False
    excerpt: bool = False


def parse(manners: Manners, text: str) -> Query:
    """What is asked for, with what the platform ignores left out; raises what it refuses."""
    if not text:
        return Query()
    asked = dict(parse_qsl(text, keep_blank_values=True))
    for name in asked:
        if name.startswith("$") and name != "$expand" and name not in _PLAIN:
            _unsupported(manners.query, name)
    expand, levels = "", 1
    if "$expand" in asked and _accepted(manners.expand, "$expand"):
        expand, levels = _expand(manners, asked["$expand"])
        if manners.expand == "broken":
            expand = ""
    skip_only = manners.page_size > 0 and "$skip" in asked and "$top" not in asked  # as in its own nextLinks
    names = [name for name in _PLAIN if name in asked]
    works = {name for name in names if (skip_only and name == "$skip") or _accepted(manners.query, name)}
    if "$select" in works and not manners.select:
        _unsupported("refused_501", "$select")
    for name in works & {"only", "excerpt"}:
        if asked[name]:
            raise Refusal(400, "QueryParameterValueFormatError", asked[name], name)
    if "only" in works and len(asked) > 1:
        raise Refusal(400, "QueryCombinationInvalid")
    return Query(
        expand,
        levels,
        tuple(part for part in asked["$select"].split(",") if part) if "$select" in works else (),
        filters.parse(asked["$filter"]) if "$filter" in works else None,
        _whole("$top", asked["$top"]) if "$top" in works else None,
        _whole("$skip", asked["$skip"]) if "$skip" in works else 0,
        "only" in works,
        "excerpt" in works,
    )


def _accepted(manner: str, name: str) -> bool:
    """True: it works (or claims to); False: it is ignored."""
    if manner == "ignored":
        return False
    if manner.startswith("refused"):
        _unsupported(manner, name)
    return True


def _unsupported(manner: str, name: str) -> None:
    if manner == "ignored":
        return
    if manner == "refused_400":
        raise Refusal(400, "QueryNotSupported", related="")
    raise Refusal(501, "QueryParameterUnsupported", name)


def _expand(manners: Manners, value: str) -> tuple[str, int]:
    match = _EXPAND.match(value)
    if match is None:
        raise Refusal(400, "QueryParameterValueFormatError", value, "$expand")
    if match[2] is None:
        return match[1], 1
    try:
        levels = int(match[2])
    except ValueError:
        raise Refusal(400, "QueryParameterValueTypeError", match[2], "$levels") from None
    if not 1 <= levels <= manners.expand_levels:
        raise Refusal(400, "QueryParameterOutOfRange", levels, "$levels", f"1-{manners.expand_levels}")
    return match[1], levels


def _whole(name: str, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise Refusal(400, "QueryParameterValueTypeError", value, name) from None
    if number < 0:
        raise Refusal(400, "QueryParameterOutOfRange", value, name, "0 or more")
    return number


def apply(manners: Manners, query: Query, path: str, body: dict[str, Json], read: Read) -> dict[str, Json]:
    """The body that is served for that query. ``body`` may be written to at its top level."""
    listed = body.get("Members")
    paged = isinstance(listed, list) and "Members@odata.count" in body
    members: list[Json] = listed if isinstance(listed, list) else []
    if (query.top is not None or query.skip or query.matches is not None) and not paged:
        raise Refusal(400, "QueryNotSupportedOnResource")
    if query.excerpt:
        return _excerpt(body)
    if query.only:
        if not paged:
            raise Refusal(400, "QueryNotSupportedOnResource")
        if len(members) == 1:
            return read(members[0]["@odata.id"]) or body
        return body
    if paged:
        if query.matches is not None:
            members = [member for member in members if query.matches(read(member["@odata.id"]) or {})]
            body["Members"] = members
            body["Members@odata.count"] = len(members)
        body = _page(manners, query, path, body, members)
    if query.expand:
        body = _Expansion(read, query.expand).top(body, query.levels)
    if query.select:
        body = _select(body, query.select)
    return body


def _excerpt(body: dict[str, Json]) -> dict[str, Json]:
    names = _EXCERPTS.get(type_name(body.get("@odata.type")))
    if names is None:
        raise Refusal(400, "QueryNotSupportedOnResource")
    return {key: value for key, value in body.items() if key in names or key.startswith("@odata.")}


def _page(manners: Manners, query: Query, path: str, body: dict[str, Json], members: list[Json]) -> dict[str, Json]:
    end = len(members) if query.top is None else min(query.skip + query.top, len(members))
    if manners.page_size and end - query.skip > manners.page_size:
        end = query.skip + manners.page_size
        body["Members@odata.nextLink"] = f"{path}?$skip={end}"
    if query.skip or end < len(members):
        body["Members"] = members[query.skip : end]
    return body


class _Expansion:
    """One $expand. A reference whose resource is gone stays a reference; so does what exceeds the bound."""

    def __init__(self, read: Read, mode: str) -> None:
        self._read = read
        self._mode = mode
        self._left = _MOST_RESOURCES

    def top(self, body: dict[str, Json], levels: int) -> dict[str, Json]:
        return {key: self._value(key, value, levels, key == "Links") for key, value in body.items()}

    def _value(self, key: str, value: Json, levels: int, in_links: bool) -> Json:
        if isinstance(value, list):
            return [self._value(key, item, levels, in_links) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and "@odata.id" in value:
            wanted = self._mode == "*" or (self._mode == "~") == in_links
            return self._resource(value, levels) if wanted else value
        return {name: self._value(name, item, levels, in_links or name == "Links") for name, item in value.items()}

    def _resource(self, reference: dict[str, Json], levels: int) -> Json:
        path = reference["@odata.id"]
        body = self._read(path) if isinstance(path, str) and "#" not in path and self._left > 0 else None
        if body is None:
            return reference
        self._left -= 1
        return self.top(body, levels - 1) if levels > 1 else body


def _select(body: dict[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    chosen: dict[str, Json] = {key: value for key, value in body.items() if key.startswith("@odata.")}
    for name in names:
        source: Json = body
        target = chosen
        *parents, last = name.split("/")
        for parent in parents:
            source = source.get(parent) if isinstance(source, dict) else None
            target = target.setdefault(parent, {}) if isinstance(source, dict) else target
        if isinstance(source, dict):
            for key in source:
                if key == last or key.startswith(f"{last}@"):
                    target[key] = source[key]
    return chosen

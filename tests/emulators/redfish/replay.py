# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captures replayed: an unpacked tree of index.json files becomes a personality that serves it as it stands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.emulators.redfish.body import type_name
from tests.emulators.redfish.personality import (
    OMITTED,
    SERVICE_ROOT,
    Manners,
    Personality,
    Template,
    Tree,
    collection,
    link,
)
from tests.emulators.redfish.plan import PlanError
from tests.emulators.redfish.sessions import COLLECTION, SERVICE


def captures(folder: Path) -> list[Path]:
    """The folder itself where it is a capture, else the captures in it, by name."""
    if (folder / "index.json").is_file():
        return [folder]
    found = sorted(root.parent for root in folder.glob("*/index.json"))
    if not found:
        raise PlanError(f"--replay {folder}: neither index.json nor <capture>/index.json is there")
    return found


def read_tree(folder: Path) -> Tree:
    """Path → body of each index.json below the folder, whose root is /redfish/v1.

    A capture without sessions gets them, unlinked, since a client that logs in has to be able to.
    """
    tree: Tree = {}
    for file in sorted(folder.rglob("index.json")):
        inside = file.parent.relative_to(folder).as_posix()
        path = SERVICE_ROOT if inside == "." else f"{SERVICE_ROOT}/{inside}"
        tree[path] = _as_it_stands(_read(file))
    if SERVICE_ROOT not in tree:
        raise PlanError(f"--replay {folder}: there is no index.json of the service root")
    if not any(type_name(body.get("@odata.type")) == "SessionCollection" for body in tree.values()):
        tree.setdefault(
            SERVICE,
            {"@odata.type": "#SessionService.v1_1_9.SessionService", "Id": "SessionService", "Name": "Session Service",
             "Sessions": link(COLLECTION)},
        )  # fmt: skip
        tree.setdefault(COLLECTION, collection("SessionCollection", "Session Collection"))
    return tree


def _read(file: Path) -> Template:
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig", errors="surrogateescape"))
    except ValueError as error:
        raise PlanError(f"--replay: {file} is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise PlanError(f"--replay: {file} is no JSON object")
    return body


def _as_it_stands(body: Template) -> Template:
    """A collection that was captured without Members is served without."""
    if type_name(body.get("@odata.type")).endswith("Collection") and "Members" not in body:
        return {**body, "Members": OMITTED}
    return body


def replayed(folder: Path, *, authentication: bool = True) -> list[Personality]:
    """A personality for each capture; it takes the query parameters that its root says it takes."""
    return [_personality(capture, authentication) for capture in captures(folder)]


def _personality(capture: Path, authentication: bool) -> Personality:
    tree = read_tree(capture)  # before the workers are forked: they share it, and a broken one is told at once
    features = tree[SERVICE_ROOT].get("ProtocolFeaturesSupported")
    features = features if isinstance(features, dict) else {}
    expand = features.get("ExpandQuery")
    expands = isinstance(expand, dict) and any(expand.get(name) is True for name in ("ExpandAll", "Links", "NoLinks"))
    queries = any(features.get(name) is True for name in ("SelectQuery", "OnlyMemberQuery", "TopSkipQuery"))
    manners = Manners(
        anonymous=not authentication,
        etag_in_body=False,
        link_header=False,
        expand="works" if expands else "ignored",
        query="works" if queries else "ignored",
    )
    return Personality(capture.name, manners, lambda: tree)

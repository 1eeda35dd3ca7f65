# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates made ready to be served: what is the same for all BMCs is shared, the rest is filled in per GET."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.emulators.redfish.personality import OMITTED, BmcView, Json, Template, Tree, Volatile
from tests.emulators.redfish.registry import KEEPERS

Render = Callable[[BmcView, bool], Json]  # (bmc, steady): steady leaves volatile leaves out


def _compile(node: Json) -> tuple[Render | None, bool]:
    """A function that renders the node, or None where it is constant; and whether a volatile leaf is inside."""
    if isinstance(node, dict):
        parts = {key: _compile(value) for key, value in node.items()}
        moving = any(changing for _dummy, changing in parts.values())
        if all(render is None for render, _dummy in parts.values()) and OMITTED not in node.values():
            return None, False
        plan = [(key, render, node[key]) for key, (render, _dummy) in parts.items() if node[key] is not OMITTED]

        def render_dict(bmc: BmcView, steady: bool) -> Json:
            body = {}
            for key, render, value in plan:
                if render is not None:
                    value = render(bmc, steady)
                    if value is OMITTED:
                        continue
                body[key] = value
            return body

        return render_dict, moving
    if isinstance(node, list | tuple):
        items = [(_compile(value), value) for value in node]
        if all(render is None for (render, _dummy), _dummy in items):
            return None, False

        def render_list(bmc: BmcView, steady: bool) -> Json:
            return [value if render is None else render(bmc, steady) for (render, _dummy), value in items]

        return render_list, any(changing for (_dummy, changing), _dummy in items)
    if isinstance(node, Volatile):
        return (lambda bmc, steady: None if steady else node(bmc)), True
    if callable(node):
        return (lambda bmc, steady: node(bmc)), False
    return None, False


def type_name(odata_type: object) -> str:
    """``#ComputerSystem.v1_22_0.ComputerSystem`` → ``ComputerSystem``; "" where there is none."""
    if not isinstance(odata_type, str):
        return ""
    return odata_type.rpartition(".")[2].lstrip("#")


class Compiled:
    """One resource of one platform."""

    __slots__ = ("_body", "_render", "allow", "kind", "members_from_tree", "odata_type", "path", "served", "volatile")

    def __init__(self, path: str, template: Template) -> None:
        self.path = path
        self.odata_type = template.get("@odata.type")
        self.kind = type_name(self.odata_type)
        if "@odata.id" not in template:
            template = {"@odata.id": path, **template}
        self._body = template
        self._render, self.volatile = _compile(template)
        self.members_from_tree = self.kind.endswith("Collection") and "Members" not in template
        self.allow = ""  # the Allow header, once it is known
        self.served: tuple[bytes, str] | None = None  # (payload, ETag) of a resource that is the same on all BMCs

    @property
    def constant(self) -> bool:
        """The same on all BMCs of the platform, as long as nobody changes it."""
        return self._render is None and self.kind not in KEEPERS

    def render(self, bmc: BmcView, steady: bool = False) -> dict[str, Json]:
        """The body for that BMC: a dict of its own, whose constant parts are shared and must not be written to."""
        if self._render is None:
            return dict(self._body)
        body: dict[str, Json] = self._render(bmc, steady)
        return body


class CompiledTree:
    """The tree of one platform, compiled once in each worker."""

    def __init__(self, tree: Tree) -> None:
        self.resources = {path.rstrip("/"): Compiled(path.rstrip("/"), body) for path, body in tree.items()}
        self.children: dict[str, list[str]] = {}
        self.by_kind: dict[str, list[str]] = {}
        for path, resource in self.resources.items():
            self.children.setdefault(path.rpartition("/")[0], []).append(path)
            self.by_kind.setdefault(resource.kind, []).append(path)

    def first(self, kind: str) -> str:
        """Path of the first resource of that type, or ""."""
        found = self.by_kind.get(kind)
        return found[0] if found else ""


def merged(base: Any, change: Any) -> Any:
    """A copy of ``base`` with ``change`` laid over it; objects merge key by key, everything else is replaced."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    out = dict(base)
    for key, value in change.items():
        out[key] = merged(out.get(key), value)
    return out


def with_absolute_links(node: Json, origin: str) -> Json:
    """A copy in which each @odata.id is an absolute URI."""
    if isinstance(node, dict):
        return {
            key: (
                origin + value
                if key == "@odata.id" and isinstance(value, str) and value.startswith("/")
                else with_absolute_links(value, origin)
            )
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [with_absolute_links(value, origin) for value in node]
    return node

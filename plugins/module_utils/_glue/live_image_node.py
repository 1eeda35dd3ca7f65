# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module live_image_node, around :mod:`.._live_image.node_medium`."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from .._core.errors import BadInput
from .._live_image.commands import Commands, build_environment, require_tools
from .._live_image.node_document import BOND_MODES, node_document
from .._live_image.node_medium import (
    check_dest,
    check_image,
    make_host_key,
    make_medium,
    patch_copy,
    secret_scratch,
)
from .._live_image.package_cache import sha256_of
from .contract import Contract, Outcome, Request


def run(request: Request) -> Outcome:
    """A key pair for one boot, the document around it, and the medium around that."""
    params = request.params
    dest = Path(params["dest"])
    require_tools(("ssh-keygen", "xorriso"))
    check_dest(dest)
    # Everything that can be wrong is found before a key is made.
    _document(params, "")
    scratch = secret_scratch()
    try:
        commands = Commands(scratch / "log", build_environment())
        offset = _offset(params, commands)
        if request.check_mode:
            return _outcome(dest, None, None)
        private, public = make_host_key(params["hostname"], commands, scratch)
        document = _document(params, private)
        if offset is None:
            make_medium(document, dest, commands, scratch)
        else:
            patch_copy(Path(params["image"]), offset, document, dest)
        return _outcome(dest, public, hashlib.sha256(document).hexdigest())
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _document(params: Mapping[str, Any], ssh_host_key: str) -> bytes:
    return node_document(params["hostname"], params["network"]["interfaces"], params["authorized_keys"], ssh_host_key)


def _offset(params: Mapping[str, Any], commands: Commands) -> Optional[int]:
    """Where the area lies in the image that is to be copied; None for a medium of its own."""
    if params["mode"] == "medium":
        return None
    image, dest = Path(params["image"]), Path(params["dest"])
    if dest.exists() and dest.samefile(image):
        raise BadInput(
            "the image itself is no place for a node's copy",
            expected="dest and image are two files",
            found=str(dest),
            next="Name another dest; the image serves every machine.",
        )
    return check_image(image, params["image_sha256"] or "", commands)


def _outcome(dest: Path, public: Optional[str], document_sha256: Optional[str]) -> Outcome:
    node: Dict[str, Any] = {
        "path": str(dest),
        "sha256": sha256_of(dest) if public else None,
        "size_bytes": dest.stat().st_size if public else None,
        "document_sha256": document_sha256,
        "ssh_host_key": public,
    }
    return Outcome(changed=True, nouns={"live_image_node": node})


_INTERFACE: Dict[str, Any] = {
    "match": {"type": "dict", "options": {"mac": {"type": "str", "required": True}}},
    "name": {"type": "str"},
    "dhcp": {"type": "bool", "default": False},
    "addresses": {"type": "list", "elements": "str"},
    "gateway": {"type": "str"},
    "dns": {"type": "list", "elements": "str"},
    "mtu": {"type": "int"},
    "vlan": {"type": "dict", "options": {"id": {"type": "int", "required": True}, "name": {"type": "str"}}},
    "bond": {
        "type": "dict",
        "options": {
            "members": {"type": "list", "elements": "str", "required": True},
            "mode": {"type": "str", "choices": list(BOND_MODES), "default": BOND_MODES[0]},
            "miimon": {"type": "int", "default": 100},
        },
    },
}

LIVE_IMAGE_NODE = Contract(
    "live_image_node",
    run,
    argument_spec={
        "dest": {"type": "path", "required": True},
        "mode": {"type": "str", "choices": ["medium", "patched"], "default": "medium"},
        "image": {"type": "path"},
        "image_sha256": {"type": "str"},
        "hostname": {"type": "str", "required": True},
        "network": {
            "type": "dict",
            "required": True,
            "options": {
                "interfaces": {"type": "list", "elements": "dict", "required": True, "options": _INTERFACE},
            },
        },
        # Public keys.
        "authorized_keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    },
    required_if=[("mode", "patched", ("image",))],
)

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two small files of an image that are written after it is made: where its system lies, and the node's configuration.

Both have a fixed size and begin with a line that says what they are, so that writing into them changes no other byte
of the image, and nothing that GRUB measures.
"""

from __future__ import annotations

import re

from .._core.errors import BadInput

NODE_PATH = "hearth/node.area"
EXTENT_PATH = "hearth/root.extent"

NODE_BYTES = 65536
NODE_HEADER_BYTES = 128
EXTENT_BYTES = 128

_NODE_MAGIC = "HEARTH-NODE-AREA 1"
_EXTENT_MAGIC = "HEARTH-EXTENT 1"
_NODE_HEADER = re.compile(r"HEARTH-NODE-AREA 1 (\d{8})\n *")


def node_area(document: bytes = b"") -> bytes:
    """The area with a document in it, or empty."""
    room = NODE_BYTES - NODE_HEADER_BYTES
    if len(document) > room:
        raise BadInput(
            "the node's configuration is too long for the image's area",
            expected=f"at most {room} bytes",
            found=f"{len(document)} bytes",
            next="Fewer authorized keys, or a second medium.",
        )
    header = f"{_NODE_MAGIC} {len(document):08d}\n".ljust(NODE_HEADER_BYTES).encode("ascii")
    return (header + document).ljust(NODE_BYTES, b"\0")


def is_node_area(found: bytes) -> bool:
    """Whether these bytes of an image are its area, empty or filled."""
    header = found[:NODE_HEADER_BYTES].decode("ascii", "replace")
    return len(found) == NODE_BYTES and _NODE_HEADER.fullmatch(header) is not None


def extent(offset: int, size_bytes: int) -> bytes:
    """Where in the image the root file system lies, for those who read the device and not its file system."""
    return f"{_EXTENT_MAGIC} {offset} {size_bytes}\n".ljust(EXTENT_BYTES).encode("ascii")

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The areas of an image that are written later, and the end of its initrd."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image import areas
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.initrd import archive, with_digest


def test_the_area_has_one_size_whatever_is_in_it() -> None:
    assert len(areas.node_area()) == len(areas.node_area(b"x" * 1000)) == areas.NODE_BYTES


def test_the_header_says_how_long_the_document_is() -> None:
    area = areas.node_area(b"{}")

    assert area.startswith(b"HEARTH-NODE-AREA 1 00000002\n")
    assert area[areas.NODE_HEADER_BYTES :].rstrip(b"\0") == b"{}"


def test_a_document_that_does_not_fit_is_refused() -> None:
    room = areas.NODE_BYTES - areas.NODE_HEADER_BYTES
    areas.node_area(b"x" * room)

    with pytest.raises(BadInput):
        areas.node_area(b"x" * (room + 1))


@pytest.mark.parametrize("found", [b"", bytes(areas.NODE_BYTES), areas.node_area()[:-1], b"x" + areas.node_area()[1:]])
def test_other_bytes_are_no_area(found: bytes) -> None:
    assert areas.is_node_area(areas.node_area(b"{}"))
    assert not areas.is_node_area(found)


def test_the_digest_is_unpacked_behind_what_was_there(tmp_path: Path) -> None:
    first = archive([("conf/arch.conf", b"amd64\n")])
    # The archive that was there ends at any length.
    initrd = with_digest(first + b"\0\0\0", "ab" * 32, 4096)

    second = initrd[len(first) + 3 :].lstrip(b"\0")
    subprocess.run(["cpio", "-id", "--quiet"], input=second, cwd=tmp_path, check=True)

    assert (len(initrd) - len(second)) % 4 == 0
    assert (tmp_path / "conf/hearth/squashfs").read_text() == "ab" * 32 + " 4096\n"
    assert (tmp_path / "conf").stat().st_mode & 0o777 == 0o755

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A package list comes back from its file as it was, or is refused before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.package_list import (
    Package,
    PackageList,
    Wanted,
    read_package_list,
)

BUSYBOX = Package(
    "busybox",
    "1:1.35.0-4+deb12u1",
    "amd64",
    "http://deb.debian.org/debian/pool/main/b/busybox/busybox_1.35.0-4%2bdeb12u1_amd64.deb",
    452000,
    "ab" * 32,
    True,
)
LIST = PackageList(Wanted("amd64", "bookworm", ("deb …",), ("busybox",), ("shim-signed",)), 1795000000, (BUSYBOX,))


def written(folder: Path, document: Any) -> Path:
    path = folder / "packages.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_package_list(written(tmp_path, LIST.to_json())) == LIST


def test_the_order_of_packages_does_not_matter() -> None:
    other = Package("zstd", "1.5", "amd64", "http://deb.debian.org/debian/pool/z.deb", 1, "cd" * 32, True)
    first = PackageList(LIST.wanted, 1, (BUSYBOX, other))

    assert first.digest == PackageList(LIST.wanted, 1, (other, BUSYBOX)).digest
    assert first.digest != PackageList(LIST.wanted, 2, (other, BUSYBOX)).digest


def test_the_file_of_a_package_with_an_epoch_is_named_as_apt_names_it() -> None:
    assert BUSYBOX.file_name == "busybox_1%3a1.35.0-4+deb12u1_amd64.deb"
    assert BUSYBOX.pool_path == "pool/main/b/busybox/busybox_1.35.0-4%2bdeb12u1_amd64.deb"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../../etc/cron.d/x"),
        ("version", "1; rm -rf /"),
        ("architecture", "amd64/.."),
        ("sha256", "abc"),
        ("url", "ftp://example.net/pool/x.deb"),
        ("url", "http://example.net/x.deb"),
    ],
)
def test_an_entry_that_would_go_astray_is_refused(tmp_path: Path, field: str, value: str) -> None:
    document = json.loads(LIST.to_json())
    document["packages"][0][field] = value

    with pytest.raises(BadInput):
        read_package_list(written(tmp_path, document))


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 9}', "not json"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        read_package_list(written(tmp_path, text))


def test_a_list_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no package list"):
        read_package_list(tmp_path / "none.json")

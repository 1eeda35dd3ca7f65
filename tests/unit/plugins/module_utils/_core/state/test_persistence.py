# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made-up mountinfo texts of the places where a controller runs; proc(5) says what the fields are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.persistence import (
    mount_of,
    parse_mountinfo,
    why_not_persistent,
)

MACHINE = """\
22 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 28 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=800M
44 28 8:2 / /srv/with\\040space rw,relatime shared:30 - xfs /dev/sda2 rw
50 28 0:50 / /home/alice/nfs rw - nfs4 filer:/alice rw
"""
CONTAINER = """\
600 500 0:99 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
601 600 0:5 / /dev rw - tmpfs tmpfs rw
610 600 8:1 /var/lib/docker/volumes/hearth/_data /var/lib/hearth rw - ext4 /dev/sda1 rw
"""
PODMAN_ROOTLESS = "600 500 0:99 / / rw,relatime - fuse.fuse-overlayfs fuse-overlayfs rw\n"
CONTAINER_ON_BTRFS = "600 500 0:40 /@/var/lib/docker/btrfs/subvolumes/abc / rw - btrfs /dev/sda1 rw\n"
POD = CONTAINER + """\
620 600 8:1 /var/lib/kubelet/pods/1-2/volumes/kubernetes.io~empty-dir/work /runner rw - ext4 /dev/sda1 rw
630 600 259:3 / /claim rw - ext4 /dev/nvme1n1 rw
"""
LIVE_IMAGE = "30 1 0:27 / / rw - overlay overlay rw\n"


def why(path: str, mountinfo: str, marks: tuple[str, ...] = (), **environ: str) -> str:
    return why_not_persistent(path, mountinfo=mountinfo, environ=environ, exists=lambda mark: mark in marks)


@pytest.mark.parametrize(
    "path", ["/var/lib/hearth/s", "/srv/with space/s", "/home/alice/nfs/s", "/home/alice/.local/state/hearth/s"]
)
def test_the_disks_of_a_machine_are_persistent(path: str) -> None:
    assert why(path, MACHINE) == ""


def test_memory_is_not_whatever_the_machine() -> None:
    assert why("/run/hearth/s", MACHINE) == "it lies in memory (tmpfs at /run)"


@pytest.mark.parametrize("mountinfo", [CONTAINER, PODMAN_ROOTLESS, LIVE_IMAGE])
def test_a_layer_over_an_image_is_not(mountinfo: str) -> None:
    assert why("/root/.local/state/hearth/s", mountinfo).startswith(
        "it lies on a container's or live system's own disk"
    )


def test_a_volume_in_a_container_is(tmp_path: Path) -> None:
    assert why("/var/lib/hearth/s", CONTAINER, ("/.dockerenv",)) == ""
    # A name that only begins like the volume's lies beside it.
    assert why("/var/lib/hearth-old/s", CONTAINER, ("/.dockerenv",)) != ""


def test_an_empty_dir_of_a_pod_is_not_and_a_claim_is() -> None:
    assert "emptyDir" in why("/runner/s", POD, KUBERNETES_SERVICE_HOST="10.96.0.1")
    assert why("/claim/s", POD, KUBERNETES_SERVICE_HOST="10.96.0.1") == ""


@pytest.mark.parametrize("marks", [("/.dockerenv",), ("/run/.containerenv",)])
def test_the_root_of_a_container_is_not_whatever_its_file_system(marks: tuple[str, ...]) -> None:
    assert marks[0] in why("/root/s", CONTAINER_ON_BTRFS, marks)
    assert why("/root/s", CONTAINER_ON_BTRFS) == ""
    assert "KUBERNETES_SERVICE_HOST" in why("/root/s", CONTAINER_ON_BTRFS, KUBERNETES_SERVICE_HOST="10.96.0.1")


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    assert why("/srv/s", "") == ""
    assert why("/srv/s", "no mountinfo at all\n1 2 3 - ext4\n") == ""


def test_of_two_mounts_at_one_point_the_later_hides_the_other() -> None:
    mounts = parse_mountinfo(MACHINE + "70 44 0:70 / /srv/with\\040space rw - tmpfs tmpfs rw\n")
    found = mount_of("/srv/with space/s", mounts)
    assert found is not None and found.filesystem == "tmpfs"


def test_a_real_file_in_memory_is_found_out() -> None:
    if not Path("/dev/shm").is_mount():
        pytest.skip("/dev/shm is not mounted here")
    assert why_not_persistent("/dev/shm/hearth/state.sqlite3") == "it lies in memory (tmpfs at /dev/shm)"


def test_what_the_location_says_counts_more(tmp_path: Path) -> None:
    with open_store(f"sqlite://{tmp_path}/s?persistent=yes") as store:
        assert (store.persistent, store.why_not_persistent) == (True, "")
    with open_store(f"sqlite://{tmp_path}/s?persistent=no") as store:
        assert (store.persistent, store.why_not_persistent) == (False, "its location says persistent=no")

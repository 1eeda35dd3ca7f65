# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a playbook as AWX does, with ansible-runner, and gives what its events and its files show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook_run import PlaybookFolder

_PASSED_ON = ("ANSIBLE_", "HEARTH_", "PATH")


def in_runner(folder: PlaybookFolder, playbook: str) -> tuple[list[dict[str, Any]], list[Path]]:
    """The results in the events of success, in order, and every file that ansible-runner has left."""
    runner = pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")
    private = folder.folder / "runner"
    private.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in folder.environment().items():
            if name.startswith(_PASSED_ON):
                patch.setenv(name, value)
        ended = runner.run(
            private_data_dir=str(private),
            playbook=playbook,
            inventory=str(folder.folder / "inventory.yml"),
            quiet=True,
        )
    assert ended.status == "successful"
    results = [event["event_data"]["res"] for event in ended.events if event["event"] == "runner_on_ok"]
    return results, [path for path in private.rglob("*") if path.is_file()]

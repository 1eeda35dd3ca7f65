# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.plugin_utils._state_location import location_of_task, state_location


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HEARTH_STATE", raising=False)
    return tmp_path


def test_an_option_counts_before_the_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert state_location() == f"{home}/.local/state/hearth/state.sqlite3"
    monkeypatch.setenv("HEARTH_STATE", "/srv/env")
    assert state_location("") == "/srv/env"
    assert state_location("/srv/option") == "/srv/option"


def test_the_variable_of_a_task_is_templated() -> None:
    assert location_of_task({"hearth_state": "{{ x }}"}, lambda value: value.replace("{{ x }}", "/srv/x")) == "/srv/x"
    assert location_of_task({}, lambda value: value) == ""
    assert location_of_task({"hearth_state": None}, lambda value: value) == ""

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, StoreUnavailable
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.location import (
    chosen_location,
    default_path,
    parse_location,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store


@pytest.mark.parametrize(
    "text, path",
    [
        ("/srv/hearth/state.sqlite3", "/srv/hearth/state.sqlite3"),
        ("sqlite:///srv/hearth/state.sqlite3", "/srv/hearth/state.sqlite3"),
        ("sqlite:///srv/with%20space%3F/s", "/srv/with space?/s"),
        ("/srv/../srv/a?b#c", "/srv/a?b#c"),
    ],
)
def test_a_path_and_a_url_name_a_file(text: str, path: str) -> None:
    place = parse_location(text)
    assert (place.kind, place.target, place.shown, place.persistent) == ("sqlite", path, path, None)


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    assert parse_location("~/state").target == "/home/alice/state"


@pytest.mark.parametrize("said, meant", [("yes", True), ("TRUE", True), ("no", False), ("0", False)])
def test_the_user_may_say_whether_it_is_persistent(said: str, meant: bool) -> None:
    assert parse_location(f"sqlite:///srv/s?persistent={said}").persistent is meant
    place = parse_location(f"postgresql://db/hearth?sslmode=require&persistent={said}")
    assert (place.persistent, place.target) == (meant, "postgresql://db/hearth?sslmode=require")


@pytest.mark.parametrize(
    "text",
    [
        "/srv/a?b#c d",
        "sqlite:///srv/a%3Fb%23c%20d?persistent=yes",
        "postgresql://alice@db/hearth?persistent=no",
        "postgresql://alice@db/hearth?sslmode=require&persistent=yes",
    ],
)
def test_without_its_password_it_is_still_the_same_location(text: str) -> None:
    place = parse_location(text)
    assert parse_location(place.without_password) == place


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://alice:p%2Fw%40d@db.example.net:5433/hearth?sslmode=require",
        "postgres://alice@db.example.net:5433/hearth?sslmode=require&password=p%2Fw%40d",
    ],
)
def test_a_password_is_taken_out_of_what_is_shown(text: str) -> None:
    place = parse_location(text)
    assert place.password == "p/w@d"
    assert place.target == place.shown == "postgresql://alice@db.example.net:5433/hearth?sslmode=require"
    assert place.without_password == place.target
    assert "p/w@d" not in repr(place) and "p%2Fw" not in repr(place)


def test_several_hosts_and_ipv6_pass_as_they_are() -> None:
    url = "postgresql://alice@[fd00::1]:5432,db2:5433/hearth?target_session_attrs=primary"
    assert parse_location(url).target == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "/srv/\0",
        "mysql://alice:canary@db/hearth",
        "sqlite://relative/canary",
        "sqlite:///srv/s?persistent=perhaps",
        "sqlite:///srv/s?mode=memory",
        "postgresql://alice:can/ary@db/hearth",
        "postgresql://alice:can#ary@db/hearth",
        "postgresql://alice:can?ary@db/hearth",
        "postgresql://alice:ca[nary@db/hearth",
        "postgresql://db/hearth?sslpassword=canary",
    ],
)
def test_another_location_is_bad_input_that_does_not_repeat_a_password(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_location(text)
    said = " ".join(caught.value.as_dict().values())
    assert "ary@" not in said and "alice:canary" not in said
    assert caught.value.__cause__ is None


def test_the_default_lies_in_the_users_state_directory() -> None:
    assert default_path({}, "/home/alice") == "/home/alice/.local/state/hearth/state.sqlite3"
    assert default_path({"XDG_STATE_HOME": "/var/state"}, "/home/alice") == "/var/state/hearth/state.sqlite3"
    # The XDG specification says to ignore a relative one.
    assert default_path({"XDG_STATE_HOME": "state"}, "/root") == "/root/.local/state/hearth/state.sqlite3"


def test_what_is_given_counts_before_the_environment_before_the_default(tmp_path: Path) -> None:
    environ = {"HEARTH_STATE": "/srv/env", "XDG_STATE_HOME": str(tmp_path / "state")}
    assert chosen_location("/srv/given", environ) == "/srv/given"
    assert chosen_location("", environ) == "/srv/env"
    del environ["HEARTH_STATE"]
    assert chosen_location("", environ, make=False) == str(tmp_path / "state/hearth/state.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_the_directory_of_the_default_is_made_for_this_user_alone(tmp_path: Path) -> None:
    path = Path(chosen_location("", {"XDG_STATE_HOME": str(tmp_path / "state")}))
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    open_store(str(path)).close()
    assert chosen_location("", {"XDG_STATE_HOME": str(tmp_path / "state")}) == str(path)


def test_a_default_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a directory")
    location = chosen_location("", {"XDG_STATE_HOME": str(tmp_path / "state")})
    with pytest.raises(StoreUnavailable, match="directory of the state store does not exist") as caught:
        open_store(location)
    assert "HEARTH_STATE" in caught.value.next


@pytest.mark.parametrize("exists", [True, False])
def test_where_none_may_be_made_an_empty_one_stands_for_it(
    new_location: Callable[[], str], tmp_path: Path, exists: bool
) -> None:
    location = new_location()
    if exists:
        with open_store(location) as store:
            store.remember_names({"serial:A": "web1"})
    for _repetition in range(2):
        with open_store(location, make=False) as store:
            assert store.names() == ({"serial:A": "web1"} if exists else {})
            assert store.location == parse_location(location).shown
    if not exists:
        assert list(tmp_path.iterdir()) == []

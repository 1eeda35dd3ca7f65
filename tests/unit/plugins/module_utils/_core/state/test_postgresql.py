# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a server has: logins, roles, a connection that breaks, a library that may be missing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    StoreReadOnly,
    StoreUnavailable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state import postgresql as backend
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from tests.servers.postgresql import PASSWORD, PostgresqlServer

KEY = "spki-sha256:ab"


def without_password(url: str) -> str:
    return url.replace(url[url.index("://") + 3 : url.rindex("@")], "hearth")


def test_the_password_may_stand_beside_the_url(postgresql: PostgresqlServer) -> None:
    url = postgresql.database()
    with open_store(without_password(url), password=PASSWORD) as store:
        assert store.location == without_password(url)
        assert store.persistent is True


def test_a_login_or_pgpass_file_works_as_for_every_client(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    escaped = PASSWORD.replace(":", "\\:")
    (tmp_path / "pgpass").write_text(f"*:*:*:hearth:{escaped}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with open_store(without_password(postgresql.database())) as store:
        assert store.pins() == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("s3cret", "canary-wrong"),
        lambda url: url.rsplit("/", 1)[0] + "/nowhere",
        lambda url: url.rsplit(":", 1)[0] + ":1/x",
        lambda url: url + "?unheard_of=1",
        lambda url: url + "?connect_timeout=canary",
        lambda url: url.replace("127.44.0.1", "127.44.0.999"),
    ],
)
def test_no_error_shows_the_password(
    postgresql: PostgresqlServer, change: object, caplog: pytest.LogCaptureFixture
) -> None:
    url = change(postgresql.url("postgres"))  # type: ignore[operator]
    caplog.set_level(logging.DEBUG)
    password = urlsplit(url).password
    assert password

    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)
    said = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict()) + caplog.text
    assert "s3cret" not in said and "canary-wrong" not in said and password not in said
    assert caught.value.where.startswith("postgresql://hearth@127.44.0.")


def test_a_role_that_may_only_read_reads(postgresql: PostgresqlServer) -> None:
    import psycopg

    url = postgresql.database()
    with open_store(url) as store:
        store.record_pin("10.0.0.7:443", KEY)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE auditor LOGIN PASSWORD 'read-only'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor")

    reader = postgresql.url(urlsplit(url).path[1:], role="auditor", password="read-only")
    with open_store(reader) as store:
        assert store.pins()["10.0.0.7:443"].key == KEY
        with pytest.raises(StoreReadOnly):
            store.record_pin("10.0.0.8:443", KEY)
        # The transaction that failed is over: reading goes on.
        assert list(store.pins()) == ["10.0.0.7:443"]


def test_a_role_that_may_not_make_tables_is_told_so(postgresql: PostgresqlServer) -> None:
    import psycopg

    url = postgresql.database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    with pytest.raises(StoreReadOnly):
        open_store(postgresql.url(urlsplit(url).path[1:], role="stranger", password="x"))


def test_a_connection_that_breaks_is_a_typed_error_and_closing_still_works(postgresql: PostgresqlServer) -> None:
    import psycopg

    store = open_store(postgresql.database())
    with pytest.raises(StoreUnavailable):
        with store.exclusive():
            store.record_pin("10.0.0.7:443", KEY)
            with psycopg.connect(postgresql.url("postgres"), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'hearth.datacenter' AND datname LIKE 'store_%'"
                )
            store.record_pin("10.0.0.8:443", KEY)
    store.close()


def test_the_clock_of_the_server_counts(postgresql: PostgresqlServer) -> None:
    with open_store(postgresql.database()) as store:
        store.record_pin("10.0.0.7:443", KEY)
        recorded = store.pins()["10.0.0.7:443"].recorded_at
        assert recorded.endswith("Z") and len(recorded) == 27


def test_without_psycopg_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError(\"No module named 'psycopg'\")\n")
    package = backend.__name__.rsplit(".", 2)[0]
    roots = [path for path in sys.path if path]
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from {package}.errors import MissingLibrary\n"
            f"from {package}.state.opening import open_store\n"
            "try: open_store('postgresql://alice:canary@db/hearth')\n"
            "except MissingLibrary as error: print(error.as_dict())",
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *roots])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "psycopg (version 3) is not installed for" in answer and sys.executable in answer
    assert "psycopg[binary]>=3.1" in answer and "canary" not in answer

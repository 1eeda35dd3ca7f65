# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real PostgreSQL server for one test run: initdb in a temporary directory, a loopback port, stopped by its pid."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

ADDRESS = "127.44.0.1"
ROLE = "hearth"
# With every character that a URL must escape: a password that only works when it is quoted right.
PASSWORD = "s3cret/?#@:%-of-the-store"


class NotInstalled(Exception):
    """There is no PostgreSQL server on this machine; the text says what to install."""


@dataclass
class PostgresqlServer:
    """A running server. Each :meth:`database` is a new, empty database."""

    port: int
    process: subprocess.Popen[bytes]
    _made: int = field(default=0)

    def database(self) -> str:
        """A URL (with password) of a new, empty database that the role owns."""
        import psycopg

        self._made += 1
        name = f"store_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def url(self, database: str, *, role: str = ROLE, password: str = PASSWORD) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@{ADDRESS}:{self.port}/{database}"


@contextlib.contextmanager
def running_server() -> Iterator[PostgresqlServer]:
    """Start one, yield it when it answers, stop it. Raises NotInstalled."""
    programs = _programs()
    directory = Path(tempfile.mkdtemp(prefix="hearth-postgresql-"))
    try:
        user = _unprivileged_user()
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        password_file = directory / "password"
        password_file.write_text(PASSWORD + "\n")
        if user is not None:
            os.chown(password_file, user.pw_uid, user.pw_gid)
        cluster = directory / "cluster"
        subprocess.run(
            [
                str(programs / "initdb"),
                "--pgdata",
                str(cluster),
                "--username",
                ROLE,
                "--pwfile",
                str(password_file),
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=directory,
            **identity,
        )
        port = _free_port()
        log = directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    str(programs / "postgres"),
                    "-D",
                    str(cluster),
                    "-c",
                    f"listen_addresses={ADDRESS}",
                    "-c",
                    f"port={port}",
                    "-c",
                    "unix_socket_directories=",
                    "-c",
                    "fsync=off",
                    "-c",
                    "max_connections=120",
                ],
                stdout=output,
                stderr=output,
                cwd=directory,
                **identity,
            )
        try:
            _wait_until_ready(process, log)
            yield PostgresqlServer(port, process)
        finally:
            # SIGINT is PostgreSQL's fast shutdown: it ends its clients and itself.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(directory)


def _programs() -> Path:
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise NotInstalled("no PostgreSQL server (Debian: apt install postgresql)")
    newest = max(found, key=lambda path: int(re.findall(r"/(\d+)/bin", path)[0]))
    return Path(newest).parent


def _unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if b"database system is ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start:\n" + log.read_text(errors="replace"))

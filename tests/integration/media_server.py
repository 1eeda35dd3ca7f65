# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The media server of the role media_server, with a real nginx that a test starts as it is started without systemd."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import typing as t

from tests.integration.playbook_run import PlaybookFolder, Ran

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
SERVER, PORT = "127.54.1.1", 8480
BMC, OTHER = "127.54.1.11", "127.54.1.12"
IMAGE = os.urandom(3_000_000)
SHA256 = hashlib.sha256(IMAGE).hexdigest()


def lacking() -> str:
    """What this machine lacks to run one."""
    if NGINX is None:
        return "nginx is not installed"
    return "" if os.geteuid() == 0 else "not root: nginx cannot serve as another user"


class MediaServer:
    """A directory below a public one (nginx's worker must enter it), and nginx started as it is without systemd."""

    def __init__(self, folder: pathlib.Path, port: int = PORT, **variables: t.Any) -> None:
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="hearth-media-", dir="/var/tmp"))
        self.place.chmod(0o755)
        self.directory = self.place / "media"
        self.image = self.place / "live.iso"
        self.publication = os.urandom(16).hex()
        self.port = port
        self.image.write_bytes(IMAGE)
        self.runs = PlaybookFolder(folder)
        self.variables: dict[str, t.Any] = {
            "media_server_address": SERVER,
            "media_server_port": port,
            "media_server_directory": str(self.directory),
            "media_server_install": False,
            "media_server_service": False,
            **variables,
        }

    def role(self, entry: str = "main", *words: str, **variables: t.Any) -> Ran:
        return self.play(
            [
                {
                    "name": "Run the role",
                    "ansible.builtin.include_role": {"name": "hearth.datacenter.media_server", "tasks_from": entry},
                    "vars": {**self.variables, **variables},
                }
            ],
            *words,
        )

    def play(self, tasks: list[dict[str, t.Any]], *words: str) -> Ran:
        play = self.runs.folder / "play.yml"
        play.write_text(json.dumps([{"hosts": "jump", "gather_facts": False, "tasks": tasks}]))
        return self.runs.playbook(str(play), *words)

    def publish(self, **variables: t.Any) -> Ran:
        return self.role(
            "publish",
            media_server_publication=self.publication,
            **{
                "media_server_clients": [BMC],
                "media_server_media": [{"name": "live.iso", "file": f"{self.directory}/images/{SHA256}"}],
                **variables,
            },
        )

    def store(self, sha256: str = SHA256) -> Ran:
        return self.role("store", media_server_image=str(self.image), media_server_image_sha256=sha256)

    def start(self) -> None:
        subprocess.run([str(NGINX), "-c", str(self.directory / "nginx.conf")], check=True, stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        pid = self.directory / "nginx.pid"
        # testing a configuration leaves an empty one
        if pid.exists() and pid.read_text():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            until = time.monotonic() + 10
            while pid.exists() and time.monotonic() < until:
                time.sleep(0.02)
        shutil.rmtree(self.place)

    def get(
        self,
        path: str = "",
        client: str = BMC,
        method: str = "GET",
        context: ssl.SSLContext | None = None,
        **headers: str,
    ) -> tuple[int, bytes, t.Mapping[str, str]]:
        kind: t.Any = http.client.HTTPSConnection if context else http.client.HTTPConnection
        more = {"context": context} if context else {}
        connection = kind(SERVER, self.port, timeout=10, source_address=(client, 0), **more)
        try:
            connection.request(method, path or f"/{self.publication}/live.iso", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def progress(self, *publications: str) -> list[dict[str, t.Any]]:
        arguments = {
            "log": str(self.directory / "log" / "access.json"),
            **({"publications": list(publications)} if publications else {}),
        }
        ran = self.play([{"hearth.datacenter.media_progress_info": arguments}])
        assert ran.code == 0, ran.said
        return t.cast("list[dict[str, t.Any]]", ran.results[-1]["media_progress"])

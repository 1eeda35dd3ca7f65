# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: a bare threaded client that sends the recorded requests, and does nothing with the answers but read them.

It waits where the plugin waited for the machine.

``python -m tests.bench.clients.bare PLAN.json``; the plan is made by recording.py. Same number of threads, same
keep-alive, same verification of certificates as the plugin; no scan, no JSON, no retry, no host record.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import pathlib
import ssl
import sys
import threading
import time
import typing as t

# (method, path) or (method, path, body as JSON text); ``{session}`` in a path stands for the session's own URI.
# (WAIT, seconds): nothing is sent for so long.
WAIT = "WAIT"
Step = t.Union[tuple[str, str], tuple[str, str, str]]


class Plan(t.TypedDict):
    """What to send. ``sequences`` holds the steps of each platform; a POST without a body is the login."""

    ca: str
    username: str
    password: str
    concurrency: int
    bmcs: list[tuple[str, int, str]]
    sequences: dict[str, list[Step]]


def ask(plan: Plan, context: ssl.SSLContext, address: str, port: int, platform: str) -> int:
    """Sends the platform's sequence on one connection; the number of requests."""
    connection = http.client.HTTPSConnection(address, port, context=context, timeout=30)
    headers = {"Accept": "application/json"}
    session = ""
    sequence = plan["sequences"][platform]
    if not any(step[0] == "POST" and len(step) == 2 for step in sequence):
        pair = f"{plan['username']}:{plan['password']}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    for method, path, *given in sequence:
        if method == WAIT:
            time.sleep(float(path))
            continue
        body = given[0] if given else None
        login = method == "POST" and not given
        if login:
            body = json.dumps({"UserName": plan["username"], "Password": plan["password"]})
        extra = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path.replace("{session}", session), body, {**headers, **extra})
        response = connection.getresponse()
        response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} on {address} ({platform}) gave {response.status}")
        if login:
            headers["X-Auth-Token"] = response.headers["X-Auth-Token"]
            session = response.headers["Location"]
            session = session[session.index("/redfish") :]
    connection.close()
    return sum(method != WAIT for method, *_dummy in sequence)


def main(path: str) -> None:
    plan: Plan = json.loads(pathlib.Path(path).read_text())
    context = ssl.create_default_context(cafile=plan["ca"])
    todo = iter(plan["bmcs"])
    lock = threading.Lock()
    counts: list[int] = []
    failures: list[str] = []

    def work() -> None:
        while True:
            with lock:
                chosen = list(itertools.islice(todo, 1))
            if not chosen:
                return
            try:
                counts.append(ask(plan, context, *chosen[0]))
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                failures.append(str(error))

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _dummy in range(plan["concurrency"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(
        {"seconds": time.monotonic() - began, "requests": sum(counts), "bmcs": len(counts), "failures": failures[:3]},
        sys.stdout,
    )
    if failures:
        raise SystemExit(f"{len(failures)} failed, the first: {failures[0]}")


if __name__ == "__main__":
    main(sys.argv[1])

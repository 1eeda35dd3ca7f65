# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that speaks to one BMC through pyghmi, in a process of its own, and ends.

pyghmi keeps sockets and a thread in its module, which a process that forks workers later can't have. session.py gives
the text of this package to a new interpreter over stdin, so it imports nothing but itself, the standard library and
pyghmi. It answers with one JSON object: what was read, as plain numbers, hex and strings, or
{"error": {"type", "msg"}}. In a dialogue (dialogue.py) it answers line by line: {"open": true} after the login, then
one object per order on stdin.

pyghmi's ``Command`` class stays unused on purpose: its vendor handlers send the login to the BMC's web server over TLS
that nobody verified, and importing them costs four times as much as the session layer alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import IO, Any, Callable, Dict

from .bmc import Bmc
from .endings import Failure, Stop
from .login import in_one_thread, strict_session
from .machine import PARSING_FAILED, read


def converse(bmc: Bmc, libraries: Any, answer_to: IO[str]) -> None:
    """Do one order after another until stdin ends: {"command": [netfn, command, data]} or {"read": request}."""
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        if "read" in order:
            tell(answer_to, read(bmc, libraries, order["read"]))
        else:
            netfn, command, data = order["command"]
            answer = bmc.raw_command(netfn, command, data)
            tell(answer_to, {"code": answer["code"], "data": bytes(answer.get("data", b"")).hex()})


def tell(answer_to: IO[str], answer: Dict[str, Any]) -> None:
    answer_to.write(json.dumps(answer) + "\n")
    answer_to.flush()


def serve(request: Dict[str, Any], answer_to: IO[str], on_answer: Callable[[], None]) -> Dict[str, Any]:
    try:
        from pyghmi import exceptions
        from pyghmi.ipmi import fru, sdr
        from pyghmi.ipmi.private import constants, session
    except ImportError as error:
        return {"error": {"type": "MissingLibrary", "msg": str(error)}}

    in_one_thread(session)

    class Libraries:
        """pyghmi's parts under one name."""

    Libraries.exceptions, Libraries.fru, Libraries.sdr = exceptions, fru, sdr  # type: ignore[attr-defined]
    login = None
    try:
        strict = strict_session(session.Session, request["suites"])
        strict.on_answer = staticmethod(on_answer)
        login = strict.__new__(strict, request["address"], request["username"], request["password"], request["port"])
        login.__init__(
            request["address"],
            request["username"],
            request["password"],
            port=request["port"],
            privlevel=request["privilege"],
        )
        bmc = Bmc(login, exceptions.IpmiException, constants)
        if request.get("dialogue"):
            tell(answer_to, {"open": True, "suite": login.suite, "proofs": login.proofs})
            converse(bmc, Libraries, answer_to)
            answer: Dict[str, Any] = {"closed": True}
        else:
            answer = read(bmc, Libraries, request)
        answer["commands"] = bmc.commands
    except Stop:
        answer = {"error": {"type": "TimedOut", "msg": "the deadline passed while the BMC was being read"}}
    except Failure as failure:
        answer = {"error": {"type": failure.kind, "msg": failure.msg}}
    except exceptions.IpmiException as error:
        answer = {"error": {"type": "Unreachable", "msg": str(error)}}
    except OSError as error:
        answer = {"error": {"type": "Unreachable", "msg": str(error)}}
    except PARSING_FAILED as error:
        answer = {"error": {"type": "ProtocolViolation", "msg": f"a packet makes no sense ({type(error).__name__})"}}
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if login is not None and getattr(login, "logged", False):
            login.incommand = login.lastpayload = None  # a command that was cut short may not keep the logout waiting
            login.logout()
    answer["suite"] = getattr(login, "suite", 0)
    answer["proofs"] = getattr(login, "proofs", 0)
    return answer


def main(request: Dict[str, Any]) -> None:
    """Serve one request within request["seconds"], and write the answer to what was stdout.

    A BMC that has not answered anything after request["patience"] seconds is not waited for any longer.
    """
    until = time.monotonic() + request["seconds"]
    patience = request.get("patience") or request["seconds"]

    def on_answer() -> None:
        signal.setitimer(signal.ITIMER_REAL, max(0.01, until - time.monotonic()))

    def stop(_signal: int, _frame: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stop

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.setitimer(signal.ITIMER_REAL, min(patience, request["seconds"]))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer_to:
        os.dup2(2, 1)  # pyghmi prints in places
        try:
            answer = serve(request, answer_to, on_answer)
        except Stop:
            answer = {"error": {"type": "TimedOut", "msg": "the deadline passed before the login"}}
        json.dump(answer, answer_to)
    sys.stdout.flush()

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that speaks to one BMC through pyghmi, in a process of its own, and ends.

pyghmi keeps sockets and a thread in its module, which a process that forks workers later can't have. session.py gives
this file's text to a new interpreter over stdin, so it imports nothing but the standard library and pyghmi. It answers
with one JSON object: what was read, as plain numbers, hex and strings, or {"error": {"type", "msg"}}. In a dialogue
(dialogue.py) it answers line by line: {"open": true} after the login, then one object per order on stdin.

pyghmi's ``Command`` class stays unused on purpose: its vendor handlers send the login to the BMC's web server over TLS
that nobody verified, and importing them costs four times as much as the session layer alone.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
import threading
import time
from typing import IO, Any, Callable, Dict, List, Sequence

ADMINISTRATOR, OPERATOR, USER = 4, 3, 2

# Cipher suites that may be used: number -> algorithms for (authentication, integrity, confidentiality).
# Suite 0, like every other one that lacks one of the three, is missing here, and so neither proposed nor accepted.
SUITES = {17: (3, 4, 1), 3: (1, 1, 1)}

# RMCP+ and RAKP status codes (IPMI 2.0, table 13-15)
NO_RESOURCES = frozenset((0x01, 0x0B))
NO_SUCH_SUITE = frozenset((0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12))
ROLE_REFUSED = frozenset((0x09, 0x0A))
NAME_REFUSED = 0x0D
WRONG_DIGEST = 0x0F

# Completion codes (IPMI 2.0, table 5-2): the request is longer than this BMC likes; there is no such thing here
TOO_LONG = frozenset((0xC7, 0xC8, 0xC9, 0xCA, 0xFF))
NO_SUCH_RECORD = frozenset((0x81, 0xC1, 0xC3, 0xC9, 0xCB, 0xCC))
NO_SUCH_EVENT = frozenset((0xC9, 0xCB, 0xCC))

# FRU data begins with the areas that are read here; what follows are records for power supplies and the like.
MAX_FRU = 8192

MAX_READINGS = 1024
MAX_EVENTS = 4096
# How many records before the last one are read
NEWEST_EVENTS = 64

# What a BMC's bytes can make pyghmi's parsers raise
PARSING_FAILED = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, AssertionError, struct.error)
# ... and its sensor code says this of a repository that it does not know
SENSORS_FAILED = PARSING_FAILED + (NotImplementedError,)


class Stop(BaseException):
    """The parent's time is over (SIGALRM) or it was interrupted (SIGTERM). pyghmi swallows Exception, so not that."""


class Failure(BaseException):
    """Nothing can be read: ``kind`` is the name of the error class that session.py raises."""

    def __init__(self, kind: str, msg: str) -> None:
        super().__init__(msg)
        self.kind = kind
        self.msg = msg


class OutOfTime(Exception):
    """The part of the time that one optional reading may take is over."""


def strict_session(base: Any, suites: Sequence[int]) -> Any:
    """pyghmi's session class with the rules that it lacks.

    It refuses IPMI 1.5 (an MD5 of the password goes to whoever claims to know no better) and cipher suites that were
    not proposed, falls back to SHA-1 only when the BMC refuses the suite, and logs in once: a BMC counts attempts.
    """

    class StrictSession(base):  # type: ignore[misc]
        """One login; ``suite`` is what was negotiated, ``proofs`` how often the password's digest was sent."""

        suite = 0
        proofs = 0
        status = 0
        on_answer: Callable[[], None]
        """called once the BMC has answered anything"""

        def _initsession(self) -> None:
            super()._initsession()
            if 17 not in suites:
                self.attemptedhash = 1

        def _got_channel_auth_cap(self, response: Dict[str, Any]) -> Any:
            if response.get("code") != 0xFFFF:
                self.on_answer()
            return super()._got_channel_auth_cap(response)

        def _get_session_challenge(self) -> None:
            raise Failure(
                "Unsupported", "the BMC offers IPMI 1.5 only, which would give away a weak digest of the password"
            )

        def _open_rmcpplus_request(self) -> None:
            self.suite = 17 if self.attemptedhash == 256 else 3
            if self.suite not in suites:
                raise Failure(
                    "Unsupported", "the BMC refused every cipher suite that is allowed (" + names(suites) + ")"
                )
            super()._open_rmcpplus_request()

        def _got_rmcp_response(self, data: bytearray) -> Any:
            answers_us = bool(self.sessioncontext) and self.sessioncontext != "ESTABLISHED" and data[0] == self.rmcptag
            if answers_us and data[1] == 0:
                chosen = (data[16] & 0x3F, data[24] & 0x3F, data[32] & 0x3F) if len(data) >= 36 else ()
                if chosen != SUITES[self.suite]:
                    raise Failure(
                        "ProtocolViolation",
                        f"cipher suite {self.suite} was proposed and the BMC chose algorithms {list(chosen)}",
                    )
            elif answers_us:
                self.status = data[1]
                if data[1] not in NO_SUCH_SUITE:
                    raise login_failure(data[1], "")
            return super()._got_rmcp_response(data)

        def _got_rakp2(self, data: bytearray) -> Any:
            if data[0] == self.rmcptag and self.sessioncontext == "EXPECTINGRAKP2":
                self.status = data[1]
            return super()._got_rakp2(data)

        def _send_rakp3(self) -> None:
            self.proofs += 1
            super()._send_rakp3()

        def _got_rakp4(self, data: bytearray) -> Any:
            if self.sessioncontext == "EXPECTINGRAKP4" and data[0] == self.rmcptag and data[1] == WRONG_DIGEST:
                # pyghmi would wait, and log in again with the same password
                raise login_failure(WRONG_DIGEST, "")
            return super()._got_rakp4(data)

        def _req_priv_level(self) -> None:
            super()._req_priv_level()
            self.logontries = 0  # a session that is lost later is not opened again

        def onlogon(self, parameter: Dict[str, Any]) -> None:
            if "error" in parameter:
                raise login_failure(self.status, str(parameter["error"]))
            super().onlogon(parameter)

    return StrictSession


def in_one_thread(module: Any) -> None:
    """Let pyghmi's session module read its sockets in this thread, where it waits, and start no other.

    Its IO thread may take an answer before the waiting thread has said that it waits, and then that thread sleeps until
    it would ask again, for 0.5 to 1 second. Measured on a busy controller: 6 seconds where 0.2 are enough.
    """

    def wait(timeout: float, _address: Any = None, _events: Any = None) -> None:
        select.select(module.iosockets, (), (), max(0.0, timeout))
        module._io_graball(module.iosockets, {})

    module.iothread, module.iothreadready = threading.current_thread(), True
    module._io_wait = wait


def names(suites: Sequence[int]) -> str:
    return ", ".join(str(suite) for suite in suites)


def login_failure(status: int, said: str) -> Failure:
    """What a refused login means. Name and password are not told apart: the answer would help to find out names."""
    if status in (NAME_REFUSED, WRONG_DIGEST) or "password" in said:
        return Failure("AuthenticationFailed", "the BMC refused user name or password")
    if status in ROLE_REFUSED or "requesting privelege level" in said:
        return Failure("AccessDenied", "the BMC does not give this account the privilege level that is needed")
    if status in NO_RESOURCES:
        return Failure("Busy", "all IPMI sessions of the BMC are taken")
    if said == "timeout" or "no longer connected" in said:
        return Failure("TimedOut", "the BMC stopped answering during the login")
    if status in NO_SUCH_SUITE:
        return Failure("Unsupported", "the BMC refused every cipher suite that is allowed")
    return Failure("ProtocolViolation", f"the login failed: {said or 'status ' + str(status)}")


class Bmc:
    """A session in the shape that pyghmi's FRU and sensor readers want, with a moment after which they give up."""

    def __init__(self, session: Any, error: Any, event_constants: Any) -> None:
        self._session = session
        self._error = error
        self._event_constants = event_constants
        self.until = float("inf")
        self.commands = 0

    def raw_command(self, netfn: int, command: int, data: Sequence[int] = (), rslun: int = 0) -> Dict[str, Any]:
        if time.monotonic() > self.until:
            raise OutOfTime
        self.commands += 1
        try:
            answer = self._session.raw_command(netfn=netfn, command=command, data=data, rslun=rslun)
        except self._error as error:
            if "no longer connected" not in str(error):
                raise
            answer = None
        if answer is None or answer.get("code") == 0xFFFF:
            raise Failure("TimedOut", "the BMC stopped answering")
        return dict(answer)

    def xraw_command(self, netfn: int, command: int, data: Sequence[int] = (), rslun: int = 0) -> Dict[str, Any]:
        answer = self.raw_command(netfn, command, data, rslun)
        self.data(answer)
        return answer

    def get_event_constants(self) -> Any:
        return self._event_constants

    def data(self, answer: Dict[str, Any]) -> bytes:
        if "error" in answer:
            raise self._error(answer["error"], answer["code"])
        return bytes(answer["data"])

    def hex(self, netfn: int, command: int, data: Sequence[int] = ()) -> str:
        """The answer's data as hex; "" where the BMC refuses the command."""
        answer = self.raw_command(netfn, command, data)
        return "" if "error" in answer else bytes(answer["data"]).hex()


def read(bmc: Bmc, libraries: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """What details, sensors and mac in the request ask for. Every part but the first may be missing."""
    warnings: List[str] = []
    reading: Dict[str, Any] = {
        "device_id": bmc.hex(6, 0x01),
        "device_guid": bmc.hex(6, 0x08),
        "system_guid": bmc.hex(6, 0x37),
        "chassis_status": bmc.hex(0, 0x01),
        "warnings": warnings,
    }
    reading["fru"] = optional("the FRU inventory", lambda: read_fru(bmc, libraries.fru), libraries, warnings) or {}
    if request.get("sel"):
        reading["sel_info"] = bmc.hex(0x0A, 0x40)
    if request.get("mac"):
        reading["lan_mac"] = bmc.hex(0x0C, 0x02, (0x0E, 5, 0, 0))
    if request.get("sensors"):
        bmc.until = time.monotonic() + float(request["sensors"])
        reading["sensors"] = optional("the sensors", lambda: read_sensors(bmc, libraries.sdr), libraries, warnings)
        bmc.until = float("inf")
    if request.get("events"):
        bmc.until = time.monotonic() + float(request["events"])
        reading["events"] = optional("the event log", lambda: read_events(bmc, libraries), libraries, warnings)
        bmc.until = float("inf")
    return reading


def optional(what: str, part: Callable[[], Dict[str, Any]], libraries: Any, warnings: List[str]) -> Any:
    try:
        return part()
    except OutOfTime:
        warnings.append(what + " could not be read in time")
    except libraries.exceptions.IpmiException as error:
        warnings.append(f"the BMC refused {what}: {error}")
    except SENSORS_FAILED as error:
        warnings.append(f"what the BMC gave for {what} makes no sense ({type(error).__name__})")
    return None


def read_fru(bmc: Bmc, fru: Any) -> Dict[str, Any]:
    """FRU 0 by pyghmi's field names; a field that is no text comes as hex."""
    data = fetch_fru(bmc)
    fields: Dict[str, Any] = {}
    for name, value in (fru.FRU(rawdata=data).info if data else {}).items():
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).hex()
        if isinstance(value, str):
            fields[str(name)] = value
    return fields


def fetch_fru(bmc: Bmc) -> bytes:
    """The bytes of FRU 0; b"" where the machine has none.

    Not by pyghmi's own reader, which gives up on BMCs that call its 224 bytes a length error (C8h, as ipmi_sim does).
    """
    area = bmc.raw_command(0x0A, 0x10, (0,))
    if area["code"] in NO_SUCH_RECORD:
        return b""
    unit = 2 if bmc.data(area)[2] & 1 else 1  # some count in words
    size = min((area["data"][0] | area["data"][1] << 8) * unit, MAX_FRU)
    data, chunk = b"", 224
    while len(data) < size:
        at, count = len(data) // unit, min(chunk, size - len(data)) // unit
        answer = bmc.raw_command(0x0A, 0x11, (0, at & 0xFF, at >> 8, count))
        if answer["code"] in TOO_LONG and chunk > 8:
            chunk //= 2
            continue
        part = bmc.data(answer)[1:]
        if not part:
            break
        data += part
    return data[:size]


def read_sensors(bmc: Bmc, sdr: Any) -> Dict[str, Any]:
    """The worst health that any sensor reports (pyghmi's bits: 1 warning, 2 critical, 4 failed), and which do.

    "readings" are all of them, each [name, type, value or None, units, health, states].
    """
    repository = sdr.SDR(bmc)
    health, seen, bad, readings = 0, 0, [], []
    for number in repository.get_sensor_numbers():
        sensor = repository.sensors[number]
        answer = bmc.raw_command(4, 0x2D, (sensor.sensor_number,), rslun=sensor.sensor_lun)
        if "error" in answer:
            continue  # sensors come and go with the machine's power
        reading = sensor.decode_sensor_reading(bmc, answer["data"])
        seen += 1
        states = [str(state) for state in reading.states]
        value = reading.value if isinstance(reading.value, (int, float)) else None
        readings.append(
            [str(reading.name), str(reading.type), value, str(reading.units or ""), int(reading.health or 0), states]
        )
        if reading.health:
            health |= int(reading.health)
            bad.append({"name": str(reading.name), "states": states})
    return {"health": health, "seen": seen, "bad": bad[:64], "readings": readings[:MAX_READINGS]}


def read_events(bmc: Bmc, libraries: Any) -> Dict[str, Any]:
    """The newest records of the event log, oldest first, as hex (IPMI 2.0, 31.5), and pyghmi's words for what they say.

    Records are chained from the oldest on, but mostly numbered without gaps: it is tried to begin near the end. A BMC
    that chains its records in a circle, or to no end, gives MAX_EVENTS of them.
    """
    constants = bmc.get_event_constants()
    records: List[Dict[str, Any]] = []
    newest = event_record(bmc, 0xFFFF)
    last = newest[2] | newest[3] << 8 if newest else 0
    number = last - NEWEST_EVENTS if last > NEWEST_EVENTS and event_record(bmc, last - NEWEST_EVENTS) else 0
    seen = set()
    while newest and number != 0xFFFF and number not in seen and len(records) < MAX_EVENTS:
        seen.add(number)
        data = event_record(bmc, number)
        if not data:
            break
        number = data[0] | data[1] << 8
        records.append({"record": data[2:18].hex(), **said_of(data[2:18], constants)})
    return {"records": records, "complete": number == 0xFFFF or not newest}


def event_record(bmc: Bmc, number: int) -> bytes:
    """The next record's number and this record; b"" where there is none of that number."""
    answer = bmc.raw_command(0x0A, 0x43, (0, 0, number & 0xFF, number >> 8, 0, 0xFF))
    if answer["code"] in NO_SUCH_EVENT:
        return b""
    data = bmc.data(answer)
    if len(data) < 18:
        raise ValueError("a record that is too short")
    return data


def said_of(record: bytes, constants: Any) -> Dict[str, Any]:
    """The sensor's type, the event and its health bits, by pyghmi's tables; nothing for an OEM's own record."""
    if len(record) < 16 or record[2] >= 0xC0:
        return {}
    kind, gone, offset = record[12] & 0x7F, bool(record[12] & 0x80), record[13] & 0x0F
    if kind == 0x6F:
        table = constants.sensor_type_offsets.get(record[10], {})
    else:
        table = constants.generic_type_offsets.get(kind, {})
    known = table.get(offset, {})
    prefix = "deassertion_" if gone else ""
    return {
        "type": str(constants.sensor_type_codes.get(record[10], "")),
        "event": str(known.get(prefix + "desc", "")),
        "health": int(known.get(prefix + "severity", 0)),
    }


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

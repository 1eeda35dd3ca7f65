# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the child logs in: with which cipher suites, how often, and what a refusal means.

pyghmi's session layer with the rules that it lacks.
"""

from __future__ import annotations

import select
import threading
from typing import Any, Callable, Dict, Sequence

from .endings import Failure

ADMINISTRATOR, OPERATOR, USER = 4, 3, 2

# Cipher suites that may be used: number -> algorithms for (authentication, integrity, confidentiality).
# Suite 0, like every other one that lacks one of the three, is missing here, and so neither proposed nor accepted.
SUITES = {17: (3, 4, 1), 3: (1, 1, 1)}

# RMCP+ and RAKP status codes (IPMI 2.0, table 13-15)
NO_RESOURCES = frozenset((0x01, 0x0B))
NO_SUCH_SUITE = frozenset((0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12))
NO_MATCHING_SUITE = 0x11
ROLE_REFUSED = frozenset((0x09, 0x0A))
NAME_REFUSED = 0x0D
WRONG_DIGEST = 0x0F


def strict_session(base: Any, suites: Sequence[int]) -> Any:
    """pyghmi's session class with the rules that it lacks.

    It refuses IPMI 1.5 (an MD5 of the password goes to whoever claims to know no better) and cipher suites that were
    not proposed, falls back to SHA-1 only when the BMC will not have the suite, and logs in once: BMCs count attempts.
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
                if self.suite == 17 and 3 in suites and chosen == SUITES[3]:
                    # pyghmi's own server, and VirtualBMC's with it, answers every proposal so. Whoever can forge this
                    # can forge a refusal, so it counts as one: suite 3 is proposed, with the warning that goes with it.
                    data = bytearray(data)
                    data[1] = NO_MATCHING_SUITE
                elif chosen != SUITES[self.suite]:
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

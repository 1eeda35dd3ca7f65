# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No credential goes to a peer that is not trusted. Each way out is tried twice: shut, and with its guard taken away.

The second half of each test shows that the attack is real: without the one clause it delivers the secret, so the test
would notice if the clause were gone.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    CertificateUnverified,
    CredentialWithheld,
    HearthError,
    PinMismatch,
    ProtocolViolation,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.guard import CredentialGuard
from ansible_collections.hearth.datacenter.plugins.module_utils._core.tls import TlsContexts
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.servers.certificates import Authority, Certificate
from tests.servers.scripted_http import CLOSE, Received, ScriptedServer, Step, reply

from .conftest import Open, Serve

SECRET = "canary-4711-hush"
LOGIN = {"UserName": "hearth", "Password": SECRET}

pytestmark = pytest.mark.usefixtures("misleading_environment")


def answer(request: Received) -> bytes:
    return reply({"target": request.target})


def pin_of(certificate: Certificate) -> Trust:
    return Trust("pin", pins=frozenset([f"spki-sha256:{certificate.spki_sha256}"]))


def leaked(*servers: ScriptedServer) -> bool:
    return any(
        SECRET in "".join(request.headers.values()) or SECRET.encode() in request.body
        for server in servers
        for request in server.log.requests
    )


def refused(error: type[HearthError], attempt: Callable[[], Any]) -> HearthError:
    with pytest.raises(error) as caught:
        attempt()
    assert SECRET not in str(caught.value.as_dict())
    return caught.value


class Unguarded(CredentialGuard):
    """Without the clause that asks whether the peer is trusted."""

    def _is_trusted(self, peer: object) -> bool:
        return True


class AnyKeyWillDo(CredentialGuard):
    """Without the clause that asks whether it is still the same key."""

    def _is_same(self, peer: object, meant: object) -> bool:
        return True


class Careless(Unguarded, AnyKeyWillDo):
    """Without both: for a pinned peer that changes, each of them suffices."""


@pytest.fixture
def two_certificates(authority: Authority) -> tuple[Certificate, Certificate]:
    return authority.issue("127.41.0.1"), authority.issue("127.41.0.1")


@pytest.fixture
def unguarded_to() -> Iterator[Callable[..., Transport]]:
    opened: list[Transport] = []

    def start(like: Transport, guard: type[CredentialGuard] = Unguarded) -> Transport:
        opened.append(Transport(like.endpoint, like.trust, deadline=like.deadline))
        opened[-1]._guard = guard(like.trust, like.endpoint.url)
        return opened[-1]

    yield start
    for transport in opened:
        transport.close()


# -- trusted peers get what is theirs


@pytest.mark.parametrize("how", ["verify", "pin", "off"])
def test_a_trusted_peer_gets_it_with_every_request_but_the_anonymous(
    how: str, authority: Authority, serve: Serve, transport_to: Open
) -> None:
    certificate = authority.issue("127.41.0.1")
    server = serve(answer, context=certificate.server_context())
    trust = {"verify": Trust("verify", ca_path=str(authority.ca)), "pin": pin_of(certificate), "off": Trust("off")}[how]
    transport = transport_to(server, trust)
    transport.authorize("X-Auth-Token", SECRET)
    transport.request("GET", "/1")
    transport.request("GET", "/2", anonymous=True)
    transport.request("POST", "/3", body=LOGIN, secret_body=True)
    transport.deauthorize()
    transport.request("GET", "/4")
    assert server.log.headers("x-auth-token") == [SECRET, "", SECRET, ""]


def test_before_the_peer_is_known_authorize_makes_its_acquaintance(serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport = transport_to(server)
    transport.authorize("X-Auth-Token", SECRET)
    assert transport.peer is not None and server.log.bytes_in == 0


# -- untrusted peers: every way in which a secret leaves


@pytest.mark.parametrize(
    "send",
    [
        lambda t: (t.authorize("X-Auth-Token", SECRET), t.request("GET", "/")),
        lambda t: t.request("POST", "/Sessions", body=LOGIN, secret_body=True),
        lambda t: t.request("POST", "/Sessions", body=LOGIN, secret_body=True, anonymous=True),
        lambda t: t.request("POST", "/Sessions", body=LOGIN),  # the caller forgot to say that it is secret
        lambda t: t.request("POST", "/", body={"Oem": {"X": [{"NewPassword": SECRET}]}}),
        lambda t: t.request("POST", "/", body=SECRET.encode(), secret_body=True),
        lambda t: t.request("GET", "/", headers={"authorization": SECRET}),
        lambda t: t.request("GET", "/", headers={"X-Auth-Token": SECRET}, anonymous=True),
        lambda t: t.request("GET", "/", headers={"Cookie": SECRET}),
    ],
    ids=[
        "authorize",
        "login",
        "anonymous login",
        "unmarked login",
        "deep",
        "bytes",
        "authorization",
        "token",
        "cookie",
    ],
)
@pytest.mark.parametrize("trust", [Trust("anonymous"), Trust("pin"), Trust("pin", pins=frozenset(["spki-sha256:00"]))])
def test_an_untrusted_peer_gets_nothing(
    trust: Trust,
    send: Callable[[Transport], Any],
    two_certificates: Any,
    serve: Serve,
    transport_to: Open,
    unguarded_to: Any,
) -> None:
    server = serve(answer, context=two_certificates[0].server_context())
    transport = transport_to(server, trust)
    refused(CredentialWithheld, lambda: send(transport))
    assert server.log.bytes_in == 0
    assert transport.request("GET", "/redfish/v1/").status == 200  # looking is free
    assert not leaked(server)
    send(unguarded_to(transport))
    assert leaked(server)


@pytest.mark.parametrize("mode", ["verify", "pin", "anonymous"])
def test_plain_http_gets_nothing_unless_the_user_wrote_off(
    mode: str, serve: Serve, transport_to: Open, unguarded_to: Any
) -> None:
    server = serve(answer)
    transport = transport_to(server, Trust(mode))
    refused(CredentialWithheld, lambda: transport.authorize("X-Auth-Token", SECRET))
    refused(CredentialWithheld, lambda: transport.request("POST", "/", body=LOGIN, secret_body=True))
    assert server.log.bytes_in == 0
    unguarded_to(transport).request("POST", "/", body=LOGIN, secret_body=True)
    assert leaked(server)
    off = transport_to(server, Trust("off"))
    off.authorize("X-Auth-Token", SECRET)
    assert off.request("GET", "/").status == 200


def test_an_unverified_certificate_ends_the_handshake(
    authority: Authority, serve: Serve, transport_to: Open, tmp_path: Any
) -> None:
    certificate = Authority(tmp_path, "an impostor").issue("127.41.0.1")
    server = serve(answer, context=certificate.server_context())
    trust = Trust("verify", ca_path=str(authority.ca))
    refused(CertificateUnverified, lambda: transport_to(server, trust).authorize("X-Auth-Token", SECRET))
    refused(
        CertificateUnverified,
        lambda: transport_to(server, trust).request("POST", "/", body=LOGIN, secret_body=True),
    )
    assert server.log.bytes_in == 0

    class Credulous(TlsContexts):
        """Without the clause: "verify" with a context that does not."""

        def get(self, trust: Trust) -> Any:
            return super().get(Trust("off"))

    transport_to(server, trust, contexts=Credulous()).request("POST", "/", body=LOGIN, secret_body=True)
    assert leaked(server)


# -- peers that change


def impostor_after(request: Received, server: Callable[[], ScriptedServer], context: Any) -> list[Step]:
    """Answer, and be somebody else on the next connection."""
    server().context = context
    return [reply({"target": request.target}), CLOSE]


def changing_server(serve: Serve, first: Certificate, second: Certificate) -> ScriptedServer:
    server: list[ScriptedServer] = []
    context = second.server_context()
    server.append(
        serve(lambda request: impostor_after(request, lambda: server[0], context), context=first.server_context())
    )
    return server[0]


def test_a_pinned_peer_that_changes_its_key_gets_nothing_more(
    two_certificates: Any, serve: Serve, transport_to: Open, unguarded_to: Any
) -> None:
    first, second = two_certificates
    transport = transport_to(changing_server(serve, first, second), pin_of(first))
    transport.authorize("X-Auth-Token", SECRET)
    assert transport.request("GET", "/1").status == 200
    error = refused(PinMismatch, lambda: transport.request("GET", "/2"))
    assert second.spki_sha256 in error.found and first.spki_sha256 in error.expected
    refused(PinMismatch, lambda: transport.request("DELETE", "/Sessions/1"))
    refused(PinMismatch, lambda: transport.request("POST", "/Sessions", body=LOGIN, secret_body=True))

    server = changing_server(serve, first, second)
    transport = unguarded_to(transport_to(server, pin_of(first)), Careless)
    transport.authorize("X-Auth-Token", SECRET)
    for path in ("/1", "/2"):
        transport.request("GET", path)
    assert server.log.headers("x-auth-token") == [SECRET, SECRET]

    server = changing_server(serve, first, second)
    transport = unguarded_to(transport_to(server, pin_of(first)))
    transport.request("GET", "/1")
    transport.request("POST", "/Sessions", body=LOGIN, secret_body=True)
    assert [request.connection for request in server.log.requests if SECRET.encode() in request.body] == [1]


def test_where_nothing_vouches_for_a_peer_its_key_must_stay(
    two_certificates: Any, serve: Serve, transport_to: Open, unguarded_to: Any
) -> None:
    server = changing_server(serve, *two_certificates)
    transport = transport_to(server, Trust("off"))
    transport.authorize("X-Auth-Token", SECRET)
    transport.request("GET", "/1")
    refused(CredentialWithheld, lambda: transport.request("GET", "/2"))
    assert server.log.headers("x-auth-token") == [SECRET]
    transport.authorize("X-Auth-Token", SECRET)  # said again, of the peer as it is now
    assert transport.request("GET", "/3").status == 200

    server = changing_server(serve, *two_certificates)
    transport = unguarded_to(transport_to(server, Trust("off")), AnyKeyWillDo)
    transport.authorize("X-Auth-Token", SECRET)
    for path in ("/1", "/2"):
        transport.request("GET", path)
    assert server.log.headers("x-auth-token") == [SECRET, SECRET]


def test_a_verified_peer_may_renew_its_certificate_and_nobody_may_step_in(
    two_certificates: Any, authority: Authority, serve: Serve, transport_to: Open, tmp_path: Any
) -> None:
    trust = Trust("verify", ca_path=str(authority.ca))
    server = changing_server(serve, *two_certificates)
    transport = transport_to(server, trust)
    transport.authorize("X-Auth-Token", SECRET)
    for path in ("/1", "/2"):
        transport.request("GET", path)
    assert server.log.headers("x-auth-token") == [SECRET, SECRET]

    impostor = Authority(tmp_path, "an impostor").issue("127.41.0.1")
    server = changing_server(serve, two_certificates[0], impostor)
    transport = transport_to(server, trust)
    transport.authorize("X-Auth-Token", SECRET)
    transport.request("GET", "/1")
    refused(CertificateUnverified, lambda: transport.request("GET", "/2"))
    assert len(server.log.requests) == 1


def test_a_reconnect_in_the_middle_of_a_request_asks_again(
    two_certificates: Any, serve: Serve, transport_to: Open, unguarded_to: Any
) -> None:
    """The connection breaks before the answer; on the one that the repetition opens stands somebody else."""
    first, second = two_certificates
    servers: list[ScriptedServer] = []

    def break_off(request: Received) -> list[Step]:
        if request.connection == 0:
            servers[-1].context = second.server_context()
            return [CLOSE]
        return [reply({"got": request.headers.get("x-auth-token", "")})]

    def attempt(guard: type[CredentialGuard]) -> Transport:
        servers.append(serve(break_off, context=first.server_context()))
        transport = unguarded_to(transport_to(servers[-1], pin_of(first)), guard)
        transport.authorize("X-Auth-Token", SECRET)
        return transport

    guarded = attempt(CredentialGuard)
    refused(PinMismatch, lambda: guarded.request("GET", "/"))
    assert len(servers[-1].log.requests) == 1
    assert attempt(Careless).get_json("/") == {"got": SECRET}


# -- leads to somebody else


class FollowsAnywhere(Endpoint):
    """Without the clause that keeps links at home: goes where the link says, as a naive client would."""

    def _same_origin(self, *_parts: Any) -> None:
        return


@pytest.mark.parametrize(
    "link",
    [
        "https://127.41.0.66/redfish/v1/",
        "http://127.41.0.1:{port}/redfish/v1/",
        "https://127.41.0.1:1/redfish/v1/",
        "//127.41.0.66/redfish/v1/",
        "https://127.41.0.1:{port}@127.41.0.66/",
        "https://user:word@127.41.0.1:{port}/",
        "https:127.41.0.66/x",
        "ftp://127.41.0.1:{port}/",
        "\\\\127.41.0.66\\x:y/https://",
    ],
)
def test_a_link_to_another_host_is_never_followed(
    link: str, authority: Authority, serve: Serve, transport_to: Open
) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    transport = transport_to(server)
    transport.authorize("X-Auth-Token", SECRET)
    link = link.format(port=server.port)
    if link.startswith("\\"):
        # No URI at all: whatever comes of it stays on this host.
        transport.request("GET", link)
        assert [request.target[:1] for request in server.log.requests] == ["/"]
        return
    refused(ProtocolViolation, lambda: transport.request("GET", link))
    assert server.log.bytes_in == 0


def test_a_redirect_to_another_host_is_never_followed(serve: Serve, transport_to: Open) -> None:
    thief = serve(answer, host="127.41.0.66")
    server = serve(lambda request: reply(status=307, Location=f"http://127.41.0.66:{thief.port}/take?it=1"))
    transport = transport_to(server)
    transport.authorize("X-Auth-Token", SECRET)
    refused(ProtocolViolation, lambda: transport.request("GET", "/"))
    refused(ProtocolViolation, lambda: transport.request("POST", "/"))
    assert thief.log.connections == 0

    credulous = FollowsAnywhere(server.host, server.port, "http")
    with Transport(credulous, Trust("off"), deadline=transport.deadline) as without_clause:
        without_clause.authorize("X-Auth-Token", SECRET)
        with pytest.raises(ProtocolViolation, match="redirects without end"):
            without_clause.request("GET", "/")
    # Even then there is no code that could open a connection to another host: the path went to this one.
    assert thief.log.connections == 0
    assert [request.target for request in server.log.requests][-1] == "/take?it=1"


@pytest.mark.parametrize("path", ["/x HTTP/1.1\r\nX-Auth-Token: a\r\n\r\n", "/x\nHost: evil", "/x\0", "/\x85"])
def test_a_link_cannot_write_header_fields(path: str, serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    refused(ProtocolViolation, lambda: transport_to(server).request("GET", path))
    assert server.log.bytes_in == 0


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Other: 1", f"{SECRET}\n", f"{SECRET}\0", f"{SECRET}\u2603"])
def test_a_credential_cannot_write_header_fields(value: str, serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(answer))
    refused(BadInput, lambda: transport.authorize("X-Auth-Token", value))
    refused(BadInput, lambda: transport.request("GET", "/", headers={"Authorization": value}))
    refused(BadInput, lambda: transport.request("GET", "/", headers={"Host": "elsewhere"}))


# -- and nobody reads it in an error


def test_an_error_does_not_repeat_the_secret_that_the_peer_repeats(serve: Serve, transport_to: Open) -> None:
    said = {"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.0.X", "Message": f"{SECRET} is no password"}]}}
    transport = transport_to(serve(lambda request: reply(said, 400)))
    response = transport.request("POST", "/", body=LOGIN, secret_body=True)
    with pytest.raises(HearthError) as caught:
        response.raise_for_status("here")
    assert SECRET not in str(caught.value.as_dict()) and "is no password" in caught.value.msg

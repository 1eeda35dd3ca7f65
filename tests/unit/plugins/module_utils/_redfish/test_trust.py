# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No credential to a peer that is not verified: by CA, by pin, or because the user wrote ``off``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.guard import CredentialGuard
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Peer, Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import discovery
from tests.servers.certificates import Authority, Certificate
from tests.unit.plugins.module_utils._redfish.looking import look, only
from tests.unit.plugins.module_utils._redfish.replay import Replay
from tests.unit.plugins.module_utils._redfish.trees import plain

ADDRESS = "127.42.1.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue(ADDRESS)


@pytest.fixture
def bmc(certificate: Certificate) -> Iterator[Replay]:
    with Replay(plain(), address=ADDRESS, certificate=str(certificate.path)) as replay:
        yield replay


@pytest.fixture
def strangers_ca(tmp_path: Path) -> str:
    return str(Authority(tmp_path, "a stranger").ca)


def nothing_was_sent(bmc: Replay) -> bool:
    return not bmc.logins and not bmc.credentials_seen


def unpinned(outcome: Any) -> dict[str, Any]:
    assert outcome.group == "bmc_unpinned"
    (host,) = outcome.hosts
    assert "hearth_server" not in host
    record: dict[str, Any] = host["hearth_bmc"]
    assert record["state"] == "unpinned"
    assert not record["verified"]
    return record


def test_a_peer_that_the_ca_vouches_for_is_logged_in_to(bmc: Replay, authority: Authority) -> None:
    hearth_bmc, machine = only(look(bmc, trust=Trust("verify", ca_path=str(authority.ca))))
    assert hearth_bmc["verified"] is True
    assert machine["serial"] == "SN-1-77"


def test_a_peer_that_fails_verification_is_looked_at_and_gets_no_credential(
    bmc: Replay, strangers_ca: str, certificate: Certificate
) -> None:
    record = unpinned(look(bmc, trust=Trust("verify", ca_path=strangers_ca)))
    assert record["error"]["type"] == "CertificateUnverified"
    assert record["fingerprint"]["spki_sha256"] == certificate.spki_sha256
    assert record["fingerprint"]["cert_sha256"] == certificate.cert_sha256
    assert record["redfish_version"] == "1.17.0", "what the anonymous root tells"
    assert nothing_was_sent(bmc)


def test_a_peer_with_another_name_gets_no_credential(authority: Authority) -> None:
    other = authority.issue("192.0.2.77")
    with Replay(plain(), address=ADDRESS, certificate=str(other.path)) as bmc:
        record = unpinned(look(bmc, trust=Trust("verify", ca_path=str(authority.ca))))
        assert record["error"]["type"] == "CertificateUnverified"
        assert nothing_was_sent(bmc)


def test_a_pinned_key_is_logged_in_to(bmc: Replay, certificate: Certificate) -> None:
    trust = Trust("pin", pins=frozenset({f"spki-sha256:{certificate.spki_sha256}"}))
    hearth_bmc, machine = only(look(bmc, trust=trust))
    assert hearth_bmc["verified"] is True
    assert hearth_bmc["trust"] == "pin"


def test_an_unknown_key_is_a_host_with_its_fingerprint_and_no_credential(bmc: Replay, certificate: Certificate) -> None:
    record = unpinned(look(bmc, trust=Trust("pin")))
    assert record["error"]["type"] == "PinUnknown"
    assert f"spki-sha256:{certificate.spki_sha256}" in record["error"]["found"]
    assert "pin_bmcs.yml" in record["error"]["next"]
    assert nothing_was_sent(bmc)


def test_a_key_other_than_the_pinned_one_gets_no_credential(bmc: Replay) -> None:
    record = unpinned(look(bmc, trust=Trust("pin", pins=frozenset({"spki-sha256:" + "0" * 64}))))
    assert record["error"]["type"] == "PinMismatch"
    assert nothing_was_sent(bmc)


def test_off_is_the_users_word(bmc: Replay) -> None:
    hearth_bmc, machine = only(look(bmc, trust=Trust("off")))
    assert hearth_bmc["verified"] is False
    assert hearth_bmc["trust"] == "off"


def test_anonymous_trust_never_logs_in(bmc: Replay) -> None:
    unpinned(look(bmc, trust=Trust("anonymous")))
    assert nothing_was_sent(bmc)


# Plain HTTP


@pytest.mark.parametrize("trust", [Trust("verify"), Trust("pin", pins=frozenset({"spki-sha256:" + "0" * 64}))])
def test_plain_http_gets_no_credential(trust: Trust) -> None:
    with Replay(plain()) as bmc:
        record = unpinned(look(bmc, trust=trust))
        assert record["error"]["type"] == "CredentialWithheld"
        assert "plain HTTP" in record["error"]["msg"]
        assert "HTTPS" in record["error"]["next"]
        assert nothing_was_sent(bmc)


def test_plain_http_is_logged_in_to_where_the_user_wrote_so() -> None:
    with Replay(plain()) as bmc:
        hearth_bmc, machine = only(look(bmc, trust=Trust("verify"), plain_http_login=True))
        assert machine["serial"] == "SN-1-77"
        assert hearth_bmc["verified"] is False
        assert hearth_bmc["trust"] == "verify"


# The attack getting through, with each clause of the gate taken away


def test_without_the_transports_guard_and_ours_the_password_would_go_to_anybody(
    bmc: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clause is "is the peer trusted?". It stands in the transport and in discovery; both have to go."""
    honest = Transport.connect

    def credulous(transport: Transport) -> Peer:
        peer = honest(transport)
        transport.peer = Peer(peer.cert_sha256, peer.spki_sha256, True, "pin")
        return transport.peer

    monkeypatch.setattr(Transport, "connect", credulous)
    look(bmc, trust=Trust("pin"))
    assert nothing_was_sent(bmc), "the transport asks about the connection's peer by itself"
    monkeypatch.setattr(CredentialGuard, "_is_trusted", lambda guard, peer: True)
    look(bmc, trust=Trust("pin"))
    assert not nothing_was_sent(bmc)


def test_without_verification_an_impostor_would_get_the_password(
    bmc: Replay, strangers_ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clause is that a connection is made with the user's trust, and the second look with none."""
    real = discovery._Discovery._transport
    monkeypatch.setattr(discovery._Discovery, "_transport", lambda self, trust: real(self, Trust("off")))
    assert look(bmc, trust=Trust("verify", ca_path=strangers_ca)).error is None
    assert not nothing_was_sent(bmc)


def test_without_the_rule_on_plain_http_the_password_would_cross_the_wire_in_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery._Discovery, "_effective_trust", lambda self: Trust("off"))
    with Replay(plain()) as bmc:
        assert look(bmc, trust=Trust("verify")).error is None
        assert not nothing_was_sent(bmc)

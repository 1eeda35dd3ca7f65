# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer means: JSON or none, Redfish's messages, typed errors."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.response import DEEPEST_JSON, Headers, Response


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [(name.lower().replace("_", "-"), value) for name, value in headers.items()]
    return Response(status, Headers(fields), raw, "https://10.0.0.1/x")


def test_json_as_bmcs_write_it() -> None:
    assert answer(b'\xef\xbb\xbf{"a": "\xe9\\ud800"}').json() == {"a": "\ufffd\ud800"}
    assert answer(b' {"a": 1, "a": 2}\r\n').json() == {"a": 2}
    document = answer(
        b'{"nan": NaN, "inf": -Infinity, "big": 1e999, "long": ' + b"9" * 5000 + b', "ok": [1, -2.5]}'
    ).json()
    assert document == {"nan": None, "inf": None, "big": None, "long": None, "ok": [1, -2.5]}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a": 1', b'{"a": 1}}', b"[1]", b"null", b'"x"', b"1", b"\xff\xfe{\x00}\x00", b"{'a': 1}"],
)
def test_what_is_no_json_object_is_a_protocol_violation(body: bytes) -> None:
    with pytest.raises(errors.ProtocolViolation) as caught:
        answer(body).json()
    assert caught.value.where == "https://10.0.0.1/x" and caught.value.found


@pytest.mark.parametrize("depth", [DEEPEST_JSON + 1, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[[],"]",'])
def test_a_depth_bomb_does_not_reach_the_parser_s_stack(depth: int, opening: bytes) -> None:
    """On a thread with the small stack that fan_out gives, where the parser's recursion in C would crash us."""
    body = b'{"a":' + opening * depth
    raised: list[type[BaseException]] = []

    def parse() -> None:
        try:
            answer(body).json()
        except errors.ProtocolViolation as exc:
            raised.append(type(exc))

    before = threading.stack_size(256 * 1024)
    thread = threading.Thread(target=parse)
    thread.start()
    threading.stack_size(before)
    thread.join()
    assert raised == [errors.ProtocolViolation]


def test_many_brackets_are_no_depth() -> None:
    wide = {"Members": [{"@odata.id": "x", "tags": ["[[[[", '{{{{\\"']} for _member in range(500)]}
    assert answer(wide).json() == wide
    nested: Any = 1
    for _level in range(DEEPEST_JSON - 1):
        nested = [nested]
    assert answer({"a": nested}).json() == {"a": nested}


def test_the_etag_is_the_first_that_says_something() -> None:
    assert answer({}).etag == ""
    headers = Headers([("etag", " "), ("etag", 'W/"1"'), ("etag", '"2"')])
    assert Response(200, headers, b"").etag == 'W/"1"'


def test_retry_after_is_never_in_the_past() -> None:
    now = datetime(2026, 11, 21, 15, 0, tzinfo=timezone.utc)
    assert answer({}).retry_after(now) is None
    assert answer({}, Retry_After="2.5").retry_after(now) == 2.5
    assert answer({}, Retry_After="Sat, 21 Nov 2026 15:00:10 GMT").retry_after(now) == 10.0
    assert answer({}, Retry_After="Sat, 21 Nov 2026 14:00:00 GMT").retry_after(now) == 0.0
    assert answer({}, Retry_After="Sat, 21 Nov 2026 15:00:10").retry_after(now) == 10.0
    for nonsense in ("soon", "nan", "inf", "Sat, 99 Nov 2026", "1 2", "99999999999999999999-01-01"):
        assert answer({}, Retry_After=nonsense).retry_after(now) is None


def extended(*entries: Any) -> dict[str, Any]:
    return {"error": {"code": "Base.1.8.GeneralError", "message": "see", "@Message.ExtendedInfo": list(entries)}}


def test_messages_in_each_place_and_shape() -> None:
    entry = {
        "MessageId": "Base.1.8.PropertyValueNotInList",
        "Message": "no\x1b[1m {{ such }} value",
        "MessageArgs": ["x", 3],
        "Severity": "Warning",
        "Resolution": "choose another",
    }
    found = answer(extended(entry)).messages()
    assert found == answer({"@Message.ExtendedInfo": [entry]}).messages()
    assert found == answer({"error": {"@Message.ExtendedInfo": entry}}).messages()
    message = found[0]
    assert (message.id, message.text) == ("Base.1.8.PropertyValueNotInList", "no { { such } } value")
    assert (message.args, message.severity, message.resolution) == (("x", ""), "Warning", "choose another")
    assert answer({"error": {"code": "c", "message": "m"}}).messages()[0][:2] == ("c", "m")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        [1],
        {"error": "no"},
        {"error": []},
        {"error": {"@Message.ExtendedInfo": "x"}},
        extended(1, "x", None),
        extended({"MessageId": 7, "Message": [], "MessageArgs": {"a": 1}}),
        {"error": {"@Message.ExtendedInfo": [[]] * 9999}},
    ],
)
def test_messages_of_any_shape_are_no_error(body: Any) -> None:
    assert len(answer(body, 400).messages()) <= 1
    assert isinstance(answer(body, 400).error(), errors.Refused)


STATUS = {
    301: errors.ProtocolViolation,
    304: errors.ProtocolViolation,
    400: errors.Refused,
    401: errors.AuthenticationFailed,
    403: errors.AccessDenied,
    404: errors.NotFound,
    405: errors.Unsupported,
    409: errors.Busy,
    410: errors.NotFound,
    412: errors.PreconditionFailed,
    415: errors.Refused,
    428: errors.PreconditionFailed,
    429: errors.Busy,
    500: errors.ServerFailure,
    501: errors.Unsupported,
    503: errors.Busy,
    507: errors.ServerFailure,
}


@pytest.mark.parametrize("status", sorted(STATUS))
def test_each_status_has_its_error(status: int) -> None:
    body = extended({"MessageId": "Base.1.8.X", "Message": "because", "Resolution": "do this"})
    with pytest.raises(errors.HearthError) as caught:
        answer(body, status).raise_for_status("reading power")
    assert caught.value.type == STATUS[status].__name__
    assert str(status) in caught.value.msg and "because" in caught.value.msg
    assert caught.value.found == "Base.1.8.X" and caught.value.where == "reading power" and caught.value.next


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status: int) -> None:
    answer(b"", status).raise_for_status()


def test_a_password_that_must_be_changed() -> None:
    entry = {"MessageId": "Base.1.8.PasswordChangeRequired", "MessageArgs": ["/redfish/v1/AccountService/Accounts/2"]}
    response = answer(extended(entry), 403)
    assert isinstance(response.error(), errors.PasswordChangeRequired)
    assert response.messages()[0].args == ("/redfish/v1/AccountService/Accounts/2",)

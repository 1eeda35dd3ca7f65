# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of the media server's log that are not what one expects. What nginx itself writes is in tests/integration."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._nginx.progress import parse, read_progress

PUBLICATION = "00112233445566778899aabbccddeeff"


def line(**changes: str) -> str:
    entry = {
        "ended": "1763751601.250",
        "seconds": "0.250",
        "client": "10.0.0.17",
        "method": "GET",
        "path": f"/{PUBLICATION}/live.iso",
        "status": "206",
        "sent": "100",
        "content_length": "100",
        "content_range": "bytes 0-99/1000",
    }
    return json.dumps({**entry, **changes})


def test_a_line_as_it_should_be() -> None:
    request = parse(line())
    assert request is not None
    assert (request.first_byte, request.sent, request.size, request.began) == (0, 100, 1000, 1763751601.0)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        line()[:80],
        "[]",
        "null",
        line(path=f"/{PUBLICATION}/live.iso?x=1"),
        line(path=f"/{PUBLICATION}/../live.iso"),
        line(status="-"),
        line(sent="-100"),
        line(sent="9" * 40),
        line(ended="NaN"),
        line(content_range="bytes */1000"),
        line(client="x" * 20_000),
    ],
)
def test_a_line_that_says_nothing_is_passed_over(odd: str) -> None:
    assert parse(odd) is None
    [progress] = read_progress([odd, line()])
    assert progress.distinct_bytes() == 100


def test_a_request_that_broke_counts_what_was_sent() -> None:
    [progress] = read_progress([line(status="200", sent="300", content_length="1000", content_range="")])
    shown = progress.shown()
    assert (shown["distinct_bytes"], shown["share"], shown["finished"]) == (300, 0.3, False)


def test_the_answer_to_a_head_sends_nothing() -> None:
    [progress] = read_progress([line(method="HEAD", status="200", sent="0", content_length="1000", content_range="")])
    assert progress.shown()["size_bytes"] == 1000 and progress.shown()["distinct_bytes"] == 0


def test_ranges_in_any_order_and_over_one_another_count_once() -> None:
    ranges = [(500, 100), (0, 100), (550, 100), (50, 10), (900, 100)]
    lines = [line(sent=str(size), content_range=f"bytes {start}-{start + size - 1}/1000") for start, size in ranges]
    [progress] = read_progress(lines)
    assert (progress.distinct_bytes(), progress.sent_bytes) == (350, 410)


def test_refusals_are_counted_and_do_not_fill_memory() -> None:
    lines = [line(client=f"10.0.{number // 250}.{number % 250}", status="404", sent="0") for number in range(5000)]
    [progress] = read_progress([*lines, lines[0]])
    assert len(progress.refused) == 64 and progress.refused[("10.0.0.0", 404)] == 2
    assert progress.requests == 0 and progress.shown()["first_request"] is None


def test_only_what_is_asked_for() -> None:
    other = line(path=f"/{'f' * 32}/live.iso")
    assert [one.publication for one in read_progress([line(), other], ["f" * 32])] == ["f" * 32]

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and addresses of a certificate: one spelling each, and nothing that could be more than a name."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hearth.datacenter.plugins.plugin_utils._subject_alt_names import subject_alt_names


def test_two_spellings_of_one_host_are_one() -> None:
    hosts = [
        "Media.Example.net",
        "media.example.net",
        "fd00:0:0::5",
        "FD00::5",
        "10.20.0.5",
        "*.rack1.example.net",
        "u07",
    ]
    assert subject_alt_names(hosts) == [
        "DNS:media.example.net",
        "IP:fd00::5",
        "IP:10.20.0.5",
        "DNS:*.rack1.example.net",
        "DNS:u07",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "a b",
        "a,IP:1.2.3.4",
        "a\nCA:TRUE",
        "a.example.net.",
        "-a",
        "a_b",
        "10.20.0.256",
        "a.*.net",
        "ä.net",
        "x" * 64,
    ]
    + [".".join(["x" * 60] * 5), "fe80::1%eth0,DNS:x", "10.0.0.0/8", None],
)
def test_what_is_no_host_is_refused(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match="neither a DNS name nor an IP address"):
        subject_alt_names([wrong])


@pytest.mark.parametrize("wrong", ["media.example.net", {"a": 1}, None])
def test_what_is_no_list_is_refused(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match="needs a list"):
        subject_alt_names(wrong)

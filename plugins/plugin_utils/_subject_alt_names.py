# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate is valid for, as OpenSSL and community.crypto write it. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible.errors import AnsibleFilterError

# RFC 1123 labels; a wildcard stands for the whole first one (RFC 6125, 6.4.3).
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_LONGEST = 253


def subject_alt_names(hosts: t.Any) -> list[str]:
    """C(DNS:name) and C(IP:address) for each host, each once, in the order given."""
    if not isinstance(hosts, (list, tuple)):
        raise AnsibleFilterError(
            f"subject_alt_names needs a list of names and addresses, and got a {type(hosts).__name__}"
        )
    return list(dict.fromkeys(_alt_name(host) for host in hosts))


def _alt_name(host: t.Any) -> str:
    # Python takes anything for the zone behind an address's percent sign, a comma and a line break, too.
    if isinstance(host, str) and "%" not in host:
        try:
            return f"IP:{ipaddress.ip_address(host)}"
        except ValueError:
            # digits and dots alone are an address that is none, and no name
            if len(host) <= _LONGEST and _NAME.fullmatch(host) and not host.rpartition(".")[2].isdigit():
                return f"DNS:{host.lower()}"
    raise AnsibleFilterError(f"{ascii(host)[:120]} is neither a DNS name nor an IP address")

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the DMTF's protocol validator finds in a personality because the real BMC is so: assertion → reason.

A finding that is not here fails the test, and so does an entry here that is not found any more. The same for the
service validator stands beside the personalities, in ``tests/emulators/redfish/personalities/deliberate.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOL: Mapping[str, Mapping[str, str]] = {
    "openbmc": {},
    "idrac9": {
        "PROTO_ETAG_HEADER_AND_PROPERTY": "iDRAC 9 sends the ETag header of an account and no @odata.etag in its body",
    },
    "generic": {},
}

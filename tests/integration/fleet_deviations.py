# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the DMTF's validators find in a personality because the real BMC is so, each with the reason.

A finding that is not here fails the test, and so does an entry here that is not found any more.
Protocol findings are named by their assertion, service findings by ``<kind> at <path>#<pointer>``.
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

SERVICE: Mapping[str, Mapping[str, str]] = {
    "openbmc": {},
    "idrac9": {
        "Property Value Error at /redfish/v1/UpdateService/FirmwareInventory/Previous-159-1.9.2__BIOS.Setup.1-1"
        "#/ReleaseDate": "iDRAC 9 states the date 00:00:00Z for firmware whose date it does not know",
    },
    "generic": {},
}

#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: media_progress_info
short_description: Reads how far machines have read their boot media
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads the access log of the media server that the role P(hearth.datacenter.media_server#role) sets up, and says of
    each published medium what has been read of it, by whom, and who was refused.
  - A BMC that never asks for its image, or reads half of it and stops, is seen here long before a deadline passes.
notes:
  - It runs where the log is, so delegate it to the media server.
  - nginx logs a request when it ends. A BMC that fetches an image in one request shows nothing before that. Most fetch
    in ranges.
  - The log that was rotated away last (C(.1)) is read, too.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
options:
  log:
    description: The media server's access log, C(log/access.json) below its directory.
    type: path
    required: true
  publications:
    description:
      - Only these publications, each 32 hexadecimal digits as in its URL.
      - If not set, all that the log knows.
    type: list
    elements: str
seealso:
  - module: hearth.datacenter.redfish_virtual_media
"""

EXAMPLES = r"""
- name: How far is this boot
  hearth.datacenter.media_progress_info:
    log: /srv/hearth-media/log/access.json
    publications:
      - 0123456789abcdef0123456789abcdef
  register: boot

- name: Wait until the BMC has begun to read
  hearth.datacenter.media_progress_info:
    log: /srv/hearth-media/log/access.json
    publications:
      - 0123456789abcdef0123456789abcdef
  register: boot
  until: boot.media_progress | selectattr('distinct_bytes') | length > 0
  retries: 18
  delay: 5
"""

RETURN = r"""
media_progress:
  description: A medium each, in the order in which they were first asked for. One that nobody asked for is not there.
  returned: success
  type: list
  elements: dict
  contains:
    publication:
      description: What it is published under.
      type: str
      returned: success
      sample: 0123456789abcdef0123456789abcdef
    name:
      description: Its name in the URL.
      type: str
      returned: success
      sample: live.iso
    size_bytes:
      description: Size of the whole medium. V(null) while no answer has told it.
      type: int
      returned: success
      sample: 289406976
    distinct_bytes:
      description: Bytes that were sent at least once.
      type: int
      returned: success
      sample: 144703488
    share:
      description:
        - RV(media_progress[].distinct_bytes) of RV(media_progress[].size_bytes), from 0 to 1. V(null) without a size.
      type: float
      returned: success
      sample: 0.5
    finished:
      description: Whether every byte was sent. A machine that boots need not read all of an image.
      type: bool
      returned: success
      sample: false
    requests:
      description: Requests that were served.
      type: int
      returned: success
      sample: 212
    sent_bytes:
      description: Bytes sent in all, repeated ones again.
      type: int
      returned: success
      sample: 148897792
    first_request:
      description: When the first of them began, UTC. V(null) where none was served.
      type: str
      returned: success
      sample: "2026-11-21T19:00:01Z"
    last_request:
      description: When the last of them ended, UTC. V(null) where none was served.
      type: str
      returned: success
      sample: "2026-11-21T19:00:42Z"
    clients:
      description: Addresses that were served.
      type: list
      elements: str
      returned: success
      sample: [10.20.0.17]
    refused:
      description:
        - Who was refused, at most 64 of them. 404 from another address than the publication's is somebody else.
      type: list
      elements: dict
      returned: success
      contains:
        client:
          description: Address that asked.
          type: str
          returned: success
          sample: 10.20.0.99
        status:
          description: HTTP status of the answer.
          type: int
          returned: success
          sample: 404
        requests:
          description: How often.
          type: int
          returned: success
          sample: 3
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, V(BadInput) or V(NotFound).
      type: str
      returned: failure
      sample: NotFound
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: the access log that the role media_server configures
    found:
      description: What was found.
      type: str
      returned: failure
      sample: ''
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: /srv/hearth-media/log/access.json
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Start the media server, or correct log.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.media_progress_info import MEDIA_PROGRESS_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(MEDIA_PROGRESS_INFO)


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets out of what people and logs see."""

from __future__ import annotations

from typing import Iterable


class Redactor:
    def __init__(self, secrets: Iterable[str] = ()) -> None:
        raise NotImplementedError

    def add(self, secret: str) -> None:
        raise NotImplementedError

    def text(self, text: str) -> str:
        raise NotImplementedError

    def data(self, value: object) -> object:
        raise NotImplementedError

# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strings that a peer gives are hostile; this is the one way in."""

from __future__ import annotations


def clean(value: str, limit: int = 256) -> str:
    raise NotImplementedError


def clean_json(value: object, *, limit: int = 256, depth: int = 16, items: int = 10000) -> object:
    raise NotImplementedError


def host_name(text: str) -> str:
    raise NotImplementedError

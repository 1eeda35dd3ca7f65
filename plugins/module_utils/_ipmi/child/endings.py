# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the child ends when it cannot go on."""

from __future__ import annotations


class Stop(BaseException):
    """The parent's time is over (SIGALRM) or it was interrupted (SIGTERM). pyghmi swallows Exception, so not that."""


class Failure(BaseException):
    """Nothing can be read: ``kind`` is the name of the error class that session.py raises."""

    def __init__(self, kind: str, msg: str) -> None:
        super().__init__(msg)
        self.kind = kind
        self.msg = msg


class OutOfTime(Exception):
    """The part of the time that one optional reading may take is over."""

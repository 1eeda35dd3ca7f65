# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remembered host names: a FRU keeps the name that it was first given, and no two FRUs share one."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional

from .section import Section, storable

COLUMNS = ("fru", "host_name", "recorded_at", "recorded_by")


class Names(Section):
    """The part of the store that holds names. What a FRU's key looks like is its caller's business."""

    def names(self, frus: Optional[Iterable[str]] = None) -> Dict[str, str]:
        """Names by FRU; of these FRUs (those that have one), or of all."""
        sql = "SELECT fru, host_name FROM hearth_names"
        with self._database.transaction(write=False):
            if frus is None:
                return dict(self._database.rows(sql))
            return dict(self._database.rows_for(sql + " WHERE fru IN ({keys})", frus))

    def remember_names(self, names: Mapping[str, str]) -> Dict[str, str]:
        """Give names to FRUs, at one moment; the names that these FRUs have afterwards.

        The first writer wins: a FRU that already has a name keeps it, and the answer says which. A FRU whose wished
        name belongs to another FRU gets none and is missing in the answer: wish again with another name. Inside one
        call, too, the first FRU to wish a name gets it.
        """
        with self._database.transaction(write=True):
            now = self._stamp()
            self._database.insert(
                "hearth_names",
                COLUMNS,
                [
                    (storable(fru, "key of a FRU"), storable(name, "name of a host"), now, self.owner)
                    for fru, name in names.items()
                ],
                "ON CONFLICT DO NOTHING",
            )
            return self.names(names)

    def forget_names(self, frus: Iterable[str]) -> List[str]:
        """Take the names from these FRUs (given back, replaced by a spare); which of them had one."""
        with self._database.transaction(write=True):
            there = list(self.names(frus))
            for fru in there:
                self._database.execute("DELETE FROM hearth_names WHERE fru = ?", [fru])
        return there

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases: who works on something now, and until when. The second one is told both.

A lease is held by its owner's name, not by a process, since the tasks of one play run in many processes. It ends when
it is released or when its time is over; then anybody may take it. ``generation`` grows with every new holder: what
wrote under an older generation has lost the lease in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Dict, Optional

from ..errors import BadInput, LeaseHeld
from .section import Section, storable
from .timestamp import moment_of, stamp

COLUMNS = ("resource", "owner", "generation", "purpose", "acquired_at", "expires_at")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM hearth_leases"


@dataclass(frozen=True)
class Lease:
    """A lease as it stood when it was taken, renewed or read; times are UTC."""

    resource: str
    owner: str
    generation: int
    purpose: str
    acquired_at: str
    expires_at: str


class Leases(Section):
    """The part of the store that holds them."""

    def leases(self) -> Dict[str, Lease]:
        """The leases that are held now, by resource."""
        with self._database.transaction(write=False):
            now = self._stamp()
            found = [Lease(*row) for row in self._database.rows(_SELECT)]
        return {lease.resource: lease for lease in found if lease.expires_at > now}

    def acquire_lease(self, resource: str, seconds: float, *, owner: str = "", purpose: str = "") -> Lease:
        """Take a lease for so many seconds. LeaseHeld when another owner holds it; the same owner's is extended (never
        shortened) and keeps its generation."""
        owner = storable(owner or self.owner, "owner of a lease")
        resource = storable(resource, "resource of a lease")
        with self._database.transaction(write=True):
            held = self._newest_lease(resource)
            now = self._stamp()
            expires = self._expiry(seconds)
            generation, acquired = (held.generation if held else 0) + 1, now
            if held is not None and held.expires_at > now:
                if held.owner != owner:
                    raise _held(held, self._database.shown)
                generation, acquired, expires = held.generation, held.acquired_at, max(expires, held.expires_at)
            lease = Lease(
                resource, owner, generation, storable(purpose, "purpose of a lease", empty=True), acquired, expires
            )
            self._write_lease(lease)
        return lease

    def renew_lease(self, lease: Lease, seconds: float) -> Lease:
        """Hold it for so many seconds from now. A lease that ran out and that nobody took in between is renewed, too;
        one that somebody took (even if given back since) raises LeaseHeld."""
        with self._database.transaction(write=True):
            newest = self._newest_lease(lease.resource)
            if newest is None or newest.generation != lease.generation or newest.owner != lease.owner:
                raise _lost(lease, newest, self._database.shown)
            renewed = Lease(
                lease.resource, lease.owner, lease.generation, newest.purpose, newest.acquired_at, self._expiry(seconds)
            )
            self._write_lease(renewed)
        return renewed

    def release_lease(self, resource: str, *, owner: str = "") -> bool:
        """Give it back. False when nobody holds it; LeaseHeld when another owner does."""
        owner = owner or self.owner
        with self._database.transaction(write=True):
            held = self._newest_lease(resource)
            now = self._stamp()
            if held is None or held.expires_at <= now:
                return False
            if held.owner != owner:
                raise _held(held, self._database.shown)
            self._write_lease(Lease(resource, owner, held.generation, held.purpose, held.acquired_at, now))
        return True

    def _newest_lease(self, resource: str) -> Optional[Lease]:
        rows = self._database.rows(_SELECT + " WHERE resource = ?", [resource])
        return Lease(*rows[0]) if rows else None

    def _expiry(self, seconds: float) -> str:
        if not 0 < seconds <= 366 * 86400:
            raise BadInput("A lease lasts more than nothing and at most a year.", found=f"{seconds} s")
        return stamp(self._now() + timedelta(seconds=seconds))

    def _write_lease(self, lease: Lease) -> None:
        self._database.insert(
            "hearth_leases",
            COLUMNS,
            [
                (
                    lease.resource,
                    lease.owner,
                    lease.generation,
                    lease.purpose,
                    lease.acquired_at,
                    lease.expires_at,
                )
            ],
            "ON CONFLICT (resource) DO UPDATE SET owner = excluded.owner, generation = excluded.generation,"
            " purpose = excluded.purpose, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at",
        )


def _held(lease: Lease, where: str) -> LeaseHeld:
    until = moment_of(lease.expires_at).isoformat(sep=" ", timespec="seconds")
    purpose = f" ({lease.purpose})" if lease.purpose else ""
    return LeaseHeld(
        f"{lease.resource} is held by {lease.owner}{purpose} until {until}.",
        expected=f"nobody else at work on {lease.resource}",
        found=f"{lease.owner} since {lease.acquired_at}, until {lease.expires_at}",
        where=where,
        next=f"Ask {lease.owner}, or wait until the lease ends.",
    )


def _lost(lease: Lease, newest: Optional[Lease], where: str) -> LeaseHeld:
    taken_by = f"{newest.owner} since {newest.acquired_at}" if newest else "nobody: the lease is not there"
    return LeaseHeld(
        f"The lease on {lease.resource} ran out and was lost.",
        expected=f"held by {lease.owner} since {lease.acquired_at}",
        found=taken_by,
        where=where,
        next="Stop; look at what the other one did, take the lease again and start over.",
    )

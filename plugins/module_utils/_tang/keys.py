# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys a Tang server has: read, plan, apply, verify. A kill at any point leaves a server that serves its clients.

New keys come first and old ones are hidden after: at no moment are there none to advertise. tangd answers a request
that finds no advertised key by making a pair of its own, and ``tangd-rotate-keys`` hides before it makes, so a request
in between leaves the server with two pairs.

A key is deleted only if it was hidden before this run: what depends on it had the time to be bound again. Tang does not
know its clients; whether any is left, only who manages them can say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from .._core.errors import NotFound, Refused, VerificationFailed
from .._core.hostile import clean
from .._core.programs import Programs
from . import advertisement
from .key_directory import ALGORITHMS, Contents, KeyDirectory, TangKey, checked_thumbprint, hidden_file


def _nowhere(_step: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order."""

    clear: Tuple[str, ...]
    make: Tuple[str, ...]
    hide: Tuple[TangKey, ...]
    delete: Tuple[TangKey, ...]

    @property
    def empty(self) -> bool:
        return not (self.clear or self.make or self.hide or self.delete)


@dataclass
class Report:
    """What was done, or in check mode would be."""

    plan: Plan
    before: Contents
    after: Contents
    made: List[str] = field(default_factory=list)
    advertisement: Optional[Dict[str, Any]] = None
    """None in check mode where it would be another one than now."""
    warnings: List[str] = field(default_factory=list)


def planned(contents: Contents, hidden: Sequence[str], deleted: Sequence[str], where: str) -> Plan:
    """A typed error where the wish is none that can be fulfilled; nothing is changed by it."""
    hide = [key for key in contents.advertised if key.thumbprints & {checked_thumbprint(one) for one in hidden}]
    doomed = {checked_thumbprint(one) for one in deleted}
    for key in contents.advertised:
        if key.thumbprints & doomed:
            raise Refused(
                "a key that is still advertised is not deleted",
                expected="a key that was hidden before, and that no client is bound to any more",
                found=key.thumbprint,
                where=where,
                next="Hide it, bind all its clients again, and delete it then. Nothing was changed.",
            )
    known = {one for key in contents.keys for one in key.thumbprints}
    for one in hidden:
        if one not in known | doomed:
            raise NotFound(
                "there is no such key to hide",
                expected="the thumbprint of a key in the directory, or one that is in deleted, too",
                found=one,
                where=where,
                next="See this module's result for the thumbprints. Nothing was changed.",
            )
    remains = {hidden_file(one) for one in doomed}
    stay = [key.use for key in contents.advertised if key not in hide]
    return Plan(
        # With what a run overwrote that was killed before it could remove the file.
        clear=contents.unfinished + tuple(name for name in contents.unreadable if name in remains),
        make=tuple(use for use in ALGORITHMS if use not in stay),
        hide=tuple(hide),
        delete=tuple(key for key in contents.hidden if key.thumbprints & doomed),
    )


@dataclass
class Keys:
    """The keys of one server. ``url``: where it answers; empty: it is not asked."""

    directory: KeyDirectory
    programs: Programs
    url: str = ""
    patience: float = 10.0
    dry: bool = False
    reached: Callable[[str], None] = _nowhere
    """Told before each step that changes the directory."""

    def manage(self, hidden: Sequence[str], deleted: Sequence[str]) -> Report:
        """The keys are as wanted, and the server advertises them."""
        with self.directory.locked():
            before = self.directory.read()
            plan = planned(before, hidden, deleted, self.directory.path)
            report = Report(plan, before, before)
            if before.unreadable:
                names = clean(", ".join(name for name in before.unreadable if name not in plan.clear))
                report.warnings += [f"not a key, and passed by as tangd does: {names}"] if names else []
            if not self.dry:
                self._apply(plan, report)
            if plan.empty or not self.dry:
                self._verify(report)
            return report

    def _apply(self, plan: Plan, report: Report) -> None:
        for name in plan.clear:
            self.reached("clear")
            self.directory.erase(name)
        for use in plan.make:
            self.reached("make")
            made = self.programs.run("jose", "jwk", "gen", "-i", json.dumps({"alg": ALGORITHMS[use]}))
            report.made.append(self.directory.write(made).thumbprint)
        for key in plan.hide:
            self.reached("hide")
            self.directory.hide(key)
        for key in plan.delete:
            self.reached("delete")
            self.directory.erase(key.file)

    def _verify(self, report: Report) -> None:
        report.after = self.directory.read()
        report.advertisement = advertisement.compose(self.programs, self.directory.path, report.after.advertised)
        here = advertisement.verified(self.programs, report.advertisement, self.directory.path)
        if not self.url:
            return
        said = advertisement.fetch(self.url, self.patience)
        there = advertisement.verified(self.programs, said, self.url)
        if here != there:
            raise VerificationFailed(
                "the server advertises other keys than the directory holds",
                expected=", ".join(sorted(here)),
                found=", ".join(sorted(there)),
                where=self.url,
                next="See which server answers at the address, and which directory it was started with.",
            )
        report.advertisement = said

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accounts of one BMC: passwords, roles, lockout."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.emulators.redfish.personality import Json, Manners

SERVICE = "/redfish/v1/AccountService"
PRIVILEGES = {
    "Administrator": frozenset({"Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf"}),
    "Operator": frozenset({"Login", "ConfigureComponents", "ConfigureSelf"}),
    "ReadOnly": frozenset({"Login", "ConfigureSelf"}),
}


@dataclass(slots=True)
class Account:
    id: str
    username: str = ""
    password: str = field(default="", repr=False)
    role: str = "Administrator"
    enabled: bool = True
    change_required: bool = False
    failures: int = 0
    locked_until: float = 0.0
    types: tuple[str, ...] = ("Redfish",)

    def may(self, privilege: str) -> bool:
        return privilege in PRIVILEGES.get(self.role, PRIVILEGES["ReadOnly"])


class AccountBook:
    """``setting`` reads what a PATCH of the AccountService wrote (lockout threshold and duration), or None."""

    __slots__ = ("_clock", "_manners", "_setting", "accounts")

    def __init__(
        self,
        manners: Manners,
        username: str,
        password: str,
        clock: Callable[[], float],
        setting: Callable[[str], Json],
    ) -> None:
        self._manners = manners
        self._clock = clock
        self._setting = setting
        self.accounts: dict[str, Account] = {}
        administrator = manners.role_ids[0]
        if manners.account_slots:
            for slot in range(1, manners.account_slots + 1):
                self.accounts[str(slot)] = Account(str(slot), enabled=False, role=manners.role_ids[-1])
            first = self.accounts[str(manners.first_account_slot)]
            first.username, first.password, first.role, first.enabled = username, password, administrator, True
        else:
            self.add(username, password, administrator)
        if manners.default_account is not None and self.named(manners.default_account[0]) is None:
            default = self.free_slot() if manners.account_slots else self.add(*manners.default_account, administrator)
            if default is not None:
                default.username, default.password = manners.default_account
                default.role, default.enabled, default.change_required = administrator, True, True

    def adopt(self, manners: Manners) -> None:
        """From now on with these."""
        self._manners = manners

    def add(self, username: str, password: str, role: str) -> Account:
        number = 1
        while self._manners.account_ids == "number" and str(number) in self.accounts:
            number += 1
        made = Account(str(number) if self._manners.account_ids == "number" else username, username, password, role)
        self.accounts[made.id] = made
        return made

    def named(self, username: str) -> Account | None:
        for account in self.accounts.values():
            if account.username == username and username:
                return account
        return None

    def free_slot(self) -> Account | None:
        for account in self.accounts.values():
            if not account.username and int(account.id) >= self._manners.first_account_slot:
                return account
        return None

    @property
    def threshold(self) -> int:
        written = self._setting("AccountLockoutThreshold")
        return self._manners.lockout_threshold if written is None else int(written)

    @property
    def lockout_seconds(self) -> float:
        written = self._setting("AccountLockoutDuration")
        return self._manners.lockout_seconds if written is None else float(written)

    def locked(self, account: Account) -> bool:
        return account.locked_until > self._clock()

    def check(self, username: str, password: str) -> Account | None:
        """The account whose password that is; None where the login fails, which counts towards the lockout."""
        account = self.named(username)
        if account is None or not account.enabled or self.locked(account):
            return None
        if hmac.compare_digest(account.password.encode(), password.encode()):
            account.failures = 0
            return account
        account.failures += 1
        if self.threshold and account.failures >= self.threshold:
            account.failures = 0
            account.locked_until = self._clock() + self.lockout_seconds
        return None

"""Opens accounts for those whom a login method vouches for."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from snfd.accounts.model import NewAccount, named
from snfd.accounts.opening import open_account
from snfd.accounts.parts import Parts
from snfd.accounts.service import find
from snfd.accounts.store import terms
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor
from snfd.db.port import Transaction
from snfd.errors import Forbidden, Invalid
from snfd.identity.looks import check_address_looks
from snfd.identity.names import check_email
from snfd.logins.model import Newcomer, Opened, Policies


def _looked_at(email: str) -> str:
    email = check_email(email)
    check_address_looks(email)
    return email


@frozen(eq=False)
class Opening:
    """Accounts without a password; see `snfd.logins.port.Accounts`."""

    parts: Parts

    async def __call__(
        self,
        tx: Transaction,
        newcomer: Newcomer,
        verified: bool,
        policies: Policies,
        actor: Actor,
        method: str,
        now: datetime,
    ) -> Opened:
        """See `snfd.logins.port.Accounts`."""
        parts = self.parts
        if not parts.rules.signup:
            raise Forbidden("accounts are opened by administrators only")
        newest = await terms.newest(tx)
        if newcomer.terms != newest:
            raise Invalid("the terms of service must be agreed to")
        new = self._account(newcomer)
        await open_account(tx, new, now)
        if verified:
            policy = f"auth_provider_{method}" if policies.automoderate else None
            active = await parts.lifecycle.verified(tx, new.uuid, method, now, policy)
            return Opened(new.uuid, active)
        account = await find(tx, new.uuid)
        secret, lasts = parts.secret(), parts.rules.verification
        await parts.send_key(tx, account, Purpose.VERIFY, secret, new.email, lasts, now)
        return Opened(new.uuid, active=False)

    def _account(self, newcomer: Newcomer) -> NewAccount:
        return named(
            NewAccount(
                uuid=self.parts.new_id(),
                email=_looked_at(newcomer.email),
                first_name=newcomer.first_name,
                last_name=newcomer.last_name,
                affiliation=newcomer.affiliation,
                terms=newcomer.terms,
            )
        )

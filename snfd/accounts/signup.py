"""Opening an account oneself: the form, the letter, its link.

What is answered, and when, does not depend on whether an account exists.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, field, frozen

from snfd.accounts.model import (
    PAUSE,
    Account,
    NewAccount,
    check_address,
    check_new_address,
    named,
)
from snfd.accounts.opening import open_account
from snfd.accounts.parts import Parts
from snfd.accounts.service import find, target
from snfd.accounts.states import State
from snfd.accounts.store import keys, terms
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, Forbidden, Invalid, NotFound
from snfd.tokens import digest

NO_KEY = "this link is not, or no longer, good"
"""The one text for every key that opens nothing."""


@frozen
class Form:
    """What somebody says of himself who wants an account.

    :ivar terms: the terms of service that he agrees to; None for none.
    """

    email: str
    password: str = field(repr=False)
    first_name: str
    last_name: str
    affiliation: str | None = None
    terms: int | None = None


@frozen(eq=False)
class SignUp:
    """Lets people open accounts."""

    parts: Parts

    @property
    def open(self) -> bool:
        """Whether people may open accounts with a password themselves."""
        return self.parts.rules.signup and self.parts.rules.passwords

    async def sign_up(self, form: Form, address: str = "") -> None:
        """Take a form; a letter says how it goes on.

        Where the address has an account already its owner gets a letter, too,
        and nothing else happens.

        :param address: where it comes from, if that is known.
        :raises Forbidden: people may not open accounts themselves.
        :raises Invalid: a field; or the newest terms of service are not signed.
        """
        if not self.open:
            raise Forbidden("accounts are opened by administrators only")
        new = self._checked(form)
        await self._check_terms(form.terms)
        hashed = await self.parts.passwords.hash(form.password)
        new = evolve(new, password_hash=hashed)
        who = Actor(None, "", address)
        work = self._open(new, self.parts.secret(), who, self.parts.now())
        self.parts.background(work, "a sign-up")

    async def verify(self, code: str) -> bool:
        """Take the code of a letter's link, once; whether the account is active.

        If not, somebody must accept it first.

        :raises NotFound: the code is not, or no longer, good.
        """
        accepted: bool = await self.parts.db.run(self._verify, code, self.parts.now())
        return accepted

    async def resend(self, email: str) -> None:
        """Send another letter to an address that waits to be verified.

        Only its link works then. One that does not wait gets none.

        :raises Invalid: it is no address.
        """
        email = check_address(email)
        secret, at = self.parts.secret(), self.parts.now()
        self.parts.background(
            self._resend(email, secret, at), "a letter of verification"
        )

    def _checked(self, form: Form) -> NewAccount:
        self.parts.rules.check_password(form.password)
        return named(
            NewAccount(
                uuid=self.parts.new_id(),
                email=check_new_address(form.email),
                first_name=form.first_name,
                last_name=form.last_name,
                affiliation=form.affiliation,
                terms=form.terms,
            )
        )

    async def _check_terms(self, signed: int | None) -> None:
        newest = await self.parts.db.run(terms.newest)
        if signed != newest:
            raise Invalid(
                "there are no terms of service to sign"
                if newest is None
                else f"the terms of service, version {newest}, must be signed"
            )

    async def _open(
        self, new: NewAccount, secret: str, who: Actor, at: datetime
    ) -> None:
        try:
            await self.parts.db.run(self._stored, new, secret, who, at)
        except (Busy, Conflict):
            # of those who asked twice in the same moment, one is served
            return

    async def _stored(
        self, tx: Transaction, new: NewAccount, secret: str, who: Actor, at: datetime
    ) -> None:
        for one in await store.by_email(tx, new.email):
            if one.columns.email_verified:
                await record(tx, who, "user.open.refused", target(one.uuid))
                await self.parts.letters.taken(tx, one, f"taken:{at.date()}")
                return
        await open_account(tx, new, at, who)
        await self._send(tx, await find(tx, new.uuid), secret, at)

    async def _verify(self, tx: Transaction, code: str, at: datetime) -> bool:
        key = await keys.look(tx, digest(code), Purpose.VERIFY, at)
        if key is None or not await keys.use(tx, key):
            raise NotFound(NO_KEY)
        account = await find(tx, key.user)
        if account.state is not State.UNVERIFIED or account.email != key.email:
            raise NotFound(NO_KEY)
        return await self.parts.lifecycle.verified(tx, key.user, "letter", at)

    async def _resend(self, email: str, secret: str, at: datetime) -> None:
        await self.parts.db.run(self._sent_again, email, secret, at)

    async def _sent_again(
        self, tx: Transaction, email: str, secret: str, at: datetime
    ) -> None:
        found = await store.by_email(tx, email, lock=True)
        if not found or found[0].state is not State.UNVERIFIED:
            return
        sent = await keys.sent(tx, found[0].uuid, Purpose.VERIFY)
        if sent is None or sent <= at - PAUSE:
            await self._send(tx, found[0], secret, at)

    async def _send(
        self, tx: Transaction, account: Account, secret: str, at: datetime
    ) -> None:
        await self.parts.send_key(
            tx,
            account,
            Purpose.VERIFY,
            secret,
            account.email,
            self.parts.rules.verification,
            at,
        )

"""Terms of service: read by everybody, signed by people, issued by administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from snfd.accounts.model import TermsVersion, check_terms
from snfd.accounts.parts import Parts
from snfd.accounts.service import find, target
from snfd.accounts.store import terms as store
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.identity.model import Caller

MAX_GRACE = timedelta(days=365)


@frozen(eq=False)
class Terms:
    """Versions of the terms of service, and who signed them."""

    parts: Parts

    async def all(self, marker: int | None, most: int) -> Sequence[TermsVersion]:
        """Versions before ``marker``, newest first, without their text."""
        rows = await self.parts.db.read(store.LIST, (marker, most))
        return [store.version(row) for row in rows]

    async def newest(self) -> TermsVersion | None:
        """The version in force, without its text; None where there is none."""
        for row in await self.parts.db.read(store.NEWEST):
            return store.version(row)
        return None

    async def get(self, ident: int) -> TermsVersion:
        """One version with its text.

        :raises NotFound: there is none.
        """
        for row in await self.parts.db.read(store.ONE, (ident,)):
            return store.version(row)
        raise NotFound(f"there are no terms of service {ident}")

    async def sign(self, caller: Caller, ident: int) -> None:
        """Agree to the newest version; doing it again changes nothing.

        :raises NotFound: there is no such version.
        :raises Conflict: there is a newer one.
        """
        work, actor = self._signed, Actor.of(caller)
        await self.parts.db.run(work, caller.user, ident, actor, self.parts.now())

    async def sign_for(self, user: UUID, actor: Actor) -> int | None:
        """Note that somebody agreed to the newest version elsewhere; which it is.

        :raises NotFound: there is no such user.
        """
        work = self._signed_for
        found: int | None = await self.parts.db.run(work, user, actor, self.parts.now())
        return found

    async def add(
        self, body: str, form: str, actor: Actor, grace: timedelta | None = None
    ) -> TermsVersion:
        """Issue a new version.

        :param form: ``text``, ``markdown`` or ``html``.
        :param grace: until API tokens of those who did not sign are refused;
            None for what the configuration says.
        :raises Invalid: the text, its format, or the grace.
        """
        check_terms(body, form)
        grace = self.parts.rules.terms_grace if grace is None else grace
        if not timedelta(0) <= grace <= MAX_GRACE:
            raise Invalid(f"a grace lasts 0 to {MAX_GRACE.days} days")
        at = self.parts.now()
        ident = await self.parts.db.run(_added, body, form, actor, at, at + grace)
        return TermsVersion(ident, at, at + grace, form)

    async def _signed(
        self, tx: Transaction, user: UUID, ident: int, actor: Actor, at: datetime
    ) -> None:
        newest = await store.newest(tx)
        if newest is None or ident > newest:
            raise NotFound(f"there are no terms of service {ident}")
        if ident < newest:
            raise Conflict(f"terms {ident} were replaced by {newest}: sign those")
        if await store.sign(tx, user, ident, at):
            await record(tx, actor, "terms.sign", target(user), terms=ident)

    async def _signed_for(
        self, tx: Transaction, user: UUID, actor: Actor, at: datetime
    ) -> int | None:
        await find(tx, user)
        newest = await store.newest(tx)
        if newest is not None:
            await self._signed(tx, user, newest, actor, at)
        return newest


async def _added(
    tx: Transaction,
    body: str,
    form: str,
    actor: Actor,
    issued: datetime,
    enforced: datetime,
) -> int:
    ident = await store.insert(tx, body, form, issued, enforced)
    await record(
        tx, actor, "terms.add", f"terms:{ident}", enforced=enforced.isoformat()
    )
    return ident

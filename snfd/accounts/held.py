"""Tokens and sessions that people hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import field, frozen

from snfd.accounts.model import HeldToken, Rules
from snfd.accounts.parts import Parts, whole
from snfd.accounts.service import end_tokens, find, target
from snfd.accounts.states import State
from snfd.accounts.store import tokens as store
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, Forbidden, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.identity.token_store import NewToken, end_one, insert_token
from snfd.tokens import digest, mint

MOST = 100
"""How many tokens of his own making a person may have at once."""

MAX_LABEL = 100
LIST = ("personal", "weblogin", "login")
SESSIONS = ("session",)
FRESH = ("session", "login")
"""Tokens that come of a password or the like, just now."""


@frozen
class Made:
    """A new token, with its secret that is told once."""

    secret: str = field(repr=False)
    token: HeldToken


@frozen
class Wanted:
    """A token that somebody wants.

    :ivar expires: None for as late as may be.
    :ivar project: that it shall be bound to; None for none.
    """

    label: str = ""
    expires: datetime | None = None
    project: UUID | None = None


@frozen(eq=False)
class HeldTokens:
    """Lets people see, make and end their tokens and sessions."""

    parts: Parts

    async def all(
        self,
        caller: Caller,
        kinds: Sequence[str],
        marker: str | None,
        most: int,
    ) -> Sequence[HeldToken]:
        """The caller's good tokens of ``kinds`` after ``marker``, newest first.

        :raises Invalid: the marker is none of his tokens.
        """
        db, before = self.parts.db, None
        if marker is not None:
            rows = await db.read(store.MARKER, (caller.user, marker))
            if not rows:
                raise Invalid(f"marker {marker!r} names no token")
            before = rows[0][0]
        asked = (
            caller.user, list(kinds), caller.token_hash, self.parts.now(), before,
            marker, most,
        )  # fmt: skip
        return [store.held(row) for row in await db.read(store.LIST, asked)]

    async def create(self, caller: Caller, wanted: Wanted) -> Made:
        """A token of the caller's own; its secret is told only now.

        One made with a token that is no login's does not live longer than that.

        :raises Invalid: label, expiry or project.
        :raises Forbidden: the token that asks is not good for that.
        :raises Conflict: he has `MOST` of them.
        """
        secret, at = self.parts.secret(), self.parts.now()
        made: HeldToken = await self.parts.db.run(self._own, caller, wanted, secret, at)
        return Made(secret, made)

    async def end(self, caller: Caller, ident: str, kinds: Sequence[str]) -> None:
        """End a token or session of the caller's.

        :raises NotFound: he has none of that id and ``kinds``.
        :raises Forbidden: the token that asks is not good for that.
        """
        await self.parts.db.run(self._ended, caller, ident, kinds)

    async def create_for(self, user: UUID, wanted: Wanted, actor: Actor) -> Made:
        """A token for somebody else.

        :raises NotFound: there is no such user.
        :raises Busy: he is not active.
        :raises Invalid: label, expiry or project.
        :raises Conflict: he has `MOST` of them.
        """
        secret, at = self.parts.secret(), self.parts.now()
        work = self._made_for
        made: HeldToken = await self.parts.db.run(work, user, wanted, secret, actor, at)
        return Made(secret, made)

    async def end_for(self, user: UUID, ident: str, actor: Actor) -> None:
        """End a token or session of somebody else.

        :raises NotFound: he has none of that id.
        """
        await self.parts.db.run(_ended_for, user, ident, actor)

    async def end_all(self, user: UUID, actor: Actor) -> int:
        """End all tokens and sessions of somebody; how many.

        :raises NotFound: there is no such user.
        """
        ended: int = await self.parts.db.run(_all_ended, user, actor)
        return ended

    async def _own(
        self, tx: Transaction, caller: Caller, wanted: Wanted, secret: str, at: datetime
    ) -> HeldToken:
        presented = await whole(tx, caller)
        latest = None if presented.kind in FRESH else presented.expires
        actor = Actor.of(caller)
        return await self._made(tx, caller.user, wanted, secret, actor, at, latest)

    async def _made_for(
        self,
        tx: Transaction,
        user: UUID,
        wanted: Wanted,
        secret: str,
        actor: Actor,
        at: datetime,
    ) -> HeldToken:
        if (await find(tx, user)).state is not State.ACTIVE:
            raise Busy("only active accounts have tokens")
        return await self._made(tx, user, wanted, secret, actor, at, None)

    async def _made(
        self,
        tx: Transaction,
        user: UUID,
        wanted: Wanted,
        secret: str,
        actor: Actor,
        at: datetime,
        latest: datetime | None,
    ) -> HeldToken:
        expires = expiry(wanted.expires, at, self.parts.rules, latest)
        if wanted.project and not await store.member_of(tx, user, wanted.project):
            raise Invalid("that is no active project of this user")
        await find(tx, user, lock=True)
        if await store.count(tx, user, "personal", at) >= MOST:
            raise Conflict(f"there are {MOST} tokens already: end some first")
        ident = mint(self.parts.random, 16)
        label = check_label(wanted.label)
        made = HeldToken(
            ident, "personal", label, wanted.project, None, at, expires, None
        )
        await insert_token(tx, _row(made, user, digest(secret)), MOST)
        await record(tx, actor, "token.create", target(user), token=ident)
        return made

    async def _ended(
        self, tx: Transaction, caller: Caller, ident: str, kinds: Sequence[str]
    ) -> None:
        await whole(tx, caller)
        if not await end_one(tx, caller.user, ident, kinds):
            raise NotFound("there is no such token")
        actor = Actor.of(caller)
        await record(tx, actor, "token.end", target(caller.user), token=ident)


def expiry(
    wanted: datetime | None, at: datetime, rules: Rules, latest: datetime | None
) -> datetime:
    """When a new token ends.

    :param latest: when the token ends that asks for it; None if that matters not.
    :raises Invalid: ``wanted`` is past, or beyond what the rules allow.
    :raises Forbidden: ``wanted`` is beyond ``latest``.
    """
    bound = at + rules.personal
    if wanted is None:
        return bound if latest is None else min(bound, latest)
    if not at < wanted <= bound + timedelta(minutes=5):
        raise Invalid(f"a token ends within {rules.personal.days} days from now")
    if latest is not None and wanted > latest:
        raise Forbidden("a token must not outlive the one that asks for it: log in")
    return wanted


def check_label(label: str) -> str:
    """``label`` stripped, if a token may have it.

    :raises Invalid: it is too long or unprintable.
    """
    label = label.strip()
    if len(label) > MAX_LABEL or not label.isprintable():
        raise Invalid(f"a label has at most {MAX_LABEL} printable characters")
    return label


def _row(made: HeldToken, user: UUID, hash_: bytes) -> NewToken:
    return NewToken(
        hash=hash_,
        user=user,
        project=made.project,
        kind=made.kind,
        methods=("token",),
        audit_ids=(made.id,),
        issued=made.created,
        expires=made.expires,
        label=made.label,
    )


async def _ended_for(tx: Transaction, user: UUID, ident: str, actor: Actor) -> None:
    if not await end_one(tx, user, ident, store.EVERY):
        raise NotFound("there is no such token")
    await record(tx, actor, "token.end", target(user), token=ident)


async def _all_ended(tx: Transaction, user: UUID, actor: Actor) -> int:
    await find(tx, user)
    ended = await end_tokens(tx, user)
    await record(tx, actor, "token.end_all", target(user), ended=ended)
    return ended

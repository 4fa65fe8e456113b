"""Use cases of browsers' sessions: log in by password, log out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from attrs import field, frozen

from snfd.accounts.parts import whole
from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden
from snfd.identity import sessions
from snfd.identity.model import Caller, Issued, UserRef
from snfd.identity.proof import Proven, Verifier
from snfd.identity.service import MOST
from snfd.logins.model import SESSION_MARK
from snfd.logins.required import Lacking, Required

WEBLOGIN = timedelta(days=30)
"""How long a token works that a program was handed."""


@frozen(eq=False)
class Sessions:
    """Opens and ends sessions; each has a secret of its own, never one given.

    :ivar random: gives so many random bytes, fit for secrets.
    :ivar lifetime: of a session.
    :ivar handed: lifetime of a token that is handed to a program.
    :ivar required: tells what accounts lack.
    :ivar by_password: whether passwords log people in here.
    :ivar mark: what a session's secret begins with.
    :ivar most: how many sessions a person has at once; the oldest end.
    :ivar most_handed: the same of tokens that are handed to programs.
    """

    db: Database
    verifier: Verifier
    clock: Seconds
    random: Callable[[int], bytes]
    lifetime: timedelta
    handed: timedelta = WEBLOGIN
    by_password: bool = True
    mark: str = SESSION_MARK
    required: Required = field(factory=lambda: Required({}))
    most: int = 100
    most_handed: int = MOST

    async def login(
        self, name: str, password: str, *, code: str = "", address: str = ""
    ) -> Issued:
        """A session for whoever knows the password; a token is none.

        :param name: username, e-mail or uuid.
        :param code: of the second factor; empty for none.
        :param address: where he connects from.
        :raises Unauthorized: as `Verifier.by_password`; or he is not active.
        :raises TooManyRequests: as `Verifier.by_password`.
        :raises Forbidden: passwords log nobody in here; or the account must have
            another method besides.
        """
        found = await self.enter(name, password, code=code, address=address)
        if isinstance(found, Lacking):
            raise Forbidden(self.required.told(found))
        return found

    async def enter(
        self, name: str, password: str, *, code: str = "", address: str = ""
    ) -> Issued | Lacking:
        """As `login`; or what he lacks for a session.

        :raises Forbidden: passwords log nobody in here.
        """
        if not self.by_password:
            raise Forbidden("passwords are not a login method here")
        proven = await self.verifier.by_password(
            UserRef(name), password, code or None, address
        )
        return await self.db.run(self._proven, proven, address)

    async def admit(
        self, tx: Transaction, user: UUID, methods: Sequence[str], address: str = ""
    ) -> Issued | Lacking:
        """As `open`, unless the account must have another method besides."""
        lacking = await self.required.lacking(tx, user, methods)
        return lacking or await self.open(tx, user, methods, address)

    async def open(
        self, tx: Transaction, user: UUID, methods: Sequence[str], address: str = ""
    ) -> Issued:
        """A session for somebody whom another login method vouches for.

        :raises Unauthorized: his account is not active.
        """
        at = now(self.clock)
        issued = await sessions.begin(
            tx,
            user,
            "session",
            methods,
            self.random,
            at,
            at + self.lifetime,
            mark=self.mark,
            most=self.most,
        )
        actor = Actor(user, issued.token.user.username, address)
        await record(tx, actor, "session.open", f"user:{user}", methods=list(methods))
        return issued

    async def logout(self, caller: Caller) -> None:
        """End the session, and whatever it opened."""
        await self.db.run(self._ended, caller)

    async def hand_off(self, caller: Caller, label: str) -> Issued:
        """A token for a program on the caller's machine.

        :raises Forbidden: the caller's own is for one project or program only.
        :raises Unauthorized: it ended meanwhile.
        """
        return await self.db.run(self._handed, caller, label)

    async def _proven(
        self, tx: Transaction, proven: Proven, address: str
    ) -> Issued | Lacking:
        return await self.admit(tx, proven.user, proven.methods, address)

    async def _ended(self, tx: Transaction, caller: Caller) -> None:
        await sessions.end(tx, caller.token_hash)
        target = f"user:{caller.user}"
        await record(tx, Actor.of(caller), "session.end", target)

    async def _handed(self, tx: Transaction, caller: Caller, label: str) -> Issued:
        await whole(tx, caller)
        at = now(self.clock)
        until = at + self.handed
        how = ("weblogin",)
        actor = Actor.of(caller)
        await record(tx, actor, "weblogin", f"user:{caller.user}", label=label)
        return await sessions.begin(
            tx,
            caller.user,
            "weblogin",
            how,
            self.random,
            at,
            until,
            label,
            most=self.most_handed,
        )

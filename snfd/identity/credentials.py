"""Use cases of application credentials: keys to one project for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Conflict, Forbidden, NotFound
from snfd.identity import credential_store as store
from snfd.identity.credential_model import (
    Created,
    Credential,
    NewCredential,
    check,
    most,
)
from snfd.identity.model import Caller, may_see
from snfd.identity.notices import Told, untold
from snfd.tokens import digest, mint

MAX_CREDENTIALS = 200
"""How many one person may have; also the most that a list holds."""


async def require_unrestricted(tx: Transaction, token_hash: bytes) -> None:
    """Pass unless the token comes from a restricted application credential, or
    its owner made it for one project.

    :raises Forbidden: it does: it must not make what outlives it.
    """
    if await store.restricted(tx, token_hash):
        raise Forbidden(
            "a restricted application credential, or a token of one project, "
            "may not do this"
        )


@frozen(eq=False)
class Credentials:
    """Makes, lists and removes application credentials.

    :ivar random: gives so many random bytes, fit for secrets.
    :ivar told: tells their owner of new ones.
    """

    db: Database
    clock: Seconds
    new_id: Callable[[], UUID]
    random: Callable[[int], bytes]
    told: Told = untold

    async def create(self, caller: Caller, user: UUID, new: NewCredential) -> Created:
        """A new credential for the project of the caller's token.

        :raises Forbidden: it is for somebody else, for roles that the caller has
            not got, or his token comes from a restricted credential, or from
            one that ends sooner.
        :raises Conflict: he has one of that name, or too many.
        :raises Invalid: name, description, expiry or roles.
        """
        if user != caller.user:
            raise Forbidden("application credentials are made by their owner alone")
        at = now(self.clock)
        check(new, at)
        credential = Credential(
            self.new_id(),
            user,
            caller.project,
            new.name,
            new.description,
            most(new.roles, caller.roles),
            new.unrestricted,
            at,
            new.expires,
        )
        secret = mint(self.random)
        await self.db.run(_create, caller, credential, digest(secret), self.told)
        return Created(credential, secret)

    async def list(
        self, caller: Caller, user: UUID, name: str | None = None
    ) -> Sequence[Credential]:
        """Someone's credentials by name, to himself or an administrator.

        :raises Forbidden: it is somebody else.
        """
        _check_sees(caller, user)
        rows = await self.db.read(store.OF_USER, (user, name, MAX_CREDENTIALS))
        found = [store.credential(row) for row in rows]
        return [one for one in found if caller.in_reach(one.project)]

    async def get(self, caller: Caller, user: UUID, id_: UUID) -> Credential:
        """One of them.

        :raises Forbidden: as `list`.
        :raises NotFound: he has none such.
        """
        _check_sees(caller, user)
        for row in await self.db.read(store.ONE, (user, id_)):
            found = store.credential(row)
            if caller.in_reach(found.project):
                return found
        raise NotFound(f"there is no application credential {id_}")

    async def delete(self, caller: Caller, user: UUID, id_: UUID) -> None:
        """Remove one; its tokens are worth nothing at once.

        :raises Forbidden: as `list`; or the caller's token comes from a
            restricted credential.
        :raises NotFound: as `get`.
        """
        await self.get(caller, user, id_)
        await self.db.run(_delete, caller, user, id_)


def _check_sees(caller: Caller, user: UUID) -> None:
    if not may_see(caller, user):
        raise Forbidden("only administrators see other people's credentials")


async def _create(
    tx: Transaction, caller: Caller, new: Credential, secret_hash: bytes, told: Told
) -> None:
    await require_unrestricted(tx, caller.token_hash)
    ends = await store.ends(tx, caller.token_hash)
    if ends is not None and (new.expires is None or new.expires > ends):
        raise Forbidden("a credential must not outlive the one that asks for it")
    if await store.count(tx, new.user) >= MAX_CREDENTIALS:
        raise Conflict(f"nobody has more than {MAX_CREDENTIALS} credentials")
    if not await store.insert(tx, new, secret_hash, new.created):
        raise Conflict(f"you have an application credential {new.name!r} already")
    await record(
        tx,
        Actor.of(caller),
        "credential.create",
        f"user:{new.user}",
        credential=str(new.id),
        name=new.name,
        project=str(new.project),
    )
    what = f"new application credential {new.name[:80]!r} for project {new.project}"
    await told(tx, new.user, what, new.created)


async def _delete(tx: Transaction, caller: Caller, user: UUID, id_: UUID) -> None:
    await require_unrestricted(tx, caller.token_hash)
    name = await store.delete(tx, user, id_)
    if name is None:
        raise NotFound(f"there is no application credential {id_}")
    await notify(tx, "token", id_)
    await record(
        tx,
        Actor.of(caller),
        "credential.delete",
        f"user:{user}",
        credential=str(id_),
        name=name,
    )

"""Login methods that people get and lose, inside the transactions of others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from snfd.accounts.parts import whole
from snfd.accounts.service import keep_admin
from snfd.accounts.store import groups, methods, people
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden, NotFound
from snfd.identity.model import ADMIN, Caller
from snfd.identity.notices import Told
from snfd.logins import store
from snfd.logins.following import follow, join
from snfd.logins.model import Claims, Method, Policies
from snfd.logins.policies import policies_of
from snfd.logins.port import Way


async def give(
    tx: Transaction,
    user: UUID,
    method: Method,
    claims: Claims,
    actor: Actor,
    at: datetime,
) -> None:
    """Let ``method`` log a person in, whom it then follows.

    :raises Conflict: it is somebody else's.
    """
    new = await methods.attach(
        tx, user, method.name, claims.identifier, claims.fields, at
    )
    if not new:
        raise Conflict(f"that {method.title} login belongs to another account")
    await follow(tx, method, claims, user, at)
    await record(tx, actor, "login.add", f"user:{user}", method=method.name)


async def attach(
    tx: Transaction,
    told: Told,
    method: Method,
    claims: Claims,
    user: UUID,
    actor: Actor,
    at: datetime,
) -> None:
    """Add a method to those of a person, or change it for the one that he has.

    :param told: tells him.
    :raises Forbidden: a policy is against it.
    :raises Conflict: it is somebody else's, or he has as many as he may.
    """
    await people.lock(tx, user)
    policies = await policies_of(tx, method, user)
    if not policies.add:
        raise Forbidden(f"{method.title} cannot be added to an account")
    every = await store.attached(tx, user)
    mine = [one for one in every if one.method == method.name]
    if len(mine) >= policies.limit and not (mine and policies.switch):
        raise Conflict(f"an account has at most {policies.limit} of {method.title}")
    if len(mine) >= policies.limit:
        await methods.detach(tx, user, mine[0].id)
    await give(tx, user, method, claims, actor, at)
    await join(tx, user, policies.add_groups)
    await told(tx, user, f"{method.title} logs you in now", at)


async def detach(
    tx: Transaction,
    told: Told,
    ways: Mapping[str, Way],
    actor: Actor,
    user: UUID,
    ident: int,
    caller: Caller | None,
    at: datetime,
) -> None:
    """Take a method from a person; see `snfd.logins.service.Logins.detach`."""
    if caller is not None:
        await whole(tx, caller)
    await people.lock(tx, user)
    all_ = await store.attached(tx, user)
    gone = next((one for one in all_ if one.id == ident), None)
    if gone is None:
        raise NotFound(f"there is no login method {ident}")
    if len(all_) == 1:
        raise Conflict("the last login method of an account cannot be removed")
    way = ways.get(gone.method)
    policies = Policies()
    if way is not None:
        policies = await policies_of(tx, way.method, user)
    if caller is not None and (policies.required or not policies.remove):
        raise Forbidden("this login method cannot be removed")
    await methods.detach(tx, user, ident)
    if ADMIN in policies.add_groups:
        await keep_admin(tx, user)
    await groups.leave(tx, user, policies.add_groups)
    await record(tx, actor, "login.remove", f"user:{user}", method=gone.method)
    title = way.method.title if way else gone.method
    await told(tx, user, f"{title} logs you in no longer", at)

"""New tokens, and the projects that they are bound to."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve

from snfd.db.port import Transaction
from snfd.errors import Invalid, Unauthorized
from snfd.identity import credential_store, store, token_store
from snfd.identity.model import Scope, Scoping, Token
from snfd.identity.names import as_uuid
from snfd.identity.proof import REFUSED
from snfd.identity.token_store import NewToken


async def of_credential(
    tx: Transaction, new: NewToken, scope: Scope, most: int
) -> Token:
    """Store a token that dies with its credential.

    :raises Unauthorized: as `insert`, or the credential is gone.
    """
    if new.credential is None or not await credential_store.hold(tx, new.credential):
        raise Unauthorized(REFUSED)
    return await insert(tx, new, scope, None, most)


async def derive(
    tx: Transaction,
    new: NewToken,
    scope: Scope,
    within: UUID | None,
    parent: Token,
    most: int,
) -> Token:
    """Store a token that is made of ``parent``, and may do no more than that.

    :raises Unauthorized: as `insert`, or the parent ended.
    """
    origin = await token_store.origin(tx, parent.hash)
    if origin is None:
        raise Unauthorized(REFUSED)
    new = evolve(new, role=origin[0], credential=origin[1])
    return await insert(tx, new, scope, within, most)


async def insert(
    tx: Transaction, new: NewToken, scope: Scope, within: UUID | None, most: int
) -> Token:
    """Store a token for ``scope``.

    :param within: the one project that it may be bound to; None for any.
    :param most: how many of its kind its user may have.
    :raises Unauthorized: the user is not active, or the scope is not for him.
    """
    if not await store.logged_in(tx, new.user, new.issued):
        raise Unauthorized(REFUSED)
    project = await _bound(tx, new.user, scope)
    if within is not None and project != within:
        raise Unauthorized(REFUSED)
    await token_store.insert_token(tx, evolve(new, project=project), most)
    token = await store.token_inside(tx, new.hash)
    if token is None:
        raise Unauthorized(REFUSED)
    return token


async def _bound(tx: Transaction, user: UUID, scope: Scope) -> UUID | None:
    """The project to bind a token to; None for an unscoped one."""
    if scope.kind is Scoping.UNSCOPED or _is_own(scope, user):
        return None
    project = None
    if scope.kind is not Scoping.NOTHING:
        project = await store.project_in_scope(tx, user, scope)
    if project is None and scope.kind is Scoping.TENANT:
        raise Invalid("tenantName names no project of this user")
    if project is None:
        raise Unauthorized(REFUSED)
    return project


def _is_own(scope: Scope, user: UUID) -> bool:
    """Whether a v2.0 tenantName is the user's own uuid: no scope at all."""
    return scope.kind is Scoping.TENANT and as_uuid(scope.project) == user


def is_for(scope: Scope, token: Token) -> bool:
    """Whether ``token`` itself satisfies ``scope``."""
    if scope.kind in (Scoping.DEFAULT, Scoping.UNSCOPED):
        return True
    if scope.kind is Scoping.NOTHING:
        return False
    if _is_own(scope, token.user.uuid):
        return True
    names = {str(token.project.uuid), token.project.uuid.hex}
    return token.bound is not None and scope.project in names

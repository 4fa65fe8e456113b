"""Accounts that follow a login method: forced fields, mirrored groups."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from snfd.accounts.model import check_address
from snfd.accounts.service import is_last_admin
from snfd.accounts.store import groups, people
from snfd.db.port import Transaction
from snfd.errors import Invalid
from snfd.identity.model import ADMIN
from snfd.logins.model import Claims, Method


async def follow(
    tx: Transaction, method: Method, claims: Claims, user: UUID, at: datetime
) -> None:
    """Let forced fields and mirrored groups be as the method says."""
    fields = {
        name: value
        for name, value in claims.fields.items()
        if name in method.forced and (name != "email" or claims.verified)
    }
    if "email" in fields:
        try:
            fields["email"] = check_address(fields["email"])
        except Invalid:
            # it would be a name to log in by, too
            del fields["email"]
    if fields:
        await people.follow(tx, user, fields, at)
    if claims.groups is not None:
        gone = claims.mirrored - claims.groups
        # a directory that is wrong for once must not leave nobody in charge
        if ADMIN in gone and await _alone(tx, user):
            gone -= {ADMIN}
        await groups.leave(tx, user, gone)
        await join(tx, user, claims.groups & claims.mirrored)


async def join(tx: Transaction, user: UUID, names: Collection[str]) -> None:
    """Put a person into groups, which are made where there are none such."""
    if names:
        await groups.ensure(tx, names)
        await groups.join(tx, user, names)


async def _alone(tx: Transaction, user: UUID) -> bool:
    await people.lock(tx, user)
    return await is_last_admin(tx, user)

"""Policies of login methods for some people only (spec/astakos.md §5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from attrs import evolve, fields_dict, frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Jsonb, Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.logins.model import Method, Policies
from snfd.wanted import explained


@frozen
class PolicyProfile:
    """A named set of policies, for users and groups that it is given to.

    :ivar module: the login method that it is about.
    :ivar exclusive: whether it is about all others instead.
    :ivar priority: among several the highest decides.
    :ivar policies: policy → value.
    """

    name: str
    module: str
    policies: Mapping[str, Any]
    exclusive: bool = False
    active: bool = True
    priority: int = 0
    users: Sequence[UUID] = ()
    groups: Sequence[str] = ()


def checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """``given`` if these are policies and their values.

    :raises Invalid: an unknown policy, or a value of the wrong type.
    """
    known = fields_dict(Policies)
    kinds: Mapping[str, Any] = {"limit": int}
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"no policy {name!r}; there are: {', '.join(known)}")
        kind = list[str] if name.endswith("_groups") else kinds.get(name, bool)
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            why = explained(error, kind)
            raise Invalid(f"policy {name}: {why}") from None
    return given


async def policies_of(tx: Transaction, method: Method, user: UUID) -> Policies:
    """What holds for ``user`` and ``method``.

    His groups' profiles over his own, and those over the configuration.
    """
    rows = await tx.rows(
        """
        SELECT p.policies
          FROM identity.login_profile p
          JOIN (SELECT profile_id, 0 AS rank FROM identity.login_profile_user
                 WHERE user_id = %(user)s
                 UNION ALL
                SELECT g.profile_id, 1 FROM identity.login_profile_group g
                  JOIN identity.user_group_member m USING (group_id)
                 WHERE m.user_id = %(user)s) h ON h.profile_id = p.id
         WHERE p.active AND p.exclusive = (p.module <> %(module)s)
         ORDER BY h.rank, p.priority, p.id
        """,
        {"user": user, "module": method.name},
    )
    found = method.policies
    for (given,) in rows:
        known = {name: given[name] for name in given if name in fields_dict(Policies)}
        found = evolve(found, **known)
    return found


@frozen(eq=False)
class LoginPolicies:
    """Looks after profiles; for administrators."""

    db: Database

    async def all(self) -> Sequence[PolicyProfile]:
        """Every profile, by name; a cloud has few."""
        rows = await self.db.read(
            """
            SELECT p.name, p.module, p.policies, p.exclusive, p.active, p.priority,
                   ARRAY(SELECT u.user_id FROM identity.login_profile_user u
                          WHERE u.profile_id = p.id ORDER BY 1),
                   ARRAY(SELECT g.name FROM identity.login_profile_group l
                           JOIN identity.user_group g ON g.id = l.group_id
                          WHERE l.profile_id = p.id ORDER BY 1)
              FROM identity.login_profile p ORDER BY p.name LIMIT 1000
            """
        )
        return [
            PolicyProfile(
                name, module, policies, exclusive, active, priority,
                tuple(users), tuple(groups),
            )
            for (
                name, module, policies, exclusive, active, priority, users, groups
            ) in rows
        ]  # fmt: skip

    async def put(self, actor: Actor, profile: PolicyProfile) -> None:
        """Make or replace the profile of this name, and whom it is given to.

        :raises Invalid: as `checked`.
        :raises NotFound: a user or group is unknown.
        """
        checked(profile.policies)
        await self.db.run(_put, actor, profile)

    async def remove(self, actor: Actor, name: str) -> None:
        """Remove a profile.

        :raises NotFound: there is none.
        """
        await self.db.run(_remove, actor, name)


async def _put(tx: Transaction, actor: Actor, one: PolicyProfile) -> None:
    row = await tx.row(
        "INSERT INTO identity.login_profile"
        " (name, module, exclusive, active, priority, policies)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET module = excluded.module,"
        " exclusive = excluded.exclusive, active = excluded.active,"
        " priority = excluded.priority, policies = excluded.policies RETURNING id",
        (
            one.name,
            one.module,
            one.exclusive,
            one.active,
            one.priority,
            Jsonb(dict(one.policies)),
        ),
    )
    if row is None:
        raise Conflict(f"profile {one.name} was not written")
    await _give(tx, row[0], one)
    await record(tx, actor, "authpolicy.set", f"authpolicy:{one.name}")


async def _give(tx: Transaction, ident: int, one: PolicyProfile) -> None:
    for table in ("login_profile_user", "login_profile_group"):
        await tx.execute(
            f"DELETE FROM identity.{table} WHERE profile_id = %s", (ident,)
        )
    users = await tx.execute(
        "INSERT INTO identity.login_profile_user (profile_id, user_id)"
        " SELECT %s, uuid FROM identity.app_user WHERE uuid = ANY(%s::uuid[])",
        (ident, list(one.users)),
    )
    groups = await tx.execute(
        "INSERT INTO identity.login_profile_group (profile_id, group_id)"
        " SELECT %s, id FROM identity.user_group WHERE name = ANY(%s::text[])",
        (ident, list(one.groups)),
    )
    if users != len(set(one.users)):
        raise NotFound("a user of the profile is unknown")
    if groups != len(set(one.groups)):
        raise NotFound(f"not all of these groups exist: {', '.join(one.groups)}")


async def _remove(tx: Transaction, actor: Actor, name: str) -> None:
    sql = "DELETE FROM identity.login_profile WHERE name = %s"
    if not await tx.execute(sql, (name,)):
        raise NotFound(f"there is no profile {name}")
    await record(tx, actor, "authpolicy.remove", f"authpolicy:{name}")

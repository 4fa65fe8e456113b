"""What administrators do with resources, and with anybody's commissions."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid, NotFound
from snfd.quota import commission_store, store
from snfd.quota.model import UNLIMITED, Commission, Resource
from snfd.quota.resolving import Resolved, resolve

MOST = 1000
"""Commissions that are resolved at once."""


@frozen
class Changes:
    """What shall be different about a resource; None leaves it.

    Defaults are of projects that are made from then on; others keep theirs.

    :ivar system_default: limit in people's own projects.
    :ivar project_default: limit in projects that do not mention it.
    """

    system_default: int | None = None
    project_default: int | None = None
    api_visible: bool | None = None
    ui_visible: bool | None = None


def changed(one: Resource, changes: Changes) -> Resource:
    """``one`` with ``changes``; pure.

    What the API does not show, pages do not either.

    :raises Invalid: a limit is negative or does not fit 64 bits, or people
        shall see what programs do not.
    """
    wanted = {
        name: value
        for name in ("system_default", "project_default", "api_visible", "ui_visible")
        if (value := getattr(changes, name)) is not None
    }
    if changes.api_visible is False and changes.ui_visible is None:
        wanted["ui_visible"] = False
    after = evolve(one, **wanted)
    for limit in (after.system_default, after.project_default):
        if not 0 <= limit <= UNLIMITED:
            raise Invalid(f"a limit is between 0 and {UNLIMITED}")
    if after.ui_visible and not after.api_visible:
        raise Invalid("what pages show the API must show, too")
    return after


@frozen(eq=False)
class QuotaAdmin:
    """Resources and commissions, for administrators."""

    db: Database

    async def resource(self, name: str) -> Resource:
        """The resource called ``name``, hidden or not.

        :raises NotFound: there is none.
        """
        return await self.db.run(_existing, name)

    async def modify(self, actor: Actor, name: str, changes: Changes) -> Resource:
        """Change defaults or visibility of a resource.

        :raises NotFound: there is none of that name.
        :raises Invalid: as `changed`.
        """
        return await self.db.run(_modify, actor, name, changes)

    async def commission(self, serial: int) -> Commission:
        """A pending commission, whoever issued it.

        :raises NotFound: there is none.
        """
        rows = await self.db.read(commission_store.ONE, (serial, None))
        if not rows:
            raise NotFound(f"there is no pending commission {serial}")
        return commission_store.commission(rows)

    async def resolve(
        self, actor: Actor, accept: Sequence[int], reject: Sequence[int]
    ) -> Resolved:
        """Accept and reject commissions that their issuers forgot.

        Those that can be are, whatever the others. Operations of this daemon
        resolve theirs when their jobs end, and find them resolved then.

        :raises Invalid: there are more than `MOST`.
        """
        if len(accept) + len(reject) > MOST:
            raise Invalid(f"at most {MOST} commissions at once")
        return await self.db.run(_resolve, actor, accept, reject)


async def _existing(tx: Transaction, name: str) -> Resource:
    found = await store.lock_resource(tx, name)
    if found is None:
        raise NotFound(f"there is no resource {name!r}")
    return found


async def _modify(
    tx: Transaction, actor: Actor, name: str, changes: Changes
) -> Resource:
    before = await _existing(tx, name)
    after = changed(before, changes)
    if after != before:
        await store.save_resource(tx, after)
        await record(
            tx,
            actor,
            "resource.modify",
            f"resource:{name}",
            system_default=after.system_default,
            project_default=after.project_default,
            api_visible=after.api_visible,
            ui_visible=after.ui_visible,
        )
    return after


async def _resolve(
    tx: Transaction, actor: Actor, accept: Sequence[int], reject: Sequence[int]
) -> Resolved:
    done = await resolve(tx, accept, reject)
    for action, serials in (("accept", done.accepted), ("reject", done.rejected)):
        for serial in serials:
            await record(tx, actor, f"commission.{action}", f"commission:{serial}")
    return done

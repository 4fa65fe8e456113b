"""Charging what resources cost, and telling what is used.

The functions work inside the caller's transaction, which they should end:
holdings are hot rows and locked last. `Quota` answers questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden, Invalid
from snfd.identity.model import Caller
from snfd.quota import commission_store as commissions
from snfd.quota import store
from snfd.quota.model import (
    CLIENTKEY,
    WHOLE_PROJECT,
    Holding,
    Key,
    Limit,
    Provisions,
    Resource,
    Usage,
    provisions,
)
from snfd.quota.resolving import resolve


async def charge(
    tx: Transaction,
    user: UUID,
    project: UUID,
    amounts: Mapping[str, int],
    *,
    force: bool = False,
) -> None:
    """Add ``amounts`` to what ``user`` uses of ``project``, settled at once.

    All of it or, if this raises, nothing. Call it last in the transaction.

    :param amounts: resource name → quantity; negative ones give back.
    :param force: pass the limits, but never below zero.
    :raises OverQuota: the member or the whole project has no room.
    :raises Forbidden: ``user`` never was a member of ``project``.
    :raises Invalid: no such resource.
    """
    await transfer(tx, provisions(user, project, amounts), force=force)


async def transfer(tx: Transaction, parts: Provisions, *, force: bool = False) -> None:
    """Charge several holdings at once, as when a server changes its project.

    :raises OverQuota: as `charge`.
    :raises Forbidden: as `charge`.
    :raises Invalid: as `charge`.
    """
    if parts:
        holdings = await _holdings(tx, parts)
        await store.save(
            tx,
            [
                holdings[key].issued(quantity, force).accepted(quantity)
                for key, quantity in parts.items()
            ],
        )


async def reserve(
    tx: Transaction,
    user: UUID,
    project: UUID,
    amounts: Mapping[str, int],
    ref: UUID,
    *,
    force: bool = False,
) -> int:
    """Charge ``amounts`` pending until the commission is resolved; its serial.

    An import counts at once; a release frees nothing until it is accepted.

    :param ref: what waits for it (the intent of a job); one commission each.
    :raises Conflict: ``ref`` has a pending commission already.
    :raises OverQuota: as `charge`.
    :raises Forbidden: as `charge`.
    :raises Invalid: as `charge`.
    """
    parts = provisions(user, project, amounts)
    holdings = await _holdings(tx, parts)
    await store.save(
        tx, [holdings[key].issued(part, force) for key, part in parts.items()]
    )
    return await commissions.insert(tx, CLIENTKEY, "", ref, parts)


async def accept(tx: Transaction, serial: int) -> bool:
    """Settle a commission; False where it was resolved before."""
    return bool((await resolve(tx, [serial], [])).accepted)


async def reject(tx: Transaction, serial: int) -> bool:
    """Call a commission off; False where it was resolved before."""
    return bool((await resolve(tx, [], [serial])).rejected)


async def serial_of(tx: Transaction, ref: UUID) -> int | None:
    """The pending commission reserved for ``ref``, or None."""
    return await commissions.serial_of(tx, ref)


async def register(tx: Transaction, resources: Sequence[Resource]) -> Sequence[str]:
    """Add ``resources``, with limits and holdings in every project; the new ones.

    Of those that are known only the descriptions change.
    """
    await store.lock_resources(tx, exclusive=True)
    new = await store.upsert_resources(tx, resources)
    if new:
        await store.default_limits(tx, None, new)
        await store.refresh(tx, None, resources=new)
    return new


async def resources_of(tx: Transaction, services: Sequence[str]) -> Sequence[Resource]:
    """The resources that these services account for, hidden ones too, by name."""
    return await store.resources_of(tx, services)


async def open_project(
    tx: Transaction, project: UUID, limits: Mapping[str, Limit]
) -> None:
    """Grant ``limits``, and the defaults of resources they do not mention.

    :raises Invalid: no such resource.
    """
    if unknown := await store.unknown(tx, sorted(limits)):
        raise Invalid(f"there is no resource {', '.join(unknown)}")
    await store.lock_resources(tx, exclusive=False)
    await store.set_limits(tx, project, limits)
    await store.default_limits(tx, project)
    await store.refresh(tx, project)


async def require_resources(
    tx: Transaction, resources: Sequence[str], *, hidden: bool = False
) -> None:
    """Pass if all ``resources`` are registered.

    :param hidden: whether those that the API does not show will do.
    :raises Invalid: one is not, or not shown.
    """
    if unknown := await store.unknown(tx, resources, hidden=hidden):
        raise Invalid(f"there is no resource {', '.join(unknown)}")


async def refresh(tx: Transaction, project: UUID, user: UUID | None = None) -> None:
    """Bring holdings in line after a membership or a project changed state.

    :param user: the one member that it is about, or None for all of them.
    """
    await store.lock_resources(tx, exclusive=False)
    await store.refresh(tx, project, user)


@frozen(eq=False)
class Quota:
    """Answers what is used and what is left."""

    db: Database

    async def usage(
        self, caller: Caller, *, hidden: bool = False
    ) -> Mapping[UUID, Mapping[str, Usage]]:
        """Use and limits of the caller in each of his projects, by resource.

        A project that he left is there as long as he uses something of it.

        :param hidden: also resources that the API does not show.
        """
        only = caller.project if caller.confined else None
        return await self._usage(caller.user, only, hidden)

    async def usage_in(
        self, caller: Caller, project: UUID, *, hidden: bool = True
    ) -> Mapping[str, Usage]:
        """Use and limits of the caller in ``project``, by resource.

        Empty where he never was a member, or the token reaches not so far.
        """
        if not caller.in_reach(project):
            return {}
        found = await self._usage(caller.user, project, hidden)
        return found.get(project, {})

    async def resources(self) -> Sequence[Resource]:
        """Every resource that the API shows, by name."""
        return [Resource(*row) for row in await self.db.read(store.RESOURCES)]

    async def _usage(
        self, user: UUID, project: UUID | None, hidden: bool
    ) -> dict[UUID, dict[str, Usage]]:
        found: dict[UUID, dict[str, Usage]] = {}
        rows = await self.db.read(store.USAGE, (user, project, hidden))
        for source, resource, *numbers in rows:
            member = Holding(Key(source, user, resource), *numbers[:3])
            whole = Holding(Key(source, WHOLE_PROJECT, resource), *numbers[3:])
            found.setdefault(source, {})[resource] = Usage.of(member, whole)
        return found


async def _holdings(tx: Transaction, parts: Provisions) -> dict[Key, Holding]:
    holdings = await store.locked(tx, parts)
    missing = [key for key in parts if key not in holdings]
    if not missing:
        return holdings
    unknown = await store.unknown(tx, sorted({key.resource for key in missing}))
    if unknown:
        raise Invalid(
            f"there is no resource {', '.join(unknown)}", reason="unknown_resource"
        )
    raise Forbidden(
        f"project {missing[0].project} grants nothing to this user",
        reason="not_member",
    )

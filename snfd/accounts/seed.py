"""First users, projects and limits of a new cloud; running again is harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from attrs import field, frozen

from snfd.accounts.opening import create_user
from snfd.db.port import Database, Transaction
from snfd.identity import people
from snfd.identity.model import ADMIN
from snfd.identity.passwords import Passwords
from snfd.projects import service as projects
from snfd.projects.model import MEMBER, READER
from snfd.quota import service as quota
from snfd.quota.model import GIB, RESOURCES, Limit
from snfd.tokens import mint


@frozen
class Account:
    """A user to have.

    :ivar project: what his unscoped tokens act in; None for his own.
    :ivar role: in ``project``.
    """

    username: str
    project: str | None = None
    role: str = MEMBER
    groups: tuple[str, ...] = ()


ALWAYS = (
    Account("admin", groups=(ADMIN,)),
    Account("demo", "demo"),
)
MORE = (
    Account("reader", "demo", READER),
    Account("alt", "alt"),
    Account("altreader", "alt", READER),
)
PROJECTS = ("demo", "alt")

_AMOUNTS = {
    "cyclades.vm": 20,
    "cyclades.cpu": 32,
    "cyclades.total_cpu": 64,
    "cyclades.ram": 64 * GIB,
    "cyclades.total_ram": 128 * GIB,
    "cyclades.disk": 1024 * GIB,
    "cyclades.network.private": 20,
    "cyclades.floating_ip": 20,
    "pithos.diskspace": 100 * GIB,
}
LIMITS: Mapping[str, Limit] = {
    name: Limit(amount, amount) for name, amount in _AMOUNTS.items()
}
"""What the seeded projects grant, to all together and to each member."""


@frozen
class Seeded:
    """What is there now.

    :ivar projects: uuid by name.
    :ivar passwords: by username, of the users that were made just now.
    """

    projects: Mapping[str, UUID]
    passwords: Mapping[str, str] = field(repr=False)


async def seed(
    db: Database,
    passwords: Passwords,
    random: Callable[[int], bytes],
    now: datetime,
    *,
    accounts: bool = False,
    password: str | None = None,
) -> Seeded:
    """Make sure that the first users, projects, resources and limits exist.

    What exists is left as it is, passwords above all.

    :param random: gives so many random bytes, fit for secrets.
    :param accounts: also ``reader alt altreader``.
    :param password: of every new user; None generates one for each.
    :raises Invalid: ``password`` may not be one.
    """
    await db.run(quota.register, RESOURCES)
    made = {name: await db.run(_project, name, now) for name in PROJECTS}
    fresh: dict[str, str] = {}
    for account in (*ALWAYS, *(MORE if accounts else ())):
        if await db.run(people.find_user, account.username) is not None:
            continue
        secret = password if password is not None else mint(random, 15)
        hashed = await passwords.hash(secret)
        if await db.run(_account, account, made, hashed, now):
            fresh[account.username] = secret
    return Seeded(made, fresh)


async def _project(tx: Transaction, name: str, now: datetime) -> UUID:
    found = await projects.find(tx, name)
    if found is not None:
        return found
    made = await projects.create(tx, uuid4(), name, None, LIMITS, now)
    return made.uuid


async def _account(
    tx: Transaction,
    account: Account,
    made: Mapping[str, UUID],
    hashed: str,
    now: datetime,
) -> bool:
    """Make one account; False where another process just did."""
    if await people.find_user(tx, account.username) is not None:
        return False
    uuid = uuid4()
    await create_user(
        tx,
        uuid,
        f"{account.username}@localhost",
        now,
        username=account.username,
        password_hash=hashed,
        groups=account.groups,
    )
    if account.project is not None:
        project = made[account.project]
        await projects.add_member(tx, project, uuid, account.role)
        await projects.set_default(tx, uuid, project, now)
    return True

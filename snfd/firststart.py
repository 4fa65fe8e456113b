"""A first start: accounts, demo data, and what people need to log in."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import evolve

from snfd import private
from snfd.accounts.seed import ALWAYS, MORE
from snfd.accounts.seed import seed as seed_identity
from snfd.clock import now
from snfd.compute.seed import Demo
from snfd.compute.seed import seed as seed_compute
from snfd.config import Config
from snfd.errors import Forbidden, TooManyRequests, Unauthorized
from snfd.identity import people
from snfd.identity.model import By, Caller, Scope, Scoping, UserRef
from snfd.image.hello import hello
from snfd.image.model import Details
from snfd.image.seed import ensure_public, pieces
from snfd.welcome import (
    Account,
    clouds_yaml,
    greeting,
    kamakirc,
    remember,
    remembered,
)
from snfd.wiring import Built

KAMAKI_LIFETIME = timedelta(days=30)
HELLO = Details(
    name="hello",
    disk_format="raw",
    container_format="bare",
    properties={"os": "hello", "description": "says hello on its screen"},
)


async def furnish(built: Built, config: Config) -> Mapping[str, Account]:
    """Make what a demo needs and is not there; the accounts, by username."""
    cloud, var = built.cloud, Path(config.var)
    seeded = await seed_identity(
        built.database,
        built.passwords,
        secrets.token_bytes,
        now(cloud.clock),
        accounts=config.seed.accounts,
        password=config.seed.password or None,
    )
    accounts = remembered(var)
    for account in (*ALWAYS, *MORE):
        if account.username in seeded.passwords:
            password = seeded.passwords[account.username]
            project = account.project or "system"
            accounts[account.username] = Account(password, project)
    remember(var, accounts)
    await seed_compute(built.database, Demo(template=config.seed.template))
    admin = await _admin(built)
    images = cloud.images, cloud.image_uploads, cloud.writer, cloud.workers
    await ensure_public(*images, admin, HELLO, pieces(hello()))
    return accounts


async def hand_out(
    built: Built, config: Config, accounts: Mapping[str, Account]
) -> Sequence[str]:
    """Write configurations for clients; the lines to print."""
    cloud, var = built.cloud, Path(config.var)
    if accounts:
        private.write(
            var / "clouds.yaml",
            clouds_yaml(cloud.catalog.identity("v3"), config.identity.region, accounts),
        )
    if "demo" in accounts:
        token = await _token(built, accounts["demo"])
        if token is not None:
            text = kamakirc(cloud.catalog.identity("v2.0"), token)
            private.write(var / "kamakirc", text)
    demo = Demo(template=config.seed.template)
    beside = Path(sys.argv[0]).with_name("snfctl")
    snfctl = str(beside) if beside.exists() else "snfctl"
    return greeting(cloud.urls.console, var, accounts, demo.smallest, snfctl)


async def _admin(built: Built) -> Caller:
    """The seeded administrator, in his own project."""
    found = await built.database.run(people.find_user, "admin")
    assert found is not None
    return Caller(
        user=found,
        username="admin",
        project=found,
        project_name=f"system:{found}",
        roles=frozenset({"reader", "member", "admin"}),
        projects=frozenset({found}),
        token_hash=b"",
        expires=now(built.cloud.clock) + KAMAKI_LIFETIME,
    )


async def _token(built: Built, account: Account) -> str | None:
    """A token for kamaki, which knows no passwords; None if he cannot log in by his."""
    identity = evolve(built.cloud.identity, lifetime=KAMAKI_LIFETIME)
    scope = Scope(Scoping.PROJECT, account.project, By.NAME)
    try:
        issued = await identity.login(UserRef("demo"), account.password, scope)
    except (Unauthorized, Forbidden, TooManyRequests):
        return None
    return issued.secret

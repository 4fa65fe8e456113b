"""The parts that look after accounts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from snfd.accounts.letters import Letters
from snfd.accounts.parts import Background, Parts
from snfd.accounts.service import Lifecycle
from snfd.accounts.wired import Accounts, rules
from snfd.config import Urls
from snfd.mail.staff import Staff
from snfd.projects import lifecycle

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.identity.proof import Verifier
    from snfd.mail.service import Post
    from snfd.projects.letters import Letters as ProjectLetters
    from snfd.tasks import Tasks
    from snfd.wiring import Ground


def _open_accounts(tables: Sequence[Mapping[str, Any]]) -> bool:
    """Whether passwords do, by the tables of login methods."""
    local = [one for one in tables if one.get("kind") == "local"]
    return all(one.get(word, True) for one in local for word in ("create", "login"))


def accounts(
    ground: Ground,
    db: Database,
    verifier: Verifier,
    tasks: Tasks,
    post: Post,
    told: ProjectLetters | None = None,
) -> Accounts:
    """All of them, over what stands already.

    :param told: tells members of projects that stop with their owner.
    :raises Invalid: a pattern of ``identity.accept`` is no regular expression.
    """
    config = ground.config
    chosen = rules(config.identity, passwords=_open_accounts(config.login))
    staff = Staff(config.mail.helpdesk, config.mail.managers)
    letters = Letters(post, Urls.of(config.urls).astakos, staff)
    return Accounts.of(
        Parts(
            db=db,
            clock=ground.reactor,
            passwords=verifier.passwords,
            guesses=verifier.throttle,
            random=secrets.token_bytes,
            new_id=uuid4,
            rules=chosen,
            letters=letters,
            lifecycle=Lifecycle(
                chosen,
                letters,
                partial(lifecycle.suspend_of_user, letters=told),
                partial(lifecycle.unsuspend_of_user, letters=told),
            ),
            background=Background(tasks),
        )
    )

"""Who is told what of projects."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects import member_store
from snfd.projects.changes import Wording
from snfd.projects.model import Record

MAX_TOLD = 1000
"""How many members one event is told to, those who came first."""


@frozen(eq=False)
class Letters:
    """Writes the letters of each step, in its transaction.

    :ivar base: URL below which the pages are, without a trailing slash.
    :ivar staff: knows who decides about applications.
    """

    post: Post
    base: str
    staff: Staff

    async def applied(
        self,
        tx: Transaction,
        project: Record,
        number: int,
        applicant: UUID,
        said: Wording,
        *,
        new: bool,
    ) -> None:
        """Tell the staff of an application.

        :param new: whether it is for a new project, not for a change.
        """
        who = await member_store.address(tx, applicant)
        await self._send(
            tx,
            f"application:{number}",
            Kind.PROJECT_APPLIED if new else Kind.PROJECT_MODIFICATION,
            await self.staff.deciders(tx),
            project,
            name=who[1] if who else str(applicant),
            application=str(number),
            description=project.description,
            comments=said.comments,
        )

    async def decided(
        self,
        tx: Transaction,
        project: Record,
        number: int,
        people: Iterable[UUID],
        kind: Kind,
        reason: str,
    ) -> None:
        """Tell ``people`` what became of an application."""
        for user in people:
            await self.person(
                tx, project, user, f"application:{number}:{kind}", kind, reason
            )

    async def everybody(
        self, tx: Transaction, project: Record, event: str, kind: Kind, **said: str
    ) -> None:
        """Tell the owner and all members what became of their project."""
        to = await member_store.addresses(tx, project.uuid, MAX_TOLD)
        await self._send(tx, event, kind, to, project, **said)

    async def person(
        self,
        tx: Transaction,
        project: Record,
        user: UUID,
        event: str,
        kind: Kind,
        reason: str = "",
    ) -> None:
        """Tell one person what concerns him; nothing if he has no account now."""
        who = await member_store.address(tx, user)
        if who is not None:
            await self._send(tx, event, kind, [who[0]], project, reason=reason)

    async def owner(
        self, tx: Transaction, project: Record, user: UUID, event: str, kind: Kind
    ) -> None:
        """Tell the owner what ``user`` wants."""
        to = await member_store.address(tx, project.owner)
        who = await member_store.address(tx, user)
        if to is not None:
            name = who[1] if who else str(user)
            await self._send(tx, event, kind, [to[0]], project, name=name)

    async def _send(
        self,
        tx: Transaction,
        event: str,
        kind: Kind,
        to: Iterable[str],
        project: Record,
        **said: str,
    ) -> None:
        link = f"{self.base}/ui/projects/{project.uuid}"
        values = {"project": project.name, "link": link, **said}
        for address in to:
            await self.post.put(tx, Letter(event, address, kind, values))

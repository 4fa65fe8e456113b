"""What is done to a project: by whom, when and why, and who is told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.audit import record as audit
from snfd.db.port import Transaction
from snfd.projects import store
from snfd.projects.letters import Letters
from snfd.projects.model import Record
from snfd.projects.rules import Who
from snfd.projects.states import PROJECT_STEPS, ProjectEvent, ProjectState, step

MAX_REASON = 4096


@frozen
class Context:
    """By whom, when and why a use case is carried out, and who is told.

    :ivar letters: None where nobody is told.
    :ivar enroll_owner: whether a new project's owner becomes its first member.
    :ivar because_of: whose deactivation, or activation, it is part of.
    """

    who: Who
    now: datetime
    reason: str = ""
    letters: Letters | None = None
    because_of: UUID | None = None
    enroll_owner: bool = field(default=True, kw_only=True)

    async def audit(
        self, tx: Transaction, action: str, project: UUID, **details: object
    ) -> None:
        """Write a row of the audit trail."""
        if self.reason:
            details["reason"] = self.reason
        await audit(tx, self.who.actor, action, f"project:{project}", **details)

    async def move(
        self, tx: Transaction, project: Record, event: ProjectEvent
    ) -> tuple[ProjectState, int]:
        """Have ``event`` happen to a locked project; its state, and the log entry.

        The entry is 0 where the state stays the same.

        :raises Busy: the project is not in a state for it.
        """
        after = step(PROJECT_STEPS, project.state, event, "project")
        if after is project.state:
            return after, 0
        await store.set_state(tx, project.uuid, after, self.now)
        entry = await store.log(
            tx,
            project.uuid,
            (project.state, after),
            self.who.actor,
            self.now,
            self.reason,
            self.because_of,
        )
        return after, entry

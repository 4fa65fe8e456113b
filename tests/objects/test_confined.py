"""What tokens that were made for one project alone may do in accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.identity.model import Caller
from snfd.objects.rules import Right, right

USER, TEAM, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def caller(project: UUID, role: str = "member", *more: str) -> Caller:
    return Caller(
        user=USER,
        username="demo",
        project=project,
        project_name="p",
        roles=frozenset({"reader", role, *more}),
        projects=frozenset({project}),
        token_hash=bytes(32),
        expires=datetime(2030, 1, 1, tzinfo=UTC),
        confined=True,
    )


class RightTests(SynchronousTestCase):
    def test_the_owners_account_is_another_one(self) -> None:
        self.assertIs(Right.NOTHING, right(caller(TEAM), USER))
        self.assertIs(Right.WRITE, right(caller(TEAM), TEAM))
        self.assertIs(Right.NOTHING, right(caller(TEAM), OTHER))
        free = evolve(caller(TEAM), confined=False)
        self.assertIs(Right.WRITE, right(free, USER))

    def test_one_for_the_owners_account_is_good_there(self) -> None:
        self.assertIs(Right.WRITE, right(caller(USER), USER))

    def test_readers_read(self) -> None:
        self.assertIs(Right.READ, right(caller(USER, "reader"), USER))
        self.assertIs(Right.READ, right(caller(TEAM, "reader"), TEAM))

    def test_administrators_stay_too(self) -> None:
        self.assertIs(Right.NOTHING, right(caller(TEAM, "member", "admin"), OTHER))

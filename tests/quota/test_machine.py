"""Commissions, limits and memberships in any order, on real SQL."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.errors import NotFound
from snfd.projects import service as projects
from snfd.quota import service as quota
from snfd.quota.commissions import issue
from snfd.quota.integrity import Integrity
from snfd.quota.model import WHOLE_PROJECT, Key, Limit
from snfd.quota.orders import NoCapacity, NoHolding, NoQuantity, Order, Provision
from snfd.quota.resolving import resolve
from tests.identity.cloud import START, IdentityCloud, identity_cloud

T = TypeVar("T")

VM, CPU = "cyclades.vm", "cyclades.cpu"
NAMES = ("ann", "bob", "eve")
"""Ann and Bob are members from the start; Eve comes, or does not."""
QUANTITIES = st.integers(-8, 8)
STATES = ("accepted", "leave_requested", "suspended", "removed")


def machine(cloud: IdentityCloud) -> type[RuleBasedStateMachine]:
    """The machine over ``cloud``, whose database forgets nothing in between.

    So each run has a project of its own.
    """
    people = {name: cloud.user(name) for name in NAMES}
    integrity = Integrity(cloud.db, lambda tx: _nobody())

    class Machine(RuleBasedStateMachine):
        @initialize(cap=st.integers(0, 20), member=st.integers(0, 12))
        def begin(self, cap: int, member: int) -> None:
            self.project = uuid4()
            self.open: dict[int, list[tuple[Key, int]]] = {}
            self.settled: dict[Key, int] = {}
            limits = {name: Limit(cap, member) for name in (VM, CPU)}
            name = f"p {self.project}"
            run(projects.create, self.project, name, None, limits, START)
            for one in ("ann", "bob"):
                run(projects.add_member, self.project, people[one])

        @rule(
            who=st.sampled_from(NAMES),
            amounts=st.dictionaries(st.sampled_from((VM, CPU)), QUANTITIES),
            force=st.booleans(),
            at_once=st.booleans(),
        )
        def issue(
            self, who: str, amounts: dict[str, int], force: bool, at_once: bool
        ) -> None:
            parts = [
                (Key(self.project, member, name), quantity)
                for name, quantity in amounts.items()
                for member in (people[who], WHOLE_PROJECT)
            ]
            before = self.holdings()
            asked = [Provision.of(key, quantity) for key, quantity in parts]
            order = Order(asked, "x", force, at_once)
            try:
                serial = run(issue, "one", order)
            except (NoCapacity, NoHolding, NoQuantity):
                assert before == self.holdings()
                assert not all(self.fits(before, *part, force) for part in parts)
                return
            assert all(self.fits(before, *part, force) for part in parts)
            if at_once:
                self.settle(parts)
            else:
                self.open[serial] = parts

        @precondition(lambda self: self.open)
        @rule(data=st.data())
        def resolve(self, data: st.DataObject) -> None:
            serials = sorted(self.open)
            how = data.draw(st.lists(st.sampled_from(serials), unique=True))
            cut = data.draw(st.integers(0, len(how)))
            accepted, rejected = how[:cut], how[cut:]
            done = run(resolve, accepted, [*rejected, 10**9], "one")
            assert done.accepted == sorted(accepted)
            assert done.rejected == sorted(rejected)
            for serial in accepted:
                self.settle(self.open.pop(serial))
            for serial in rejected:
                del self.open[serial]

        @rule(cap=st.integers(0, 20), member=st.integers(0, 12))
        def change_limits(self, cap: int, member: int) -> None:
            run(quota.open_project, self.project, {VM: Limit(cap, member)})

        @rule(who=st.sampled_from(NAMES))
        def join(self, who: str) -> None:
            # nobody joins a project that was terminated
            with contextlib.suppress(NotFound):
                run(projects.add_member, self.project, people[who])

        @rule(who=st.sampled_from(NAMES), state=st.sampled_from(STATES))
        def change_membership(self, who: str, state: str) -> None:
            cloud.execute(
                "UPDATE identity.membership SET state = %s"
                " WHERE project_id = %s AND user_id = %s AND initialized",
                state,
                self.project,
                people[who],
            )
            run(quota.refresh, self.project, people[who])

        @rule(state=st.sampled_from(("active", "suspended", "terminated")))
        def change_project(self, state: str) -> None:
            cloud.execute(
                "UPDATE identity.project SET state = %s WHERE uuid = %s",
                state,
                self.project,
            )
            run(quota.refresh, self.project)

        @invariant()
        def adds_up(self) -> None:
            for key, (_, low, high) in self.holdings().items():
                settled = self.settled.get(key, 0)
                pending = [
                    quantity
                    for parts in self.open.values()
                    for other, quantity in parts
                    if other == key
                ]
                assert high == settled + sum(q for q in pending if q > 0)
                assert low == settled + sum(q for q in pending if q < 0)
                assert 0 <= low <= settled <= high

        @invariant()
        def members_and_project_agree(self) -> None:
            sums: dict[str, list[int]] = {}
            for key, (_, low, high) in self.holdings().items():
                sign = -1 if key.user is None else 1
                total = sums.setdefault(key.resource, [0, 0])
                total[0] += sign * low
                total[1] += sign * high
            assert all(total == [0, 0] for total in sums.values())

        def teardown(self) -> None:
            found = cloud.wait(integrity.verify(Actor(None, "root")))
            mine = {
                one.kind for one in found.findings if one.key.project == self.project
            }
            assert not mine, mine

        def settle(self, parts: list[tuple[Key, int]]) -> None:
            for key, quantity in parts:
                self.settled[key] = self.settled.get(key, 0) + quantity

        def fits(
            self,
            holdings: dict[Key, tuple[int, int, int]],
            key: Key,
            quantity: int,
            force: bool,
        ) -> bool:
            """Whether the rules of §3.2 let a part of a commission pass."""
            if key not in holdings:
                return False
            cap, low, high = holdings[key]
            if quantity < 0:
                return low + quantity >= 0
            return quantity == 0 or force or high + quantity <= cap

        def holdings(self) -> dict[Key, tuple[int, int, int]]:
            rows = cloud.sql(
                "SELECT project_id, member, resource, cap, usage_min, usage_max"
                " FROM quota.holding WHERE project_id = %s"
                " AND resource IN ('cyclades.vm', 'cyclades.cpu')",
                self.project,
            )
            return {Key(*row[:3]): row[3:] for row in rows}  # type: ignore[arg-type, misc]

    def run(work: Callable[..., Awaitable[T]], *args: object) -> T:
        """What ``work`` gives, or the error that it raises."""
        ended: list[T | Failure] = []
        cloud.db.run(work, *args).addBoth(ended.append)
        (result,) = ended
        if isinstance(result, Failure):
            result.raiseException()
        return result

    return Machine


async def _nobody() -> dict[UUID, int]:
    return {}


class MachineTests(SynchronousTestCase):
    def test_whatever_the_order_of_events_numbers_are_right(self) -> None:
        cloud = identity_cloud(self)
        run_state_machine_as_test(
            machine(cloud),
            settings=settings(
                max_examples=10,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

"""The account API with two components and two resources, as the checks want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import define

from snfd.quota import service as quota
from snfd.quota.model import Resource
from snfd.tokens import digest
from tests.api.identity_cloud import IdentityApis
from tests.api.memory import Response

R1, R2, R3 = "one.r1", "one.r2", "two.r3"
S1, S2 = "s1-" + "x" * 40, "s2-" + "x" * 40


@define(eq=False, slots=False)
class AccountApis(IdentityApis):
    """Component ``one`` (token S1) owns `R1` and `R2`, ``two`` (S2) owns `R3`.

    The limit in everybody's own project is 10.
    """

    def fill(self) -> None:
        super().fill()
        for name, token in (("one", S1), ("two", S2)):
            self.cloud.execute(
                "INSERT INTO identity.component (name, token_hash) VALUES (%s, %s)",
                name,
                digest(token),
            )
            self.cloud.execute(
                "INSERT INTO identity.service (component_id, name, type, endpoints)"
                " SELECT id, name || '_service', name, '[]' FROM identity.component"
                " WHERE name = %s",
                name,
            )
        new = [
            Resource(R1, "Ones", None, "one", "one_service", 10),
            Resource(R2, "Others", "bytes", "one", "one_service", 10),
            Resource(R3, "Twos", None, "two", "two_service", 10),
        ]
        self.cloud.wait(self.cloud.db.run(quota.register, new))

    def issue(
        self, *parts: Mapping[str, object], token: str = S1, **more: object
    ) -> Response:
        """Issue a commission."""
        body = {"provisions": list(parts), **more}
        return self.account.post("/commissions", body, token=token)

    def pair(
        self,
        quantity: int,
        resource: str = R1,
        user: UUID | None = None,
        project: UUID | None = None,
    ) -> list[dict[str, object]]:
        """The provisions for a user (demo) in a project (his own)."""
        user = user or self.demo
        project = project or user
        return [
            part(quantity, f"user:{user}", f"project:{project}", resource),
            part(quantity, f"project:{project}", None, resource),
        ]

    def act(self, serial: int, how: str, token: str = S1) -> Response:
        """Accept or reject one commission."""
        path = f"/commissions/{serial}/action"
        return self.account.post(path, {how: ""}, token=token)

    def numbers(
        self, resource: str = R1, user: str = "demo", project: UUID | None = None
    ) -> tuple[int, int, int, int]:
        """Usage, pending, project's usage and pending, as ``/quotas`` tells."""
        found = self.account.get("/quotas", token=self.personal(user)).json
        one = found[str(project or getattr(self, user))][resource]
        keys = ("usage", "pending", "project_usage", "project_pending")
        usage, pending, project_usage, project_pending = (one[key] for key in keys)
        return usage, pending, project_usage, project_pending

    def settled(self, quantity: int, **more: Any) -> None:
        """Have so much used, of R1 by demo in his own project."""
        answer = self.issue(*self.pair(quantity), auto_accept=True, **more)
        assert answer.status == 201, answer.body

    def pending(self, token: str = S1) -> Sequence[int]:
        """The serials of a component's pending commissions."""
        found: list[int] = self.account.get("/commissions", token=token).json
        return found


def part(
    quantity: object, holder: object, source: object, resource: object = R1
) -> dict[str, object]:
    """One provision."""
    return {
        "holder": holder,
        "source": source,
        "resource": resource,
        "quantity": quantity,
    }

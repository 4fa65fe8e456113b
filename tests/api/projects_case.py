"""People and projects to test with, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from twisted.trial.unittest import SynchronousTestCase

from snfd.quota import service as quota
from tests.api.identity_cloud import IdentityApis, fault
from tests.api.memory import Response
from tests.identity.cloud import SPACE, START

VM = "cyclades.vm"
LIMITS = {VM: {"project_capacity": 10, "member_capacity": 4}}
END = (START + timedelta(days=400)).isoformat()
NOBODY = UUID(int=7)
ACTIONS = (
    "suspend", "unsuspend", "terminate", "reinstate",
    "approve", "deny", "cancel", "dismiss",
)  # fmt: skip


class ProjectsCase(SynchronousTestCase):
    """Users a (an applicant), b, c and admin, each with a token."""

    def setUp(self) -> None:
        self.apis = IdentityApis(self, "abc")
        self.cloud = self.apis.cloud
        self.a, self.b, self.c = (uuid5(SPACE, name) for name in "abc")
        self.tokens = {name: self.apis.personal(name) for name in ("a", "b", "c")}
        self.tokens["admin"] = self.apis.personal("admin")

    def ask(
        self, who: str, method: str, path: str, body: object = None, **more: Any
    ) -> Response:
        token = self.tokens[who]
        return self.apis.account.request(method, path, json=body, token=token, **more)

    def get(self, who: str, path: str) -> Any:
        answer = self.ask(who, "GET", path)
        self.assertEqual(200, answer.status, answer.body)
        return answer.json

    def status(self, who: str, method: str, path: str, body: object = None) -> int:
        answer = self.ask(who, method, path, body)
        if answer.status >= 300:
            self.assertEqual(answer.status, fault(answer)[1])
        return answer.status

    def apply(self, name: str = "one.example.org", who: str = "a", **more: Any) -> Any:
        body = {"name": name, "end_date": END, **more}
        answer = self.ask(who, "POST", "/projects", body)
        self.assertEqual(201, answer.status, answer.body)
        return answer.json

    def act(self, who: str, project: str, word: str, **words: Any) -> int:
        return self.status(who, "POST", f"/projects/{project}/action", {word: words})

    def approved(self, name: str = "one.example.org", **more: Any) -> str:
        made = self.apply(name, **more)
        self.assertEqual(
            200, self.act("admin", made["id"], "approve", app_id=made["application"])
        )
        project: str = made["id"]
        return project

    def join(self, who: str, project: str) -> Response:
        return self.ask(
            who, "POST", "/projects/memberships", {"join": {"project": project}}
        )

    def enroll(self, who: str, project: str, user: str) -> Response:
        body = {"enroll": {"project": project, "user": user}}
        return self.ask(who, "POST", "/projects/memberships", body)

    def member(self, who: str, number: int) -> Any:
        return self.get(who, f"/projects/memberships/{number}")

    def do(self, who: str, number: int, word: str, reason: str = "") -> int:
        path = f"/projects/memberships/{number}/action"
        return self.status(who, "POST", path, {word: reason})

    def quota_of(self, who: str, project: str) -> Any:
        return self.get(who, "/quotas").get(project)

    def pending(self, user: UUID) -> object:
        ((usage,),) = self.cloud.sql(
            "SELECT usage_max FROM quota.holding WHERE project_id = %s"
            " AND user_id = %s AND resource = 'astakos.pending_app'",
            user,
            user,
        )
        return usage

    def charge(self, user: UUID, project: str, amount: int) -> None:
        self.cloud.wait(
            self.cloud.db.run(quota.charge, user, UUID(project), {VM: amount})
        )

    def letters(self, kind: str) -> set[object]:
        sql = "SELECT recipient FROM ops.mail WHERE kind = %s"
        return {row[0] for row in self.cloud.sql(sql, kind)}

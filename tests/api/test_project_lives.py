"""Lives of projects, and which are shown (``spec/astakos.md`` §11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from snfd.errors import OverQuota
from snfd.projects import expiry
from snfd.projects.desk import PAGE
from snfd.quota import service as quota
from tests.api.projects_case import ACTIONS, LIMITS, VM, ProjectsCase
from tests.identity.cloud import SPACE, START


class LifeTests(ProjectsCase):
    def test_astakos_54_suspended_and_terminated(self) -> None:
        project = self.approved(resources=LIMITS, join_policy="auto")
        self.join("b", project)
        self.charge(self.b, project, 1)
        self.assertEqual(403, self.act("a", project, "suspend"))
        self.assertEqual(200, self.act("admin", project, "suspend", reason="late"))
        self.assertEqual(409, self.act("admin", project, "suspend"))
        self.assertEqual(
            {"a@example.org", "b@example.org"}, self.letters("project_suspended")
        )
        usage = self.quota_of("b", project)[VM]
        self.assertEqual((0, 0), (usage["limit"], usage["project_limit"]))
        more = self.cloud.db.run(quota.charge, self.b, UUID(project), {VM: 1})
        self.cloud.fails(more, OverQuota)
        self.charge(self.b, project, -1)
        self.assertIn("deactivation_date", self.get("a", f"/projects/{project}"))
        self.assertEqual(200, self.act("admin", project, "unsuspend"))
        self.assertEqual(409, self.act("admin", project, "unsuspend"))
        usage = self.quota_of("b", project)[VM]
        self.assertEqual((4, 10), (usage["limit"], usage["project_limit"]))
        self.assertEqual(409, self.act("admin", project, "reinstate"))
        self.assertEqual(200, self.act("admin", project, "terminate"))
        self.assertEqual(409, self.act("admin", project, "terminate"))
        self.assertEqual("terminated", self.get("a", f"/projects/{project}")["state"])
        self.assertEqual(409, self.act("admin", str(self.a), "terminate"))
        self.assertEqual(404, self.act("admin", str(uuid4()), "suspend"))
        logged = self.cloud.sql(
            "SELECT from_state, to_state, actor_name, reason FROM identity.project_log"
            " WHERE project_id = %s ORDER BY id",
            UUID(project),
        )
        self.assertEqual(
            [
                (None, "uninitialized", "a", ""),
                ("uninitialized", "active", "admin", ""),
                ("active", "suspended", "admin", "late"),
                ("suspended", "active", "admin", ""),
                ("active", "terminated", "admin", ""),
            ],
            logged,
        )

    def set_default(self, who: str, project: str) -> int:
        body = {"project_id": project}
        return self.status(who, "POST", "/myaccount/default_project", body)

    def tenant(self, who: str) -> str:
        body = {"auth": {"token": {"id": self.tokens[who]}}}
        access = self.apis.v2.post("/tokens", body).json["access"]
        tenant: str = access["token"]["tenant"]["id"]
        return tenant

    def test_astakos_55_the_default_project(self) -> None:
        project = self.approved(join_policy="auto")
        number = self.join("b", project).json["id"]
        self.assertEqual(200, self.set_default("b", project))
        self.assertEqual(project, self.tenant("b"))
        self.assertEqual(403, self.set_default("c", project))
        self.assertEqual(404, self.set_default("c", str(uuid4())))
        self.assertEqual(404, self.set_default("c", str(self.b)))
        self.assertEqual(200, self.do("a", number, "remove"))
        self.assertEqual(str(self.b), self.tenant("b"))
        wrong: tuple[Any, ...] = ({}, {"project_id": "x"}, {"project_id": None}, [])
        for body in wrong:
            self.assertEqual(
                400, self.status("b", "PUT", "/myaccount/default_project", body)
            )
        self.join("b", project)
        self.assertEqual(str(self.b), self.tenant("b"))
        self.set_default("b", project)
        self.act("admin", project, "suspend")
        self.assertEqual(403, self.set_default("b", project))
        self.act("admin", project, "unsuspend")
        self.assertEqual(project, self.tenant("b"))
        self.act("admin", project, "terminate")
        self.act("admin", project, "reinstate")
        self.assertEqual(str(self.b), self.tenant("b"))
        self.assertEqual(200, self.set_default("b", str(self.b)))

    def test_astakos_56_the_end(self) -> None:
        project = self.approved("short.example.org")
        timer = expiry.Expiry(self.cloud.clock, self.cloud.db, period=3600.0)
        timer.letters = self.cloud.project_parts.parts.letters
        timer.startService()
        self.addCleanup(timer.stopService)
        self.cloud.clock.pump([86400.0 * 53] * 7)
        self.assertEqual(1, self.warned())
        self.cloud.clock.pump([86400.0] * 28)
        self.assertEqual("active", self.stored(project))
        self.assertEqual(3, self.warned())
        self.cloud.clock.pump([86400.0] * 2)
        self.assertEqual("terminated", self.stored(project))
        self.assertEqual({"a@example.org"}, self.letters("project_terminated"))
        end = (START + timedelta(days=900)).isoformat()
        self.tokens["b"] = self.apis.personal("b")
        self.tokens["admin"] = self.apis.personal("admin")
        body = {"name": "short.example.org", "end_date": end}
        made = self.ask("b", "POST", "/projects", body).json
        self.assertEqual(
            200, self.act("admin", made["id"], "approve", app_id=made["application"])
        )
        self.act("admin", made["id"], "terminate")
        # it would end again at once
        self.assertEqual(409, self.act("admin", project, "reinstate"))

    def warned(self) -> int:
        sql = "SELECT count(*) FROM ops.mail WHERE kind = 'project_expires'"
        ((count,),) = self.cloud.sql(sql)
        assert isinstance(count, int)
        return count

    def stored(self, project: str) -> object:
        sql = "SELECT state FROM identity.project WHERE uuid = %s"
        return self.cloud.sql(sql, UUID(project))[0][0]

    def test_astakos_57_which_projects_are_listed(self) -> None:
        public = self.approved("public.example.org")
        private = self.approved("private.example.org", private=True)
        asked = self.apply("asked.example.org", who="c")["id"]
        for query in ("state=bogus", "mode=bogus", "owner=x", "marker=x", "private=2",
                      f"marker={uuid4()}", "limit=-1"):  # fmt: skip
            self.assertEqual(400, self.status("a", "GET", f"/projects?{query}"), query)

        def ids(who: str, query: str = "") -> set[str]:
            return {one["id"] for one in self.get(who, f"/projects?{query}")}

        own = {name: str(uuid5(SPACE, name)) for name in ("a", "b", "c", "admin")}
        open_ones = {public, str(self.apis.project), str(self.apis.other)}
        self.assertEqual({own["a"], public, private}, ids("a", "mode=member"))
        self.assertEqual({own["b"]} | open_ones, ids("b"))
        self.assertEqual({own["b"]}, ids("b", "mode=related"))
        self.assertEqual(open_ones, ids("b", "mode=active"))
        self.assertEqual({own["c"], asked} | open_ones, ids("c"))
        everything = ids("admin")
        self.assertTrue({private, asked, own["b"]} <= everything)
        self.assertEqual({own["admin"]}, ids("admin", "mode=member"))
        self.assertEqual({public}, ids("b", f"owner={self.a}"))
        self.assertEqual(set(), ids("b", "name=PUBLIC.example.org"))
        self.assertEqual({asked}, ids("admin", "state=uninitialized"))
        self.assertEqual({private}, ids("admin", "private=true&system_project=false"))
        ordered = [one["id"] for one in self.get("admin", "/projects")]
        paged: list[str] = []
        marker = ""
        while page := self.get("admin", f"/projects?limit=2{marker}"):
            paged += [one["id"] for one in page]
            marker = f"&marker={paged[-1]}"
        self.assertEqual(ordered, paged)

    def test_long_lists_come_whole(self) -> None:
        self.cloud.execute(
            "INSERT INTO identity.project (uuid, name, created_at, join_policy,"
            " leave_policy) SELECT gen_random_uuid(), 'p' || n, now() + (n %% 7) *"
            " interval '1 s', 'auto', 'auto' FROM generate_series(1, %s) n",
            2 * PAGE + 9,
        )
        self.cloud.execute(
            "INSERT INTO identity.membership (user_id, project_id, state) SELECT %s,"
            " uuid, 'accepted' FROM identity.project WHERE NOT is_system",
            self.a,
        )
        before = self.cloud.db.statements
        found = self.get("b", "/projects?mode=active")
        self.assertEqual(2 * PAGE + 11, len({one["id"] for one in found}))
        self.assertGreater(12, self.cloud.db.statements - before)
        mine = self.get("a", "/projects/memberships")
        self.assertEqual(2 * PAGE + 12, len({one["id"] for one in mine}))
        some = self.get("b", f"/projects?mode=active&limit={PAGE + 1}")
        self.assertEqual(found[: PAGE + 1], some)

    def test_astakos_58_one_action_at_a_time(self) -> None:
        project = self.approved()
        path = f"/projects/{project}/action"
        wrong: tuple[Any, ...] = (
            {}, {"explode": {}}, {"suspend": "text"}, {"suspend": None}, [], "x", 3,
            {"suspend": {}, "terminate": {}}, {"suspend": {"reason": 3}},
            {"approve": {"app_id": "x"}}, {"approve": {"app_id": 1.5}},
            {"approve": {"app_id": None}}, {"approve": {"app_id": 2**70}},
            {"suspend": {"reason": "x" * 4097}}, {"approve": {"app_id": -1}},
        )  # fmt: skip
        for body in wrong:
            self.assertEqual(400, self.status("admin", "POST", path, body), body)
        for word in ACTIONS:
            self.assertEqual(400, self.status("admin", "POST", path, {word: [1]}), word)
        self.assertEqual(400, self.status("a", "POST", "/projects/x/action", {}))
        # as astakosclient spells it
        made = self.ask("a", "PUT", f"/projects/{project}", {"description": "x"}).json
        words = {"reasons": "no", "app_id": str(made["application"])}
        self.assertEqual(200, self.status("admin", "POST", path, {"deny": words}))
        said = self.cloud.sql(
            "SELECT response FROM identity.application WHERE id = %s",
            made["application"],
        )
        self.assertEqual([("no",)], said)

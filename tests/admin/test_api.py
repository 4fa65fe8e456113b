"""``/admin/v1``: who is let in, and what he sees."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from api.admin.faults import DIALECT
from api.admin.lists import DirectoryApi, LedgerApi
from api.admin.operations import WatchApi
from api.dispatch import build
from api.operations import operation
from snfd.admin.doctor import Doctor
from snfd.admin.rights import EVERYTHING, RIGHTS, VIEWERS, Right, Staff, staff
from snfd.admin.service import Administration
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Forbidden
from snfd.mail.service import Post
from snfd.projects.application_store import undecided
from snfd.quota.integrity import Integrity
from tests.api.memory import Browser, Response
from tests.identity.cloud import identity_cloud

ROOT = Actor(None, "root")


class AdminCase(SynchronousTestCase):
    """Users admin, helper (helpdesk) and demo, member of project demo."""

    def setUp(self) -> None:
        cloud = self.cloud = identity_cloud(self)
        self.admin = cloud.user("admin", "secret", "admin")
        self.demo = cloud.user("demo")
        self.helper = cloud.user("helper", "secret", "helpdesk")
        self.project = cloud.project("demo", {"cyclades.vm": 5}, demo="member")
        integrity = Integrity(cloud.db, undecided)
        self.services = Administration.build(
            cloud.db,
            cloud.clock,
            cloud.project_parts,
            Post(cloud.keys),
            Doctor(cloud.db, integrity, cloud.keys.idents),
        )
        gate: Any = self.services.staff
        self.web = Browser(
            build(
                DIALECT,
                gate,
                DirectoryApi(self.services.directory),
                LedgerApi(self.services.ledger),
                WatchApi(
                    self.services.trail,
                    self.services.doctor,
                    self.services.statistics,
                ),
            ),
            cloud.login("admin").secret,
        )

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.web.get(path, **more)
        self.assertEqual(status, answer.status, answer.body)
        return answer.json

    def fault(self, answer: Response) -> tuple[int, str]:
        """Status and code of a fault, which is in its form."""
        self.assertEqual({"error"}, set(answer.json))
        facts = answer.json["error"]
        self.assertEqual(
            {"code", "status", "message", "hint", "details", "request_id"}, set(facts)
        )
        self.assertEqual(answer.status, facts["status"])
        return answer.status, facts["code"]


class Removals:
    """Removes one, or all of them."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @operation("DELETE", "/things", status=204)
    async def all(self, staff: Staff) -> None:
        """Remove all."""
        self.done.append("all")

    @operation("DELETE", "/things/<thing>", status=204)
    async def one(self, staff: Staff, thing: str) -> None:
        """Remove one."""
        self.done.append(thing)


class PathTests(AdminCase):
    def test_an_empty_name_never_stands_for_all(self) -> None:
        things, gate = Removals(), self.services.staff
        web = Browser(build(DIALECT, gate, things), self.web.token)  # type: ignore[arg-type]
        self.assertEqual((400, "invalid"), self.fault(web.delete("/things/")))
        self.assertEqual((400, "invalid"), self.fault(web.delete("/things//?a=b")))
        self.assertEqual(204, web.delete("/things/a").status)
        self.assertEqual(204, web.delete("/things").status)
        self.assertEqual(["a", "all"], things.done)


class DoorTests(AdminCase):
    """Whom the main listener lets in."""

    def test_nobody_without_a_good_token(self) -> None:
        self.web.token = None
        self.assertEqual((401, "unauthorized"), self.fault(self.web.get("/users")))
        answer = self.web.get("/users", token="no-token")
        self.assertEqual((401, "unauthorized"), self.fault(answer))

    def test_no_ordinary_user(self) -> None:
        answer = self.web.get("/users", token=self.cloud.login("demo").secret)
        self.assertEqual((403, "forbidden"), self.fault(answer))
        self.assertIn("snfctl", answer.json["error"]["hint"])

    def test_groups_that_give_rights_are_there_from_the_start(self) -> None:
        there = {one["name"] for one in self.get("/groups")["items"]}
        self.assertLessEqual({*VIEWERS, "admin-api", "default"}, there)

    def test_the_helpdesk_may_look(self) -> None:
        token = self.cloud.login("helper").secret
        self.assertEqual(3, len(self.get("/users", token=token)["items"]))

    def test_a_token_of_one_project_does_not_look_after_the_cloud(self) -> None:
        issued = self.cloud.login("admin")
        for kind, bound, able in (
            ("login", None, True),
            ("personal", None, True),
            ("personal", self.admin, False),
        ):
            self.cloud.execute(
                "UPDATE identity.api_token SET kind = %s, project_id = %s"
                " WHERE hash = %s",
                kind, bound, issued.token.hash,
            )  # fmt: skip
            for who in (self.services.staff, self.services.viewer):
                if able:
                    self.assertEqual("admin", self.named(who, issued.secret))
                else:
                    self.cloud.fails(who(issued.secret), Forbidden)

    def named(self, who: Any, secret: str) -> str:
        """Who that is, staff or a caller."""
        found = self.cloud.wait(who(secret))
        name: str = found.name if isinstance(found, Staff) else found.username
        return name

    def test_credentials_of_programs_are_as_good_as_they_were_made(self) -> None:
        issued = self.cloud.login("admin")
        for role, unrestricted, able in (
            (None, True, True), (None, False, False), ("reader", True, False),
        ):  # fmt: skip
            ident = uuid4()
            self.cloud.execute(
                "INSERT INTO identity.app_credential (id, user_id, project_id, name,"
                " secret_hash, role, unrestricted, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, now())",
                ident, self.admin, self.admin, str(ident), b"x" * 32, role,
                unrestricted,
            )  # fmt: skip
            self.cloud.execute(
                "UPDATE identity.api_token SET kind = 'appcred', project_id = %s,"
                " credential_id = %s, role = %s WHERE hash = %s",
                self.admin, ident, role, issued.token.hash,
            )  # fmt: skip
            if able:
                self.cloud.wait(self.services.staff(issued.secret)).to(Right.USERS)
            else:
                self.cloud.fails(self.services.staff(issued.secret), Forbidden)

    def test_who_lost_the_group_is_out_at_once(self) -> None:
        self.get("/users")
        self.cloud.execute(
            "DELETE FROM identity.user_group_member WHERE user_id = %s", self.admin
        )
        self.get("/users", 403)

    def test_faults_have_the_form_of_the_dialect(self) -> None:
        for path, status, code in (
            ("/nothing", 404, "not-found"),
            ("/users/nobody", 404, "not-found"),
            ("/users?limit=0", 400, "invalid"),
            ("/users?limit=1001", 400, "invalid"),
            ("/users?active=perhaps", 400, "invalid"),
            ("/users?marker=x", 400, "invalid"),
            (f"/users?marker={2**63}", 400, "invalid"),
            ("/projects?marker=x", 400, "invalid"),
            ("/quotas?marker=a/b/c", 400, "invalid"),
            ("/quotas?user=nobody", 404, "not-found"),
            ("/commissions/1", 404, "not-found"),
            (f"/commissions/{2**63}", 404, "not-found"),
            ("/commissions?overdue=-1", 400, "invalid"),
        ):
            self.assertEqual((status, code), self.fault(self.web.get(path)), path)


class RightsTests(SynchronousTestCase):
    """The one table of rights (W36)."""

    def test_only_administrators_may_change_everything(self) -> None:
        self.assertEqual({"admin"}, {k for k, v in RIGHTS.items() if v == EVERYTHING})

    def test_rights_add_up_and_strangers_have_none(self) -> None:
        helper = staff(ROOT, ["default", "helpdesk", "admin-readonly"])
        self.assertEqual(ROOT, helper.to(Right.CONTACT))
        self.assertRaises(Forbidden, helper.to, Right.USERS)
        self.assertRaises(Forbidden, staff, ROOT, ["default"])

    def test_who_only_looks_gets_no_actor(self) -> None:
        reader = staff(ROOT, ["admin-readonly"])
        for right in Right:
            self.assertRaises(Forbidden, reader.to, right)
        self.assertEqual("root", Staff(ROOT, frozenset()).name)


class ListTests(AdminCase):
    """What is in the lists."""

    def names(self, path: str, key: str = "username") -> list[str]:
        return [one[key] for one in self.get(path)["items"]]

    def test_users_by_what_they_are(self) -> None:
        self.assertEqual(["admin", "demo", "helper"], self.names("/users"))
        self.assertEqual(["admin"], self.names("/users?group=admin"))
        self.assertEqual(["demo"], self.names("/users?search=DEMO@"))
        self.assertEqual([], self.names("/users?active=false"))
        self.assertEqual([], self.names("/users?moderation=pending"))
        self.assertEqual([], self.names("/users?method=ldap"))
        self.assertEqual(3, len(self.names("/users?method=local&verified=true")))

    def test_pages_follow_each_other(self) -> None:
        first = self.get("/users?limit=2")
        self.assertEqual(2, len(first["items"]))
        second = self.get(f"/users?limit=2&marker={first['next']}")
        self.assertEqual(["helper"], [one["username"] for one in second["items"]])
        self.assertIsNone(second["next"])

    def test_every_list_can_be_paged(self) -> None:
        for path in ("/quotas", "/resources", "/groups", "/projects?system=true"):
            mark = "&" if "?" in path else "?"
            every = self.get(path)["items"]
            found, marker = [], ""
            while marker is not None:
                more = f"&marker={marker}" if marker else ""
                page = self.get(f"{path}{mark}limit=2{more}")
                found += page["items"]
                marker = page["next"]
            self.assertEqual(every, found, path)

    def test_a_user_by_any_name(self) -> None:
        for name in (str(self.demo), "demo", "DEMO@example.org"):
            found = self.get(f"/users/{name}")
            self.assertEqual(str(self.demo), found["uuid"])
        self.assertEqual("active", found["status"])
        projects = {one["project"]: one["role"] for one in found["projects"]}
        self.assertEqual("member", projects["demo"])

    def test_projects_and_people_s_own_ones(self) -> None:
        self.assertEqual(["demo"], self.names("/projects", "name"))
        self.assertEqual(3, len(self.names("/projects?system=true", "name")))
        self.assertEqual([], self.names("/projects?owner=demo", "name"))
        self.assertEqual([], self.names("/projects?state=suspended", "name"))
        found = self.get("/projects/DEMO")
        limits = {one["resource"]: one["project"] for one in found["limits"]}
        self.assertEqual((1, 5), (found["members"], limits["cyclades.vm"]))
        self.assertEqual(["demo"], self.names("/projects/demo/members"))

    def test_quotas_of_members_and_of_whole_projects(self) -> None:
        path = "/quotas?user=demo&project=demo&resource=cyclades.vm"
        (row,) = self.get(path)["items"]
        self.assertEqual(
            ("demo", "demo", 5, 0),
            tuple(row[k] for k in ("user", "project", "limit", "usage")),
        )
        whole = self.get("/quotas?project=demo&resource=cyclades.vm&whole=true")
        self.assertEqual([None], [one["user"] for one in whole["items"]])
        self.assertEqual([], self.get("/quotas?over=true")["items"])
        self.cloud.execute(
            "UPDATE quota.holding SET usage_min = 9, usage_max = 9"
            " WHERE user_id = %s AND project_id = %s AND resource = 'cyclades.vm'",
            self.demo, self.project,
        )  # fmt: skip
        self.assertEqual(1, len(self.get("/quotas?over=true")["items"]))

    def test_tokens_are_listed_without_their_secrets(self) -> None:
        issued = self.cloud.login("demo")
        found = self.get("/tokens?user=demo")["items"]
        self.assertEqual([issued.token.audit_ids[0]], [one["id"] for one in found])
        self.assertNotIn(issued.secret, str(found))
        self.assertEqual([], self.get("/sessions?user=demo")["items"])

    def test_the_audit_trail_starts_with_the_newest(self) -> None:
        async def work(tx: Transaction) -> None:
            await record(tx, ROOT, "user.accept", "user:1", how="manual")
            await record(tx, ROOT, "project.suspend", "project:2")

        self.cloud.wait(self.cloud.db.run(work))
        self.assertEqual(
            ["project.suspend", "user.accept"], self.names("/audit", "action")[:2]
        )
        self.assertEqual(["user.accept"], self.names("/audit?action=user", "action"))
        self.assertEqual(["project:2"], self.names("/audit?target=project:2", "target"))
        self.assertEqual(2, len(self.names("/audit?actor=root", "action")))

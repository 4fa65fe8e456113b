"""What administrators change over identity v3, and others must not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.api.identity_cloud import IdentityApis
from tests.api.memory import Response

DEFAULT = {"name": "Default"}


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud
        self.admin = self.apis.token("admin")
        self.demo = self.apis.token("demo")

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> Response:
        return self.apis.v3.request(method, path, json=body, token=token or self.admin)

    def get(self, path: str, key: str, token: str | None = None) -> Any:
        answer = self.ask("GET", path, token=token)
        self.assertEqual(200, answer.status, answer.body)
        return answer.json[key]

    def login(self, name: str, password: str) -> int:
        user = {"name": name, "domain": DEFAULT, "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = self.apis.v3.post("/auth/tokens", {"auth": {"identity": identity}})
        return answer.status

    def actions(self) -> list[object]:
        return [row[0] for row in self.cloud.sql("SELECT action FROM ops.audit")]


class UsersTests(Base):
    def create(self, **more: Any) -> Any:
        user = {"name": "new", "password": "first", "domain_id": "default", **more}
        answer = self.ask("POST", "/users", {"user": user})
        self.assertEqual(201, answer.status, answer.body)
        return answer.json["user"]

    def change(self, user: str, **part: Any) -> Response:
        return self.ask("PATCH", f"/users/{user}", {"user": part})

    def test_a_new_one_can_log_in(self) -> None:
        made = self.create(email="New@Example.org")
        self.assertEqual("new", made["name"])
        self.assertEqual("new@example.org", made["email"])
        self.assertTrue(made["enabled"])
        self.assertEqual(201, self.login("new", "first"))
        self.assertEqual([made], self.get("/users?name=new", "users"))
        self.assertIn("user.add", self.actions())

    def test_without_an_email_there_is_one(self) -> None:
        self.assertEqual("new@localhost", self.create()["email"])
        made = self.create(name="x@example.org")
        self.assertEqual("x@example.org", made["email"])

    def test_password_name_email_and_whether_it_is_enabled(self) -> None:
        user = self.create(enabled=False)["id"]
        self.assertEqual(401, self.login("new", "first"))
        changed = self.change(user, enabled=True, name="newer", email="n@x.org")
        self.assertEqual(200, changed.status, changed.body)
        shown = changed.json["user"]
        self.assertEqual(
            ("newer", "n@x.org", True),
            (shown["name"], shown["email"], shown["enabled"]),
        )
        self.assertEqual(200, self.change(user, password="second").status)
        self.assertEqual(201, self.login("newer", "second"))
        self.assertEqual(200, self.change(user, enabled=False).status)
        self.assertEqual(401, self.login("newer", "second"))
        self.assertEqual([], self.get("/users?name=newer&enabled=true", "users"))
        found = self.get("/users?name=newer&enabled=false", "users")
        self.assertEqual([user], [one["id"] for one in found])
        self.assertEqual(200, self.change(user).status)

    def test_deleted_it_is_gone(self) -> None:
        user = self.create()["id"]
        self.assertEqual(204, self.ask("DELETE", f"/users/{user}").status)
        self.assertEqual(401, self.login("new", "first"))
        self.assertEqual([], self.get("/users?name=new", "users"))
        self.create()

    def test_bad_ones_are_refused(self) -> None:
        for status, user in (
            (400, {}),
            (400, {"name": ""}),
            (400, {"name": "a b"}),
            (400, {"name": "new", "email": "nowhere"}),
            (400, {"name": "new", "domain_id": "other"}),
            (409, {"name": "demo"}),
            (409, {"name": "new", "email": "demo@example.org"}),
        ):
            self.assertEqual(status, self.ask("POST", "/users", {"user": user}).status)
        nobody = uuid4()
        self.assertEqual(404, self.change(str(nobody), name="x").status)
        self.assertEqual(404, self.ask("DELETE", f"/users/{nobody}").status)

    def test_people_change_their_own_password_and_need_the_old_one(self) -> None:
        path = f"/users/{self.apis.demo}/password"
        wrong = {"user": {"original_password": "wrong", "password": "second"}}
        self.assertEqual(403, self.ask("POST", path, wrong, self.demo).status)
        right = {"user": {"original_password": "secret", "password": "second"}}
        self.assertEqual(403, self.ask("POST", path, right).status)
        self.assertEqual(204, self.ask("POST", path, right, self.demo).status)
        self.assertEqual(401, self.login("demo", "secret"))
        self.assertEqual(201, self.login("demo", "second"))


class ProjectsTests(Base):
    def create(self, **more: Any) -> Any:
        project = {"name": "lab", "domain_id": "default", **more}
        answer = self.ask("POST", "/projects", {"project": project})
        self.assertEqual(201, answer.status, answer.body)
        return answer.json["project"]

    def change(self, project: str, **part: Any) -> Response:
        return self.ask("PATCH", f"/projects/{project}", {"project": part})

    def test_made_changed_suspended_and_terminated(self) -> None:
        made = self.create(description="where we try", parent_id="default")
        self.assertEqual(("lab", "where we try"), (made["name"], made["description"]))
        self.assertEqual([made], self.get("/projects?name=lab", "projects"))
        path = made["id"]
        self.assertEqual("den", self.change(path, name="den").json["project"]["name"])
        off = self.change(path, enabled=False).json["project"]
        self.assertFalse(off["enabled"])
        self.assertEqual([off], self.get("/projects?name=den&enabled=0", "projects"))
        self.assertTrue(self.change(path, enabled=True).json["project"]["enabled"])
        self.assertEqual(204, self.ask("DELETE", f"/projects/{path}").status)
        self.assertEqual(404, self.ask("GET", f"/projects/{path}").status)
        self.create(name="den", enabled=False)
        self.assertLessEqual({"project.create", "project.modify"}, set(self.actions()))

    def test_there_are_no_domains_and_no_trees(self) -> None:
        for part in (
            {"is_domain": True},
            {"parent_id": str(self.apis.project)},
            {"domain_id": "other"},
        ):
            body = {"project": {"name": "lab", **part}}
            self.assertEqual(400, self.ask("POST", "/projects", body).status)
        for query in ("is_domain=true", f"parent_id={self.apis.project}"):
            self.assertEqual([], self.get(f"/projects?{query}", "projects"))

    def test_names_are_taken_and_needed(self) -> None:
        for status, part in ((409, {"name": "demo"}), (400, {}), (400, {"name": ""})):
            answer = self.ask("POST", "/projects", {"project": part})
            self.assertEqual(status, answer.status)
        self.assertEqual(404, self.change(str(uuid4()), name="x").status)


class RolesTests(Base):
    def path(self, user: object, role: str, project: object = None) -> str:
        project = project or self.apis.other
        return f"/projects/{project}/users/{user}/roles/{role}"

    def status(self, method: str, path: str) -> int:
        return self.ask(method, path).status

    def test_given_checked_listed_and_taken(self) -> None:
        path = self.path(self.apis.demo, "member")
        self.assertEqual(404, self.status("HEAD", path))
        self.assertEqual(404, self.status("DELETE", path))
        for _ in range(2):
            self.assertEqual(204, self.status("PUT", path))
        self.assertEqual(204, self.status("HEAD", path))
        self.assertEqual(204, self.status("HEAD", self.path(self.apis.demo, "reader")))
        self.assertEqual(404, self.status("HEAD", self.path(self.apis.demo, "admin")))
        found = self.get(path.rpartition("/")[0], "roles")
        self.assertEqual(["member"], [one["id"] for one in found])
        self.assertIsNotNone(self.apis.token("demo", "alt"))
        self.assertEqual(204, self.status("DELETE", path))
        self.assertEqual(404, self.status("HEAD", path))
        mine = self.get("/auth/projects", "projects", self.demo)
        self.assertNotIn("alt", [one["name"] for one in mine])

    def test_a_weaker_role_takes_nothing_away_and_a_stronger_one_adds(self) -> None:
        self.assertEqual(204, self.status("PUT", self.path(self.apis.reader, "member")))
        self.assertEqual(204, self.status("PUT", self.path(self.apis.reader, "reader")))
        self.assertEqual(
            204, self.status("HEAD", self.path(self.apis.reader, "member"))
        )
        weaker = self.path(self.apis.reader, "reader")
        self.assertEqual(404, self.status("DELETE", weaker))

    def test_administrators_are_made_by_their_group(self) -> None:
        answer = self.ask("PUT", self.path(self.apis.demo, "admin"))
        self.assertEqual(403, answer.status)
        self.assertIn("group", answer.json["error"]["message"])

    def test_what_is_not_there_is_not_found(self) -> None:
        for path in (
            self.path(uuid4(), "member"),
            self.path(self.apis.demo, "member", uuid4()),
            self.path(self.apis.demo, "owner"),
        ):
            self.assertEqual(404, self.status("PUT", path), path)

    def test_assignments_follow_from_memberships(self) -> None:
        query = f"/role_assignments?scope.project.id={self.apis.project}"
        found = self.get(query, "role_assignments")
        self.assertEqual(
            {(str(self.apis.demo), "member"), (str(self.apis.reader), "reader")},
            {(one["user"]["id"], one["role"]["id"]) for one in found},
        )
        self.assertEqual({"id"}, set(found[0]["user"]))
        named = self.get(f"{query}&include_names=True", "role_assignments")
        self.assertEqual(
            {
                "role": {"id": "member", "name": "member"},
                "user": {
                    "id": str(self.apis.demo),
                    "name": "demo",
                    "domain": {"id": "default", "name": "Default"},
                },
                "scope": {
                    "project": {
                        "id": str(self.apis.project),
                        "name": "demo",
                        "domain": {"id": "default", "name": "Default"},
                    }
                },
                "links": {
                    "assignment": "https://a.test/identity/v3"
                    + self.path(self.apis.demo, "member", self.apis.project)
                },
            },
            named[0],
        )
        self.assertEqual(named, self.get(f"{query}&include_names", "role_assignments"))
        whole = self.get(f"{query}&effective", "role_assignments")
        self.assertEqual(3, len(whole))
        only = self.get(f"{query}&role.id=reader", "role_assignments")
        self.assertEqual([str(self.apis.reader)], [one["user"]["id"] for one in only])
        for nothing in ("group.id=1", "scope.system=all", "scope.domain.id=default"):
            self.assertEqual([], self.get(f"{query}&{nothing}", "role_assignments"))
        bad = "/role_assignments?user.id=nobody"
        self.assertEqual([], self.get(bad, "role_assignments"))

    def test_administrators_are_so_where_they_belong(self) -> None:
        query = f"/role_assignments?user.id={self.apis.admin}"
        found = self.get(query, "role_assignments")
        self.assertEqual(["member", "admin"], [one["role"]["id"] for one in found])

    def test_others_see_themselves_alone(self) -> None:
        found = self.get("/role_assignments", "role_assignments", self.demo)
        self.assertEqual({str(self.apis.demo)}, {one["user"]["id"] for one in found})
        query = f"/role_assignments?user.id={self.apis.alt}"
        self.assertEqual([], self.get(query, "role_assignments", self.demo))


class GroupsTests(Base):
    def group(self, name: str) -> Any:
        (found,) = self.get(f"/groups?name={name}", "groups")
        return found

    def test_made_filled_emptied_and_removed(self) -> None:
        answer = self.ask("POST", "/groups", {"group": {"name": "staff"}})
        self.assertEqual(201, answer.status, answer.body)
        staff = answer.json["group"]
        self.assertEqual(staff, self.group("staff"))
        path = f"/groups/{staff['id']}"
        self.assertEqual(staff, self.get(path, "group"))
        member = f"{path}/users/{self.apis.demo}"
        self.assertEqual(404, self.ask("HEAD", member).status)
        self.assertEqual(204, self.ask("PUT", member).status)
        self.assertEqual(204, self.ask("HEAD", member).status)
        found = self.get(f"{path}/users", "users")
        self.assertEqual(["demo"], [one["name"] for one in found])
        own = self.get(f"/users/{self.apis.demo}/groups", "groups", self.demo)
        self.assertEqual({"default", "staff"}, {one["name"] for one in own})
        self.assertEqual(204, self.ask("DELETE", member).status)
        self.assertEqual([], self.get(f"{path}/users", "users"))
        self.assertEqual(204, self.ask("DELETE", path).status)
        self.assertEqual(404, self.ask("GET", path).status)

    def test_the_group_admin_makes_administrators(self) -> None:
        path = f"/groups/{self.group('admin')['id']}/users/{self.apis.demo}"
        self.assertEqual(403, self.ask("GET", "/groups", token=self.demo).status)
        self.assertEqual(204, self.ask("PUT", path).status)
        self.assertEqual(200, self.ask("GET", "/groups", token=self.demo).status)

    def test_what_the_daemon_needs_stays(self) -> None:
        for name in ("admin", "default"):
            path = f"/groups/{self.group(name)['id']}"
            self.assertEqual(400, self.ask("DELETE", path).status)
        self.assertEqual(404, self.ask("GET", "/groups/999999").status)
        self.assertEqual(404, self.ask("GET", "/groups/staff").status)
        self.assertEqual([], self.get("/groups?domain_id=x", "groups"))


class RightsTests(Base):
    def test_others_change_nothing(self) -> None:
        user, project = self.apis.alt, self.apis.project
        grant = f"/projects/{project}/users/{user}/roles/member"
        before = len(self.actions())
        for method, path, body in (
            ("POST", "/users", {"user": {"name": "x"}}),
            ("PATCH", f"/users/{user}", {"user": {"password": "x"}}),
            ("DELETE", f"/users/{user}", None),
            ("PATCH", f"/users/{self.apis.demo}", {"user": {"enabled": False}}),
            ("POST", "/projects", {"project": {"name": "x"}}),
            ("PATCH", f"/projects/{project}", {"project": {"name": "x"}}),
            ("DELETE", f"/projects/{project}", None),
            ("PUT", grant, None),
            ("HEAD", grant, None),
            ("DELETE", grant, None),
            ("GET", f"/projects/{project}/users/{user}/roles", None),
            ("GET", "/groups", None),
            ("POST", "/groups", {"group": {"name": "x"}}),
            ("PUT", f"/groups/1/users/{user}", None),
            ("GET", "/groups/1/users", None),
            ("GET", f"/users/{user}/groups", None),
        ):
            answer = self.ask(method, path, body, self.demo)
            self.assertEqual(403, answer.status, (method, path))
        self.assertEqual(before, len(self.actions()))


class RegistryTests(Base):
    def test_services_and_their_endpoints(self) -> None:
        services = self.get("/services", "services", self.demo)
        catalog = self.get("/auth/catalog", "catalog", self.demo)
        self.assertEqual(
            [(one["id"], one["type"]) for one in catalog],
            [(one["id"], one["type"]) for one in services],
        )
        endpoints = self.get("/endpoints", "endpoints", self.demo)
        self.assertEqual(
            {one["id"] for service in catalog for one in service["endpoints"]},
            {one["id"] for one in endpoints},
        )
        (swift,) = self.get("/services?type=object-store", "services", self.demo)
        self.assertEqual(swift, self.get(f"/services/{swift['id']}", "service"))
        query = f"/endpoints?service_id={swift['id']}&interface=public"
        (public,) = self.get(query, "endpoints", self.demo)
        self.assertEqual("https://p.test/v1/AUTH_%(project_id)s", public["url"])
        self.assertEqual(public, self.get(f"/endpoints/{public['id']}", "endpoint"))
        self.assertEqual([], self.get("/endpoints?region_id=moon", "endpoints"))

    def test_the_region(self) -> None:
        (region,) = self.get("/regions", "regions", self.demo)
        self.assertEqual("default", region["id"])
        self.assertEqual(region, self.get("/regions/default", "region"))

    def test_what_is_not_there(self) -> None:
        for path in ("/services/x", "/endpoints/x", "/regions/x"):
            self.assertEqual(404, self.ask("GET", path).status)
        self.assertEqual([], self.get("/auth/system", "system", self.demo))

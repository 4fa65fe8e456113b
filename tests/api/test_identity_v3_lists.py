"""Projects, people, domains and roles over identity v3."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from api.openstack.identity import faults as identity_faults
from api.synnefo import faults
from snfd import errors
from snfd.errors import CloudError
from tests.api.identity_cloud import IdentityApis
from tests.api.memory import Response


class DirectoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud

    def get(self, path: str, name: str = "demo") -> Response:
        return self.apis.v3.get(path, token=self.apis.token(name))

    def names(self, answer: Response, key: str = "projects") -> list[str]:
        self.assertEqual(200, answer.status, answer.body)
        return [one["name"] for one in answer.json[key]]

    def test_projects_are_ones_own(self) -> None:
        own = f"system:{self.apis.demo}"
        for path in (
            "/projects",
            "/auth/projects",
            f"/users/{self.apis.demo}/projects",
        ):
            answer = self.get(path)
            self.assertEqual(["demo", own], self.names(answer))
            self.assertEqual(
                {
                    "self": f"https://a.test/identity/v3{path}",
                    "previous": None,
                    "next": None,
                },
                answer.json["links"],
            )

    def test_the_requests_of_project_show(self) -> None:
        self.assertEqual(404, self.get("/projects/demo").status)
        listed = self.get("/projects?name=demo").json["projects"]
        self.assertEqual([str(self.apis.project)], [one["id"] for one in listed])
        shown = self.get(f"/projects/{self.apis.project}")
        self.assertEqual(listed[0], shown.json["project"])
        self.assertEqual(
            {
                "id", "name", "description", "domain_id", "enabled", "is_domain",
                "parent_id", "tags", "options", "links",
            },
            set(listed[0]),
        )  # fmt: skip

    def test_strange_projects_do_not_exist(self) -> None:
        self.assertEqual(404, self.get(f"/projects/{self.apis.other}").status)
        self.assertEqual(404, self.get(f"/projects/{uuid4()}").status)
        self.assertEqual([], self.names(self.get("/projects?name=alt")))
        self.assertEqual([], self.names(self.get("/projects?domain_id=x")))
        self.assertEqual(403, self.get(f"/users/{self.apis.alt}/projects").status)

    def test_administrators_see_all(self) -> None:
        names = self.names(self.get("/projects", "admin"))
        self.assertEqual(["alt", "demo"], names[:2])
        self.assertEqual(7, len(names))
        self.assertEqual(200, self.get(f"/projects/{self.apis.other}", "admin").status)
        path = f"/users/{self.apis.alt}/projects"
        self.assertIn("alt", self.names(self.get(path, "admin")))

    def test_people_see_themselves_and_administrators_all(self) -> None:
        shown = self.get(f"/users/{self.apis.demo}").json["user"]
        self.assertEqual(("demo", True), (shown["name"], shown["enabled"]))
        self.assertEqual(403, self.get(f"/users/{self.apis.alt}").status)
        self.assertEqual(403, self.get(f"/users/{uuid4()}").status)
        self.assertEqual(404, self.get("/users/demo").status)
        self.assertEqual(["demo"], self.names(self.get("/users"), "users"))
        self.assertEqual([], self.names(self.get("/users?name=alt"), "users"))
        self.assertEqual(200, self.get(f"/users/{self.apis.alt}", "admin").status)
        self.assertEqual(404, self.get(f"/users/{uuid4()}", "admin").status)
        everyone = ["admin", "alt", "demo", "gone", "reader"]
        self.assertEqual(everyone, self.names(self.get("/users", "admin"), "users"))
        self.assertEqual(
            ["alt"], self.names(self.get("/users?name=ALT", "admin"), "users")
        )

    def test_the_one_domain(self) -> None:
        for path in ("/domains", "/auth/domains", "/domains?name=Default"):
            self.assertEqual(["Default"], self.names(self.get(path), "domains"))
        self.assertEqual([], self.names(self.get("/domains?name=x"), "domains"))
        self.assertEqual("default", self.get("/domains/default").json["domain"]["id"])
        self.assertEqual(404, self.get("/domains/other").status)

    def test_roles(self) -> None:
        roles = ["reader", "member", "admin"]
        self.assertEqual(roles, self.names(self.get("/roles"), "roles"))
        self.assertEqual(["admin"], self.names(self.get("/roles?name=admin"), "roles"))
        self.assertEqual("member", self.get("/roles/member").json["role"]["name"])
        self.assertEqual(404, self.get("/roles/owner").status)

    def test_the_catalog_alone(self) -> None:
        types = [one["type"] for one in self.get("/auth/catalog").json["catalog"]]
        self.assertIn("object-store", types)

    def test_all_of_it_needs_a_token(self) -> None:
        for path in (
            "/projects", "/users", "/domains", "/roles", "/auth/projects",
            "/auth/catalog", "/auth/domains", f"/users/{self.apis.demo}",
        ):  # fmt: skip
            self.assertEqual(401, self.apis.v3.get(path).status, path)

    def test_injections_find_nothing(self) -> None:
        for path in ("/projects", "/users"):
            answer = self.apis.v3.get(
                f"{path}?name=%27%20OR%201%3D1%20--", token=self.apis.token("admin")
            )
            self.assertEqual([], self.names(answer, path[1:]))
        self.assertEqual(400, self.get("/projects?name=a%00b").status)
        self.assertEqual(
            5, self.cloud.sql("SELECT count(*) FROM identity.app_user")[0][0]
        )


class FaultTests(SynchronousTestCase):
    def test_every_error_has_its_own_fault(self) -> None:
        every = {
            value
            for value in vars(errors).values()
            if isinstance(value, type) and issubclass(value, CloudError)
        }
        self.assertEqual(every, set(identity_faults.FAULTS))
        self.assertEqual(every, set(faults.FAULTS))

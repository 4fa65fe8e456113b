"""Names, feedback, resources and quotas, for users and for components."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from uuid import UUID, uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.api.account_cloud import R1, R2, R3, S1, S2, AccountApis
from tests.api.identity_cloud import fault
from tests.api.memory import Response

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROJECT_FIELDS = {"project_usage", "project_limit", "project_pending"}
FIELDS = PROJECT_FIELDS | {"usage", "limit", "pending"}


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        self.token = self.apis.personal("demo")


class NamesTests(Base):
    def asked(self, body: object, token: str | None = S1) -> Response:
        path = "/service/user_catalogs"
        return self.apis.account.post(path, body, token=token)

    def test_astakos_16_null_means_everybody_for_components(self) -> None:
        found = self.asked({"uuids": None, "displaynames": None}).json
        uuids = {"demo", "reader", "alt", "admin", "gone"}
        self.assertEqual(uuids, set(found["uuid_catalog"].values()))
        self.assertEqual(uuids, set(found["displayname_catalog"]))
        self.assertEqual(str(self.apis.alt), found["displayname_catalog"]["alt"])

    def test_absent_means_none_and_each_catalog_is_asked_alone(self) -> None:
        empty: dict[str, str] = {}
        both = {"uuid_catalog": empty, "displayname_catalog": empty}
        self.assertEqual(both, self.asked({}).json)
        found = self.asked({"uuids": None}).json
        self.assertEqual(
            (5, empty), (len(found["uuid_catalog"]), found["displayname_catalog"])
        )
        found = self.asked({"uuids": [str(self.apis.demo)], "displaynames": None}).json
        self.assertEqual({str(self.apis.demo): "demo"}, found["uuid_catalog"])
        self.assertEqual(5, len(found["displayname_catalog"]))

    def test_components_ask_by_name_too(self) -> None:
        found = self.asked({"displaynames": ["ALT@example.org", "nobody"]}).json
        uuid = str(self.apis.alt)
        self.assertEqual({"ALT@example.org": uuid}, found["displayname_catalog"])

    def test_astakos_17_no_user_asks_as_a_component(self) -> None:
        for token in (self.token, None, "x"):
            self.assertEqual(("unauthorized", 401), fault(self.asked({}, token)))
        answer = self.apis.account.post("/user_catalogs", {}, token=S1)
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_users_guess_a_bounded_number_of_names(self) -> None:
        def ask(body: object) -> Response:
            return self.apis.account.post("/user_catalogs", body, token=self.token)

        guesses = {"displaynames": [f"u{n}@example.org" for n in range(1000)]}
        for _ in range(2):
            self.assertEqual(200, ask(guesses).status)
        refused = ask({"displaynames": ["alt", "nobody"]})
        self.assertEqual(("tooManyRequests", 429), fault(refused))
        self.assertEqual("60", refused.headers["retry-after"])
        # or what is refused, and what is not, would tell names apart for ever
        self.assertEqual(429, ask({"displaynames": ["alt"]}).status)
        self.assertEqual(200, ask({"uuids": [str(self.apis.alt)]}).status)
        self.apis.cloud.clock.advance(60)
        self.assertEqual(200, ask(guesses).status)

    def test_wrong_bodies(self) -> None:
        bodies: list[object] = [[], {"uuids": "x"}, {"displaynames": [1]}]
        for body in bodies:
            self.assertEqual(("badRequest", 400), fault(self.asked(body)), body)


class FeedbackTests(Base):
    def send(self, fields: dict[str, str] | bytes, **more: str) -> Response:
        data = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return self.apis.account.request(
            "POST", "/feedback", data=data, headers={**FORM, **more}, token=self.token
        )

    def letters(self) -> list[tuple[object, ...]]:
        return self.apis.cloud.sql("SELECT recipient, kind FROM ops.mail")

    def test_astakos_18_feedback_goes_to_the_helpdesk(self) -> None:
        bad: list[dict[str, str] | bytes] = [
            {}, {"feedback_data": "x"}, {"feedback_msg": ""},
            b"feedback_msg=%ff", b"feedback_msg=a%00b", b"&a=b" * 30,
        ]  # fmt: skip
        for fields in bad:
            self.assertEqual(("badRequest", 400), fault(self.send(fields)), fields)
        self.assertEqual([], self.letters())
        answer = self.send({"feedback_msg": "Grüße & Küsse", "feedback_data": "{}"})
        self.assertEqual((200, b""), (answer.status, answer.body))
        self.assertEqual([("help@example.org", "feedback")], self.letters())
        self.send({"feedback_msg": "again"})
        self.assertEqual(2, len(self.letters()))

    def test_nobody_floods_the_helpdesk(self) -> None:
        words = {"feedback_msg": "x"}
        for _ in range(5):
            self.assertEqual(200, self.send(words).status)
        self.assertEqual(("tooManyRequests", 429), fault(self.send(words)))
        self.assertEqual(5, len(self.letters()))
        self.apis.cloud.clock.advance(60)
        self.assertEqual(200, self.send(words).status)

    def test_feedback_is_a_form_of_somebody(self) -> None:
        words = {"feedback_msg": "x"}
        answer = self.apis.account.post("/feedback", words, token=self.token)
        self.assertEqual(("badRequest", 400), fault(answer))
        self.token = "nobody"
        self.assertEqual(("unauthorized", 401), fault(self.send(words)))

    def test_without_a_helpdesk_administrators_are_told(self) -> None:
        self.apis.cloud.helpdesk.clear()
        self.apis.cloud.user("boss", "secret", "admin")
        self.assertEqual(200, self.send({"feedback_msg": "x"}).status)
        self.assertIn(("boss@example.org", "feedback"), self.letters())

    def test_where_nobody_listens_the_sender_learns_it(self) -> None:
        self.apis.cloud.helpdesk.clear()
        self.apis.cloud.execute(
            "DELETE FROM identity.user_group_member USING identity.user_group g"
            " WHERE g.id = group_id AND g.name = 'admin'"
        )
        answer = self.send({"feedback_msg": "x"})
        self.assertEqual(("badGateway", 502), fault(answer))


class QuotasTests(Base):
    def test_astakos_19_hidden_resources_are_not_told(self) -> None:
        found = self.apis.account.get("/resources").json
        self.assertIn(R1, found)
        self.assertNotIn("astakos.pending_app", found)
        wanted = {
            "description", "unit", "service", "ui_visible", "api_visible",
            "allow_in_projects",
        }  # fmt: skip
        for one in found.values():
            self.assertEqual(wanted, set(one))
        self.assertEqual(
            ("bytes", "one_service"), (found[R2]["unit"], found[R2]["service"])
        )

    def test_astakos_20_a_users_own_project(self) -> None:
        found = self.apis.account.get("/quotas", token=self.token).json
        self.assertEqual(
            {
                "usage": 0, "limit": 10, "pending": 0,
                "project_usage": 0, "project_limit": 10, "project_pending": 0,
            },
            found[str(self.apis.demo)][R1],
        )  # fmt: skip

    def test_only_the_projects_numbers(self) -> None:
        found = self.apis.account.get("/quotas?mode=projects", token=self.token).json
        self.assertEqual({str(self.apis.demo), str(self.apis.project)}, set(found))
        for held in found.values():
            for one in held.values():
                self.assertEqual(PROJECT_FIELDS, set(one))
        answer = self.apis.account.get("/quotas?mode=x", token=self.token)
        self.assertEqual(("badRequest", 400), fault(answer))

    def test_what_is_used_of_a_project_that_was_left_is_told(self) -> None:
        self.apis.cloud.execute(
            "UPDATE quota.holding SET cap = 5 WHERE project_id = %s", self.apis.project
        )
        self.apis.issue(*self.apis.pair(2, project=self.apis.project), auto_accept=True)
        self.apis.cloud.execute(
            "UPDATE identity.membership SET state = 'removed' WHERE project_id = %s",
            self.apis.project,
        )
        found = self.apis.account.get("/quotas", token=self.token).json
        self.assertEqual({R1}, set(found[str(self.apis.project)]))


class CatalogTests(Base):
    def test_what_was_registered_is_in_both_catalogs_at_once(self) -> None:
        endpoint = {"versionId": "v1", "publicURL": "https://one.test/v1"}
        self.apis.cloud.execute(
            "UPDATE identity.service SET endpoints = %s::jsonb WHERE name = %s",
            json.dumps([endpoint]),
            "one_service",
        )
        access = self.apis.v2.request("POST", "/tokens").json["access"]
        found = {one["type"]: one for one in access["serviceCatalog"]}
        (shown,) = found["one"]["endpoints"]
        self.assertEqual("https://one.test/v1", shown["publicURL"])
        self.assertEqual("v1", shown["versionId"])
        listed = self.apis.v3.get("/auth/catalog", token=self.token).json["catalog"]
        (mine,) = [one for one in listed if one["type"] == "one"]
        self.assertEqual({"https://one.test/v1"}, {e["url"] for e in mine["endpoints"]})
        access = self.apis.v2.post(
            "/tokens", {"auth": {"token": {"id": self.token}}}
        ).json["access"]
        self.assertIn("one", {one["type"] for one in access["serviceCatalog"]})


class ServiceQuotasTests(Base):
    def get(self, query: str = "", token: str | None = S1) -> Response:
        return self.apis.account.get(f"/service_quotas{query}", token=token)

    def test_astakos_39_a_component_sees_its_own_resources(self) -> None:
        self.apis.settled(3)
        demo, alt = str(self.apis.demo), str(self.apis.alt)
        found = self.get(f"?user={demo}").json
        self.assertEqual({demo}, set(found))
        self.assertEqual({demo, str(self.apis.project)}, set(found[demo]))
        self.assertEqual({R1, R2}, set(found[demo][demo]))
        self.assertEqual(FIELDS, set(found[demo][demo][R1]))
        self.assertEqual(3, found[demo][demo][R1]["usage"])
        both = self.get(f"?user={demo},{alt}").json
        self.assertEqual({demo, alt}, set(both))
        self.assertEqual(found[demo], both[demo])
        other = self.get(f"?user={demo}", S2).json
        self.assertEqual({R3}, set(other[demo][demo]))
        for unknown in (str(uuid4()), "nobody", ""):
            answer = self.get(f"?user={unknown}")
            self.assertEqual(("itemNotFound", 404), fault(answer), unknown)
        mixed = self.get(f"?user={demo},{uuid4()},x").json
        self.assertEqual({demo}, set(mixed))

    def test_one_user_takes_one_statement(self) -> None:
        query = f"?user={self.apis.demo}"
        self.get(query)
        before = self.apis.cloud.db.statements
        self.get(query)
        # besides the one that finds the component
        self.assertEqual(2, self.apis.cloud.db.statements - before)

    def test_projects_are_a_filter(self) -> None:
        demo, project = str(self.apis.demo), str(self.apis.project)
        found = self.get(f"?user={demo}&project={project}").json
        self.assertEqual({demo: {project}}, {u: set(p) for u, p in found.items()})
        found = self.get(f"?project={project}").json
        self.assertEqual({demo, str(self.apis.reader)}, set(found))
        self.assertEqual(404, self.get(f"?user={demo}&project={uuid4()}").status)
        self.assertEqual(404, self.get(f"?user={demo}&project=").status)

    def test_hidden_resources_are_told_to_their_component(self) -> None:
        self.apis.cloud.execute(
            "UPDATE quota.resource SET api_visible = false, ui_visible = false"
            " WHERE name = %s",
            R1,
        )
        demo = str(self.apis.demo)
        self.assertIn(R1, self.get(f"?user={demo}").json[demo][demo])

    def test_without_a_filter_everybody_in_pages(self) -> None:
        users = sorted(
            str(one)
            for one in (
                self.apis.demo, self.apis.reader, self.apis.alt, self.apis.admin,
                self.apis.gone,
            )
        )  # fmt: skip
        self.assertEqual(users, list(self.get().json))
        self.assertEqual(users[:2], list(self.get("?limit=2").json))
        after = self.get(f"?limit=2&marker={users[1]}").json
        self.assertEqual(users[2:4], list(after))
        for bad in ("limit=0", "limit=x", "marker=x", "user=" + "," * 400):
            self.assertEqual(400, self.get(f"?{bad}").status, bad)

    def test_astakos_17_users_may_not_ask(self) -> None:
        for path in ("/service_quotas", "/service_project_quotas"):
            for token in (self.token, None):
                answer = self.apis.account.get(path, token=token)
                self.assertEqual(("unauthorized", 401), fault(answer))

    def test_astakos_40_projects_numbers(self) -> None:
        self.apis.settled(3)
        get, demo = self.apis.account.get, str(self.apis.demo)
        found = get(f"/service_project_quotas?project={demo}", token=S1).json
        self.assertEqual({demo: {R1, R2}}, {p: set(r) for p, r in found.items()})
        self.assertEqual(
            {"project_limit": 10, "project_usage": 3, "project_pending": 0},
            found[demo][R1],
        )
        for unknown in (str(uuid4()), "x"):
            path = f"/service_project_quotas?project={unknown}"
            self.assertEqual(("itemNotFound", 404), fault(get(path, token=S1)))
        every = [UUID(one) for one in get("/service_project_quotas", token=S1).json]
        self.assertEqual(7, len(every))
        self.assertEqual(sorted(every), every)
        page = get(f"/service_project_quotas?limit=2&marker={every[0]}", token=S1).json
        self.assertEqual([str(one) for one in every[1:3]], list(page))

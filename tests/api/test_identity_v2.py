"""Identity v2.0 and the account service, as kamaki speaks them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd.quota import service as quota
from tests.api.identity_cloud import IdentityApis, fault
from tests.api.memory import Response

INJECTION = "' OR '1'='1'; DROP TABLE identity.app_user; --"


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud
        self.token = self.apis.personal("demo")

    def tokens(self, auth: object, **more: Any) -> Response:
        return self.apis.v2.post("/tokens", {"auth": auth}, **more)

    def password(self, username: str, password: str, **more: str) -> Response:
        credentials = {"username": username, "password": password}
        return self.tokens({"passwordCredentials": credentials, **more})


class TokenTests(Base):
    def test_astakos_01_without_a_body_only_the_catalog(self) -> None:
        for headers in ({}, {"X-Auth-Token": "whatever"}):
            answer = self.apis.v2.request("POST", "/tokens", headers=headers)
            self.assertEqual(200, answer.status)
            self.assertEqual({"serviceCatalog"}, set(answer.json["access"]))

    def test_astakos_02_a_token_is_shown_with_its_user(self) -> None:
        access = self.tokens({"token": {"id": self.token}}).json["access"]
        self.assertEqual({"token", "user", "serviceCatalog"}, set(access))
        self.assertEqual(
            {"id", "name", "roles", "roles_links", "projects"}, set(access["user"])
        )
        self.assertEqual(self.token, access["token"]["id"])
        self.assertEqual(str(self.apis.demo), access["user"]["id"])
        self.assertEqual(
            {str(self.apis.demo), str(self.apis.project)},
            set(access["user"]["projects"]),
        )
        self.assertEqual([{"id": "1", "name": "default"}], access["user"]["roles"])
        self.assertEqual("2030-01-02T00:00:00.000000+00:00", access["token"]["expires"])

    def test_astakos_02_the_tenant_of_an_ordinary_user_is_himself(self) -> None:
        token = self.apis.personal("alt")
        access = self.tokens({"token": {"id": token}}).json["access"]
        self.assertEqual(str(self.apis.alt), access["token"]["tenant"]["id"])

    def test_astakos_03_the_token_serves_as_password(self) -> None:
        for username in (str(self.apis.demo), "demo", "Demo@Example.org"):
            answer = self.password(username, self.token)
            self.assertEqual(200, answer.status)
            self.assertEqual(self.token, answer.json["access"]["token"]["id"])

    def test_astakos_04_somebody_elses_token_is_no_password(self) -> None:
        answer = self.password(str(self.apis.alt), self.token)
        self.assertEqual(401, answer.status)
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_astakos_05_incomplete_credentials(self) -> None:
        self.assertEqual(401, self.password("demo", "").status)
        cases: list[object] = [
            {"passwordCredentials": {"username": "demo"}},
            {},
            {"token": {"id": None}},
            {"token": {}},
            {"token": "x"},
            "x",
            {"passwordCredentials": {"username": 1, "password": "secret"}},
        ]
        for auth in cases:
            answer = self.tokens(auth)
            self.assertEqual(("badRequest", 400), fault(answer), auth)

    def test_astakos_06_wrong_bodies_types_and_methods(self) -> None:
        answers = [
            self.apis.v2.request("POST", "/tokens", data=b"not json"),
            self.apis.v2.request("POST", "/tokens", data=b"\xff"),
            self.apis.v2.request("POST", "/tokens", data=b"[" * 5000),
            self.apis.v2.request("POST", "/tokens", json=[]),
            self.apis.v2.request(
                "POST",
                "/tokens",
                data=b"<auth/>",
                headers={"Content-Type": "application/xml"},
            ),
        ]
        for answer in answers:
            self.assertEqual(("badRequest", 400), fault(answer))
        wrong = self.apis.v2.get("/tokens")
        self.assertEqual(("notAllowed", 405), fault(wrong))
        self.assertEqual("POST", wrong.headers["allow"])

    def test_astakos_07_tenant_names(self) -> None:
        for tenant, status in (
            ("", 200),
            (str(self.apis.demo), 200),
            ("demo", 200),
            (str(self.apis.project), 200),
            (str(self.apis.alt), 400),
            ("alt", 400),
            (INJECTION, 400),
        ):
            answer = self.tokens({"token": {"id": self.token}, "tenantName": tenant})
            self.assertEqual(status, answer.status, tenant)

    def test_astakos_08_expired_tokens_and_inactive_users(self) -> None:
        self.assertEqual(401, self.password("gone", "secret").status)
        self.cloud.clock.advance(24 * 3600)
        self.assertEqual(401, self.tokens({"token": {"id": self.token}}).status)

    def test_astakos_09_each_type_once_with_one_endpoint(self) -> None:
        answer = self.apis.v2.request("POST", "/tokens")
        catalog = {one["type"]: one for one in answer.json["access"]["serviceCatalog"]}
        self.assertEqual(len(catalog), len(answer.json["access"]["serviceCatalog"]))
        account = catalog["account"]
        self.assertEqual("astakos_account", account["name"])
        (endpoint,) = account["endpoints"]
        self.assertEqual(
            {
                "publicURL": "https://a.test/account/v1.0",
                "versionId": "v1.0",
                "region": "default",
                "SNF:uiURL": "https://a.test/ui",
                "SNF:exposeVersion": "True",
            },
            endpoint,
        )
        (weblogin,) = catalog["astakos_weblogin"]["endpoints"]
        self.assertEqual("https://a.test/weblogin", weblogin["SNF:webloginURL"])
        (store,) = catalog["object-store"]["endpoints"]
        self.assertEqual("https://p.test/object-store/v1", store["publicURL"])

    def test_astakos_10_an_api_token_is_not_told_and_paths_are_known(self) -> None:
        answer = self.apis.v2.get(f"/tokens/{self.token}")
        self.assertEqual(("itemNotFound", 404), fault(answer))
        self.assertNotIn(self.token, answer.body.decode())
        self.assertEqual(("badRequest", 400), fault(self.apis.v2.get("/xyz")))

    def test_astakos_12_scoped_by_tenant_id(self) -> None:
        project = str(self.apis.project)
        answer = self.tokens({"token": {"id": self.token}, "tenantId": project})
        tenant = answer.json["access"]["token"]["tenant"]
        self.assertEqual({"id": project, "name": "demo"}, tenant)
        self.assertNotEqual(self.token, answer.json["access"]["token"]["id"])
        again = self.tokens(
            {
                "token": {"id": answer.json["access"]["token"]["id"]},
                "tenantId": project,
            }
        )
        self.assertEqual(
            answer.json["access"]["token"]["id"], again.json["access"]["token"]["id"]
        )
        stranger = self.tokens(
            {"token": {"id": self.apis.personal("alt")}, "tenantId": project}
        )
        self.assertEqual(401, stranger.status)
        self.assertEqual(
            401, self.password("demo", "secret", tenantId=INJECTION).status
        )

    def test_astakos_13_a_trailing_slash_changes_nothing(self) -> None:
        auth = {"auth": {"token": {"id": self.token}}}
        for path in ("/tokens", "/tokens/"):
            answer = self.apis.v2.post(path, auth)
            self.assertEqual(200, answer.status, path)

    def test_the_password_of_the_matrix_logs_in(self) -> None:
        answer = self.password("demo", "secret", tenantName="demo")
        token = answer.json["access"]["token"]
        self.assertEqual(str(self.apis.project), token["tenant"]["id"])
        shown = self.apis.account.get("/quotas", token=token["id"])
        self.assertEqual(200, shown.status)

    def test_every_refusal_reads_the_same(self) -> None:
        answers = [
            self.password("demo", "wrong"),
            self.password("nobody", "secret"),
            self.password("gone", "secret"),
            self.password(INJECTION, INJECTION),
            self.password("demo", "secret", tenantId=str(self.apis.other)),
            self.tokens({"token": {"id": "wrong"}}),
        ]
        self.assertEqual({401}, {answer.status for answer in answers})
        self.assertEqual(1, len({answer.body for answer in answers}))

    def test_the_headers_of_every_answer(self) -> None:
        for answer in (
            self.tokens({"token": {"id": self.token}}),
            self.password("demo", "wrong"),
            self.apis.v2.get("/xyz"),
        ):
            self.assertEqual(
                "application/json; charset=UTF-8", answer.headers["content-type"]
            )
            self.assertEqual("X-Auth-Token", answer.headers["vary"])
            self.assertIn("no-store", answer.headers["cache-control"])

    def test_the_version_document(self) -> None:
        version = self.apis.v2.get("/").json["version"]
        self.assertEqual("v2.0", version["id"])
        self.assertEqual("https://a.test/identity/v2.0/", version["links"][0]["href"])

    def test_nul_and_oversized_values_are_bad_requests(self) -> None:
        for answer in (
            self.password("de\0mo", "secret"),
            self.password("demo", "se\0cret"),
            self.password("demo", "x" * 1025),
            self.password("x" * 256, "secret"),
            self.tokens({"token": {"id": "x" * 1025}}),
            self.tokens({"token": {"id": self.token}, "tenantName": "a\0b"}),
            self.apis.v2.get("/tokens/a%00b"),
        ):
            self.assertEqual(("badRequest", 400), fault(answer))


class AccountTests(Base):
    def catalogs(self, body: object, token: str | None = None) -> Response:
        return self.apis.account.post("/user_catalogs", body, token=token or self.token)

    def test_astakos_14_user_catalogs_need_a_token_and_an_object(self) -> None:
        anonymous = self.apis.account.post("/user_catalogs", {})
        self.assertEqual(("unauthorized", 401), fault(anonymous))
        self.assertEqual(("badRequest", 400), fault(self.catalogs([])))
        asked = [str(self.apis.demo), "nope", str(uuid4()), INJECTION]
        self.assertEqual(
            {str(self.apis.demo): "demo"},
            self.catalogs({"uuids": asked}).json["uuid_catalog"],
        )

    def test_projects_have_names_for_their_members(self) -> None:
        body = {"uuids": [str(self.apis.project)]}
        self.assertEqual(
            {str(self.apis.project): "demo"},
            self.catalogs(body).json["uuid_catalog"],
        )
        other = self.catalogs(body, token=self.apis.personal("alt"))
        self.assertEqual({}, other.json["uuid_catalog"])

    def test_astakos_15_the_answer_keeps_the_spelling(self) -> None:
        names = ["ALT@EXAMPLE.ORG", "alt", "Demo", "nobody", INJECTION]
        uuid = str(self.apis.alt)
        self.assertEqual(
            {"ALT@EXAMPLE.ORG": uuid, "alt": uuid, "Demo": str(self.apis.demo)},
            self.catalogs({"displaynames": names}).json["displayname_catalog"],
        )

    def test_astakos_16_null_means_none_for_users(self) -> None:
        self.assertEqual(
            {"uuid_catalog": {}, "displayname_catalog": {}},
            self.catalogs({"uuids": None, "displaynames": None}).json,
        )

    def test_lists_are_of_strings_and_bounded(self) -> None:
        for body in ({"uuids": "x"}, {"uuids": [1]}, {"displaynames": [None]}):
            self.assertEqual(("badRequest", 400), fault(self.catalogs(body)))
        long = self.catalogs({"displaynames": ["x"] * 1001})
        self.assertEqual(("requestEntityTooLarge", 413), fault(long))

    def test_astakos_19_resources_without_a_token(self) -> None:
        found = self.apis.account.get("/resources").json
        self.assertNotIn("astakos.pending_app", found)
        self.assertEqual(
            {
                "description": "Virtual servers",
                "unit": None,
                "service": "cyclades_compute",
                "ui_visible": True,
                "api_visible": True,
                "allow_in_projects": True,
            },
            found["cyclades.vm"],
        )
        self.assertEqual("bytes", found["pithos.diskspace"]["unit"])

    def test_astakos_20_quotas_of_each_project(self) -> None:
        found = self.apis.account.get("/quotas", token=self.token).json
        self.assertEqual({str(self.apis.demo), str(self.apis.project)}, set(found))
        self.assertEqual(
            {
                "usage": 0,
                "limit": 4,
                "pending": 0,
                "project_usage": 0,
                "project_limit": 4,
                "project_pending": 0,
            },
            found[str(self.apis.demo)]["cyclades.vm"],
        )

    def test_astakos_21_usage_of_others_shows_in_the_projects_part(self) -> None:
        amounts = {"cyclades.vm": 3}
        args = (self.apis.reader, self.apis.project, amounts, uuid4())
        serial = self.cloud.wait(self.cloud.db.run(quota.reserve, *args))
        project = str(self.apis.project)
        found = self.apis.account.get("/quotas", token=self.token).json
        vm = found[project]["cyclades.vm"]
        self.assertEqual((0, 3, 3), _three(vm))
        self.cloud.wait(self.cloud.db.run(quota.accept, serial))
        found = self.apis.account.get("/quotas", token=self.token).json
        self.assertEqual((0, 3, 0), _three(found[project]["cyclades.vm"]))

    def test_unknown_paths_are_bad_requests(self) -> None:
        answer = self.apis.account.get("/nope", token=self.token)
        self.assertEqual(("badRequest", 400), fault(answer))


def _three(usage: dict[str, int]) -> tuple[int, int, int]:
    return usage["usage"], usage["project_usage"], usage["project_pending"]

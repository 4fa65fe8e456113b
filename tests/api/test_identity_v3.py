"""Identity v3, as OpenStack's clients speak it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.api.identity_cloud import IdentityApis
from tests.api.memory import Response

INJECTION = "' OR '1'='1'; DROP TABLE identity.app_user; --"
DEFAULT = {"name": "Default"}


def user(name: str, password: str = "secret", **more: Any) -> dict[str, Any]:
    return {
        "methods": ["password"],
        "password": {
            "user": {
                "name": name,
                "password": password,
                "domain": DEFAULT,
                **more,
            }
        },
    }


def project(name: str) -> dict[str, Any]:
    return {"project": {"name": name, "domain": DEFAULT}}


CODE = {"name": "demo", "passcode": "123456", "domain": DEFAULT}
BOTH = {"user": CODE}


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud

    def auth(self, identity: object, scope: object = None, query: str = "") -> Response:
        body: dict[str, Any] = {"identity": identity}
        if scope is not None:
            body["scope"] = scope
        return self.apis.v3.post(f"/auth/tokens{query}", {"auth": body})

    def by_token(self, token: str, scope: object = None) -> Response:
        return self.auth({"methods": ["token"], "token": {"id": token}}, scope)

    def assertRefused(self, answer: Response) -> None:
        self.assertEqual(401, answer.status, answer.body)
        self.assertEqual(
            {
                "error": {
                    "code": 401,
                    "title": "Unauthorized",
                    "message": "these credentials are not valid",
                }
            },
            answer.json,
        )
        self.assertEqual(
            'Keystone uri="https://a.test/identity/v3"',
            answer.headers["www-authenticate"],
        )


class DiscoveryTests(Base):
    def test_astakos_69_only_v3_is_listed(self) -> None:
        answer = self.apis.root.get("/")
        self.assertEqual(300, answer.status)
        (version,) = answer.json["versions"]["values"]
        self.assertTrue(version["id"].startswith("v3"))
        self.assertEqual("https://a.test/identity/v3/", version["links"][0]["href"])
        self.assertEqual("stable", version["status"])
        for path in ("", "/"):
            answer = self.apis.v3.get(path)
            self.assertEqual(200, answer.status)
            self.assertEqual(version, answer.json["version"])

    def test_unknown_paths_are_not_found(self) -> None:
        for browser in (self.apis.v3, self.apis.root):
            answer = browser.get("/nope")
            self.assertEqual(404, answer.status)
            self.assertEqual("Not Found", answer.json["error"]["title"])


class LoginTests(Base):
    def test_astakos_70_without_a_scope_it_is_the_default_project(self) -> None:
        answer = self.auth(user("demo@example.org"))
        self.assertEqual(201, answer.status)
        token = answer.json["token"]
        self.assertEqual(43, len(answer.headers["x-subject-token"]))
        self.assertEqual(str(self.apis.project), token["project"]["id"])
        self.assertEqual(
            {"id": "default", "name": "Default"}, token["project"]["domain"]
        )
        self.assertEqual(["password"], token["methods"])
        self.assertEqual("2030-01-01T00:00:00.000000Z", token["issued_at"])
        self.assertEqual("2030-01-02T00:00:00.000000Z", token["expires_at"])
        self.assertEqual("demo", token["user"]["name"])
        self.assertEqual(
            [{"id": "reader", "name": "reader"}, {"id": "member", "name": "member"}],
            token["roles"],
        )

    def test_astakos_70_unscoped_tokens_have_no_catalog_and_no_project(self) -> None:
        scopes: list[object] = ["unscoped", {"unscoped": {}}]
        for scope in scopes:
            token = self.auth(user("demo"), scope).json["token"]
            self.assertEqual(
                {"methods", "user", "audit_ids", "issued_at", "expires_at"}, set(token)
            )

    def test_the_catalog_lists_the_openstack_mounts(self) -> None:
        token = self.auth(user("demo")).json["token"]
        pid = self.apis.project
        urls = {
            one["type"]: {end["url"] for end in one["endpoints"]}
            for one in token["catalog"]
        }
        self.assertEqual(
            {
                "identity": {"https://a.test/identity/v3"},
                "compute": {"https://c.test/os/compute/v2.1"},
                "network": {"https://c.test/os/network"},
                "image": {"https://c.test/os/image"},
                "volumev3": {f"https://c.test/os/volume/v3/{pid}"},
                "block-storage": {f"https://c.test/os/volume/v3/{pid}"},
                "object-store": {f"https://p.test/v1/AUTH_{pid}"},
            },
            urls,
        )
        interfaces = [end["interface"] for end in token["catalog"][0]["endpoints"]]
        self.assertEqual(["public", "internal", "admin"], interfaces)

    def test_the_catalog_of_a_token_is_the_catalog(self) -> None:
        login = self.auth(user("demo"))
        secret = login.headers["x-subject-token"]
        whole = self.apis.v3.get("/auth/catalog", token=secret)
        self.assertEqual(whole.json["catalog"], login.json["token"]["catalog"])

    def test_nocatalog_leaves_the_catalog_out(self) -> None:
        for query in ("?nocatalog", "?nocatalog=", "?a=b&nocatalog=1"):
            token = self.auth(user("demo"), query=query).json["token"]
            self.assertNotIn("catalog", token)
            self.assertIn("project", token)

    def test_astakos_71_scoped_by_id_and_by_name(self) -> None:
        for scope in (
            {"project": {"id": str(self.apis.project)}},
            {"project": {"id": self.apis.project.hex}},
            project("demo"),
            {"project": {"name": "demo"}},
            {"project": {"name": "demo", "domain": {"id": "default"}}},
        ):
            answer = self.auth(user("demo"), scope)
            self.assertEqual(201, answer.status, scope)
            self.assertEqual("demo", answer.json["token"]["project"]["name"])

    def test_astakos_71_everything_else_is_refused_in_one_text(self) -> None:
        cases: list[tuple[object, object]] = [
            (user("demo"), project("alt")),
            (user("demo"), {"project": {"id": str(self.apis.other)}}),
            (user("demo"), {"project": {"id": "demo"}}),
            (user("demo"), project("nope")),
            (user("demo"), project(INJECTION)),
            (user("demo"), {"project": {"name": "demo", "domain": {"id": "x"}}}),
            (user("demo"), {"domain": {"id": "default"}}),
            (user("admin"), {"system": {"all": True}}),
            (user("demo", "wrong"), None),
            (user("demo", ""), None),
            (user("nobody"), None),
            (user("gone"), None),
            (user(INJECTION, INJECTION), None),
            (user("demo", domain={"name": "Other"}), None),
            (user("x", id="nobody"), None),
            ({"methods": ["totp"], "totp": {"user": CODE}}, None),
            ({**user("demo"), "methods": ["password", "totp"], "totp": BOTH}, None),
            ({"methods": ["oauth1"]}, None),
            ({"methods": ["token"], "token": {"id": "wrong"}}, None),
            ({"methods": ["token"], "token": {"id": INJECTION}}, None),
        ]
        for identity, scope in cases:
            self.assertRefused(self.auth(identity, scope))
            self.cloud.clock.advance(61)

    def test_a_user_is_named_by_id_username_or_mail_in_any_case(self) -> None:
        for identity in (
            user("DEMO"),
            user("Demo@Example.ORG"),
            user("ignored", id=str(self.apis.demo)),
        ):
            self.assertEqual(201, self.auth(identity).status)
        bare = {
            "methods": ["password"],
            "password": {"user": {"name": "demo", "password": "secret"}},
        }
        self.assertEqual(201, self.auth(bare).status)

    def test_malformed_bodies_are_bad_requests(self) -> None:
        cases: list[tuple[object, object]] = [
            ({"methods": []}, None),
            ({"methods": ["password"]}, None),
            ({"methods": ["token"]}, None),
            ({"methods": "password"}, None),
            (user("demo", "x" * 1025), None),
            (user("x" * 256), None),
            (user("de\0mo"), None),
            (user("demo"), project("a\0b")),
            (user("demo"), {}),
            (user("demo"), {"project": {}}),
            (user("demo"), {"project": {"id": 5}}),
            (user("demo"), "everything"),
            (user("demo"), {**project("demo"), "unscoped": {}}),
            ({"methods": ["password"], "password": {"user": {"name": "x"}}}, None),
            ({"methods": ["password"], "password": {"user": {"password": "x"}}}, None),
        ]
        for identity, scope in cases:
            answer = self.auth(identity, scope)
            self.assertEqual(400, answer.status, (identity, scope))
            self.assertEqual("Bad Request", answer.json["error"]["title"])
        for body in (b"", b"not json", b"[]", b'{"auth": null}', b'"\\ud800"'):
            answer = self.apis.v3.request("POST", "/auth/tokens", data=body)
            self.assertEqual(400, answer.status, body)

    def test_readers_and_admins_have_their_roles(self) -> None:
        for name, scope, roles in (
            ("reader", project("demo"), ["reader"]),
            ("reader", project("system"), ["reader", "member"]),
            ("admin", None, ["reader", "member", "admin"]),
        ):
            token = self.auth(user(name), scope).json["token"]
            self.assertEqual(roles, [role["name"] for role in token["roles"]])

    def test_a_token_is_as_good_as_the_password(self) -> None:
        secret = self.apis.token("demo")
        self.cloud.clock.advance(3600)
        token = self.auth(user("demo", secret), project("demo")).json["token"]
        self.assertEqual("2030-01-02T00:00:00.000000Z", token["expires_at"])
        self.assertRefused(self.auth(user("alt", secret)))


class ExchangeTests(Base):
    def test_astakos_72_a_token_is_scoped_anew_and_keeps_its_expiry(self) -> None:
        first = self.apis.token("reader", "demo")
        self.cloud.clock.advance(3600)
        answer = self.by_token(first, project("alt"))
        self.assertEqual(201, answer.status)
        token = answer.json["token"]
        self.assertEqual("alt", token["project"]["name"])
        self.assertEqual("2030-01-02T00:00:00.000000Z", token["expires_at"])
        self.assertEqual("2030-01-01T01:00:00.000000Z", token["issued_at"])
        self.assertEqual(["password", "token"], token["methods"])
        self.assertEqual(2, len(token["audit_ids"]))
        self.assertNotEqual(first, answer.headers["x-subject-token"])

    def test_expired_tokens_cannot_be_exchanged(self) -> None:
        first = self.apis.token("demo")
        self.cloud.clock.advance(24 * 3600)
        self.assertRefused(self.by_token(first))

    def test_one_does_not_get_into_strange_projects(self) -> None:
        self.assertRefused(self.by_token(self.apis.token("demo"), project("alt")))

    def test_a_token_bound_by_its_owner_stays_in_its_project(self) -> None:
        secret = self.apis.token("reader", "demo")
        self.cloud.execute("UPDATE identity.api_token SET kind = 'personal'")
        self.assertRefused(self.by_token(secret, project("alt")))
        derived = self.by_token(secret, "unscoped")
        self.assertEqual("demo", derived.json["token"]["project"]["name"])
        again = derived.headers["x-subject-token"]
        self.assertRefused(self.by_token(again, project("alt")))
        self.assertRefused(self.auth(user("reader", secret), project("alt")))


class SubjectTests(Base):
    def subject(
        self, method: str, token: str, subject: str | None, query: str = ""
    ) -> Response:
        headers = {"X-Auth-Token": token}
        if subject is not None:
            headers["X-Subject-Token"] = subject
        return self.apis.v3.request(method, f"/auth/tokens{query}", headers=headers)

    def test_astakos_73_show_check_and_revoke_ones_own(self) -> None:
        token = self.apis.token("demo")
        shown = self.subject("GET", token, token)
        self.assertEqual(200, shown.status)
        self.assertEqual(token, shown.headers["x-subject-token"])
        self.assertIn("catalog", shown.json["token"])
        self.assertNotIn(
            "catalog", self.subject("GET", token, token, "?nocatalog").json["token"]
        )
        checked = self.subject("HEAD", token, token)
        self.assertEqual((200, b""), (checked.status, checked.body))
        revoked = self.subject("DELETE", token, token)
        self.assertEqual((204, b""), (revoked.status, revoked.body))
        self.assertEqual(401, self.subject("GET", token, token).status)

    def test_astakos_73_unknown_subjects_are_not_found(self) -> None:
        token = self.apis.token("demo")
        for method in ("GET", "HEAD", "DELETE"):
            for subject in ("nope", INJECTION, "a" * 9000):
                answer = self.subject(method, token, subject)
                self.assertEqual(404, answer.status, (method, subject[:20]))
            self.assertEqual(400, self.subject(method, token, None).status)

    def test_somebody_elses_token_does_not_exist(self) -> None:
        mine, his = self.apis.token("demo"), self.apis.token("alt")
        for method in ("GET", "DELETE"):
            answer = self.subject(method, mine, his)
            self.assertEqual(404, answer.status)
            self.assertEqual(answer.json, self.subject(method, mine, "nope").json)
        self.assertEqual(200, self.subject("GET", his, his).status)

    def test_administrators_see_and_end_all_tokens(self) -> None:
        admin, his = self.apis.token("admin"), self.apis.token("alt")
        self.assertEqual(200, self.subject("GET", admin, his).status)
        self.assertEqual(204, self.subject("DELETE", admin, his).status)
        self.assertEqual(401, self.subject("GET", his, his).status)

    def test_a_bad_caller_learns_nothing(self) -> None:
        self.assertRefused(self.subject("GET", "nope", self.apis.token("demo")))
        answer = self.apis.v3.get("/auth/tokens")
        self.assertEqual(401, answer.status)


class BothFacesTests(Base):
    def test_astakos_76_one_token_for_all_services(self) -> None:
        token = self.apis.token("demo")
        self.assertEqual(200, self.apis.account.get("/quotas", token=token).status)
        old = self.apis.personal("demo")
        self.assertEqual(201, self.by_token(old).status)
        shown = self.apis.v3.request(
            "GET",
            "/auth/tokens",
            headers={"X-Auth-Token": old, "X-Subject-Token": old},
        )
        self.assertNotIn("project", shown.json["token"])

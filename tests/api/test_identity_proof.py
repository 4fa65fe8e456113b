"""Other ways to log in over v3, and what throttling looks like everywhere."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from api.objects.swift import about
from snfd.identity import totp
from snfd.identity.second_factor import SecondFactors
from tests.api.identity_cloud import IdentityApis, fault
from tests.api.memory import Browser, Response

DEFAULT = {"name": "Default"}


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud

    def auth(self, identity: dict[str, Any], **more: Any) -> Response:
        return self.apis.v3.post(
            "/auth/tokens", {"auth": {"identity": identity, **more}}
        )

    def by_password(self, password: str, **more: Any) -> Response:
        user = {"name": "demo", "domain": DEFAULT, "password": password}
        return self.auth(
            {"methods": ["password", *more], "password": {"user": user}, **more}
        )


class CredentialTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.token = self.apis.token("demo")
        self.path = f"/users/{self.apis.demo}/application_credentials"

    def create(self, token: str | None = None, **more: Any) -> Response:
        body = {"application_credential": {"name": "ci", **more}}
        return self.apis.v3.post(self.path, body, token=token or self.token)

    def use(self, **part: Any) -> Response:
        methods = ["application_credential"]
        return self.auth({"methods": methods, "application_credential": part})

    def test_astakos_74_made_used_and_deleted(self) -> None:
        answer = self.create(description="nightly", expires_at="2030-06-01T00:00:00")
        self.assertEqual(201, answer.status, answer.body)
        made = answer.json["application_credential"]
        self.assertEqual(43, len(made["secret"]))
        self.assertEqual(str(self.apis.project), made["project_id"])
        self.assertEqual(["reader", "member"], [r["name"] for r in made["roles"]])
        self.assertEqual("2030-06-01T00:00:00.000000", made["expires_at"])
        self.assertFalse(made["unrestricted"])
        token = self.use(id=made["id"], secret=made["secret"])
        self.assertEqual(201, token.status, token.body)
        body = token.json["token"]
        self.assertEqual(["application_credential"], body["methods"])
        self.assertEqual(str(self.apis.project), body["project"]["id"])
        self.assertTrue(body["catalog"])
        by_name = self.use(
            name="ci", user={"name": "demo", "domain": DEFAULT}, secret=made["secret"]
        )
        self.assertEqual(201, by_name.status)
        secret = token.headers["x-subject-token"]
        listed = self.apis.v3.get(self.path, token=secret)
        (one,) = listed.json["application_credentials"]
        self.assertNotIn("secret", one)
        self.assertEqual({k: v for k, v in made.items() if k != "secret"}, one)
        shown = self.apis.v3.get(f"{self.path}/{made['id']}", token=self.token)
        self.assertEqual(one, shown.json["application_credential"])
        gone = self.apis.v3.delete(f"{self.path}/{made['id']}", token=self.token)
        self.assertEqual(204, gone.status)
        self.assertEqual(401, self.apis.v3.get(self.path, token=secret).status)
        again = self.use(id=made["id"], secret=made["secret"])
        self.assertEqual(401, again.status)
        self.assertEqual([], self.names())

    def names(self) -> list[str]:
        listed = self.apis.v3.get(self.path, token=self.token).json
        return [one["name"] for one in listed["application_credentials"]]

    def test_what_is_wrong_with_it_is_told(self) -> None:
        for status, more in (
            (400, {"name": ""}),
            (400, {"secret": "my own secret"}),
            (400, {"access_rules": [{"method": "GET", "path": "/"}]}),
            (400, {"expires_at": "2029-01-01T00:00:00"}),
            (400, {"expires_at": "soon"}),
            (400, {"roles": [{}]}),
            (400, {"roles": [{"name": "owner"}]}),
            (403, {"roles": [{"name": "admin"}]}),
            (400, {"unrestricted": "yes"}),
        ):
            self.assertEqual(status, self.create(**more).status, more)
        self.assertEqual(201, self.create(access_rules=[], secret=None).status)
        self.assertEqual(409, self.create().status)

    def test_a_credential_has_its_own_scope(self) -> None:
        made = self.create().json["application_credential"]
        part = {"id": made["id"], "secret": made["secret"]}
        identity = {
            "methods": ["application_credential"],
            "application_credential": part,
        }
        for scope in ("unscoped", {"project": {"id": made["project_id"]}}):
            self.assertEqual(400, self.auth(identity, scope=scope).status)

    def test_wrong_ones_read_the_same(self) -> None:
        made = self.create().json["application_credential"]
        other = str(self.apis.alt)
        answers = [
            self.use(id=made["id"], secret="wrong"),
            self.use(id=other, secret=made["secret"]),
            self.use(id="' OR 1=1 --", secret=made["secret"]),
            self.use(name="ci", user={"id": other}, secret=made["secret"]),
            self.use(name="ci", user={"name": "x"}, secret="x"),
        ]
        self.assertEqual({401}, {answer.status for answer in answers})
        self.assertEqual(1, len({answer.body for answer in answers}))
        for part in ({"secret": "x"}, {"secret": "x", "name": "ci"}, {"id": "x"}):
            self.assertEqual(400, self.use(**part).status)

    def test_others_credentials_are_theirs(self) -> None:
        alt = self.apis.token("alt")
        for answer in (
            self.create(alt),
            self.apis.v3.get(self.path, token=alt),
            self.apis.v3.get(f"{self.path}/{self.apis.alt}", token=alt),
            self.apis.v3.delete(f"{self.path}/{self.apis.alt}", token=alt),
        ):
            self.assertEqual(403, answer.status)


class TotpTests(Base):
    def setUp(self) -> None:
        super().setUp()
        factors = SecondFactors(
            self.cloud.db,
            self.cloud.verifier,
            self.cloud.clock,
            self.cloud.keys,
            self.cloud.random,
        )
        self.token = self.apis.token("demo")
        me = self.cloud.wait(self.cloud.authenticator(self.token))
        enrolled = self.cloud.wait(factors.enrol(me, "secret", ""))
        self.seed = totp.from_text(enrolled.secret)
        self.cloud.wait(factors.confirm(me, self.code(), ""))
        self.cloud.clock.advance(30)

    def code(self) -> str:
        return totp.code(self.seed, totp.step_of(self.cloud.clock.seconds()))

    def both(self, code: str, **user: Any) -> Response:
        named = user or {"name": "demo", "domain": DEFAULT}
        return self.by_password("secret", totp={"user": {**named, "passcode": code}})

    def test_password_and_code(self) -> None:
        answer = self.both(self.code())
        self.assertEqual(201, answer.status, answer.body)
        self.assertEqual(["password", "totp"], answer.json["token"]["methods"])

    def test_a_code_of_another_user_is_none(self) -> None:
        answer = self.both(self.code(), name="alt", domain=DEFAULT)
        self.assertEqual(401, answer.status)
        self.assertEqual(201, self.both(self.code()).status)

    def test_the_password_alone_logs_in_nowhere(self) -> None:
        v3 = self.by_password("secret")
        self.assertEqual(401, v3.status)
        self.assertIn("one-time code", v3.json["error"]["message"])
        auth = {"passwordCredentials": {"username": "demo", "password": "secret"}}
        v2 = self.apis.v2.post("/tokens", {"auth": auth})
        self.assertEqual(("unauthorized", 401), fault(v2))
        self.assertIn("one-time code", v2.body.decode())
        self.assertEqual(401, swift(self.apis, "demo", "secret").status)
        code = {"user": {"name": "demo", "domain": DEFAULT, "passcode": self.code()}}
        alone = self.auth({"methods": ["totp"], "totp": code})
        self.assertEqual(401, alone.status)

    def test_what_it_set_up_before_goes_on(self) -> None:
        self.assertEqual(
            200, self.apis.v3.get("/auth/projects", token=self.token).status
        )


class ClientsTests(Base):
    """What clients send that know only a URL, a user and a password."""

    def test_astakos_75_gophercloud(self) -> None:
        """It asks for versions, logs in, and logs in anew after a 401."""
        (version,) = self.apis.root.get("/").json["versions"]["values"]
        self.assertEqual("stable", version["status"])
        self.assertTrue(version["links"][0]["href"].endswith("/identity/v3/"))
        for _ in range(2):
            answer = self.by_password("secret")
            self.assertEqual(201, answer.status)
            token = answer.headers["x-subject-token"]
            self.assertEqual({"public", "internal", "admin"}, interfaces(answer))
            self.apis.v3.request(
                "DELETE",
                "/auth/tokens",
                headers={"X-Auth-Token": token, "X-Subject-Token": token},
            )
            self.assertEqual(401, self.apis.v3.get("/projects", token=token).status)

    def test_astakos_75_rclone(self) -> None:
        """It gives no scope and wants to find its store in the catalog."""
        user = {"name": "demo", "domain": DEFAULT, "password": "secret"}
        body = {"identity": {"methods": ["password"], "password": {"user": user}}}
        answer = self.apis.v3.post("/auth/tokens", {"auth": {**body, "scope": None}})
        catalog = {one["type"]: one for one in answer.json["token"]["catalog"]}
        urls = {one["url"] for one in catalog["object-store"]["endpoints"]}
        self.assertEqual({f"https://p.test/v1/AUTH_{self.apis.project}"}, urls)


class ThrottleTests(Base):
    def test_astakos_64_in_every_dialect(self) -> None:
        auth = {"passwordCredentials": {"username": "demo", "password": "wrong"}}
        for _ in range(3):
            self.assertEqual(401, self.apis.v2.post("/tokens", {"auth": auth}).status)
        self.cloud.clock.advance(20)
        auth["passwordCredentials"]["password"] = "secret"
        v2 = self.apis.v2.post("/tokens", {"auth": auth})
        self.assertEqual(429, v2.status)
        self.assertEqual("40", v2.headers["retry-after"])
        v3 = self.by_password("secret")
        self.assertEqual((429, "40"), (v3.status, v3.headers["retry-after"]))
        self.assertEqual("Too Many Requests", v3.json["error"]["title"])
        v1 = swift(self.apis, "demo", "secret")
        self.assertEqual((429, "40"), (v1.status, v1.headers["retry-after"]))
        self.cloud.clock.advance(40)
        self.assertEqual(201, self.by_password("secret").status)

    def test_failures_count_together_whatever_the_dialect(self) -> None:
        self.by_password("wrong")
        swift(self.apis, "demo", "wrong")
        auth = {"passwordCredentials": {"username": "demo", "password": "wrong"}}
        self.apis.v2.post("/tokens", {"auth": auth})
        self.assertEqual(429, self.by_password("secret").status)

    def test_a_bad_scope_is_no_guess(self) -> None:
        user = {"name": "demo", "domain": DEFAULT, "password": "secret"}
        identity = {"methods": ["password"], "password": {"user": user}}
        for _ in range(5):
            scope = {"project": {"name": "alt", "domain": DEFAULT}}
            self.assertEqual(401, self.auth(identity, scope=scope).status)
        self.assertEqual(201, self.by_password("secret").status)


def interfaces(answer: Response) -> set[str]:
    """How the services of a token's catalog are reached."""
    catalog = answer.json["token"]["catalog"]
    return {one["interface"] for service in catalog for one in service["endpoints"]}


def swift(apis: IdentityApis, name: str, password: str) -> Response:
    """Log in as Swift's clients of old do."""
    cloud = apis.cloud
    login = about.build_login(
        cloud.identity, cloud.clock, cloud.authenticator, "https://p.test/v1"
    )
    headers = {"X-Auth-User": name, "X-Auth-Key": password}
    return Browser(login).get("/", headers=headers)

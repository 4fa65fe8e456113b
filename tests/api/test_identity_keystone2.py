"""The calls of Keystone v2 beside Synnefo's, for old OpenStack tools."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd.tokens import digest
from tests.api.identity_cloud import IdentityApis, fault


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.cloud = self.apis.cloud
        self.v2 = self.apis.v2
        self.token = self.apis.token("demo")

    def component(self) -> str:
        """A component's token."""
        self.cloud.execute(
            "INSERT INTO identity.component (name, token_hash) VALUES ('other', %s)",
            digest("components-secret"),
        )
        return "components-secret"


class ValidateTests(Base):
    def test_owners_administrators_and_components_check_tokens(self) -> None:
        bearers = (self.token, self.apis.token("admin"), self.component())
        for bearer in bearers:
            answer = self.v2.get(f"/tokens/{self.token}", token=bearer)
            self.assertEqual(200, answer.status, answer.body)
            access = answer.json["access"]
            self.assertEqual({"token", "user"}, set(access))
            self.assertEqual(self.token, access["token"]["id"])
            self.assertEqual(
                {"id": str(self.apis.project), "name": "demo"},
                access["token"]["tenant"],
            )
            self.assertEqual(
                {"id", "name", "roles", "roles_links"}, set(access["user"])
            )

    def test_others_are_told_that_there_is_none(self) -> None:
        for bearer, token in (
            (self.apis.token("alt"), self.token),
            (self.component(), "nope"),
            (self.token, "nope"),
            (None, self.token),
        ):
            answer = self.v2.get(f"/tokens/{token}", token=bearer)
            self.assertEqual(("itemNotFound", 404), fault(answer))
        answer = self.v2.get(f"/tokens/{self.token}", token="nope")
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_whether_it_belongs_to_a_tenant(self) -> None:
        for tenant, status in (
            (self.apis.project, 200),
            (self.apis.other, 404),
            (uuid4(), 404),
            ("", 200),
        ):
            path = f"/tokens/{self.token}?belongsTo={tenant}"
            self.assertEqual(status, self.v2.get(path, token=self.token).status)

    def test_a_token_that_ended_is_none(self) -> None:
        component = self.component()
        self.cloud.clock.advance(24 * 3600)
        answer = self.v2.get(f"/tokens/{self.token}", token=component)
        self.assertEqual(404, answer.status)


class EndpointsTests(Base):
    def test_where_a_token_is_good(self) -> None:
        answer = self.v2.get(f"/tokens/{self.token}/endpoints", token=self.token)
        self.assertEqual(200, answer.status)
        self.assertEqual([], answer.json["endpoints_links"])
        found = {one["type"]: one for one in answer.json["endpoints"]}
        self.assertEqual(
            {
                "id": "astakos_account",
                "name": "astakos_account",
                "type": "account",
                "region": "default",
                "publicURL": "https://a.test/account/v1.0",
                "internalURL": "https://a.test/account/v1.0",
                "adminURL": "https://a.test/account/v1.0",
            },
            found["account"],
        )

    def test_strangers_learn_nothing(self) -> None:
        path = f"/tokens/{self.token}/endpoints"
        self.assertEqual(404, self.v2.get(path, token=self.apis.token("alt")).status)
        self.assertEqual(401, self.v2.get(path).status)
        self.assertEqual(200, self.v2.get(path, token=self.component()).status)


class RevokeTests(Base):
    def test_owners_and_administrators_end_tokens(self) -> None:
        for bearer in ("demo", "admin"):
            token = self.apis.token("demo")
            path = f"/tokens/{token}"
            answer = self.v2.delete(path, token=self.apis.token(bearer))
            self.assertEqual((204, b""), (answer.status, answer.body))
            self.assertEqual(401, self.v2.get("/tenants", token=token).status)

    def test_others_do_not(self) -> None:
        path = f"/tokens/{self.token}"
        self.assertEqual(404, self.v2.delete(path, token=self.apis.token("alt")).status)
        self.assertEqual(401, self.v2.delete(path, token=self.component()).status)
        self.assertEqual(401, self.v2.delete(path).status)
        self.assertEqual(200, self.v2.get("/tenants", token=self.token).status)


class TenantsTests(Base):
    def test_ones_own_active_projects(self) -> None:
        answer = self.v2.get("/tenants", token=self.token)
        self.assertEqual(200, answer.status)
        self.assertEqual([], answer.json["tenants_links"])
        own = str(self.apis.demo)
        self.assertEqual(
            {str(self.apis.project): "demo", own: f"system:{own}"},
            {one["id"]: one["name"] for one in answer.json["tenants"]},
        )
        self.assertEqual(
            {"id", "name", "description", "enabled"}, set(answer.json["tenants"][0])
        )

    def test_by_name(self) -> None:
        (one,) = self.v2.get("/tenants?name=demo", token=self.token).json["tenants"]
        self.assertEqual(str(self.apis.project), one["id"])
        self.assertEqual(
            [], self.v2.get("/tenants?name=alt", token=self.token).json["tenants"]
        )

    def test_not_without_a_token(self) -> None:
        self.assertEqual(("unauthorized", 401), fault(self.v2.get("/tenants")))

    def test_there_are_no_extensions(self) -> None:
        answer = self.v2.get("/extensions")
        self.assertEqual({"extensions": {"values": []}}, answer.json)

"""What every operation gets from api.operations and api.dispatch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import build
from api.openapi import document
from api.operations import Answer, Dialect, Fault, Reply, operation
from snfd.errors import CloudError, Invalid, NotAllowed, NotFound, Unauthorized
from snfd.identity.model import Caller
from tests.api.memory import Browser

CALLER = Caller(
    user=UUID(int=1),
    username="demo",
    project=UUID(int=2),
    project_name="demo",
    roles=frozenset({"member"}),
    projects=frozenset({UUID(int=2)}),
    token_hash=b"",
    expires=datetime(2030, 1, 1, tzinfo=UTC),
)


class FaultBody(Struct, forbid_unknown_fields=True):
    code: int
    message: str


DIALECT = Dialect(
    name="toy",
    title="Toy",
    faults={
        CloudError: Fault(500, "internal"),
        Invalid: Fault(400, "bad"),
        NotFound: Fault(404, "missing"),
        NotAllowed: Fault(405, "method"),
        Unauthorized: Fault(401, "who"),
    },
    render=lambda fault, message, details, ident: msgspec.json.encode(
        FaultBody(fault.status, message)
    ),
    fault_body=FaultBody,
    headers={"Vary": "X-Auth-Token"},
)


class NewThing(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    how_many: int = 1


class Thing(Reply):
    name: str


class Filter(Struct):
    limit: Annotated[int, Meta(ge=1)] = 10
    name: list[str] = []


class Things(Reply):
    limit: int
    names: list[str]


class ThingsApi:
    """Things."""

    @operation("POST", "/things", body=NewThing, status=202)
    async def create(self, caller: Caller, body: NewThing) -> Thing:
        """Make a thing."""
        return Thing(body.name * body.how_many)

    @operation("GET", "/things", query=Filter, auth=False)
    async def list(self, query: Filter) -> Things:
        """List things."""
        return Things(query.limit, query.name)

    @operation("GET", "/things/<thing>")
    async def show(self, caller: Caller, thing: int) -> Answer[Thing]:
        """Show a thing."""
        if thing == 9:
            raise CancelledError
        if thing == 8:
            raise ZeroDivisionError
        return Answer(Thing(f"{caller.username}{thing}"), headers={"X-Thing": "y"})

    @operation("DELETE", "/things/<thing>", status=204)
    async def delete(self, caller: Caller, thing: int) -> None:
        """Remove a thing."""


async def authenticate(token: str | None) -> Caller:
    if token != "good":
        raise Unauthorized("who are you?")
    return CALLER


class OperationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.http = Browser(build(DIALECT, authenticate, ThingsApi()), token="good")

    def test_a_body_is_decoded_and_the_reply_encoded(self) -> None:
        got = self.http.post("/things", {"name": "a", "howMany": 3, "other": 1})
        self.assertEqual((202, {"name": "aaa"}), (got.status, got.json))
        self.assertEqual("X-Auth-Token", got.headers["vary"])

    def test_wrong_bodies_are_faults_of_the_dialect(self) -> None:
        for data in (
            b"{",
            b"[]",
            b'{"name": 1}',
            b'{"name": "toolong"}',
            b'{"name": "\xff"}',
            b'{"name": "\\u0000"}',
            b"[" * 100_000,
        ):
            got = self.http.request("POST", "/things", data=data)
            self.assertEqual(400, got.status, data[:20])
            self.assertEqual(400, got.json["code"])

    def test_the_message_names_the_place(self) -> None:
        got = self.http.post("/things", {"name": ""})
        self.assertIn("$.name", got.json["message"])

    def test_a_token_is_needed(self) -> None:
        got = self.http.post("/things", {"name": "a"}, token="bad")
        self.assertEqual(401, got.status)

    def test_the_query_is_typed(self) -> None:
        got = self.http.get("/things?limit=3&name=a&name=b&x=1")
        self.assertEqual({"limit": 3, "names": ["a", "b"]}, got.json)
        for bad in ("limit=x", "limit=0", "limit=%ff"):
            self.assertEqual(400, self.http.get(f"/things?{bad}").status)

    def test_a_segment_of_the_wrong_type_is_no_such_thing(self) -> None:
        self.assertEqual("demo7", self.http.get("/things/7").json["name"])
        for bad in ("x", "-1", str(2**63), "1.5"):
            self.assertEqual(404, self.http.get(f"/things/{bad}").status)

    def test_paths_that_are_no_text_are_refused(self) -> None:
        for bad in ("/things/%ff", "/things/%00"):
            self.assertEqual(400, self.http.get(bad).status)

    def test_a_mount_itself_takes_its_methods_alone(self) -> None:
        class Top:
            @operation("GET", "", auth=False, head=False)
            async def show(self) -> Thing:
                """Show what is mounted."""
                return Thing("top")

        http = Browser(build(DIALECT, authenticate, Top()))
        for path in ("", "/"):
            self.assertEqual("top", http.get(path).json["name"])
            for method in ("POST", "PUT", "DELETE", "FROB"):
                got = http.request(method, path)
                self.assertEqual((405, "GET"), (got.status, got.headers["allow"]))
                self.assertEqual(405, got.json["code"])

    def test_unknown_path_and_method(self) -> None:
        self.assertEqual(404, self.http.get("/nosuch").status)
        got = self.http.request("PATCH", "/things")
        self.assertEqual(405, got.status)
        self.assertEqual("GET, HEAD, POST", got.headers["allow"])

    def test_a_trailing_slash_changes_nothing(self) -> None:
        self.assertEqual(200, self.http.get("/things/").status)

    def test_no_content_has_no_type(self) -> None:
        got = self.http.delete("/things/1")
        self.assertEqual((204, b""), (got.status, got.body))
        self.assertNotIn("content-type", got.headers)

    def test_a_bug_is_logged_and_told_without_its_text(self) -> None:
        got = self.http.get("/things/8")
        self.assertEqual(500, got.status)
        self.assertEqual("internal error", got.json["message"])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class DocumentTests(SynchronousTestCase):
    def test_schemas_are_closed_and_every_operation_is_described(self) -> None:
        served = build(DIALECT, authenticate, ThingsApi())
        made = document("Toy", [("/toy", DIALECT, served.operations)])
        self.assertEqual({"/toy/things", "/toy/things/{thing}"}, set(made["paths"]))
        thing = made["components"]["schemas"]["Thing"]
        self.assertIs(False, thing["additionalProperties"])
        show = made["paths"]["/toy/things/{thing}"]["get"]
        self.assertEqual(
            {"$ref": "#/components/schemas/Thing"},
            show["responses"]["200"]["content"]["application/json"]["schema"],
        )
        self.assertEqual(
            "limit", made["paths"]["/toy/things"]["get"]["parameters"][0]["name"]
        )

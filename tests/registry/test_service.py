"""Components, their tokens, and what they publish, on real SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.catalog import KINDS, Catalog
from snfd.config import Urls as Bases
from snfd.errors import Conflict, Invalid, NotFound, Unauthorized
from snfd.quota.commissions import issue
from snfd.quota.model import RESOURCES, UNLIMITED
from snfd.quota.orders import Order
from snfd.registry.importing import Imported, Services
from snfd.registry.model import EXPOSE, Component
from snfd.registry.service import Registry, Urls
from tests.identity.cloud import START, identity_cloud

ROOT = Actor(None, "root")
BASE = "https://lb.test/lb"
URLS = Bases("https://a.test", "https://c.test", "https://p.test", "https://x.test")


class RegistryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.registry = Registry(self.cloud.db, self.cloud.clock, self.cloud.random)
        self.services = Services(self.cloud.db)

    def create(
        self, name: str = "lbs", base: str | None = BASE, token: str | None = None
    ) -> str:
        urls = Urls(base, "https://lb.test/ui/")
        made = self.cloud.wait(self.registry.create(ROOT, name, urls, token))
        self.assertEqual(name, made.component.name)
        return made.token

    def show(self, name: str = "lbs") -> Component:
        return self.cloud.wait(self.registry.show(name))

    def audited(self) -> list[tuple[object, ...]]:
        return self.cloud.sql("SELECT action, target FROM ops.audit ORDER BY id")


class ComponentTests(RegistryCase):
    def test_a_component_is_made_with_a_token_told_once(self) -> None:
        token = self.create()
        self.assertEqual(43, len(token))
        found = self.show()
        self.assertEqual(
            (BASE, "https://lb.test/ui", True, START, None),
            (found.base_url, found.ui_url, found.has_token, found.token_created, None),
        )
        self.assertEqual(found, self.cloud.wait(self.cloud.components(token)))
        stored = self.cloud.sql("SELECT row_to_json(c)::text FROM identity.component c")
        self.assertNotIn(token, str(stored))
        self.assertNotIn(token, str(self.cloud.sql("SELECT details FROM ops.audit")))
        self.assertEqual([("component.create", "component:lbs")], self.audited())

    def test_names_urls_and_tokens_are_checked(self) -> None:
        def refused(name: str, base: str = BASE, token: str | None = None) -> None:
            made = self.registry.create(ROOT, name, Urls(base, None), token)
            self.cloud.fails(made, Invalid)

        for name in ("", "a b", "x" * 256, "a\n", "snfd"):
            refused(name)
        for base in (
            "x",
            "ftp://x",
            "https://",
            "https://x/?q",
            "https://x:99999",
            "https://x/#f",
            "https://x/a b",
            "https://x/é",
            "https://[x",
        ):
            refused("lbs", base)  # fmt: skip
        for token in ("short", "x" * 1025, "x" * 30 + " ", "é" * 30):
            refused("lbs", BASE, token)
        self.assertEqual([], self.audited())

    def test_names_and_tokens_are_unique(self) -> None:
        token = self.create()
        again = self.registry.create(ROOT, "lbs", Urls(None, None))
        self.cloud.fails(again, Conflict)
        same = self.registry.create(ROOT, "other", Urls(None, None), token)
        self.cloud.fails(same, Conflict)
        self.assertEqual(["lbs"], [one.name for one in self.all()])

    def all(self, *args: Any) -> list[Component]:
        return [*self.cloud.wait(self.registry.list(*args))]

    def test_components_are_listed_by_name_in_pages(self) -> None:
        for name in ("c", "a", "b"):
            self.create(name)
        self.assertEqual(["a", "b", "c"], [one.name for one in self.all()])
        self.assertEqual(["a", "b"], [one.name for one in self.all(None, 2)])
        self.assertEqual(["c"], [one.name for one in self.all("b", 2)])

    def test_another_token_ends_the_one_before(self) -> None:
        before = self.create()
        made = self.cloud.wait(self.registry.renew_token(ROOT, "lbs"))
        self.cloud.fails(self.cloud.components(before), Unauthorized)
        self.cloud.wait(self.cloud.components(made.token))
        chosen = "chosen-by-an-administrator"
        at = START + timedelta(seconds=10)
        self.cloud.wait(self.registry.renew_token(ROOT, "lbs", chosen, at))
        self.cloud.wait(self.cloud.components(chosen))
        self.cloud.clock.advance(10)
        self.cloud.fails(self.cloud.components(chosen), Unauthorized)
        self.cloud.fails(self.registry.renew_token(ROOT, "nobody"), NotFound)

    def test_urls_change_and_go(self) -> None:
        self.create()
        modify = self.registry.modify
        self.cloud.wait(modify(ROOT, "lbs", "https://new.test/", None))
        found = self.show()
        self.assertEqual("https://new.test", found.base_url)
        self.assertEqual("https://lb.test/ui", found.ui_url)
        self.cloud.wait(modify(ROOT, "lbs", None, ""))
        self.assertIsNone(self.show().ui_url)
        self.cloud.fails(modify(ROOT, "lbs", "x", None), Invalid)
        self.cloud.fails(modify(ROOT, "nobody", None, None), NotFound)

    def test_a_component_with_pending_commissions_stays(self) -> None:
        self.create()
        serial = self.cloud.wait(self.cloud.db.run(issue, "lbs", Order([])))
        self.cloud.fails(self.registry.remove(ROOT, "lbs"), Conflict)
        component = self.show()
        settled = self.cloud.commissions.settle(component, serial, accept=False)
        self.cloud.wait(settled)
        self.cloud.wait(self.registry.remove(ROOT, "lbs"))
        self.cloud.fails(self.registry.show("lbs"), NotFound)
        self.cloud.fails(self.registry.remove(ROOT, "lbs"), NotFound)
        self.assertEqual(("component.remove", "component:lbs"), self.audited()[-1])


def definition(**changes: object) -> dict[str, Any]:
    """A service that nothing is wrong with."""
    return {
        "type": "load-balancer",
        "component": "lbs",
        "prefix": "/balance/",
        "public": True,
        "endpoints": [{"versionId": "v1", "publicURL": None, "extra": 5}],
        "resources": {"one": resource()},
        "unheard": "of",
        **changes,
    }


def resource(**changes: object) -> dict[str, Any]:
    """A resource that nothing is wrong with."""
    return {
        "name": "lbs.one",
        "service_type": "load-balancer",
        "service_origin": "lb",
        "desc": "Load balancers",
        **changes,
    }


class ImportTests(RegistryCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = self.cloud.user("demo")
        self.project = self.cloud.project("p", {}, demo="member")
        self.create()

    def import_(self, document: Mapping[str, object]) -> Imported:
        raw = json.dumps(document).encode()
        return self.cloud.wait(self.services.import_(ROOT, raw))

    def refused(
        self, document: object, kind: type[Exception] = Invalid, why: str = ""
    ) -> None:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        error = self.cloud.fails(self.services.import_(ROOT, raw), kind)
        self.assertIn(why, str(error))
        self.assertEqual([], self.cloud.sql("SELECT 1 FROM identity.service"))
        known = "SELECT 1 FROM quota.resource WHERE name LIKE 'lbs.%%' AND %s"
        self.assertEqual([], self.cloud.sql(known, True))

    def test_a_null_url_is_that_of_the_component(self) -> None:
        done = self.import_({"lb": definition()})
        self.assertEqual(
            (["lb"], ["lbs.one"], []), (done.services, done.resources, done.warnings)
        )
        (service,) = self.cloud.wait(self.services.list())
        self.assertEqual(
            [{"versionId": "v1", "publicURL": f"{BASE}/balance/v1", "extra": 5}],
            service.endpoints,
        )
        self.assertEqual(("lbs", False), (service.component, service.builtin))
        hidden = [{"versionId": "v1", "publicURL": None, "SNF:exposeVersion": False}]
        self.import_({"lb": definition(endpoints=hidden)})
        (service,) = self.cloud.wait(self.services.others())
        self.assertEqual(f"{BASE}/balance", service.endpoints[0]["publicURL"])

    def test_importing_again_replaces_endpoints_and_descriptions(self) -> None:
        self.import_({"lb": definition()})
        self.cloud.execute(
            "UPDATE quota.resource SET ui_visible = false, system_default = 3"
            " WHERE name = 'lbs.one'"
        )
        endpoints = [{"versionId": "v2", "publicURL": "https://far.test/x/"}]
        again = resource(desc="More", unit="bytes", ui_visible=True)
        done = self.import_(
            {"lb": definition(endpoints=endpoints, resources={"one": again})}
        )
        self.assertEqual([], done.resources)
        self.assertIn("not below", done.warnings[0])
        (service,) = self.cloud.wait(self.services.list("lbs"))
        self.assertEqual(
            ["https://far.test/x"], [one["publicURL"] for one in service.endpoints]
        )
        self.assertEqual(
            [("More", "bytes", False, 3)],
            self.cloud.sql(
                "SELECT description, unit, ui_visible, system_default"
                " FROM quota.resource WHERE name = 'lbs.one'"
            ),
        )

    def test_a_new_resource_reaches_every_project(self) -> None:
        hidden = resource(name="lbs.two", api_visible=False, ui_visible=False)
        self.import_({"lb": definition(resources={"a": resource(), "b": hidden})})
        rows = self.cloud.sql(
            "SELECT resource, project_id, user_id IS NULL, cap FROM quota.holding"
            " WHERE resource LIKE 'lbs.%%' AND %s",
            True,
        )
        self.assertEqual(
            {
                ("lbs.one", self.user, whole, UNLIMITED) for whole in (True, False)
            } | {
                ("lbs.one", self.project, whole, 0) for whole in (True, False)
            } | {
                ("lbs.two", project, whole, UNLIMITED)
                for project in (self.user, self.project) for whole in (True, False)
            },
            set(rows),
        )  # fmt: skip
        self.assertEqual(8, len(rows))

    def test_services_that_are_not_public_are_left_out(self) -> None:
        done = self.import_(
            {"lb": definition(), "in": definition(public=False, component="nobody")}
        )
        self.assertEqual((["lb"], ["in"]), (done.services, done.skipped))

    def test_what_is_not_well_formed_is_refused_whole(self) -> None:
        good = {"other": definition(type="x", resources={})}
        bad: list[dict[str, object]] = [
            {"type": 5}, {"type": ""}, {"type": "a b"}, {"component": None},
            {"endpoints": None}, {"endpoints": [5]}, {"endpoints": [{}]},
            {"endpoints": [{"versionId": "v1"}]},
            {"endpoints": [{"versionId": 1, "publicURL": None}]},
            {"endpoints": [{"versionId": "", "publicURL": 5}]},
            {"endpoints": [{"versionId": "", "publicURL": ""}]},
            {"endpoints": [{"versionId": "", "publicURL": "javascript:x"}]},
            {"endpoints": [{"versionId": "", "publicURL": None, "a": {}}]},
            {"endpoints": [{"versionId": "", "publicURL": None, EXPOSE: 1}]},
            {"resources": []}, {"resources": {"a": {}}},
            {"resources": {"a": resource(service_origin="other")}},
            {"resources": {"a": resource(name="")}},
            {"resources": {"a": resource(unit=5)}},
            {"resources": {"a": resource(api_visible=False, ui_visible=True)}},
            {"public": "yes"}, {"prefix": 3}, {"desc\0": "\0", "type": "\0"},
        ]  # fmt: skip
        for changes in bad:
            self.refused({**good, "lb": definition(**changes)})
        for raw in (b"", b"[]", b"{", b"\xff", b'{"lb": 5}', b"[" * 10_000):
            self.refused(raw)

    def test_the_component_must_exist_and_have_a_url(self) -> None:
        self.refused({"lb": definition(component="nobody")}, NotFound, "create it")
        self.create("bare", None)
        self.refused({"lb": definition(component="bare")}, Invalid, "no base URL")

    def test_nobody_takes_anothers_services_types_or_resources(self) -> None:
        self.import_({"lb": definition()})
        self.create("rival", "https://r.test")
        rival = {"component": "rival", "resources": {}}
        cases = [
            {"lb": definition(**rival, type="mine")},
            {"mine": definition(**rival)},
            {
                "mine": definition(
                    component="rival",
                    type="mine",
                    resources={"a": resource(service_origin="mine")},
                )
            },
        ]
        before = self.cloud.sql("SELECT name, type FROM identity.service")
        for document in cases:
            raw = json.dumps(document).encode()
            self.cloud.fails(self.services.import_(ROOT, raw), Conflict)
        self.assertEqual(
            before, self.cloud.sql("SELECT name, type FROM identity.service")
        )
        twice = {
            "a": definition(type="a", resources={"x": resource(service_origin="a")}),
            "b": definition(type="b", resources={"x": resource(service_origin="b")}),
        }
        raw = json.dumps(twice).encode()
        self.cloud.fails(self.services.import_(ROOT, raw), Conflict, Invalid)

    def test_a_resource_moves_between_services_of_a_component(self) -> None:
        self.import_({"lb": definition()})
        moved = resource(service_origin="lb2")
        self.import_({"lb2": definition(type="b", resources={"a": moved})})
        origin = "SELECT service_origin FROM quota.resource WHERE name = 'lbs.one'"
        self.assertEqual([("lb2",)], self.cloud.sql(origin))

    def test_what_was_exported_can_be_imported(self) -> None:
        self.import_({"lb": definition()})
        told = self.cloud.wait(self.services.export("lbs"))
        self.cloud.wait(self.registry.purge_services(ROOT, "lbs"))
        self.assertEqual([], self.cloud.wait(self.services.list()))
        self.assertEqual(
            ["lb"], self.cloud.wait(self.services.import_(ROOT, told)).services
        )
        self.assertEqual(told, self.cloud.wait(self.services.export("lbs")))
        one = json.loads(told)["lb"]["resources"]["one"]
        self.assertEqual("lbs.one", one["name"])
        self.cloud.fails(self.services.export("nobody"), NotFound)

    def test_what_was_done_is_in_the_audit_trail(self) -> None:
        self.import_({"lb": definition()})
        self.cloud.wait(self.registry.purge_services(ROOT, "lbs"))
        self.assertEqual(
            [
                ("component.create", "component:lbs"),
                ("service.import", "service:lb"),
                ("component.purge_services", "component:lbs"),
            ],
            self.audited(),
        )


class OwnTests(RegistryCase):
    def register(self, kinds: frozenset[str] = KINDS) -> None:
        own = Catalog(URLS, kinds).own()
        self.cloud.wait(self.services.register_own(own, "https://a.test/ui", RESOURCES))

    def snapshot(self) -> list[tuple[object, ...]]:
        return self.cloud.sql(
            "SELECT xmin::text, s.* FROM identity.service s ORDER BY id"
        )

    def test_our_own_services_register_themselves(self) -> None:
        self.register()
        found = {one.name: one for one in self.cloud.wait(self.services.list())}
        self.assertEqual(
            {one.name for one in Catalog(URLS, KINDS).synnefo()}, set(found)
        )
        self.assertTrue(all(one.builtin for one in found.values()))
        origins = {one.origin for one in RESOURCES}
        self.assertEqual(set(), origins.difference(found))
        self.assertEqual([], self.cloud.wait(self.services.others()))
        pithos = self.show("pithos")
        self.assertEqual(("https://p.test", False), (pithos.base_url, pithos.has_token))

    def test_again_changes_nothing(self) -> None:
        self.register()
        before = self.snapshot()
        self.register()
        self.register(frozenset({"identity"}))
        self.assertEqual(before, self.snapshot())

    def test_other_urls_are_written(self) -> None:
        self.register()
        own = Catalog(
            Bases("https://n.test", *["https://c.test"] * 3), frozenset({"identity"})
        ).own()
        self.cloud.wait(self.services.register_own(own, "https://n.test/ui", []))
        self.assertEqual("https://n.test", self.show("astakos").base_url)

    def test_nobody_imports_over_them_nor_moves_them(self) -> None:
        self.register()
        document = {
            "cyclades_compute": definition(
                component="cyclades", type="compute", resources={}
            )
        }
        raw = json.dumps(document).encode()
        self.cloud.fails(self.services.import_(ROOT, raw), Conflict)
        moved = self.registry.modify(ROOT, "cyclades", "https://x.test", None)
        self.cloud.fails(moved, Conflict)

    def test_a_component_of_ours_may_have_a_token_for_programs_elsewhere(self) -> None:
        self.register()
        made = self.cloud.wait(self.registry.renew_token(ROOT, "cyclades"))
        found = self.cloud.wait(self.cloud.components(made.token))
        self.assertEqual("cyclades", found.name)

    def test_what_we_serve_now_is_taken_over(self) -> None:
        self.create("pithos", "https://old.test")
        old = definition(component="pithos", type="object-store", resources={})
        raw = json.dumps({"pithos_object-store": old}).encode()
        self.cloud.wait(self.services.import_(ROOT, raw))
        self.register()
        (service,) = self.cloud.wait(self.services.list("pithos"))
        self.assertTrue(service.builtin)
        self.assertEqual("https://p.test", self.show("pithos").base_url)

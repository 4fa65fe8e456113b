"""Services of other programs in both catalogs."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.catalog import KINDS, Catalog
from snfd.config import Urls
from snfd.registry.model import Service

URLS = Urls("https://a.test", "https://c.test", "https://p.test", "https://x.test")
OWN = Catalog(URLS, KINDS)


def other(name: str = "lb", type_: str = "load-balancer", *versions: str) -> Service:
    endpoints = [
        {"versionId": one, "publicURL": f"https://lb.test/{one}"} for one in versions
    ]
    return Service(name, type_, "lbs", endpoints, False, "https://lb.test/ui")


def with_others(*services: Service) -> Catalog:
    return Catalog(URLS, KINDS, others=services)


class CatalogTests(SynchronousTestCase):
    def test_they_follow_ours(self) -> None:
        catalog = with_others(other("lb", "load-balancer", "v1", "v2"))
        ours, found = OWN.synnefo(), catalog.synnefo()
        self.assertEqual(ours, found[: len(ours)])
        self.assertEqual(
            [
                ("lb", "load-balancer", "https://lb.test/v1", "v1"),
                ("lb", "load-balancer", "https://lb.test/v2", "v2"),
            ],
            [(one.name, one.type, one.url, one.version) for one in found[len(ours) :]],
        )
        self.assertEqual({"https://lb.test/ui"}, {one.ui_url for one in found[-2:]})

    def test_a_type_of_ours_stays_ours_for_old_clients(self) -> None:
        catalog = with_others(other("nova", "compute", "v9"))
        self.assertEqual(OWN.synnefo(), catalog.synnefo())

    def test_the_v3_catalog_has_each_once(self) -> None:
        catalog = with_others(other("lb", "lb", "v1", "v2"), other("none", "none"))
        found = catalog.openstack(UUID(int=7))
        self.assertEqual(len(OWN.openstack(UUID(int=7))) + 1, len(found))
        self.assertEqual(("lb", "https://lb.test/v2"), (found[-1].type, found[-1].url))
        ids = [ident for one in found for ident in (one.id, one.service)]
        self.assertEqual(len(ids), len(set(ids)))

    def test_an_endpoint_may_have_a_region_of_its_own(self) -> None:
        service = Service(
            "x", "x", "xs",
            [{"versionId": "", "publicURL": "https://x.test/x", "region": "south"}],
            False,
        )  # fmt: skip
        self.assertEqual("south", with_others(service).synnefo()[-1].region)
        self.assertEqual("default", OWN.synnefo()[-1].region)

    def test_what_the_registry_is_told_is_what_is_enabled(self) -> None:
        own = Catalog(URLS, frozenset({"identity", "objects"})).own()
        self.assertEqual(
            [
                ("astakos", "astakos_account", "v1.0", "https://a.test/account/v1.0"),
                ("astakos", "astakos_identity", "v2.0", "https://a.test/identity/v2.0"),
                (
                    "pithos", "pithos_object-store", "v1",
                    "https://p.test/object-store/v1",
                ),
            ],
            [(one.component, one.name, one.version, one.url) for one in own],
        )  # fmt: skip
        self.assertEqual("https://p.test", own[-1].base_url)

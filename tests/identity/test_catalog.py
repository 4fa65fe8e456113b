"""What the catalogs list."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.catalog import KINDS, Catalog, only
from snfd.config import Urls

URLS = Urls("https://a.test", "https://c.test", "https://p.test", "https://x.test")
PROJECT = UUID(int=7)


class CatalogTests(SynchronousTestCase):
    def test_one_endpoint_for_each_synnefo_type(self) -> None:
        found = Catalog(URLS, KINDS).synnefo()
        self.assertEqual(
            [
                ("account", "https://a.test/account/v1.0"),
                ("identity", "https://a.test/identity/v2.0"),
                ("astakos_weblogin", "https://a.test/weblogin"),
                ("astakos_auth", "https://a.test/oauth2"),
                ("compute", "https://c.test/compute/v2.0"),
                ("image", "https://c.test/image/v1.0"),
                ("network", "https://c.test/network/v2.0"),
                ("volume", "https://c.test/volume/v2.0"),
                ("vmapi", "https://c.test/vmapi/v1.0"),
                ("object-store", "https://p.test/object-store/v1"),
            ],
            [(one.type, one.url) for one in found],
        )

    def test_only_what_is_enabled_is_listed(self) -> None:
        catalog = Catalog(URLS, frozenset({"identity", "compute"}))
        self.assertEqual(
            ["account", "identity", "compute"], [one.type for one in catalog.synnefo()]
        )
        self.assertEqual(
            ["identity", "compute"],
            [one.type for one in catalog.openstack(PROJECT)],
        )
        self.assertEqual({"compute"}, only(["compute", "ui"]))

    def test_ids_are_stable_and_distinct(self) -> None:
        first = Catalog(URLS, KINDS).openstack(PROJECT)
        again = Catalog(URLS, KINDS).openstack(UUID(int=8))
        ids = [ident for one in first for ident in (one.id, one.service)]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual([one.id for one in first], [one.id for one in again])

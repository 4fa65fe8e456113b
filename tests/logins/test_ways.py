"""Login methods as configured, and headers that are, or are not, believed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import snfd.plugins
from snfd.errors import Invalid, Unauthorized
from snfd.loading import load
from snfd.logins.headers import HeaderTable, TrustedHeaders
from snfd.logins.port import Tools
from snfd.logins.settings import parsed
from snfd.logins.wired import takes_passwords, ways
from snfd.plugin import ILogin
from tests.identity.cloud import CountingRandom

PROXY = "10.0.0.1"
SHIBBOLETH = {"kind": "shibboleth"}


class WaysTests(SynchronousTestCase):
    def ways(self, *tables: Mapping[str, Any]) -> Mapping[str, Any]:
        kinds = {one.kind: one.way for one in getPlugins(ILogin, snfd.plugins)}
        return ways(tables, kinds, Tools(None, CountingRandom(), [PROXY]))

    def test_every_plugin_keeps_its_promise(self) -> None:
        plugins = list(getPlugins(ILogin, snfd.plugins))
        self.assertLessEqual(
            {"local", "ldap", "oidc", "shibboleth"}, {one.kind for one in plugins}
        )
        for plugin in plugins:
            self.assertTrue(verifyObject(ILogin, plugin))

    def test_passwords_are_there_unless_told_otherwise(self) -> None:
        self.assertTrue(takes_passwords(self.ways()))
        found = self.ways(SHIBBOLETH)
        self.assertEqual(["local", "shibboleth"], list(found))
        self.assertTrue(takes_passwords(found))
        found = self.ways({"kind": "local", "login": False}, SHIBBOLETH)
        self.assertFalse(takes_passwords(found))

    def test_policies_are_read(self) -> None:
        table = {**SHIBBOLETH, "name": "uni", "title": "Uni", "limit": 3, "add": False}
        method = self.ways(table)["uni"].method
        self.assertEqual(("Uni", 3), (method.title, method.policies.limit))
        self.assertFalse(method.policies.add)
        self.assertFalse(method.policies.switch)

    def test_tables_that_make_no_sense(self) -> None:
        for wrong, said in (
            ({"kind": "lpad"}, "ldap"),
            ({}, "no kind"),
            ({**SHIBBOLETH, "tiltle": "x"}, "title"),
            ({**SHIBBOLETH, "name": "new"}, "new"),
            ({**SHIBBOLETH, "name": "Uni"}, "name"),
            ({**SHIBBOLETH, "name": "../x"}, "name"),
            ({**SHIBBOLETH, "name": "local"}, "local"),
            ({"kind": "local", "name": "x"}, "local"),
            ({**SHIBBOLETH, "limit": -1}, "limit"),
            ({**SHIBBOLETH, "forced": ["colour"]}, "forced"),
        ):
            error = self.assertRaises(Invalid, self.ways, wrong)
            self.assertIn(said, str(error))
        self.assertRaises(Invalid, self.ways, SHIBBOLETH, SHIBBOLETH)

    def test_secrets_of_tables_are_not_shown(self) -> None:
        path = Path(self.mktemp())
        path.write_text(
            "[[login]]\nkind = 'oidc'\nname = 'uni'\nclient_secret = 'hush'\n"
        )
        loaded = load(path, {}, {})
        shown = {name: value for name, value, _ in loaded.shown()}
        self.assertEqual("uni", shown["login"])
        self.assertNotIn("hush", repr(shown))


class HeaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.headers: dict[str, Sequence[str]] = {
            "REMOTE_USER": ["anna@uni.example"],
            "SHIB-MAIL": ["anna@uni.example"],
            "SHIB-INETORGPERSON-GIVENNAME": ["Anna"],
        }
        self.heard: list[LogEvent] = []
        observer = cast(ILogObserver, self.heard.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def read(self, peer: str = PROXY, **more: Any) -> Any:
        table = parsed({**SHIBBOLETH, **more}, HeaderTable)
        method = TrustedHeaders.of(table, [PROXY, "fd00::/64"])
        return method.read(lambda name: self.headers.get(name, []), peer)

    def test_a_trusted_proxy_is_believed(self) -> None:
        claims = self.read()
        self.assertEqual("anna@uni.example", claims.identifier)
        self.assertEqual(
            {"email": "anna@uni.example", "first_name": "Anna"}, claims.fields
        )
        for peer in ("::ffff:10.0.0.1", "fd00::7"):
            self.assertEqual("anna@uni.example", self.read(peer).identifier)

    def test_nobody_else_is_and_it_is_told(self) -> None:
        for peer in ("10.0.0.2", "127.0.0.1", "fd00:0:0:1::7", "", "proxy", "::1"):
            self.heard.clear()
            self.assertRaises(Unauthorized, self.read, peer)
            told = [one for one in self.heard if one.get("peer") == peer]
            self.assertEqual(1, len(told), peer)

    def test_the_proxy_must_have_taken_away_what_the_client_sent(self) -> None:
        for names in ([], [""], ["anna", "root"], ["x" * 600]):
            self.headers["REMOTE_USER"] = names
            self.assertRaises(Unauthorized, self.read)
        self.headers["REMOTE_USER"] = ["anna"]
        self.headers["SHIB-MAIL"] = ["a@b.example", "c@d.example"]
        claims = self.read()
        self.assertNotIn("email", claims.fields)
        self.assertFalse(claims.verified)

    def test_names_may_be_required(self) -> None:
        self.assertRaises(Unauthorized, self.read, require_name=True)
        self.headers["SHIB-PERSON-SURNAME"] = ["Ampère"]
        self.assertEqual("Ampère", self.read(require_name=True).fields["last_name"])

    def test_other_words(self) -> None:
        self.headers["X-Person"] = ["bob"]
        self.headers["X-Mail"] = ["bob@uni.example"]
        claims = self.read(header="X-Person", attributes={"email": "X-Mail"})
        self.assertEqual(
            ("bob", "bob@uni.example"), (claims.identifier, claims.fields["email"])
        )

    def test_without_trusted_proxies_there_is_no_such_method(self) -> None:
        table = parsed(SHIBBOLETH, HeaderTable)
        self.assertRaises(Invalid, TrustedHeaders.of, table, [])
        self.assertRaises(Invalid, TrustedHeaders.of, table, ["proxy.example"])


class ManualTests(SynchronousTestCase):
    def test_the_manuals_tables_are_good(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "logins.rst").read_text()
        block = text.partition(".. code-block:: toml\n")[2].partition("\nA provider")[0]
        tables = tomllib.loads(block)["login"]
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "secret").write_text("hush")
        for table in tables:
            for name in table:
                if name.endswith("_file"):
                    table[name] = str(folder / "secret")
        kinds = {one.kind: one.way for one in getPlugins(ILogin, snfd.plugins)}
        tools = Tools(MemoryReactorClock(), CountingRandom(), [PROXY])
        found = ways(tables, kinds, tools)
        self.assertEqual(
            ["local", "ldap", "google", "linkedin", "keycloak", "shibboleth"],
            list(found),
        )

    def test_what_nobody_could_add_cannot_be_required(self) -> None:
        kinds = {one.kind: one.way for one in getPlugins(ILogin, snfd.plugins)}
        tools = Tools(MemoryReactorClock(), CountingRandom(), [PROXY])
        right = {**SHIBBOLETH, "required": True}
        found = ways([right], kinds, tools)["shibboleth"].method
        self.assertTrue(found.policies.required)
        for wrong in (
            {"kind": "local", "required": True},
            {**right, "add": False},
            {**right, "login": False},
        ):
            self.assertRaises(Invalid, ways, [wrong], kinds, tools)

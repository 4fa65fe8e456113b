"""Logins by a real slapd."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from snfd.errors import Invalid, Unauthorized, Unavailable
from snfd.logins.directory import Directory
from snfd.logins.directory_table import DirectoryTable
from snfd.logins.settings import parsed
from tests.lab import directory as lab

PEOPLE = f"ou=people,{lab.BASE}"


@pytest.mark.xdist_group("slapd")
class DirectoryTests(TestCase):
    skip = lab.missing()
    timeout = 60

    running: Any
    server: lab.Directory

    @classmethod
    def setUpClass(cls) -> None:
        cls.running = lab.running()
        cls.server = cls.running.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.running.__exit__(None, None, None)

    def directory(self, **more: Any) -> Directory:
        given = {
            "kind": "ldap",
            "url": f"ldap://127.0.0.1:{self.server.plain}",
            "tls_ca": str(self.server.ca),
            "bind_dn": lab.READER,
            "bind_password": lab.READERS_PASSWORD,
            "base": PEOPLE,
            **more,
        }
        if "dn" in given:
            del given["base"]
        return Directory.of(parsed(given, DirectoryTable), reactor)

    async def refused(
        self, work: Coroutine[Any, Any, Any], kind: type[Exception] = Unauthorized
    ) -> None:
        try:
            await work
        except kind:
            return
        self.fail(f"no {kind.__name__}")

    async def test_a_person_is_found_and_proves_himself(self) -> None:
        claims = await self.directory().check("anna", lab.PASSWORD)
        self.assertEqual(
            {"email": "Anna@example.org", "first_name": "Anna", "last_name": "Ampère"},
            claims.fields,
        )
        self.assertTrue(claims.verified)
        self.assertIsNone(claims.groups)
        self.assertRegex(claims.identifier, r"^[0-9a-f-]{36}$")
        again = await self.directory().check("ANNA", lab.PASSWORD)
        self.assertEqual(claims.identifier, again.identifier)

    async def test_ldaps(self) -> None:
        url = f"ldaps://127.0.0.1:{self.server.tls}"
        claims = await self.directory(url=url).check("anna", lab.PASSWORD)
        self.assertEqual("Anna", claims.fields["first_name"])

    async def test_a_dn_may_follow_from_the_name(self) -> None:
        directory = self.directory(dn=f"uid={{name}},{PEOPLE}")
        claims = await directory.check("anna", lab.PASSWORD)
        self.assertEqual("Anna", claims.fields["first_name"])
        await self.refused(directory.check("anna", "wrong"))
        await self.refused(directory.check("reader", lab.READERS_PASSWORD))
        odd = await directory.check("b(o)b*", lab.PASSWORD)
        self.assertEqual("bob@example.org", odd.fields["email"])

    async def test_wrong_passwords_and_strangers(self) -> None:
        directory = self.directory()
        for name, password in (
            ("anna", "wrong"),
            ("nobody", lab.PASSWORD),
            ("anna", "open sesame"),
            ("", lab.PASSWORD),
            ("x" * 600, lab.PASSWORD),
        ):
            await self.refused(directory.check(name, password))

    async def test_an_empty_password_is_none(self) -> None:
        """A server takes it for an anonymous bind, and says yes."""
        await self.refused(self.directory().check("anna", ""))
        await self.refused(
            self.directory(dn=f"uid={{name}},{PEOPLE}").check("anna", "")
        )

    async def test_names_do_not_reach_the_filter(self) -> None:
        directory = self.directory()
        odd = await directory.check("b(o)b*", lab.PASSWORD)
        self.assertEqual("bob@example.org", odd.fields["email"])
        for name in ("*", "ann*", "anna)(uid=*", "*)(objectClass=*", "b\\28o)b*", "\0"):
            await self.refused(directory.check(name, lab.PASSWORD))

    async def test_a_name_that_means_two_people_means_nobody(self) -> None:
        await self.refused(self.directory().check("twin", lab.PASSWORD))

    async def test_groups_are_ours_only_as_configured(self) -> None:
        directory = self.directory(
            group_base=f"ou=groups,{lab.BASE}",
            groups={"operators": "helpdesk", "staff": "staff"},
        )
        claims = await directory.check("anna", lab.PASSWORD)
        self.assertEqual({"helpdesk"}, claims.groups)
        self.assertEqual({"helpdesk", "staff"}, claims.mirrored)

    async def test_a_certificate_that_does_not_fit(self) -> None:
        for url in (
            f"ldap://127.0.0.1:{self.server.plain}",
            f"ldaps://127.0.0.1:{self.server.tls}",
        ):
            directory = self.directory(url=url, tls_ca="")
            await self.refused(directory.check("anna", lab.PASSWORD), Unavailable)

    async def test_tls_can_be_left_out_knowingly(self) -> None:
        claims = await self.directory(starttls=False).check("anna", lab.PASSWORD)
        self.assertEqual("Anna", claims.fields["first_name"])

    async def test_a_searcher_with_a_wrong_password(self) -> None:
        directory = self.directory(bind_password="wrong")
        await self.refused(directory.check("anna", lab.PASSWORD), Unavailable)

    async def test_servers_that_are_away_or_silent(self) -> None:
        silence: Any = Factory.forProtocol(Protocol)
        port: Any = reactor.listenTCP(0, silence, interface="127.0.0.1")
        silent = self.directory(
            url=f"ldap://127.0.0.1:{port.getHost().port}", timeout=0.3
        )
        await self.refused(silent.check("anna", lab.PASSWORD), Unavailable)
        number = port.getHost().port
        await port.stopListening()
        away = self.directory(url=f"ldap://127.0.0.1:{number}")
        await self.refused(away.check("anna", lab.PASSWORD), Unavailable)

    async def test_many_at_once(self) -> None:
        directory = self.directory()
        logins = [
            Deferred.fromCoroutine(directory.check("anna", lab.PASSWORD))
            for _ in range(30)
        ]
        found = await gatherResults(logins)
        self.assertEqual({"Anna"}, {one.fields["first_name"] for one in found})

    async def test_tables_that_make_no_sense(self) -> None:
        for wrong in (
            {"url": "http://x"},
            {"url": "ldap://"},
            {"url": "ldap://x:y"},
            {"dn": "uid=x"},
            {"base": ""},
            {"filter": "(uid={name}*)"},
            {"filter": "(uid=x)"},
            {"filterr": "(uid=x)"},
            {"tls_ca": "/nowhere"},
            {"bind_password_file": "/nowhere"},
            {"limit": "many"},
            {"attributes": {"colour": "x"}},
        ):
            self.assertRaises(Invalid, self.directory, **wrong)

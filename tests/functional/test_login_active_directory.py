"""Logins by Active Directory: a real slapd with its attributes."""

from __future__ import annotations

import tomllib
from typing import Any
from uuid import UUID

import pytest
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from snfd.errors import Unauthorized, Unavailable
from snfd.logins.directory import Directory
from snfd.logins.directory_table import DirectoryTable
from snfd.logins.ldap import filled, template
from snfd.logins.settings import parsed
from tests.functional.daemon import ROOT
from tests.lab import active
from tests.lab import directory as lab


@pytest.mark.xdist_group("slapd")
class ActiveDirectoryTests(TestCase):
    """By the table that the manual gives, at the root of the domain."""

    skip = lab.missing()
    timeout = 120

    running: Any
    server: lab.Directory

    @classmethod
    def setUpClass(cls) -> None:
        cls.running = lab.running(active.SCHEMA, active.ENTRIES)
        cls.server = cls.running.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.running.__exit__(None, None, None)

    def directory(self, **more: Any) -> Directory:
        text = (ROOT / "docs" / "logins.rst").read_text()
        block = text.partition("Active Directory\n---")[2].partition(":: toml\n")[2]
        block = block.partition("\n``")[0]
        (table,) = tomllib.loads(block)["login"]
        for name in ("bind_password_file", "groups"):
            del table[name]
        here = {
            "url": f"ldap://127.0.0.1:{self.server.plain}",
            "tls_ca": str(self.server.ca),
            "bind_dn": lab.READER,
            "bind_password": lab.READERS_PASSWORD,
            "base": lab.BASE,
            "group_base": lab.BASE,
            "timeout": 60,
        }
        return Directory.of(parsed({**table, **here, **more}, DirectoryTable), reactor)

    async def refused(self, directory: Directory, name: str, *password: str) -> None:
        try:
            await directory.check(name, *(password or (lab.PASSWORD,)))
        except Unauthorized:
            return
        self.fail(f"{name} was let in")

    async def test_both_names_mean_the_same_person(self) -> None:
        directory = self.directory()
        for name in ("berta", "BERTA", "berta@corp.example.org"):
            claims = await directory.check(name, lab.PASSWORD)
            self.assertEqual(str(active.ANNA), claims.identifier)
            self.assertEqual("berta@example.org", claims.fields["email"])
        for name in ("berta@example.org", "berta@", "*", "anna", "reader"):
            await self.refused(directory, name)
        await self.refused(directory, "berta", "wrong")
        await self.refused(directory, "berta", "")

    async def test_the_guid_stays_when_all_else_changes(self) -> None:
        """Somebody who marries and moves to another department."""
        directory = self.directory()
        before = await directory.check("tex", lab.PASSWORD)
        self.assertEqual(str(active.PRINTABLE), before.identifier)
        self.server.change(
            f"dn: cn=Tex,ou=staff,{lab.BASE}\nchangetype: delete\n\n"
            + active.added(active.person("rex", active.PRINTABLE, folder="sales"))
        )
        after = await directory.check("rex", lab.PASSWORD)
        self.assertEqual(before.identifier, after.identifier)
        self.assertEqual("rex@example.org", after.fields["email"])
        await self.refused(directory, "tex")

    async def test_disabled_accounts_are_not_let_in(self) -> None:
        """By the filter; a server of Microsoft's refuses their passwords, too."""
        await self.refused(self.directory(), "dora")
        await self.refused(self.directory(), "dora@corp.example.org")
        lax = self.directory(filter="(sAMAccountName={name})")
        self.assertEqual(
            "dora", (await lax.check("dora", lab.PASSWORD)).fields["email"][:4]
        )

    async def test_who_is_disabled_later_is_let_in_no_more(self) -> None:
        directory = self.directory()
        self.server.change(active.added(active.person("eva", UUID(int=5))))
        await directory.check("eva", lab.PASSWORD)
        control = active.NORMAL | active.DISABLED
        self.server.change(
            f"dn: cn=Eva,ou=staff,{lab.BASE}\nchangetype: modify\n"
            f"replace: userAccountControl\nuserAccountControl: {control}\n"
        )
        await self.refused(directory, "eva")

    async def test_references_to_other_domains_are_not_followed(self) -> None:
        """A search from the root brings some; nobody is asked there."""
        claims = await self.directory().check("berta", lab.PASSWORD)
        self.assertEqual("Berta", claims.fields["first_name"])
        away = self.directory(base=f"ou=elsewhere,{lab.BASE}")
        try:
            await away.check("berta", lab.PASSWORD)
        except Unavailable:
            return
        self.fail("a reference was followed")

    async def test_groups(self) -> None:
        directory = self.directory(
            group_filter="(member={dn})", groups={"engineers": "helpdesk"}
        )
        claims = await directory.check("berta", lab.PASSWORD)
        self.assertEqual({"helpdesk"}, claims.groups)

    def test_groups_in_groups_are_asked_for_by_a_rule(self) -> None:
        """OpenLDAP lacks the rule; the request is as Microsoft describes it."""
        wanted = template("(member:1.2.840.113556.1.4.1941:={dn})")
        sent = filled(wanted, "cn=A (b)\\, c,dc=x").toWire()
        self.assertIn(b"1.2.840.113556.1.4.1941", sent)
        self.assertIn(b"cn=A (b)\\, c,dc=x", sent)

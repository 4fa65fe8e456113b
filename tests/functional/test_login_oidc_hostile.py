"""Logins by OpenID providers that are broken, hostile, or have their own manners."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from snfd.errors import Invalid, Unauthorized, Unavailable
from snfd.logins.model import Claims
from snfd.logins.openid import OpenId
from snfd.logins.openid_table import OpenIdTable, with_preset
from snfd.logins.port import Tools
from snfd.logins.settings import parsed
from tests.identity.cloud import CountingRandom
from tests.logins.provider import Provider

BACK = "https://cloud.test/ui/login/uni/authenticated"


@pytest.mark.xdist_group("oidc")
class HostileTests(TestCase):
    """Providers that are broken, or not to be trusted with where we go."""

    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        self.provider = Provider(reactor)
        self.addCleanup(self.provider.stop)
        self.method = self.made(timeout=60)

    def made(self, **more: Any) -> OpenId:
        given = {
            "kind": "oidc",
            "issuer": self.provider.issuer,
            "client_id": "snfd",
            "client_secret": "hush",
            **more,
        }
        tools = Tools(reactor, CountingRandom())
        return OpenId.of(parsed(with_preset(given), OpenIdTable), tools)

    async def believed(self) -> bool:
        """Whether a login comes to its end."""
        try:
            await self.arrived()
        except (Unauthorized, Unavailable):
            return False
        return True

    async def arrived(self) -> Claims:
        """A login's claims."""
        departure = await self.method.leave(BACK)
        self.provider.nonce = departure.kept["nonce"]
        answer = {"code": "x", "state": departure.kept["state"]}
        return await self.method.returned(BACK, departure.kept, answer)

    async def test_the_rig_itself_is_believed(self) -> None:
        self.assertTrue(await self.believed())
        self.assertIn("code_verifier", self.provider.form)
        self.assertEqual("Basic c25mZDpodXNo", self.provider.authorization)

    async def test_tokens_that_are_not_for_this_login(self) -> None:
        now = int(reactor.seconds())
        for wrong in (
            {"iss": "https://other.example"},
            {"aud": "other"},
            {"aud": ["snfd", "other"]},
            {"azp": "other"},
            {"exp": now - 3600},
            {"exp": None},
            {"iat": None},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "x" * 600},
            {"nonce": "other"},
            {"nonce": None},
        ):
            self.provider.claims = wrong
            self.assertFalse(await self.believed(), wrong)
        self.provider.claims = {"aud": ["snfd", "other"], "azp": "snfd"}
        self.assertTrue(await self.believed())

    async def test_tokens_that_nobody_signed(self) -> None:
        for how in ("none", "shared", "stranger", "garbled", "empty"):
            self.provider.signing = how
            self.assertFalse(await self.believed(), how)

    async def test_keys_may_change(self) -> None:
        self.assertTrue(await self.believed())
        self.provider.new_key()
        self.assertFalse(await self.believed())
        self.method._keys = (self.method._keys or (0, None))[0] - 61, None  # type: ignore[assignment]
        self.assertTrue(await self.believed())

    async def test_metadata_leads_nowhere_else(self) -> None:
        """A provider could name hosts that only we can reach."""
        for name in ("token_endpoint", "jwks_uri"):
            for wrong in (
                "http://169.254.169.254/latest",
                "http://127.0.0.1:1/",
                "https://localhost/",
                "file:///etc/passwd",
                "//x",
                7,
            ):
                self.provider.metadata = {name: wrong}
                self.method._provider = None
                self.assertFalse(await self.believed(), wrong)
        self.provider.metadata = {"issuer": "https://other.example"}
        self.method._provider = None
        self.assertFalse(await self.believed())

    async def test_what_is_told_aside_is_of_the_same_person(self) -> None:
        self.provider.metadata = {"userinfo_endpoint": f"{self.provider.issuer}/me"}
        mail = {"email": "anna@uni.example", "email_verified": True}
        for claims, userinfo, verified in (
            ({}, {"sub": "anna-1", **mail}, True),
            ({}, {"sub": "other", **mail}, None),
            ({}, mail, None),
            (mail, {"sub": "anna-1", "email_verified": False}, True),
            # one source's word says nothing of the other's address
            ({"email": "boss@uni.example"}, {"sub": "anna-1", **mail}, False),
            ({"email_verified": True}, {"sub": "anna-1", "email": "a@b.c"}, False),
            ({"email": mail["email"]}, {"sub": "anna-1", **mail}, True),
            ({"email": "a@b.c", "email_verified": "false"}, {}, False),
            ({"email": "a@b.c", "email_verified": "true"}, {}, True),
            ({"email": "a@b.c", "email_verified": 1.5}, {}, False),
            ({"email": 7, "email_verified": True}, {}, None),
        ):
            self.provider.claims, self.provider.userinfo = claims, userinfo
            found = await self.arrived()
            told = found.verified if "email" in found.fields else None
            self.assertEqual(verified, told, (claims, userinfo))
        self.assertEqual("Bearer opened", self.provider.bearer)

    async def test_a_verified_address_is_not_any_other_claim(self) -> None:
        table = replace(self.method.table, attributes={"email": "upn"})
        self.method.table = table
        self.provider.claims = {"upn": "boss@uni.example", "email_verified": True}
        found = await self.arrived()
        self.assertEqual("boss@uni.example", found.fields["email"])
        self.assertFalse(found.verified)

    async def test_redirects_are_not_followed(self) -> None:
        self.provider.redirect = True
        self.assertFalse(await self.believed())

    async def test_answers_have_bounds(self) -> None:
        self.method = self.made(timeout=0.5)
        for fault in ("silent", "endless", "huge", "no json", "list", "500", "lost"):
            self.provider.fault = fault
            self.method._provider = None
            self.assertFalse(await self.believed(), fault)

    async def test_linkedin(self) -> None:
        """It repeats no nonce, writes true as text, and takes no verifier."""
        self.provider.manners = "linkedin"
        self.provider.claims = {
            "email": "anna@uni.example",
            "email_verified": "true",
            "nonce": None,
        }
        more = {"userinfo_endpoint": f"{self.provider.issuer}/me"}
        self.provider.metadata = more
        self.provider.userinfo = {
            "sub": "anna-1",
            "given_name": "Anna",
            "family_name": "Ampère",
            "locale": {"country": "GR", "language": "el"},
            "email": "anna@uni.example",
            "email_verified": True,
        }
        self.method = self.made(preset="linkedin")
        self.assertEqual("linkedin", self.method.method.name)
        claims = await self.arrived()
        self.assertTrue(claims.verified)
        self.assertEqual(
            {"email": "anna@uni.example", "first_name": "Anna", "last_name": "Ampère"},
            claims.fields,
        )
        self.assertEqual(
            {"client_id": "snfd", "client_secret": "hush"},
            {k: v for k, v in self.provider.form.items() if k.startswith("client")},
        )
        # it could not tell logins apart without its preset
        self.method = self.made(preset="linkedin", pkce=True)
        self.assertFalse(await self.believed())
        self.method = self.made(preset="linkedin", nonce=True)
        self.assertFalse(await self.believed())
        self.method = self.made(preset="linkedin")
        self.provider.claims = {"nonce": "of somebody else"}
        self.assertFalse(await self.believed())

    async def test_google(self) -> None:
        """Its ID tokens may name it without the scheme; nobody else's may."""
        self.provider.claims = {"iss": "accounts.google.com", "hd": "uni.example"}
        self.assertFalse(await self.believed())
        self.method = self.made(preset="google")
        self.assertTrue(await self.believed())
        self.provider.claims = {"iss": "https://accounts.google.com.evil.example"}
        self.assertFalse(await self.believed())

    async def test_keycloak(self) -> None:
        """Its groups are paths, where its mapper is left as it comes."""
        self.provider.claims = {
            "azp": "snfd",
            "aud": ["snfd", "account"],
            "typ": "ID",
            "groups": ["/staff", "/staff/physics"],
            "email": "anna@uni.example",
            "email_verified": True,
        }
        groups = {"/staff/physics": "scientists", "physics": "others"}
        self.method = self.made(preset="keycloak", groups=groups)
        found = await self.arrived()
        self.assertEqual({"scientists"}, found.groups)
        self.assertTrue(found.verified)

    async def test_tables_that_make_no_sense(self) -> None:
        right = {"kind": "oidc", "client_id": "x", "client_secret": "y"}
        for wrong in (
            {"issuer": "http://idp.example"},
            {"issuer": "idp.example"},
            {"issuer": "https://me@idp.example"},
            {"issuer": "https://idp.example", "client_secret": ""},
            {"issuer": "https://idp.example", "origins": ["x"]},
            {"issuer": "https://idp.example", "preset": "gogle"},
            {"issuer": "https://idp.example", "tls_ca": "/nowhere"},
            {},
        ):
            with self.assertRaises(Invalid):
                OpenId.of(
                    parsed(with_preset({**right, **wrong}), OpenIdTable),
                    Tools(reactor, CountingRandom()),
                )
        for preset in ("google", "linkedin"):
            given = with_preset({**right, "preset": preset})
            made = OpenId.of(
                parsed(given, OpenIdTable), Tools(reactor, CountingRandom())
            )
            self.assertEqual(preset, made.method.name)

"""What of an address may be logged."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from api.shown import method_of, shown
from snfd.tokens import mint
from tests.identity.cloud import CountingRandom


class ShownTests(SynchronousTestCase):
    def test_secrets_are_left_out_however_they_are_written(self) -> None:
        for uri in (
            b"/identity/v2.0/tokens/hush",
            b"/identity/v2.0/tokens/hush/endpoints?belongsTo=x",
            b"/identity/v2.0//tokens/hush",
            b"/identity/v2%2E0/tokens/hush/endpoints",
            b"//console/hush",
            b"/console/hush?x=hush",
            b"/vmapi/v1.0/server-params/hush",
            b"/vmapi/v1.0/image/hush",
            b"/public/hush",
            b"/os/image/v2/images?token=hush",
        ):
            self.assertNotIn("hush", shown(uri), uri)

    def test_all_else_is_shown_as_it_came(self) -> None:
        for uri in (
            b"/os/compute/v2.1/servers/1",
            b"/v1/AUTH_x/a%20b",
            b"/%ff",
            b"/v1/AUTH_0b1ff0e2-6cbf-4e3c-8c5a-1f5b8e3a9d07/x",
            b"/os/identity/v3/projects/0b1ff0e26cbf4e3c8c5a1f5b8e3a9d07",
            b"/os/compute/v2.1/os-simple-tenant-usage/1",
            b"/os/identity/v3/users/x/application_credentials",
        ):
            self.assertEqual(uri.decode(), shown(uri))

    def test_tokens_are_left_out_wherever_they_come(self) -> None:
        random = CountingRandom()
        for _ in range(200):
            made = mint(random)
            for token in (made, f"h.{made}", f"s.{made}"):
                hidden = made[4:30]
                for path in (
                    "/{}",
                    "/identity/v2.0/token/{}",
                    "/identity/v2.0/tokens;{}",
                    "/identity/v2.0/tokens/x/endpoints/{}",
                    "/os/identity/v3/auth/tokens/{}",
                    "/os/compute/v2.1/servers/{}",
                    "/v1/AUTH_x/{}/x",
                    "/ui/activate&auth={}",
                    "/ui/x#token={}",
                    "/os/x%3Ftoken={}",
                    "http://user:{}@host/x",
                    "*{}",
                    "/{}/0b1ff0e2-6cbf-4e3c-8c5a-1f5b8e3a9d07",
                    "/0b1ff0e2-6cbf-4e3c-8c5a-1f5b8e3a9d07{}",
                ):
                    uri = path.format(token)
                    self.assertNotIn(hidden, shown(uri.encode()), uri)
                    coded = "".join(f"%{ord(one):02x}" for one in token)
                    told = shown(path.format(coded).encode())
                    self.assertNotIn(coded[12:60], told)
                    self.assertNotIn(hidden, told)

    def test_a_method_may_be_anything(self) -> None:
        self.assertEqual("PROPFIND", method_of(b"PROPFIND"))
        for wrong in (b"x" * 43, b"GETTING" * 9, b"\xff", b"A1", b""):
            self.assertEqual("…", method_of(wrong))

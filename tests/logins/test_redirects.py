"""Where a login may lead (check 67, W39, W46): attacks, one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.logins.redirects import Redirects, plus_query, safe, with_query, without

OURS = Redirects("https://a.test")
SOME = Redirects(
    "https://a.test:8443",
    ["pithos://", "https://app.example/cb", "https://wide.example/in/"],
)

OFF_SITE = (
    "https://evil.example/",
    "http://a.test/",
    "https://a.test.evil.example/",
    "https://evil-a.test/",
    "https://a.test@evil.example/",
    "https://a.test:443@evil.example/",
    "https://a.test:444/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\/evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\t//evil.example/",
    " //evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:\\evil.example",
    "HTTPS://EVIL.example/",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x\x00",
    "https://[::1",
    "pithos://x",
    "",
    "/" + "x" * 6000,
)


class RedirectTests(SynchronousTestCase):
    def test_astakos_67_nothing_leads_off_site(self) -> None:
        for address in OFF_SITE:
            self.assertFalse(OURS.local(address), address)
            self.assertFalse(OURS.listed(address), address)
            self.assertEqual("/ui/", OURS.or_else(address, "/ui/"), address)

    def test_paths_of_ours(self) -> None:
        for address in ("/", "/ui/", "/ui/x?y=//z", "https://a.test/ui/"):
            self.assertEqual(address, OURS.or_else(address, "/no"), address)
        self.assertEqual("/no", OURS.or_else(None, "/no"))

    def test_configured_addresses_are_exact_or_prefixes_that_end(self) -> None:
        for fine in (
            "pithos://cb",
            "pithos://",
            "https://app.example/cb",
            "https://wide.example/in/",
            "https://wide.example/in/x?y=/../z",
        ):
            self.assertTrue(SOME.listed(fine), fine)
        for wrong in (
            "pithosx://cb",
            "pithos:cb",
            "https://app.example/cb/",
            "https://app.example/cb?x=1",
            "https://app.example/cbx",
            "https://app.example/",
            "https://sub.app.example/cb",
            "https://evil-app.example/cb",
            "https://wide.example/in",
            "https://wide.example/in/../out",
            "https://wide.example/in/%2e%2e/out",
            "https://wide.example/in/%2E%2e%2fout",
            "https://wide.example/in/\\..\\out",
            "https://wide.example.evil/in/",
        ):
            self.assertFalse(SOME.listed(wrong), wrong)

    def test_a_program_is_reached_safely_or_not_at_all(self) -> None:
        for fine in (
            "https://app.example/cb?x=1",
            "HTTPS://app.example:8443",
            "http://127.0.0.1/cb",
            "http://127.8.9.1:9000/cb",
            "http://[::1]:9000/cb",
            "http://localhost/cb",
        ):
            self.assertTrue(safe(fine), fine)
        for wrong in (
            "http://app.example/cb",
            "http://localhost.evil.example/cb",
            "http://localhost@evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://10.0.0.1/cb",
            "http://0.0.0.0/cb",
            "https://you@app.example/cb",
            "https://app.example/cb#x",
            "https://app.example:x/cb",
            "https:///cb",
            "https:cb",
            "javascript://x/%0aalert(1)",
            "myapp://cb",
            "//app.example/cb",
            *OFF_SITE[-6:],
        ):
            self.assertFalse(safe(wrong), wrong)

    def test_scripts_are_never_listed(self) -> None:
        careless = Redirects("", ["javascript:alert(1)", "data:text/html,x"])
        self.assertFalse(careless.listed("javascript:alert(1)"))
        self.assertFalse(careless.listed("data:text/html,x"))

    def test_no_origin_is_nobody(self) -> None:
        self.assertFalse(Redirects("").local("evil"))

    @given(st.text(max_size=40))
    def test_whatever_is_local_stays(self, text: str) -> None:
        if OURS.local(text):
            self.assertTrue(text.startswith(("/", "https://a.test")))
            self.assertFalse(text.startswith(("//", "/\\")))

    def test_queries(self) -> None:
        self.assertEqual("pithos://cb?t=1", with_query("pithos://cb?x=2#f", t="1"))
        self.assertEqual("pithos:///?t=1", with_query("pithos:///", t="1"))
        self.assertEqual("/x?a=1&b=%2Fy", plus_query("/x?a=1", b="/y"))
        self.assertEqual("/x?a=1", without("/x?a=1&force=", "force"))

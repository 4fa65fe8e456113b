"""The login page, the way out, and what pages show around themselves."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.logins.model import csrf_of
from tests.logins.cloud import (
    ANNA,
    SESSION,
    BrowsingCloud,
    FakeJourney,
    hidden_fields,
    method,
)
from tests.logins.test_redirects import OFF_SITE

IN_PERSON = {"Sec-Fetch-Site": "none"}
"""What a browser says that no page sent."""


class PageCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.surfer = self.cloud.surfer()


class LoginTests(PageCase):
    def test_a_password_opens_a_session(self) -> None:
        answer = self.surfer.fill("/ui/login", username="demo", password="secret")
        self.assertEqual(302, answer.status)
        self.assertEqual("/ui/", answer.headers["location"])
        self.assertIn(SESSION, self.surfer.cookies)
        answer = self.surfer.get("/ui/login?next=/ui/profile")
        self.assertEqual("/ui/profile", answer.headers["location"])

    def test_where_it_leads(self) -> None:
        answer = self.surfer.fill(
            "/ui/login?next=/ui/projects%3Fx", username="demo", password="secret"
        )
        self.assertEqual("/ui/projects?x", answer.headers["location"])

    def test_what_is_no_page_is_led_to_by_a_page(self) -> None:
        """Browsers hold redirects of a form against the page's ``form-action``."""
        answer = self.surfer.fill(
            "/ui/login?next=/weblogin/login%3Fnext=pithos://cb",
            username="demo",
            password="secret",
        )
        self.assertEqual(200, answer.status)
        self.assertIn(b"0;url=/weblogin/login?next=pithos://cb", answer.body)

    def test_wrong_passwords(self) -> None:
        answer = self.surfer.fill("/ui/login", username="de<mo", password="secret")
        self.assertEqual(401, answer.status)
        self.assertIn(b"not valid", answer.body)
        self.assertIn(b"de&lt;mo", answer.body)
        self.assertNotIn(b"secret", answer.body)
        self.assertNotIn(SESSION, self.surfer.cookies)

    def test_astakos_64_guesses_are_throttled_here_too(self) -> None:
        for _ in range(4):
            answer = self.surfer.fill("/ui/login", username="demo", password="wrong")
        self.assertEqual(429, answer.status)
        answer = self.surfer.fill("/ui/login", username="demo", password="secret")
        self.assertEqual(429, answer.status)

    def test_other_sites_cannot_send_the_form(self) -> None:
        """Or they would log people in as somebody else, and read what they do."""
        right = {"username": "demo", "password": "secret"}
        self.assertEqual(403, self.surfer.form("/ui/login", right).status)
        given = {**right, "form": hidden_fields(self.surfer.get("/ui/login"))["form"]}
        stranger = self.cloud.surfer()
        self.assertEqual(403, stranger.form("/ui/login", given).status)
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = self.surfer.form("/ui/login", given, headers=headers)
        self.assertEqual(403, answer.status)
        self.assertEqual(302, self.surfer.form("/ui/login", given).status)

    def test_neighbours_in_the_domain_cannot_either(self) -> None:
        """They set cookies for us, but for ``__Host-``; old browsers tell no site."""
        given = {"username": "demo", "password": "secret", "form": csrf_of("tossed")}
        self.surfer.cookies["snfd_form"] = "tossed"
        self.assertEqual(403, self.surfer.form("/ui/login", given).status)
        uni = method("uni")
        self.cloud.add(FakeJourney(uni, ANNA))
        attacker = self.cloud.surfer()
        attacker.get("/ui/login/uni")
        self.surfer.cookies["snfd_journey"] = attacker.cookies["__Host-snfd_journey"]
        back = "/ui/login/uni/authenticated?code=x&state=state+1"
        self.assertEqual(401, self.surfer.get(back).status)

    def test_bodies_that_are_no_forms(self) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for data, headers in (
            (b"{}", {"Content-Type": "application/json"}),
            (b"x=\xff\xfe", kind),
            (b"x=%ff", kind),
            (b"username=a&username=b", kind),
            (b"username=%00", kind),
            (b"&".join(b"a%d=1" % n for n in range(200)), kind),
            (b"x=" + b"y" * 70000, kind),
        ):
            answer = self.surfer.request(
                "POST", "/ui/login", data=data, headers=headers
            )
            self.assertEqual(400, answer.status, data[:30])

    def test_pages_may_load_nothing_and_be_framed_by_nobody(self) -> None:
        answer = self.surfer.get("/ui/login")
        policy = answer.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertEqual("no-store", answer.headers["cache-control"])
        self.assertNotIn(b"<script", answer.body)
        style = self.surfer.get("/ui/login/style.css")
        self.assertEqual("text/css; charset=utf-8", style.headers["content-type"])

    def test_faults_are_pages(self) -> None:
        answer = self.surfer.get("/ui/login/nothing")
        self.assertEqual(404, answer.status)
        self.assertIn("text/html", answer.headers["content-type"])
        self.assertEqual(405, self.surfer.request("PUT", "/ui/login/x").status)

    def test_other_methods_are_offered(self) -> None:
        self.cloud.add(FakeJourney(method("uni"), ANNA))
        self.cloud.add(FakeJourney(method("old", login=False), ANNA))
        answer = self.surfer.get("/ui/login?next=/ui/x%22")
        self.assertIn(b'href="/ui/login/uni?next=%2Fui%2Fx%22"', answer.body)
        self.assertNotIn(b"/ui/login/old", answer.body)
        self.assertEqual(404, self.surfer.get("/ui/login/old").status)

    def test_astakos_67_nobody_is_led_off_site(self) -> None:
        for address in OFF_SITE:
            page = {"username": "demo", "password": "secret", "next": address}
            surfer = self.cloud.surfer()
            shown = hidden_fields(surfer.get("/ui/login"))
            answer = surfer.form("/ui/login", {**shown, **page})
            location = answer.headers.get("location")
            if "pithos" in address:
                # configured, and so a page of its own leads there
                self.assertIsNone(location)
            elif "\0" in address:
                self.assertEqual(400, answer.status)
            else:
                self.assertEqual("/ui/", location, address)


class LogoutTests(PageCase):
    def test_whoever_was_sent_by_another_site_is_asked(self) -> None:
        surfer = self.cloud.logged_in()
        for sent in ({"Sec-Fetch-Site": "cross-site"}, {}):
            asked = surfer.get("/ui/logout?next=/ui/goodbye", headers=sent)
            self.assertEqual(200, asked.status)
        self.assertEqual(403, surfer.form("/ui/logout", {}).status)
        self.assertEqual(200, surfer.get("/account/v1.0/session").status)
        answer = surfer.form("/ui/logout?next=/ui/goodbye", hidden_fields(asked))
        self.assertEqual("/ui/goodbye", answer.headers["location"])
        self.assertNotIn(SESSION, surfer.cookies)
        self.assertEqual(302, surfer.get("/ui/logout").status)

    def test_the_session_ends(self) -> None:
        surfer = self.cloud.logged_in()
        secret = surfer.cookies[SESSION]
        answer = surfer.get("/ui/logout?next=/ui/goodbye", headers=IN_PERSON)
        self.assertEqual(
            (302, "/ui/goodbye"), (answer.status, answer.headers["location"])
        )
        self.assertNotIn(SESSION, surfer.cookies)
        surfer.cookies[SESSION] = secret
        self.assertEqual(401, surfer.get("/account/v1.0/session").status)

    def test_astakos_67_nobody_is_led_off_site(self) -> None:
        surfer = self.cloud.logged_in()
        for address in ("https://evil.example/", "//evil.example", "/%5Cevil.example"):
            answer = surfer.get(f"/ui/logout?next={address}", headers=IN_PERSON)
            self.assertEqual("/ui/login", answer.headers["location"])


class MenuTests(PageCase):
    def test_astakos_68_the_menu_knows_who_is_there(self) -> None:
        (only,) = self.surfer.get("/ui/get_menu").json
        self.assertEqual({"url": "https://a.test/ui/login", "name": "Sign in"}, only)
        items = self.cloud.logged_in().get("/ui/get_menu").json
        self.assertEqual(
            [
                ("https://a.test/ui/profile", "demo@example.org"),
                ("https://a.test/ui/", "Dashboard"),
                ("https://a.test/ui/logout", "Sign out"),
            ],
            [(one["url"], one["name"]) for one in items],
        )
        self.surfer.cookies[SESSION] = "wrong"
        self.assertEqual(1, len(self.surfer.get("/ui/get_menu").json))

    def test_services_are_cards(self) -> None:
        cards = self.surfer.get("/ui/get_services").json
        self.assertEqual(
            ["astakos", "cyclades", "pithos"], [one["name"] for one in cards]
        )
        self.assertEqual([1, 2, 3], [one["order"] for one in cards])
        self.assertEqual("https://c.test/ui/machines", cards[1]["url"])
        self.assertTrue(cards[1]["cloudbar"]["show"])

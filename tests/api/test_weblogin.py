"""Handing a token to a program on somebody's machine (check 66)."""

from __future__ import annotations

from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.logins.cloud import SESSION, BrowsingCloud, hidden_fields, query_of
from tests.logins.test_redirects import OFF_SITE

PITHOS = "/weblogin/login?next=pithos%3A%2F%2Fcb"


class WebloginTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.surfer = self.cloud.surfer()

    def test_astakos_66_without_next(self) -> None:
        self.assertEqual(400, self.surfer.get("/weblogin/login").status)
        self.assertEqual(400, self.surfer.get("/weblogin/login?next=").status)

    def test_astakos_66_other_addresses_are_refused(self) -> None:
        surfer = self.cloud.logged_in()
        for address in (
            *OFF_SITE,
            "https://x",
            "/ui/",
            "https://a.test/",
            "pithosx://c",
        ):
            if address in ("", "pithos://x"):
                continue
            answer = surfer.get(f"/weblogin/login?next={quote(address, safe='')}")
            self.assertIn(answer.status, (400, 403), address)
            self.assertNotIn("location", answer.headers)
        self.assertEqual(403, surfer.get("/weblogin/login?next=https://x").status)

    def test_astakos_66_without_a_session_people_log_in_first(self) -> None:
        answer = self.surfer.get(PITHOS + "&renew=&force=")
        self.assertEqual(302, answer.status)
        self.assertTrue(answer.headers["location"].startswith("/ui/login?"))
        again = query_of(answer)["next"]
        self.assertEqual(PITHOS + "&renew=", again)

    def test_astakos_66_with_a_session_the_token_is_handed_over(self) -> None:
        surfer = self.cloud.logged_in()
        answer = surfer.get(PITHOS)
        self.assertEqual(302, answer.status)
        self.assertTrue(answer.headers["location"].startswith("pithos://cb?uuid="))
        given = query_of(answer)
        self.assertEqual({"uuid", "token"}, given.keys())
        self.assertEqual(str(self.cloud.demo), given["uuid"])
        answer = self.surfer.get("/account/v1.0/session", token=given["token"])
        self.assertEqual(404, answer.status)
        answer = self.surfer.post(
            "/account/v1.0/user_catalogs", {"uuids": []}, token=given["token"]
        )
        self.assertEqual(200, answer.status)
        rows = self.cloud.cloud.sql(
            "SELECT kind, label FROM identity.api_token WHERE kind = 'weblogin'"
        )
        self.assertEqual([("weblogin", "weblogin pithos")], rows)

    def test_each_time_it_is_a_new_token(self) -> None:
        surfer = self.cloud.logged_in()
        tokens = {query_of(surfer.get(PITHOS + "&renew="))["token"] for _ in range(3)}
        self.assertEqual(3, len(tokens))
        self.assertNotIn(surfer.cookies[SESSION], tokens)

    def test_what_next_had_in_its_query_is_replaced_and_state_comes_back(self) -> None:
        surfer = self.cloud.logged_in()
        answer = surfer.get("/weblogin/login?next=pithos://cb%3Fx=1%23f&state=s%26t")
        given = query_of(answer)
        self.assertEqual({"uuid", "token", "state"}, given.keys())
        self.assertEqual("s&t", given["state"])

    def test_force_asks_for_another_login(self) -> None:
        """A program opens the browser, which was sent by no page then."""
        for site in ("none", "same-origin"):
            surfer = self.cloud.logged_in()
            secret = surfer.cookies[SESSION]
            answer = surfer.get(PITHOS + "&force=", headers={"Sec-Fetch-Site": site})
            self.assertEqual(302, answer.status)
            self.assertEqual(PITHOS, query_of(answer)["next"])
            self.assertNotIn(SESSION, surfer.cookies)
            surfer.cookies[SESSION] = secret
            self.assertEqual(401, surfer.get("/account/v1.0/session").status)

    def test_another_sites_link_ends_no_session(self) -> None:
        for site in ("cross-site", "same-site", ""):
            surfer = self.cloud.logged_in()
            sent = {"Sec-Fetch-Site": site} if site else {}
            answer = surfer.get(PITHOS + "&force=", headers=sent)
            self.assertEqual(200, answer.status, site)
            self.assertIn("frame-ancestors", answer.headers["content-security-policy"])
            self.assertEqual(200, surfer.get("/account/v1.0/session").status)
            given = hidden_fields(answer)
            for wrong, more in (({}, {}), (given, {"Sec-Fetch-Site": "cross-site"})):
                refused = surfer.form(PITHOS + "&force=", wrong, headers=more)
                self.assertEqual(403, refused.status)
            self.assertEqual(200, surfer.get("/account/v1.0/session").status)
            answer = surfer.form(PITHOS + "&force=", given)
            self.assertEqual((302, PITHOS), (answer.status, query_of(answer)["next"]))
            self.assertNotIn(SESSION, surfer.cookies)

    def test_only_get(self) -> None:
        surfer = self.cloud.logged_in()
        for name in ("PUT", "DELETE", "HEAD"):
            self.assertEqual(405, surfer.request(name, PITHOS).status, name)
        self.assertEqual(400, surfer.request("POST", PITHOS).status)
        count = self.cloud.cloud.sql("SELECT count(*)::int FROM identity.api_token")
        self.assertEqual([(1,)], count)

    def test_the_whole_way(self) -> None:
        """The program opens the browser; the person logs in; the program has it."""
        answer = self.surfer.get(PITHOS)
        answer = self.surfer.fill(
            answer.headers["location"], username="demo", password="secret"
        )
        self.assertIn(b"0;url=/weblogin/login?next=pithos%3A%2F%2Fcb", answer.body)
        self.assertIn("token", query_of(self.surfer.get(PITHOS)))

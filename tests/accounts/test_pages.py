"""Where links in letters lead: forms that need no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import define
from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import build
from api.root import Root
from api.ui.letters import ActivatePage, AddressPage, ResetPage
from api.ui.paper import PAGES, Paper
from api.ui.signup import SignUpPage
from api.ui.terms import TermsPages
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.accounts.cloud import ROOT
from tests.logins.cloud import ORIGIN, BrowsingCloud, Surfer, hidden_fields


@define(eq=False, slots=False)
class PagesCloud(BrowsingCloud):
    """The same with the pages of accounts."""

    def _mounts(self) -> Sequence[Mount]:
        who = self.cloud.authenticator
        desk = self.desk()
        accounts = self.accounts.accounts
        pages = {
            "signup": SignUpPage(desk, accounts),
            "activate": ActivatePage(desk, accounts),
            "password_reset": ResetPage(desk, accounts),
            "email_change": AddressPage(desk, accounts),
            "approval_terms": TermsPages(desk, accounts.terms),
        }
        return [
            *super()._mounts(),
            *(
                Mount(f"/ui/{name}", "", Paper(build(PAGES, who, page)))
                for name, page in pages.items()
            ),
        ]


class PagesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = PagesCloud(self)
        self.people = self.apis.accounts
        self.surfer = self.apis.surfer()

    def link(self, kind: str) -> str:
        """The path and query of the last letter's link."""
        return self.people.letters(kind)[-1].values["link"].removeprefix(ORIGIN)

    def log_in(self, name: str, password: str = "secret") -> Surfer:
        surfer = self.apis.surfer()
        answer = surfer.post(
            "/account/v1.0/login", {"username": name, "password": password}
        )
        self.assertEqual(200, answer.status, answer.body)
        surfer.csrf = answer.json["csrf"]
        return surfer

    def test_a_link_only_shows_and_its_form_confirms_once(self) -> None:
        self.people.sign_up("ann")
        link = self.link("verify")
        for _ in range(2):
            self.assertEqual(200, self.surfer.get(link).status)
        self.assertEqual(
            "pending verification", self.people.state(self.people.uuid("ann"))
        )
        self.assertIn(b"ready", self.surfer.fill(link).body)
        self.log_in("ann@example.org")
        again = self.surfer.fill(link)
        self.assertEqual(404, again.status)
        self.assertIn(b"no longer", again.body)

    def test_another_letter_is_sent_from_the_same_page(self) -> None:
        self.people.sign_up("ann")
        self.apis.cloud.clock.advance(600)
        pages = {
            self.surfer.fill("/ui/activate", email=f"{name}@example.org").body
            for name in ("ann", "nobody")
        }
        self.assertEqual(1, len(pages))
        self.assertEqual(2, len(self.people.letters("verify")))
        answer = self.surfer.fill("/ui/activate", email="ann")
        self.assertEqual(400, answer.status)

    def test_a_new_password_by_letter(self) -> None:
        self.people.member("ann")
        path = "/ui/password_reset"
        pages = {
            self.surfer.fill(path, email=f"{name}@example.org").body
            for name in ("ann", "nobody")
        }
        self.assertEqual(1, len(pages))
        link = self.link("reset")
        for password, again in (("better", "other"), ("", "")):
            answer = self.surfer.fill(link, password=password, again=again)
            self.assertEqual(400, answer.status)
        answer = self.surfer.fill(link, password="better", again="better")
        self.assertEqual(200, answer.status)
        self.log_in("ann@example.org", "better")
        answer = self.surfer.fill(link, password="worse", again="worse")
        self.assertEqual(404, answer.status)

    def test_a_new_address(self) -> None:
        self.people.member("ann")
        self.people.member("bob")
        ann = self.log_in("ann@example.org")
        caller = self.people.caller("ann")
        ask = self.people.accounts.emails.ask
        self.apis.cloud.wait(ask(caller, "new@example.org", "secret"))
        link = self.link("email_confirm")
        bob = self.log_in("bob@example.org")
        self.assertEqual(403, bob.fill(link).status)
        self.assertIn(b"new@example.org", ann.fill(link).body)

    def test_an_account_is_opened_with_a_form(self) -> None:
        path, told = "/ui/signup", {"email": "Ann@Example.org", "first_name": "Ann"}
        told |= {"last_name": "Person", "password": "secret", "again": "secret"}
        answer = self.surfer.fill(path, **told)
        self.assertEqual(200, answer.status, answer.body)
        self.assertIn(b"Look into your mail", answer.body)
        self.assertIn(b"ready", self.surfer.fill(self.link("verify")).body)
        self.log_in("ann@example.org")
        # nobody learns that there is one already
        again = self.apis.surfer().fill(path, **told)
        self.assertEqual((200, answer.body), (again.status, again.body))
        self.assertEqual(1, len(self.people.letters("verify")))

    def test_a_form_that_is_filled_in_wrongly_comes_back(self) -> None:
        told = {"email": "ann@example.org", "first_name": '"><b>', "last_name": "P"}
        for wrong in (
            {"password": "one", "again": "two"},
            {"password": "", "again": ""},
            {"email": "nonsense", "password": "secret", "again": "secret"},
        ):
            answer = self.surfer.fill("/ui/signup", **{**told, **wrong})
            self.assertEqual(400, answer.status, wrong)
            self.assertIn(b"role=alert", answer.body)
            found = hidden_fields(answer)
            self.assertEqual('"><b>', found["first_name"])
            self.assertEqual(("", ""), (found["password"], found["again"]))
            self.assertNotIn(b"<b>", answer.body)
        self.assertEqual([], self.people.letters())

    def test_terms_are_agreed_to_with_the_form(self) -> None:
        terms = self.people.accounts.terms
        self.apis.cloud.wait(terms.add("Be nice.", "text", ROOT))
        told = {"email": "ann@example.org", "first_name": "A", "last_name": "P"}
        told |= {"password": "secret", "again": "secret"}
        page = self.surfer.get("/ui/signup").body
        self.assertIn(b'type="checkbox"', page)
        self.assertIn(b"/ui/approval_terms/", page)
        answer = self.surfer.fill("/ui/signup", **told)
        self.assertEqual(400, answer.status)
        # others came into force while he was reading
        shown = hidden_fields(self.surfer.get("/ui/signup"))
        self.apis.cloud.wait(terms.add("Be very nice.", "text", ROOT))
        answer = self.surfer.form("/ui/signup", {**shown, **told, "agreed": "yes"})
        self.assertEqual(400, answer.status)
        self.assertEqual([], self.people.letters())
        answer = self.surfer.fill("/ui/signup", **told, agreed="yes")
        self.assertEqual(200, answer.status)
        self.assertEqual(1, len(self.people.letters("verify")))

    def test_where_people_open_no_accounts(self) -> None:
        told = {"email": "ann@example.org", "first_name": "A", "last_name": "P"}
        told |= {"password": "secret", "again": "secret"}
        shown = hidden_fields(self.surfer.get("/ui/signup"))
        for rule in ({"signup": False}, {"signup": True, "passwords": False}):
            self.people.rule(**rule)
            clock = self.apis.cloud.clock
            self.apis.root = Root(self.apis._mounts(), Metrics(), clock)
            surfer = self.apis.surfer()
            surfer.cookies = self.surfer.cookies
            self.assertEqual(403, surfer.get("/ui/signup").status)
            answer = surfer.form("/ui/signup", {**shown, **told})
            self.assertEqual(403, answer.status)
        self.assertEqual([], self.people.letters())

    def test_other_sites_open_no_accounts(self) -> None:
        told = {"email": "ann@example.org", "first_name": "A", "last_name": "P"}
        told |= {"password": "secret", "again": "secret"}
        self.assertEqual(403, self.surfer.form("/ui/signup", told).status)

    def test_other_sites_send_no_forms(self) -> None:
        self.people.sign_up("ann")
        auth = self.people.letters("verify")[0].secret
        answer = self.surfer.form("/ui/activate", {"auth": auth})
        self.assertEqual(403, answer.status)

    def test_terms_are_read_by_all_and_agreed_to_by_those_who_are_in(self) -> None:
        self.assertIn(b"none", self.surfer.get("/ui/approval_terms").body)
        self.people.member("ann")
        ann = self.log_in("ann@example.org")
        terms, now = self.people.accounts.terms, timedelta(0)
        add = terms.add("<script>1</script>", "text", ROOT, now)
        made = self.apis.cloud.wait(add)
        text = self.surfer.get(f"/ui/approval_terms/{made.id}")
        self.assertEqual(
            (b"<script>1</script>", "text/plain; charset=utf-8"),
            (text.body, text.headers["content-type"]),
        )
        self.assertNotIn(b"<form", self.surfer.get("/ui/approval_terms").body)
        self.assertEqual(401, ann.get("/account/v1.0/session").status)
        answer = ann.fill("/ui/approval_terms")
        self.assertIn(b"url=/ui/", answer.body)
        self.assertEqual(200, ann.get("/account/v1.0/session").status)
        html = self.apis.cloud.wait(terms.add("<h1>Hi", "html", ROOT))
        page = self.surfer.get(f"/ui/approval_terms/{html.id}")
        self.assertIn("sandbox", page.headers["content-security-policy"])
        self.assertEqual(404, self.surfer.get("/ui/approval_terms/99").status)

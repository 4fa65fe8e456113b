"""Pages that tell who is signed in, and what letters are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from attrs import define
from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import build
from api.ui.deciding import AccountDecisionPage, ProjectDecisionPage
from api.ui.home import ProfilePage, ProjectPage, StaffPage
from api.ui.letters import AddressPage
from api.ui.paper import PAGES, Paper
from snfd.plugin import Mount
from snfd.projects.changes import Wording
from tests.logins.cloud import BrowsingCloud, hidden_fields
from tests.projects.cloud import approved, caller, wanted


@define(eq=False, slots=False)
class HomeCloud(BrowsingCloud):
    """The same with these pages."""

    def _mounts(self) -> Sequence[Mount]:
        cloud, desk = self.cloud, self.desk()
        pages = {
            "profile": ProfilePage(desk, cloud.people),
            "email_change": AddressPage(desk, self.accounts.accounts),
        }
        projects = cloud.project_parts.desk
        moderation = self.accounts.accounts.moderation
        several: dict[str, tuple[Any, ...]] = {
            **{name: (page,) for name, page in pages.items()},
            "projects": (
                ProjectPage(desk, projects),
                ProjectDecisionPage(desk, projects),
            ),
            "admin": (StaffPage(), AccountDecisionPage(desk, moderation)),
        }
        return [
            *super()._mounts(),
            *(
                Mount(f"/ui/{name}", "", Paper(build(PAGES, cloud.authenticator, *one)))
                for name, one in several.items()
            ),
        ]


class HomeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = HomeCloud(self)
        self.me = self.cloud.logged_in()

    def page(self, path: str) -> str:
        answer = self.me.get(path)
        self.assertEqual(200, answer.status, answer.body)
        self.assertIn("text/html", answer.headers["content-type"])
        return answer.body.decode()

    def test_who_is_signed_in(self) -> None:
        text = self.page("/ui/profile")
        self.assertIn("You are signed in to Test Cloud.", text)
        self.assertIn(str(self.cloud.demo), text)
        self.assertIn('href="/ui/logout"', text)

    def test_nobody_is_led_to_the_login_and_back(self) -> None:
        surfer, project = self.cloud.surfer(), uuid4()
        for path in ("/ui/profile", f"/ui/projects/{project}"):
            answer = surfer.get(path)
            self.assertEqual(302, answer.status)
            login = answer.headers["location"]
            back = surfer.fill(login, username="demo", password="secret")
            self.assertEqual(path, back.headers["location"])
            surfer = self.cloud.surfer()

    def test_a_project(self) -> None:
        project = approved(
            self.cloud.cloud, self.cloud.demo, "p.example.org", description="<b>"
        )
        text = self.page(f"/ui/projects/{project}")
        for words in ("p.example.org", "&lt;b&gt;", "active", "accepted", str(project)):
            self.assertIn(words, text)
        self.assertNotIn("snfctl", text)

    def test_an_application_tells_administrators_how_to_decide(self) -> None:
        parts, cloud = self.cloud.cloud.project_parts, self.cloud.cloud
        submit = parts.desk.submit(caller(self.cloud.demo), wanted("a.test"), Wording())
        done = cloud.wait(submit)
        text = self.page(f"/ui/projects/{done.project}")
        self.assertIn(f"number {done.application} waits", text)
        self.assertNotIn("snfctl", text)
        cloud.user("boss", "secret", "admin")
        self.me = self.cloud.logged_in("boss")
        text = self.page(f"/ui/projects/{done.project}")
        which = f"{done.project} --application {done.application}"
        self.assertIn(f"snfctl project approve {which}", text)
        self.assertIn(f"snfctl project deny {which}", text)

    def test_administrators_decide_about_applications(self) -> None:
        parts, cloud = self.cloud.cloud.project_parts, self.cloud.cloud
        cloud.user("boss", "secret", "admin")
        boss = self.cloud.logged_in("boss")
        for word, state in (("approve", "active"), ("deny", "uninitialized")):
            new = wanted(f"{word}.test")
            done = cloud.wait(
                parts.desk.submit(caller(self.cloud.demo), new, Wording())
            )
            path = f"/ui/projects/{done.project}/{word}"
            link = f"{path}?application={done.application}"
            self.assertIn(link, boss.get(f"/ui/projects/{done.project}").body.decode())
            # only they, only knowingly, and no other site for them
            self.assertEqual(403, self.me.get(link).status)
            form = {"application": str(done.application)}
            self.assertEqual(403, self.me.form(path, form).status)
            self.assertEqual(403, boss.form(path, form).status)
            self.assertEqual(302, self.cloud.surfer().get(link).status)
            hidden = hidden_fields(boss.get(link))
            answer = boss.form(path, {**hidden, "reason": "why not"})
            self.assertEqual(302, answer.status, answer.body)
            found = cloud.wait(parts.desk.get(caller(self.cloud.demo), done.project))
            self.assertEqual(state, str(found.project.state))
            answer = boss.form(path, hidden)
            self.assertEqual(409, answer.status)

    def test_administrators_decide_about_accounts(self) -> None:
        people = self.cloud.accounts
        people.rule(moderation=True)
        self.cloud.cloud.user("boss", "secret", "admin")
        boss = self.cloud.logged_in("boss")
        for word, state in (("accept", "active"), ("reject", "rejected")):
            people.sign_up(word)
            people.verify()
            user = people.uuid(word)
            path = f"/ui/admin/users/{user}/{word}"
            self.assertEqual(403, self.me.get(path).status)
            self.assertEqual(403, boss.form(path, {}).status)
            self.assertEqual(200, boss.fill(path).status)
            self.assertEqual(state, people.state(user))
            self.assertEqual(409, boss.fill(path).status)

    def test_no_project_of_ones_own(self) -> None:
        answer = self.me.get(f"/ui/projects/{uuid4()}")
        self.assertEqual(404, answer.status)
        self.assertIn(b"there is no project", answer.body)
        self.assertEqual(404, self.me.get("/ui/projects/x").status)

    def test_an_account_that_waits(self) -> None:
        user = uuid4()
        text = self.page(f"/ui/admin/users/{user}")
        for verb in ("show", "accept", "reject"):
            self.assertIn(f"snfctl user {verb} {user}", text)

    def test_a_new_address_without_its_key(self) -> None:
        answer = self.me.get("/ui/email_change")
        self.assertEqual(400, answer.status)
        self.assertIn(b"open the link in the letter", answer.body)
        self.assertNotIn(b"<form", answer.body)

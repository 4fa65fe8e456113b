"""Memberships (``spec/astakos.md`` §11)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.api.projects_case import LIMITS, VM, ProjectsCase


class MembershipTests(ProjectsCase):
    def open(self, name: str = "one.example.org", **more: Any) -> str:
        return self.approved(name, resources=LIMITS, **more)

    def test_the_owner_is_the_first_member(self) -> None:
        """W15."""
        project = self.open()
        self.assertEqual(4, self.quota_of("a", project)[VM]["limit"])
        (one,) = self.get("a", f"/projects/memberships?project={project}")
        self.assertEqual((str(self.a), "accepted"), (one["user"], one["state"]))

    def test_astakos_49_everybody_may_join(self) -> None:
        project = self.open(join_policy="auto")
        answer = self.join("b", project)
        self.assertEqual(200, answer.status)
        self.assertEqual({"id"}, set(answer.json))
        shown = self.member("b", answer.json["id"])
        self.assertEqual("accepted", shown["state"])
        self.assertEqual("2030-01-01T00:00:00.000000+00:00", shown["accepted"])
        self.assertIn("requested", shown)
        usage = self.quota_of("b", project)[VM]
        self.assertEqual((4, 10), (usage["limit"], usage["project_limit"]))

    def test_astakos_50_the_owner_decides(self) -> None:
        project = self.open(max_members=2)
        number = self.join("b", project).json["id"]
        self.assertEqual("requested", self.member("b", number)["state"])
        self.assertEqual({"a@example.org"}, self.letters("join_requested"))
        actions = {
            who: self.member(who, number)["allowed_actions"] for who in ("a", "b")
        }
        self.assertEqual({"a": ["accept", "reject"], "b": ["cancel"]}, actions)
        self.assertIsNone(self.quota_of("b", project))
        self.assertEqual(403, self.do("b", number, "accept"))
        self.assertEqual(200, self.do("a", number, "accept", "welcome"))
        self.assertEqual("accepted", self.member("a", number)["state"])
        self.assertEqual({"b@example.org"}, self.letters("member_accepted"))
        self.assertEqual(409, self.join("b", project).status)
        waiting = self.join("c", project).json["id"]
        self.assertEqual(409, self.do("a", waiting, "accept"))
        self.assertNotIn("accept", self.member("a", waiting)["allowed_actions"])

    def test_names_are_guessed_a_bounded_number_of_times(self) -> None:
        """As over user catalogs, and no more with both together."""
        project = self.open()
        names = self.cloud.unknown_names
        self.cloud.wait(names.spend(self.a, names.most - 1))
        told = [
            self.enroll("a", project, f"{name}@example.org").status
            for name in ("no", "none", "b", "nobody")
        ]
        self.assertEqual([409, 429, 429, 429], told)
        self.cloud.clock.advance(60)
        self.assertEqual(200, self.enroll("a", project, "b@example.org").status)

    def test_a_full_project_lets_those_wait_who_would_be_in_at_once(self) -> None:
        project = self.open(join_policy="auto", max_members=1)
        number = self.join("b", project).json["id"]
        self.assertEqual("requested", self.member("b", number)["state"])

    def test_astakos_51_closed_projects_and_enrolment(self) -> None:
        project = self.open(join_policy="closed")
        self.assertEqual(409, self.join("b", project).status)
        for nobody in ("no@example.org", "gone@example.org"):
            self.assertEqual(409, self.enroll("a", project, nobody).status)
        self.assertEqual(409, self.enroll("a", str(uuid4()), "b@example.org").status)
        self.assertEqual(403, self.enroll("b", project, "c@example.org").status)
        done = self.enroll("a", project, "B@Example.org")
        self.assertEqual(200, done.status, done.body)
        self.assertEqual("accepted", self.member("b", done.json["id"])["state"])
        self.assertEqual(409, self.enroll("a", project, "b@example.org").status)
        self.assertEqual({"b@example.org"}, self.letters("member_enrolled"))
        own = str(self.a)
        self.assertEqual(409, self.enroll("a", own, "b@example.org").status)

    def test_astakos_52_leaving(self) -> None:
        project = self.open(join_policy="auto")
        number = self.join("b", project).json["id"]
        self.charge(self.b, project, 1)
        self.assertEqual(200, self.do("b", number, "leave"))
        usage = self.quota_of("b", project)[VM]
        self.assertEqual((0, 1), (usage["limit"], usage["usage"]))
        self.charge(self.b, project, -1)
        self.assertIsNone(self.quota_of("b", project))
        self.assertEqual(number, self.join("b", project).json["id"])
        self.assertEqual(4, self.quota_of("b", project)[VM]["limit"])
        change = {"apply": True, "leave_policy": "moderated"}
        self.ask("admin", "PUT", f"/projects/{project}", change)
        self.assertEqual(200, self.do("b", number, "leave"))
        self.assertEqual("leave_requested", self.member("b", number)["state"])
        self.assertEqual({"a@example.org"}, self.letters("leave_requested"))
        self.assertEqual(4, self.quota_of("b", project)[VM]["limit"])
        self.assertEqual(409, self.do("b", number, "leave"))
        self.assertEqual(
            ["remove", "deny_leave"], self.member("a", number)["allowed_actions"]
        )
        self.assertEqual(200, self.do("a", number, "remove", "bye"))
        self.assertEqual("removed", self.member("b", number)["state"])
        self.assertEqual({"b@example.org"}, self.letters("member_removed"))

    def test_a_notice_can_be_withdrawn_or_refused(self) -> None:
        project = self.open(join_policy="auto", leave_policy="moderated")
        number = self.join("b", project).json["id"]
        for who, word in (("b", "cancel_leave"), ("a", "deny_leave")):
            self.assertEqual(200, self.do("b", number, "leave"))
            self.assertEqual(200, self.do(who, number, word))
            self.assertEqual("accepted", self.member("b", number)["state"])

    def test_policies_do_not_bind_the_owner(self) -> None:
        """W16."""
        project = self.open(join_policy="closed", leave_policy="closed")
        number = self.enroll("a", project, "b").json["id"]
        self.assertEqual(409, self.do("b", number, "leave"))
        self.assertEqual(200, self.do("a", number, "remove"))

    def test_astakos_53_other_peoples_memberships(self) -> None:
        project = self.open()
        number = self.join("b", project).json["id"]
        self.assertEqual(403, self.do("a", number, "cancel"))
        path = "/projects/memberships"
        self.assertEqual(403, self.status("c", "GET", f"{path}/{number}"))
        self.assertEqual(403, self.do("c", number, "accept"))
        self.assertEqual(404, self.status("b", "GET", f"{path}/999999"))
        self.assertEqual(404, self.do("b", 999999, "leave"))
        self.assertEqual(400, self.status("b", "GET", f"{path}/x"))
        self.assertEqual(200, self.do("b", number, "cancel"))
        actions: tuple[Any, ...] = ({}, {"leave": "", "cancel": ""}, {"leave": 3}, [])
        for body in (*actions, {"x": ""}, {"leave": None}):
            action = f"{path}/{number}/action"
            self.assertEqual(400, self.status("b", "POST", action, body), body)
        wrong: tuple[Any, ...] = (
            {}, {"join": {}}, {"join": {"project": "x"}}, {"join": project},
            {"enroll": {"project": project}}, {"enroll": {"user": "b"}},
            {"join": {"project": project}, "enroll": {"project": project, "user": "b"}},
            {"enroll": {"project": project, "user": 3}}, {"join": None},
        )  # fmt: skip
        for body in wrong:
            self.assertEqual(400, self.status("b", "POST", path, body), body)
        self.assertEqual(404, self.join("b", str(uuid4())).status)

    def test_whose_memberships_are_listed(self) -> None:
        project = self.open()
        self.join("b", project)
        path = f"/projects/memberships?project={project}"
        lengths = {who: len(self.get(who, path)) for who in ("a", "b", "c", "admin")}
        self.assertEqual({"a": 2, "b": 1, "c": 0, "admin": 2}, lengths)
        whole = self.get("admin", "/projects/memberships")
        paged: list[Any] = []
        while page := self.get(
            "admin",
            f"/projects/memberships?limit=3&marker={paged[-1]['id'] if paged else 0}",
        ):
            paged += page
        self.assertEqual(whole, paged)
        strangers = {one["project"] for one in self.get("c", "/projects/memberships")}
        self.assertEqual({str(self.c)}, strangers)

    def test_suspended_members(self) -> None:
        project = self.open(join_policy="auto", leave_policy="moderated")
        number = self.join("b", project).json["id"]
        self.assertEqual(403, self.do("a", number, "suspend"))
        self.assertEqual(200, self.do("admin", number, "suspend", "misuse"))
        self.assertIsNone(self.quota_of("b", project))
        # so nobody gets his share back by asking to leave
        self.assertEqual(409, self.do("b", number, "leave"))
        self.assertEqual(200, self.do("admin", number, "unsuspend"))
        self.assertEqual(4, self.quota_of("b", project)[VM]["limit"])
        logged = self.cloud.sql(
            "SELECT from_state, to_state, actor_name, reason"
            " FROM identity.membership_log WHERE membership_id = %s ORDER BY id",
            number,
        )
        self.assertEqual(
            [
                (None, "requested", "b", ""),
                ("requested", "accepted", "b", ""),
                ("accepted", "suspended", "admin", "misuse"),
                ("suspended", "accepted", "admin", ""),
            ],
            logged,
        )

    def test_private_projects_are_not_there(self) -> None:
        """W17."""
        project = self.open(private=True, join_policy="auto")
        path = f"/projects/{project}"
        self.assertEqual(404, self.status("b", "GET", path))
        self.assertEqual(404, self.join("b", project).status)
        self.assertEqual(409, self.enroll("b", project, "c").status)
        self.assertEqual(404, self.act("b", project, "suspend"))
        self.assertEqual(404, self.status("b", "PUT", path, {"description": "x"}))
        number = self.enroll("a", project, "b").json["id"]
        self.assertEqual(200, self.status("b", "GET", path))
        self.do("b", number, "leave")
        self.assertEqual(404, self.status("b", "GET", path))
        self.assertEqual(200, self.join("b", project).status)

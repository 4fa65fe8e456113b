"""Applications for projects (``spec/astakos.md`` §11)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from snfd.quota.model import UNLIMITED
from tests.api.identity_cloud import fault
from tests.api.projects_case import END, NOBODY, VM, ProjectsCase


class ApplicationTests(ProjectsCase):
    def test_astakos_41_what_no_project_can_be(self) -> None:
        good = {"name": "x.example.org", "end_date": END}
        limit = {"project_capacity": 2, "member_capacity": 1}
        wrong: tuple[Any, ...] = (
            {"name": None}, {"end_date": None}, {"end_date": "2029-12-31"},
            {"end_date": "soon"}, {"name": "nodots"}, {"name": "x" * 80 + ".org"},
            {"name": "-x.example.org"}, {"name": 3}, {"owner": str(NOBODY)},
            {"owner": "x"}, {"join_policy": "x"}, {"leave_policy": "x"},
            {"max_members": -1}, {"max_members": "many"}, {"max_members": 2**63},
            {"max_members": "9999999P"}, {"max_members": 1.5}, {"private": "yes"},
            {"homepage": "x" * 256}, {"description": "x" * 4097},
            {"comments": "x" * 4097}, {"start_date": "x"}, {"resources": []},
            {"resources": {VM: {"project_capacity": 1, "member_capacity": 2}}},
            {"resources": {VM: {"project_capacity": 1}}}, {"resources": {VM: 3}},
            {"resources": {VM: {**limit, "member_capacity": -1}}},
            {"resources": {VM: {**limit, "member_capacity": "1"}}},
            {"resources": {VM: {**limit, "project_capacity": 2**63}}},
            {"resources": {"no.such": limit}},
            {"resources": {"astakos.pending_app": limit}},
            {"name": "a\u0000.example.org"}, {"owner": str(self.apis.gone)},
        )  # fmt: skip
        for change in wrong:
            body = {**good, **change}
            kept = {key: value for key, value in body.items() if value is not None}
            self.assertEqual(400, self.status("a", "POST", "/projects", kept), change)
        for junk in ("[]", "x", "3", "null", "{}", ""):
            answer = self.ask("a", "POST", "/projects", data=junk.encode())
            self.assertEqual(400, answer.status)
        self.assertEqual(0, self.pending(self.a))

    def test_astakos_42_an_application_waits(self) -> None:
        made = self.apply(
            resources={VM: {"project_capacity": 10, "member_capacity": 5}},
            comments="please",
            max_members="inf",
        )
        self.assertEqual({"id", "application"}, set(made))
        path = f"/projects/{made['id']}"
        shown = self.get("a", path)
        self.assertEqual("uninitialized", shown["state"])
        self.assertEqual(str(self.a), shown["owner"])
        self.assertEqual("2030-01-01T00:00:00.000000+00:00", shown["creation_date"])
        self.assertEqual("2031-02-05T00:00:00.000000+00:00", shown["end_date"])
        self.assertEqual(UNLIMITED, shown["max_members"])
        self.assertEqual(
            {VM: {"project_capacity": 10, "member_capacity": 5}}, shown["resources"]
        )
        last = shown["last_application"]
        self.assertEqual(made["application"], last["id"])
        self.assertEqual("pending", last["state"])
        self.assertEqual(str(self.a), last["applicant"])
        self.assertEqual("please", last["comments"])
        self.assertNotIn("deactivation_date", shown)
        self.assertEqual(403, self.status("b", "GET", path))
        self.assertIsNone(self.quota_of("a", made["id"]))
        self.assertEqual({"help@example.org"}, self.letters("project_applied"))
        for stranger in ("b", "c"):
            self.assertEqual([], self.named(stranger, "one.example.org"))
        self.assertEqual([made["id"]], self.named("a", "one.example.org"))

    def test_without_a_helpdesk_administrators_hear_of_an_application(self) -> None:
        self.cloud.helpdesk.clear()
        self.apply()
        self.assertEqual({"admin@example.org"}, self.letters("project_applied"))

    def named(self, who: str, name: str) -> list[str]:
        return [one["id"] for one in self.get(who, f"/projects?name={name}")]

    def test_astakos_43_undecided_applications_are_counted(self) -> None:
        first = self.apply("one.example.org")
        self.apply("two.example.org")
        self.assertEqual(2, self.pending(self.a))
        body = {"name": "three.example.org", "end_date": END}
        answer = self.ask("a", "POST", "/projects", body)
        self.assertEqual(("conflict", 409), fault(answer))
        self.assertIn("2", answer.json["conflict"]["message"])
        self.assertEqual(
            200, self.act("a", first["id"], "cancel", app_id=first["application"])
        )
        self.assertEqual(201, self.status("a", "POST", "/projects", body))
        for number in range(3):
            self.apply(f"p{number}.example.org", who="admin")
        logged = self.cloud.sql(
            "SELECT DISTINCT clientkey FROM quota.provision_log"
            " WHERE resource = 'astakos.pending_app'"
        )
        self.assertEqual([("astakos",)], logged)

    def test_astakos_44_a_decision_is_an_administrators(self) -> None:
        made = self.apply()
        project, number = made["id"], made["application"]
        other = self.apply("other.example.org", who="b")
        path = f"/projects/{project}"
        self.assertEqual(409, self.status("a", "PUT", path, {"description": "x"}))
        self.assertEqual(403, self.act("a", project, "approve", app_id=number))
        for wrong in (999999, other["application"]):
            self.assertEqual(404, self.act("admin", project, "approve", app_id=wrong))
        for word in ("approve", "deny", "cancel", "dismiss"):
            self.assertEqual(400, self.act("admin", project, word))
        self.assertEqual(200, self.act("admin", project, "approve", app_id=number))
        shown = self.get("a", path)
        self.assertEqual("active", shown["state"])
        self.assertEqual("approved", shown["last_application"]["state"])
        granted = self.cloud.sql(
            "SELECT count(*) FROM quota.resource r LEFT JOIN quota.project_limit l"
            " ON l.resource = r.name AND l.project_id = %s AND l.project_cap ="
            " r.project_default AND l.member_cap = r.project_default"
            " WHERE l.project_id IS NULL",
            UUID(project),
        )
        self.assertEqual([(0,)], granted)
        self.assertEqual(409, self.act("admin", project, "approve", app_id=number))
        self.assertEqual(0, self.pending(self.a))
        self.assertEqual({"a@example.org"}, self.letters("project_approved"))

    def test_astakos_45_a_name_is_one_live_projects(self) -> None:
        first = self.approved("same.example.org")
        second = self.apply("SAME.example.org", who="b")
        self.assertIn("same.example.org", second["warning"].lower())
        decide = (second["id"], "approve")
        number = second["application"]
        self.assertEqual(409, self.act("admin", *decide, app_id=number))
        self.assertEqual(200, self.act("admin", first, "terminate", reason="enough"))
        self.assertEqual(200, self.act("admin", *decide, app_id=number))
        self.assertEqual(409, self.act("admin", first, "reinstate"))
        self.assertEqual(200, self.act("admin", second["id"], "terminate"))
        self.assertEqual(200, self.act("admin", first, "reinstate"))
        self.assertEqual(409, self.act("admin", first, "reinstate"))

    def test_two_who_apply_for_one_name_are_warned(self) -> None:
        self.assertNotIn("warning", self.apply())
        self.assertIn("somebody else", self.apply(who="b")["warning"])

    def test_astakos_46_denied_and_dismissed(self) -> None:
        made = self.apply()
        project, number = made["id"], made["application"]
        self.assertEqual(
            200, self.act("admin", project, "deny", app_id=number, reason="too big")
        )
        shown = self.get("a", f"/projects/{project}")
        self.assertEqual("denied", shown["last_application"]["state"])
        self.assertEqual("uninitialized", shown["state"])
        self.assertEqual(0, self.pending(self.a))
        self.assertEqual({"a@example.org"}, self.letters("project_denied"))
        self.assertEqual(409, self.act("a", project, "cancel", app_id=number))
        self.assertEqual(403, self.act("b", project, "dismiss", app_id=number))
        self.assertEqual(200, self.act("a", project, "dismiss", app_id=number))
        shown = self.get("a", f"/projects/{project}")
        self.assertEqual("deleted", shown["state"])
        self.assertIn("deactivation_date", shown)
        self.assertEqual(0, self.pending(self.a))

    def test_a_denied_application_can_be_corrected(self) -> None:
        """W13."""
        made = self.apply(description="first", max_members=3)
        project, number = made["id"], made["application"]
        self.act("admin", project, "deny", app_id=number)
        path = f"/projects/{project}"
        again = self.ask("a", "PUT", path, {"description": "second"})
        self.assertEqual(201, again.status, again.body)
        newer = again.json["application"]
        self.assertEqual(1, self.pending(self.a))
        self.assertEqual(409, self.act("a", project, "dismiss", app_id=number))
        self.assertEqual(200, self.act("admin", project, "approve", app_id=newer))
        shown = self.get("a", path)
        self.assertEqual("active", shown["state"])
        self.assertEqual("second", shown["description"])
        self.assertEqual(3, shown["max_members"])

    def test_astakos_47_changes_wait_for_approval(self) -> None:
        project = self.approved(description="old")
        path = f"/projects/{project}"
        first = self.ask("a", "PUT", path, {"description": "new"})
        self.assertEqual(201, first.status)
        self.assertEqual("old", self.get("a", path)["description"])
        self.assertEqual(1, self.pending(self.a))
        limits = {VM: {"project_capacity": 7, "member_capacity": 3}}
        second = self.ask("a", "PUT", path, {"resources": limits, "private": True})
        self.assertEqual(1, self.pending(self.a))
        number = first.json["application"]
        self.assertEqual(409, self.act("admin", project, "approve", app_id=number))
        last = self.get("a", path)["last_application"]
        self.assertEqual(second.json["application"], last["id"])
        self.assertIsNone(last["description"])
        self.assertEqual(limits, last["resources"])
        states = self.cloud.sql(
            "SELECT state FROM identity.application WHERE id = %s", number
        )
        self.assertEqual([("replaced",)], states)
        self.act("admin", project, "approve", app_id=last["id"])
        shown = self.get("a", path)
        self.assertEqual("old", shown["description"])
        self.assertTrue(shown["private"])
        self.assertEqual(limits[VM], shown["resources"][VM])
        self.assertEqual(3, self.quota_of("a", project)[VM]["limit"])
        self.assertEqual(0, self.pending(self.a))
        self.assertEqual({"help@example.org"}, self.letters("project_modification"))

    def test_another_applicant_takes_over_the_count(self) -> None:
        project = self.approved()
        path = f"/projects/{project}"
        self.ask("a", "PUT", path, {"description": "mine"})
        self.ask("admin", "PUT", path, {"description": "theirs"})
        self.assertEqual(0, self.pending(self.a))
        self.assertEqual(1, self.pending(self.apis.admin))

    def test_astakos_48_who_may_change_what(self) -> None:
        project = self.approved()
        change = {"description": "x"}
        self.assertEqual(403, self.status("b", "PUT", f"/projects/{project}", change))
        unknown = f"/projects/{uuid4()}"
        self.assertEqual(404, self.status("a", "PUT", unknown, change))
        for who in ("a", "admin"):
            for body in ({"name": "x.org"}, {"owner": str(self.b)}, {"homepage": ""}):
                path = f"/projects/{self.a}"
                self.assertEqual(409, self.status(who, "PUT", path, body))
        self.assertEqual(404, self.status("b", "PUT", f"/projects/{self.a}", change))
        self.assertEqual(400, self.status("a", "PUT", f"/projects/{project}", {}))

    def test_more_for_ones_own_project(self) -> None:
        limits = {VM: {"project_capacity": 9, "member_capacity": 9}}
        path = f"/projects/{self.a}"
        made = self.ask("a", "PUT", path, {"resources": limits}).json
        self.act("admin", str(self.a), "approve", app_id=made["application"])
        self.assertEqual(9, self.quota_of("a", str(self.a))[VM]["limit"])
        shown = self.get("a", path)
        self.assertIsNone(shown["owner"])
        self.assertTrue(shown["system_project"] and shown["private"])
        self.assertEqual(1, shown["max_members"])

    def test_administrators_change_at_once(self) -> None:
        project = self.approved()
        path = f"/projects/{project}"
        body = {"apply": True, "name": "plain name", "owner": str(self.b)}
        self.assertEqual(403, self.status("a", "PUT", path, {**body, "name": "x.org"}))
        done = self.ask("admin", "PUT", path, body)
        self.assertEqual((201, None), (done.status, done.json["application"]))
        shown = self.get("b", path)
        self.assertEqual("plain name", shown["name"])
        self.assertEqual(str(self.b), shown["owner"])
        self.assertIsNotNone(self.quota_of("b", project))
        self.assertEqual(403, self.status("a", "PUT", path, {"description": "x"}))
        audited = self.cloud.sql(
            "SELECT actor_name, action FROM ops.audit WHERE target = %s ORDER BY id",
            f"project:{project}",
        )
        self.assertEqual(
            [
                ("a", "project.apply"),
                ("admin", "project.approve"),
                ("admin", "project.modify"),
                ("admin", "project.transfer"),
            ],
            audited,
        )

    def test_approving_a_change_reactivates_only_if_asked(self) -> None:
        """W14."""
        project = self.approved()
        path = f"/projects/{project}"
        self.act("admin", project, "suspend")
        for reactivate, state in ((False, "suspended"), (True, "active")):
            made = self.ask("a", "PUT", path, {"description": "x"}).json
            number = made["application"]
            self.assertEqual(
                200,
                self.act(
                    "admin", project, "approve", app_id=number, reactivate=reactivate
                ),
            )
            self.assertEqual(state, self.get("a", path)["state"])

"""Tokens that were made for one project alone, in identity."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from snfd.errors import Forbidden, NotFound
from snfd.identity.credential_model import NewCredential
from snfd.identity.directory import Directory
from snfd.identity.model import Caller, Issued, Scope, Scoping
from snfd.identity.second_factor import SecondFactors
from snfd.projects.desk import Asked
from snfd.projects.memberships import AskedMembers
from tests.identity.cloud import START
from tests.identity.test_credentials import Base


class ConfinedTests(Base):
    """demo is in team and in other; his program and his own token are for team."""

    def personal(self, user: str = "demo") -> Issued:
        """A token that its owner bound to team."""
        issued = self.cloud.login(user, "team")
        self.cloud.execute(
            "UPDATE identity.api_token SET kind = 'personal' WHERE hash = %s",
            issued.token.hash,
        )
        return issued

    def robots(self) -> list[Caller]:
        program = self.use(self.create("robot", unrestricted=True))
        return [self.who(program), self.who(self.personal())]

    def test_they_know_one_project(self) -> None:
        for robot in self.robots():
            self.assertTrue(robot.confined)
            self.assertEqual({self.project}, robot.projects)
            self.assertIsNone(robot.owner)
        free = self.caller()
        self.assertFalse(free.confined)
        self.assertEqual({self.project, self.other, self.demo}, free.projects)

    def test_they_are_shown_one_project(self) -> None:
        parts, wait = self.cloud.project_parts, self.cloud.wait
        directory = Directory(self.cloud.db)
        for robot in self.robots():
            for listed in (
                self.cloud.projects.of_user(robot, self.demo),
                self.cloud.projects.visible(robot),
            ):
                found = wait(listed).projects
                self.assertEqual([self.project], [one.uuid for one in found])
            self.cloud.fails(self.cloud.projects.get(robot, self.other), NotFound)
            self.assertEqual({self.project}, set(wait(self.cloud.quota.usage(robot))))
            there = self.cloud.quota.usage_in(robot, self.demo)
            self.assertEqual({}, wait(there))
            shown = wait(parts.desk.list(robot, Asked(), lambda one: one.project.uuid))
            self.assertEqual([self.project], list(shown))
            self.cloud.fails(parts.desk.get(robot, self.other), NotFound)
            seen: list[UUID] = list(
                wait(
                    parts.memberships.list(
                        robot,
                        AskedMembers(None, 0, 100),
                        lambda one: one.member.project,
                    )
                )
            )
            self.assertEqual({self.project}, set(seen))
            assigned, _ = wait(directory.assignments(robot))
            self.assertEqual({self.project}, {one.project.uuid for one in assigned})

    def test_they_do_not_act_for_the_person(self) -> None:
        desk = self.cloud.project_parts.memberships
        factors = SecondFactors(
            self.cloud.db,
            self.cloud.verifier,
            self.cloud.clock,
            self.cloud.keys,
            self.cloud.random,
        )
        for robot in self.robots():
            for call in (
                lambda who: desk.join(who, self.other),
                lambda who: desk.set_default(who, self.project),
                lambda who: desk.enroll(who, self.project, "reader"),
                lambda who: factors.enrol(who, "secret", ""),
                lambda who: factors.confirm(who, "123456", ""),
                lambda who: factors.disable(who, "123456", ""),
            ):
                self.cloud.fails(call(robot), Forbidden)

    def test_administrators_cross_no_projects_with_them(self) -> None:
        program = self.who(self.use(self.create("robot", "admin")))
        for robot in (program, self.who(self.personal("admin"))):
            self.assertFalse(robot.is_admin)
            self.cloud.fails(self.cloud.people.get(robot, self.demo), Forbidden)
            self.cloud.fails(self.cloud.projects.get(robot, self.other), NotFound)

    def test_a_persons_token_of_one_project_makes_no_credentials(self) -> None:
        made = self.create()
        robot = self.who(self.personal())
        new = self.credentials.create(robot, self.demo, NewCredential("more"))
        self.cloud.fails(new, Forbidden)
        gone = self.credentials.delete(robot, self.demo, made.credential.id)
        self.cloud.fails(gone, Forbidden)

    def test_credentials_of_other_projects_are_not_theirs(self) -> None:
        robot = self.robots()[0]
        free = self.who(self.cloud.login("demo", "other"))
        new = NewCredential("elsewhere")
        made = self.cloud.wait(self.credentials.create(free, self.demo, new))
        id_ = made.credential.id
        for call in (self.credentials.get, self.credentials.delete):
            self.cloud.fails(call(robot, self.demo, id_), NotFound)
        listed = self.cloud.wait(self.credentials.list(robot, self.demo))
        self.assertEqual(["robot"], [one.name for one in listed])

    def test_what_they_make_ends_with_them(self) -> None:
        ends = START + timedelta(hours=1)
        made = self.create("robot", unrestricted=True, expires=ends)
        robot = self.who(self.use(made))
        for expires in (None, ends + timedelta(seconds=1)):
            new = NewCredential("more", expires=expires)
            made_ = self.credentials.create(robot, self.demo, new)
            self.cloud.fails(made_, Forbidden)
        new = NewCredential("more", expires=ends)
        self.cloud.wait(self.credentials.create(robot, self.demo, new))

    def test_tokens_made_of_them_stay_too(self) -> None:
        issued = self.personal()
        scope = Scope(Scoping.DEFAULT)
        derived = self.cloud.wait(self.cloud.identity.exchange(issued.secret, scope))
        self.assertTrue(self.who(derived).confined)

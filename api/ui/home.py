"""Where letters lead that ask for nothing here: they tell, and change nothing.

Source: ``spec/astakos.md`` §5.9.
"""

from __future__ import annotations

from uuid import UUID

from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PROFILE, PageContext
from api.ui.letters import REFUSED, told
from api.ui.paper import Link, going, plain
from snfd.identity.model import Caller
from snfd.identity.people import People
from snfd.projects.desk import ProjectDesk
from snfd.projects.shown import Shown
from snfd.projects.states import ApplicationState, MembershipState

PROJECTS = "/ui/projects"
SIGN_OUT = Link("/ui/logout", "Sign out")


class ProfilePage:
    """``/ui/profile``: who is signed in."""

    def __init__(self, context: PageContext, people: People) -> None:
        self._context = context
        self._people = people

    @operation("GET", "", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """Tell who is signed in."""
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(PROFILE))
        user = await self._people.get(caller, caller.user)
        facts = [
            ("Username", user.username),
            ("E-mail", user.email),
            ("Id", str(user.uuid)),
        ]
        return plain(
            user.name or user.username,
            text=f"You are signed in to {self._context.service}.",
            facts=facts,
            links=[
                Link("/ui/api_access", "Access for programs"),
                Link("/ui/password_reset", "Have a new password"),
                SIGN_OUT,
            ],
        )


class ProjectPage:
    """``/ui/projects``: where letters about projects lead."""

    def __init__(self, context: PageContext, projects: ProjectDesk) -> None:
        self._context = context
        self._projects = projects

    @operation("GET", "/<project>", auth=False, raw=True)
    async def show(self, request: IRequest, project: UUID) -> Answer[bytes]:
        """Tell about one project."""
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(f"{PROJECTS}/{project}"))
        try:
            found = await self._projects.get(caller, project)
        except REFUSED as error:
            return told("No such project for you", error, Link(PROFILE, "Your account"))
        return plain(
            found.project.name,
            text=found.project.description,
            facts=_facts(found, staff=caller.is_admin),
            links=[*_decisions(found, caller), Link(PROFILE, "Your account"), SIGN_OUT],
        )


class StaffPage:
    """``/ui/admin``: where letters to staff lead."""

    @operation("GET", "/users/<user>", auth=False, raw=True)
    async def user(self, request: IRequest, user: UUID) -> Answer[bytes]:
        """Tell how a decision about an account is made; nothing about it."""
        facts = [
            ("Look", f"snfctl user show {user}"),
            ("Let in", f"snfctl user accept {user}"),
            ("Turn away", f"snfctl user reject {user}"),
        ]
        words = "Administrators decide about accounts here, or with snfctl."
        links = [
            Link(f"/ui/admin/users/{user}/accept", "Let it in"),
            Link(f"/ui/admin/users/{user}/reject", "Turn it away"),
        ]
        return plain("An account waits", text=words, facts=facts, links=links)


def _decisions(found: Shown, caller: Caller) -> list[Link]:
    """The ways to decide about the application that waits."""
    asked = found.application
    waits = asked is not None and asked.state is ApplicationState.PENDING
    if not (caller.is_admin and asked is not None and waits):
        return []
    here, which = f"{PROJECTS}/{found.project.uuid}", f"application={asked.id}"
    return [
        Link(f"{here}/approve?{which}", "Grant the application"),
        Link(f"{here}/deny?{which}", "Refuse the application"),
    ]


def _facts(found: Shown, *, staff: bool) -> list[tuple[str, str]]:
    one, asked = found.project, found.application
    facts = [("State", str(one.state)), ("Id", str(one.uuid))]
    if one.ends is not None:
        facts.append(("Ends", f"{one.ends:%Y-%m-%d}"))
    if found.membership is not MembershipState.NONE:
        words = str(found.membership).replace("_", " ")
        facts.append(("Your membership", words))
    if asked is not None and asked.state is ApplicationState.PENDING:
        facts.append(("Application", f"number {asked.id} waits for an administrator"))
        if staff:
            which = f"{one.uuid} --application {asked.id}"
            facts += [
                ("Grant it", f"snfctl project approve {which}"),
                ("Refuse it", f"snfctl project deny {which}"),
            ]
    return facts

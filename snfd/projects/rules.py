"""Who may do what to memberships and projects, without SQL.

Source: ``spec/astakos.md`` §6.4, with W16: policies bind members, not the
owner or administrators; and without their flaw that a suspended member got
his share back by asking to leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from attrs import frozen

from snfd.audit import DAEMON, Actor
from snfd.errors import Busy, CloudError, Conflict, Forbidden
from snfd.identity.model import Caller, require_free
from snfd.projects.states import (
    ALIVE,
    COUNTED,
    INITIALIZED,
    MEMBERSHIP_STEPS,
    MembershipEvent,
    MembershipState,
    ProjectState,
    step,
)


@frozen
class Who:
    """Who asks for something.

    :ivar user: None for administrators on the daemon's socket, and the daemon.
    """

    actor: Actor
    user: UUID | None
    is_admin: bool

    @classmethod
    def of(cls, caller: Caller) -> Who:
        """The one who presents a token."""
        return cls(Actor.of(caller), caller.user, caller.is_admin)

    @classmethod
    def doing(cls, caller: Caller) -> Who:
        """The same, for what changes something.

        :raises Forbidden: the token was made for one project alone.
        """
        require_free(caller)
        return cls.of(caller)

    @classmethod
    def admin(cls, actor: Actor) -> Who:
        """An administrator, or the daemon itself."""
        return cls(actor, actor.uuid, True)

    def owns(self, owner: UUID | None) -> bool:
        """Whether what ``owner`` has is his."""
        return owner is not None and owner == self.user


def require_admin(who: Who) -> None:
    """Pass for administrators.

    :raises Forbidden: it is somebody else.
    """
    if not who.is_admin:
        raise Forbidden("only administrators may do that")


class Action(StrEnum):
    """What one can do to a membership that there is."""

    LEAVE = "leave"
    CANCEL = "cancel"
    ACCEPT = "accept"
    REJECT = "reject"
    REMOVE = "remove"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    DENY_LEAVE = "deny_leave"
    CANCEL_LEAVE = "cancel_leave"


@frozen
class Terms:
    """What of a project decides who may be in it.

    :ivar members: how many places are taken.
    """

    state: ProjectState
    owner: UUID | None
    is_system: bool
    join_policy: str
    leave_policy: str
    max_members: int
    members: int = 0

    @property
    def has_room(self) -> bool:
        """Whether one more fits in."""
        return self.members < self.max_members


@frozen
class Case:
    """A membership and what surrounds it.

    :ivar active: whether the person's account is.
    """

    user: UUID
    state: MembershipState
    active: bool
    terms: Terms


_SOMEBODY, _OTHER = UUID(int=1), UUID(int=2)
_OWNERS = (Action.ACCEPT, Action.REJECT, Action.REMOVE, Action.DENY_LEAVE)
_PERSONS = (Action.LEAVE, Action.CANCEL, Action.CANCEL_LEAVE)
_PLAIN: Mapping[Action, MembershipEvent] = {
    Action.ACCEPT: MembershipEvent.ACCEPT,
    Action.REJECT: MembershipEvent.REJECT,
    Action.CANCEL: MembershipEvent.CANCEL,
    Action.REMOVE: MembershipEvent.REMOVE,
    Action.SUSPEND: MembershipEvent.SUSPEND,
    Action.UNSUSPEND: MembershipEvent.UNSUSPEND,
    Action.DENY_LEAVE: MembershipEvent.KEEP,
    Action.CANCEL_LEAVE: MembershipEvent.KEEP,
}


def outcome(action: Action, who: Who, case: Case) -> MembershipEvent:
    """What ``action`` of ``who`` does to the membership.

    :raises Forbidden: he may not.
    :raises Conflict: nobody may now; `Busy` where the states forbid it.
    """
    _permitted(action, who, case)
    _possible(action, case)
    event = _leaving(who, case) if action is Action.LEAVE else _PLAIN[action]
    step(MEMBERSHIP_STEPS, case.state, event, "membership")
    if action is Action.ACCEPT:
        _admittable(case)
    return event


def allowed(who: Who, case: Case) -> Sequence[Action]:
    """The actions that would succeed."""
    terms = case.terms
    mine = who.user == case.user, who.owns(terms.owner)
    # long lists hold few kinds of cases: who exactly it is makes no difference
    alike = Terms(
        terms.state,
        _SOMEBODY if mine[1] else None,
        terms.is_system,
        terms.join_policy,
        terms.leave_policy,
        int(terms.has_room),
    )
    user = _SOMEBODY if mine[0] else _OTHER
    return _allowed(who.is_admin, Case(user, case.state, case.active, alike))


@lru_cache(maxsize=4096)
def _allowed(admin: bool, case: Case) -> Sequence[Action]:
    who = Who(DAEMON, _SOMEBODY, admin)
    return tuple(action for action in Action if _succeeds(action, who, case))


def joining(case: Case) -> Sequence[MembershipEvent]:
    """What becomes of somebody's wish to join: a request, perhaps accepted.

    :raises Conflict: he is associated already, or nobody can join.
    """
    _alive(case.terms)
    step(MEMBERSHIP_STEPS, case.state, MembershipEvent.JOIN, "membership")
    if case.terms.join_policy == "closed" or case.terms.is_system:
        raise Conflict("this project takes no members who ask for it")
    if case.terms.join_policy == "auto" and case.terms.has_room:
        return [MembershipEvent.JOIN, MembershipEvent.ACCEPT]
    return [MembershipEvent.JOIN]


def enrolling(who: Who, case: Case) -> MembershipEvent:
    """What becomes of somebody whom ``who`` puts in.

    :raises Forbidden: ``who`` neither owns the project nor is administrator.
    :raises Conflict: it is not possible now.
    """
    if not (who.is_admin or who.owns(case.terms.owner)):
        raise Forbidden("only a project's owner adds people")
    _alive(case.terms)
    _no_system(case.terms)
    step(MEMBERSHIP_STEPS, case.state, MembershipEvent.ENROLL, "membership")
    _admittable(case)
    return MembershipEvent.ENROLL


def _succeeds(action: Action, who: Who, case: Case) -> bool:
    try:
        outcome(action, who, case)
    except CloudError:
        return False
    return True


def _permitted(action: Action, who: Who, case: Case) -> None:
    may = who.is_admin
    if action in _OWNERS:
        may = may or who.owns(case.terms.owner)
    elif action in _PERSONS:
        may = may or who.user == case.user
    if not may:
        raise Forbidden(f"you may not {action.replace('_', ' ')} this membership")


def _possible(action: Action, case: Case) -> None:
    if action in (Action.SUSPEND, Action.UNSUSPEND):
        if case.terms.state not in INITIALIZED:
            raise Busy(f"the project is {case.terms.state}")
        return
    _alive(case.terms)
    _no_system(case.terms)


def _leaving(who: Who, case: Case) -> MembershipEvent:
    free = who.is_admin or who.owns(case.terms.owner)
    if free or case.terms.leave_policy == "auto":
        return MembershipEvent.LEAVE
    if case.state in COUNTED and case.terms.leave_policy == "closed":
        raise Conflict("this project's members do not leave by themselves")
    return MembershipEvent.ASK_TO_LEAVE


def _admittable(case: Case) -> None:
    if not case.active:
        raise Conflict("this person's account is not active")
    if not case.terms.has_room:
        raise Conflict(f"the project is full: {case.terms.max_members} members")


def _alive(terms: Terms) -> None:
    if terms.state not in ALIVE:
        raise Busy(f"the project is {terms.state}")


def _no_system(terms: Terms) -> None:
    if terms.is_system:
        raise Conflict("a person's own project has no other members")

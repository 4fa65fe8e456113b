"""Values and pure rules of projects."""

from __future__ import annotations

from datetime import datetime
from re import compile as pattern
from uuid import UUID

from attrs import frozen

from snfd.errors import Invalid
from snfd.projects.states import ProjectState

MAX_NAME = 80
MEMBER = "member"
READER = "reader"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOTTED = pattern(rf"(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")


@frozen
class Project:
    """A project as its members see it.

    :ivar owner: None where nobody owns it.
    :ivar active: whether it grants anything now.
    """

    uuid: UUID
    name: str
    description: str
    owner: UUID | None
    is_system: bool
    active: bool


@frozen(kw_only=True)
class Record:
    """All that is stored of a project.

    :ivar owner: of a person's own project, that person.
    :ivar ends: None for never.
    :ivar deactivated: when it ceased to be active; None while it is, or never
        was.
    :ivar last_application: None where it was made without one.
    """

    uuid: UUID
    name: str
    owner: UUID | None
    state: ProjectState
    is_system: bool
    private: bool
    homepage: str
    description: str
    created: datetime
    ends: datetime | None
    join_policy: str
    leave_policy: str
    max_members: int
    last_application: int | None
    deactivated: datetime | None


def check_name(name: str) -> str:
    """``name`` if administrators may give it to a project.

    :raises Invalid: not 1 to 80 printable characters, or of the form kept for
        people's own projects.
    """
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or not name.strip():
        raise Invalid(f"a project's name has 1 to {MAX_NAME} printable characters")
    if name.lower() == "system" or name.lower().startswith("system:"):
        raise Invalid("names that start with 'system' are kept for own projects")
    return name


def check_application_name(name: str) -> str:
    """``name`` if people may apply for a project of that name.

    :raises Invalid: it is not a domain-like name, ``project.example.org``.
    """
    if len(name) > MAX_NAME or not _DOTTED.fullmatch(name):
        raise Invalid(
            "a project's name is of the form project.example.org, with at most "
            f"{MAX_NAME} characters"
        )
    return name


def system_name(user: UUID) -> str:
    """The name of a person's own project."""
    return f"system:{user}"


def check_role(role: str) -> str:
    """``role`` if a membership may have it.

    :raises Invalid: it is neither ``member`` nor ``reader``.
    """
    if role not in (MEMBER, READER):
        raise Invalid(f"a member's role is {MEMBER!r} or {READER!r}, not {role!r}")
    return role

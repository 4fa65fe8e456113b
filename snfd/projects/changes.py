"""What an application asks for: changes to a project, or a whole new one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from attrs import asdict, evolve, field, fields, frozen

from snfd.errors import Invalid
from snfd.projects.model import check_application_name, check_name
from snfd.quota.model import UNLIMITED, Limit

POLICIES = ("auto", "moderated", "closed")
MAX_HOMEPAGE = 255
MAX_TEXT = 4096
MAX_RESOURCES = 1000
LIFETIME = timedelta(days=100 * 365.25)
"""How long a person's own project lasts."""


@frozen(kw_only=True)
class Changes:
    """Properties of a project; None leaves one as it is.

    :ivar resources: resource → limit; those that are not there stay.
    """

    name: str | None = None
    owner: UUID | None = None
    homepage: str | None = None
    description: str | None = None
    ends: datetime | None = None
    join_policy: str | None = None
    leave_policy: str | None = None
    max_members: int | None = None
    private: bool | None = None
    resources: Mapping[str, Limit] = field(factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return self == Changes()

    @property
    def identifying(self) -> bool:
        """Whether it touches what a person's own project may not change."""
        words = (self.name, self.owner, self.homepage, self.description)
        return any(one is not None for one in words)

    def over(self, older: Changes) -> Changes:
        """``older`` with these changes on top."""
        given = {
            one.name: value
            for one in fields(Changes)
            if (value := getattr(self, one.name)) is not None
        }
        given["resources"] = {**older.resources, **self.resources}
        return evolve(older, **given)

    def stored(self) -> dict[str, Any]:
        """As JSON's types, for `changes`."""
        plain = asdict(self, filter=lambda _, value: value is not None)
        if self.owner is not None:
            plain["owner"] = str(self.owner)
        if self.ends is not None:
            plain["ends"] = self.ends.isoformat()
        plain["resources"] = {
            name: [limit.project, limit.member]
            for name, limit in self.resources.items()
        }
        return plain


NEW = Changes(
    homepage="",
    description="",
    join_policy="moderated",
    leave_policy="auto",
    max_members=UNLIMITED,
    private=False,
)
"""What a new project is where its application does not say."""


@frozen
class Wording:
    """What an application says besides.

    :ivar start: informative only.
    """

    comments: str = ""
    start: datetime | None = None


def changes(stored: Mapping[str, Any]) -> Changes:
    """The changes that `Changes.stored` gave."""
    plain = dict(stored)
    if "owner" in plain:
        plain["owner"] = UUID(plain["owner"])
    if "ends" in plain:
        plain["ends"] = datetime.fromisoformat(plain["ends"])
    plain["resources"] = {
        name: Limit(*pair) for name, pair in plain.get("resources", {}).items()
    }
    return Changes(**plain)


def checked(wanted: Changes, now: datetime, *, free_name: bool = False) -> Changes:
    """``wanted`` if a project may be like that, whatever the database holds.

    :param free_name: whether any printable name will do, as for administrators.
    :raises Invalid: says what may not be.
    """
    if wanted.name is not None:
        (check_name if free_name else check_application_name)(wanted.name)
    _short("homepage", wanted.homepage, MAX_HOMEPAGE)
    _short("description", wanted.description, MAX_TEXT)
    if wanted.ends is not None and wanted.ends <= now:
        raise Invalid("end_date must be in the future")
    for name in ("join_policy", "leave_policy"):
        if getattr(wanted, name) not in (None, *POLICIES):
            raise Invalid(f"{name} is one of {', '.join(POLICIES)}")
    if wanted.max_members is not None:
        _amount("max_members", wanted.max_members)
    if len(wanted.resources) > MAX_RESOURCES:
        raise Invalid(f"at most {MAX_RESOURCES} resources")
    for name, limit in wanted.resources.items():
        _limit(name, limit)
    return wanted


def check_wording(said: Wording) -> Wording:
    """``said`` if it is not too long.

    :raises Invalid: it is.
    """
    _short("comments", said.comments, MAX_TEXT)
    return said


def _short(name: str, text: str | None, most: int) -> None:
    if text is not None and len(text) > most:
        raise Invalid(f"{name} has at most {most} characters")


def _amount(name: str, value: int) -> None:
    if not 0 <= value <= UNLIMITED:
        raise Invalid(f"{name} is from 0 to {UNLIMITED}")


def _limit(name: str, limit: Limit) -> None:
    _amount(f"{name}: project_capacity", limit.project)
    _amount(f"{name}: member_capacity", limit.member)
    if limit.member > limit.project:
        raise Invalid(f"{name}: a member cannot have more than the whole project")

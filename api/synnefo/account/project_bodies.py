"""What clients send about projects.

Source: ``spec/astakos.md`` §2.6.1–§2.6.5.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.paging import Id, Limit, moment, number, wanted
from snfd.errors import Invalid
from snfd.projects.acting import Order
from snfd.projects.changes import (
    MAX_HOMEPAGE,
    MAX_RESOURCES,
    MAX_TEXT,
    Changes,
    Wording,
)
from snfd.projects.context import MAX_REASON
from snfd.projects.desk import Asked, Mode
from snfd.projects.model import MAX_NAME
from snfd.projects.states import ProjectState
from snfd.quota import units
from snfd.quota.model import UNLIMITED
from snfd.quota.model import Limit as Granted

Policy = Literal["auto", "moderated", "closed"]
Capacity = Annotated[int, Meta(ge=0, le=UNLIMITED)]
Moment = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Short = Annotated[str, Meta(max_length=255)]
Reason = Annotated[str, Meta(max_length=MAX_REASON)]


class LimitBody(Struct):
    """What a project grants of one resource."""

    project_capacity: Capacity
    member_capacity: Capacity

    def granted(self) -> Granted:
        """The same as a value."""
        return Granted(self.project_capacity, self.member_capacity)


Resources = Annotated[dict[str, LimitBody], Meta(max_length=MAX_RESOURCES)]


class Definition(Struct, kw_only=True):
    """What an application says; null is as good as nothing."""

    name: Annotated[str, Meta(max_length=MAX_NAME)] | None = None
    owner: UUID | None = None
    homepage: Annotated[str, Meta(max_length=MAX_HOMEPAGE)] | None = None
    description: Text | None = None
    comments: Text | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    join_policy: Policy | None = None
    leave_policy: Policy | None = None
    max_members: Capacity | Annotated[str, Meta(max_length=40)] | None = None
    private: bool | None = None
    resources: Resources | None = None

    def changes(self) -> Changes:
        """What shall be different.

        :raises Invalid: a date or an amount that is none.
        """
        most = self.max_members
        return Changes(
            name=self.name,
            owner=self.owner,
            homepage=self.homepage,
            description=self.description,
            ends=None if self.end_date is None else moment(self.end_date, "end_date"),
            join_policy=self.join_policy,
            leave_policy=self.leave_policy,
            max_members=units.parse(most) if isinstance(most, str) else most,
            private=self.private,
            resources={
                name: limit.granted() for name, limit in (self.resources or {}).items()
            },
        )

    def said(self) -> Wording:
        """What the application says besides.

        :raises Invalid: a date that is none.
        """
        start = self.start_date
        return Wording(
            self.comments or "", None if start is None else moment(start, "start_date")
        )


class WantedChanges(Definition, kw_only=True):
    """Body of ``PUT /projects/<project>``.

    ``apply`` makes the changes at once, for administrators.
    """

    apply: bool = False


class NewProject(Definition, kw_only=True):
    """Body of ``POST /projects``."""

    name: Annotated[str, Meta(max_length=MAX_NAME)]
    end_date: Moment


class Words(Struct):
    """Why something is done to a project, and to which application.

    ``reasons`` is how astakosclient spells ``reason`` sometimes; ``reactivate``
    makes an approval also end the suspension or termination of its project.
    """

    reason: Reason = ""
    reasons: Reason = ""
    app_id: Id | None = None
    reactivate: bool = False


class ProjectAction(Struct):
    """Body of ``POST /projects/<project>/action``: one action."""

    suspend: Words | UnsetType = UNSET
    unsuspend: Words | UnsetType = UNSET
    terminate: Words | UnsetType = UNSET
    reinstate: Words | UnsetType = UNSET
    approve: Words | UnsetType = UNSET
    deny: Words | UnsetType = UNSET
    cancel: Words | UnsetType = UNSET
    dismiss: Words | UnsetType = UNSET

    def order(self) -> Order:
        """What shall become of the project.

        :raises Invalid: there are several actions, or none.
        """
        given = {
            name: words
            for name in self.__struct_fields__
            if isinstance(words := getattr(self, name), Words)
        }
        if len(given) != 1:
            known = ", ".join(self.__struct_fields__)
            raise Invalid(f"the body must have one of {known}")
        ((name, words),) = given.items()
        return Order(
            name,
            words.reason or words.reasons,
            None if words.app_id is None else number(words.app_id),
            words.reactivate,
        )


class ProjectQuery(Struct):
    """Which projects; without ``limit`` all of them."""

    name: Short | None = None
    owner: UUID | None = None
    state: ProjectState | None = None
    mode: Mode = "default"
    private: bool | None = None
    system_project: bool | None = None
    limit: Limit | None = None
    marker: UUID | None = None

    def asked(self) -> Asked:
        """The same as a value, one more than the answer may have."""
        return Asked(
            name=self.name,
            owner=self.owner,
            state=self.state,
            mode=self.mode,
            private=self.private,
            system=self.system_project,
            after=self.marker,
            most=wanted(self.limit) + 1,
        )

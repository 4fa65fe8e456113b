"""Commissions: what other programs charge, in two phases.

Source: ``spec/astakos.md`` §2.5.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from twisted.web.iweb import IRequest

from api.operations import SERVICE, Reply, operation
from api.paging import complete, wanted
from api.synnefo.faults import FAULTS
from api.times import micros_offset
from snfd import errors
from snfd.errors import CloudError, Invalid
from snfd.quota.commissions import Commissions
from snfd.quota.model import Commission
from snfd.quota.orders import Order, Provision
from snfd.quota.resolving import Resolved
from snfd.registry.model import Component

MOST = 1000
"""Provisions of one commission, or serials resolved at once."""

Text = Annotated[str, Meta(max_length=1000)]
Serial = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Quantity = Annotated[int, Meta(ge=-(2**63 - 1), le=2**63 - 1)]


class WantedProvision(Struct):
    """A part of a commission to be issued; ``source`` must be there, if null."""

    holder: Text
    source: Text | None
    resource: Text
    quantity: Quantity


class NewCommission(Struct):
    """Body of ``POST /commissions``."""

    provisions: Annotated[list[WantedProvision], Meta(max_length=MOST)]
    name: Text = ""
    force: bool = False
    auto_accept: bool = False

    def order(self) -> Order:
        """What is to be issued."""
        parts = [
            Provision(one.holder, one.source, one.resource, one.quantity)
            for one in self.provisions
        ]
        return Order(parts, self.name, self.force, self.auto_accept)


class ProvisionView(Reply):
    """A part of a commission."""

    holder: str
    source: str | None
    resource: str
    quantity: int


class RefusalData(Reply):
    """Which part of a commission was refused, and why."""

    name: str
    provision: ProvisionView
    limit: int | UnsetType = UNSET
    usage: int | UnsetType = UNSET


class Refusal(Reply):
    """What stands below the fault's name where a commission was refused."""

    code: int
    message: str
    data: RefusalData


class IssuedReply(Reply):
    """Answer of ``POST /commissions``."""

    serial: int


class CommissionView(Reply):
    """A pending commission."""

    serial: int
    name: str
    issue_time: str
    provisions: list[ProvisionView]

    @classmethod
    def of(cls, one: Commission) -> CommissionView:
        """As it was issued, provisions of one key summed."""
        parts = [
            Provision.of(key, quantity) for key, quantity in one.provisions.items()
        ]
        shown = [
            ProvisionView(part.holder, part.source, part.resource, part.quantity)
            for part in parts
        ]
        return cls(one.serial, one.name, micros_offset(one.issued), shown)


class OneAction(Struct):
    """Body of an action on one commission: one key; its value does not matter."""

    accept: Any = UNSET
    reject: Any = UNSET

    def accepts(self) -> bool:
        """Whether it is to be accepted.

        :raises Invalid: both are given, or none.
        """
        if (self.accept is UNSET) == (self.reject is UNSET):
            raise Invalid("the body must have either accept or reject")
        return self.accept is not UNSET


class ManyActions(Struct):
    """Body of ``POST /commissions/action``."""

    accept: Annotated[list[Serial], Meta(max_length=MOST)] = []
    reject: Annotated[list[Serial], Meta(max_length=MOST)] = []


class Reason(Reply):
    """Why a commission was not resolved."""

    code: int
    message: str


class ResolvedReply(Reply):
    """Answer of ``POST /commissions/action``."""

    accepted: list[int]
    rejected: list[int]
    failed: list[tuple[int, dict[str, Reason]]]

    @classmethod
    def of(cls, done: Resolved) -> ResolvedReply:
        """What is not there first, then what was asked both ways."""
        failed = [
            _failed(one, errors.NotFound, f"there is no pending commission {one}")
            for one in done.missing
        ]
        failed += [
            _failed(one, errors.Invalid, f"commission {one} is in both lists")
            for one in done.conflicting
        ]
        return cls(list(done.accepted), list(done.rejected), failed)


def _failed(
    serial: int, kind: type[CloudError], why: str
) -> tuple[int, dict[str, Reason]]:
    fault = FAULTS[kind]
    return serial, {fault.name: Reason(fault.status, why)}


class Page(Struct):
    """Which part of a list is wanted.

    ``marker`` is the last serial of the part before.
    """

    limit: Annotated[int, Meta(ge=0)] | None = None
    marker: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class CommissionsApi:
    """The ``/commissions`` resources."""

    def __init__(self, commissions: Commissions) -> None:
        self._commissions = commissions

    @operation(
        "POST",
        "/commissions",
        body=NewCommission,
        status=201,
        auth=SERVICE,
        also={404: dict[str, Refusal], 413: dict[str, Refusal]},
    )
    async def issue(self, component: Component, body: NewCommission) -> IssuedReply:
        """Take or give back quota, pending until the commission is resolved."""
        return IssuedReply(await self._commissions.issue(component, body.order()))

    @operation("GET", "/commissions", query=Page, auth=SERVICE, head=False)
    async def list(self, component: Component, query: Page) -> list[int]:
        """List the component's pending commissions."""
        most = wanted(query.limit)
        found = await self._commissions.pending(component, query.marker, most)
        return [*complete(found, query.limit)]

    @operation("GET", "/commissions/<serial>", auth=SERVICE, head=False)
    async def show(self, component: Component, serial: int) -> CommissionView:
        """Show a pending commission."""
        return CommissionView.of(await self._commissions.get(component, serial))

    @operation(
        "POST", "/commissions/<serial>/action", body=OneAction, auth=SERVICE, raw=True
    )
    async def settle(
        self, component: Component, serial: int, body: OneAction, request: IRequest
    ) -> None:
        """Accept or reject a pending commission; the answer is empty."""
        await self._commissions.settle(component, serial, accept=body.accepts())

    @operation("POST", "/commissions/action", body=ManyActions, auth=SERVICE)
    async def resolve(self, component: Component, body: ManyActions) -> ResolvedReply:
        """Accept and reject many pending commissions at once."""
        done = await self._commissions.resolve(component, body.accept, body.reject)
        return ResolvedReply.of(done)

"""Holdings and the rules of two-phase commissions, without SQL.

Rules: ``spec/astakos.md`` §3.1 and §3.2. With S the settled usage, P⁺ the
pending imports and P⁻ the pending releases of a holding::

    usage_max = S + P⁺      usage_min = S − P⁻      0 ≤ usage_min ≤ usage_max
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.errors import Invalid, OverQuota

UNLIMITED = 2**63 - 1
"""The limit that stands for "no limit"; also the largest quantity."""

WHOLE_PROJECT = UUID(int=0)
"""Stands for the member in the key of a whole project's holding."""

CLIENTKEY = "snfd"
"""In whose name this daemon's services are charged; no component is called so."""

APPLICATIONS = "astakos"
"""In whose name undecided applications are counted."""

PENDING_APPLICATIONS = "astakos.pending_app"
"""The resource that counts undecided applications, per applicant."""

MIB = 2**20
GIB = 2**30


@frozen(order=True)
class Key:
    """Names one holding.

    :ivar member: the user, or `WHOLE_PROJECT`.
    """

    project: UUID
    member: UUID
    resource: str

    @property
    def user(self) -> UUID | None:
        """The user, or None where the holding is the whole project's."""
        return None if self.member == WHOLE_PROJECT else self.member


@frozen
class Holding:
    """What one member, or a whole project, has of one resource.

    :ivar cap: the limit; usage above it is legal, further use is not.
    :ivar usage_min: usage if every pending release happens and no import.
    :ivar usage_max: usage if every pending import happens and no release.
    """

    key: Key
    cap: int
    usage_min: int = 0
    usage_max: int = 0

    def issued(self, quantity: int, force: bool = False) -> Holding:
        """With a commission for ``quantity`` pending.

        :param quantity: positive imports, negative releases; 0 changes and
            checks nothing.
        :param force: pass the limit, but never below zero.
        :raises OverQuota: there is no room, or less is held than released.
        """
        if quantity < 0:
            if self.usage_min + quantity < 0:
                raise self._refusal(quantity, 0, self.usage_min)
            return evolve(self, usage_min=self.usage_min + quantity)
        limit = UNLIMITED if force else self.cap
        if quantity and self.usage_max + quantity > limit:
            raise self._refusal(quantity, limit, self.usage_max)
        return evolve(self, usage_max=self.usage_max + quantity)

    def accepted(self, quantity: int) -> Holding:
        """With a pending ``quantity`` settled; cannot fail."""
        if quantity < 0:
            return evolve(self, usage_max=self.usage_max + quantity)
        return evolve(self, usage_min=self.usage_min + quantity)

    def rejected(self, quantity: int) -> Holding:
        """With a pending ``quantity`` called off; cannot fail."""
        if quantity < 0:
            return evolve(self, usage_min=self.usage_min - quantity)
        return evolve(self, usage_max=self.usage_max - quantity)

    def _refusal(self, quantity: int, limit: int, usage: int) -> OverQuota:
        whose = "the member" if self.key.user else "the project"
        left = max(limit - usage, 0)
        message = (
            f"{self.key.resource}: {whose} has {left} of {limit} left, "
            f"{quantity} requested"
            if quantity > 0
            else f"{self.key.resource}: {-quantity} to release, {whose} holds {usage}"
        )
        return OverQuota(
            message,
            resource=self.key.resource,
            project=str(self.key.project),
            holder="user" if self.key.user else "project",
            limit=limit,
            usage=usage,
            requested=quantity,
            available=left,
        )


Provisions = Mapping[Key, int]
"""Signed quantities per holding."""


def provisions(user: UUID, project: UUID, amounts: Mapping[str, int]) -> Provisions:
    """``amounts`` for both holdings that count: the member's, the project's.

    Amounts of zero are left out.

    :raises Invalid: an amount does not fit 64 bits.
    """
    for resource, quantity in amounts.items():
        if abs(quantity) > UNLIMITED:
            raise Invalid(f"{resource}: {quantity} is out of range")
    return {
        Key(project, member, resource): quantity
        for resource, quantity in amounts.items()
        if quantity
        for member in (WHOLE_PROJECT, user)
    }


ACCEPT, REJECT = "ACCEPT", "REJECT"
"""What becomes of a pending commission, as it is logged."""


@frozen
class Commission:
    """A pending commission with its provisions."""

    serial: int
    clientkey: str
    name: str
    issued: datetime
    provisions: Provisions


@frozen
class Settled:
    """What became of one provision.

    :ivar holding: as it is afterwards.
    :ivar why: `ACCEPT` or `REJECT`.
    """

    commission: Commission
    holding: Holding
    delta: int
    why: str


@frozen
class Limit:
    """What a project grants of one resource.

    :ivar project: to all members together.
    :ivar member: to each member.
    """

    project: int
    member: int


@frozen
class Usage:
    """One member's and his project's use of one resource.

    ``usage`` is the pessimistic one; ``pending`` what may still change of it.
    """

    usage: int
    limit: int
    pending: int
    project_usage: int
    project_limit: int
    project_pending: int

    @property
    def effective_limit(self) -> int:
        """The most that the member could use if nobody else used more."""
        others = self.project_usage - self.usage
        return max(min(self.limit, self.project_limit - others), 0)

    @classmethod
    def of(cls, member: Holding, project: Holding) -> Usage:
        """From the member's and the project's holding of one resource."""
        return cls(
            usage=member.usage_max,
            limit=member.cap,
            pending=member.usage_max - member.usage_min,
            project_usage=project.usage_max,
            project_limit=project.cap,
            project_pending=project.usage_max - project.usage_min,
        )


@frozen
class Resource:
    """Something that is counted.

    :ivar unit: ``bytes``, or None for a count.
    :ivar origin: name of the service that accounts for it.
    :ivar system_default: limit in a person's own project.
    :ivar project_default: limit in a project that does not mention it.
    """

    name: str
    description: str
    unit: str | None
    service_type: str
    origin: str
    system_default: int
    project_default: int = field(default=0)
    api_visible: bool = True
    ui_visible: bool = True


def _hidden(name: str, text: str, unit: str | None, default: int) -> Resource:
    return Resource(
        name, text, unit, "compute", "cyclades_compute",
        default, UNLIMITED, api_visible=False, ui_visible=False,
    )  # fmt: skip


RESOURCES: tuple[Resource, ...] = (
    Resource(
        PENDING_APPLICATIONS, "Open project applications", None,
        "account", "astakos_account", 2, UNLIMITED,
        api_visible=False, ui_visible=False,
    ),
    Resource(
        "cyclades.vm", "Virtual servers", None, "compute", "cyclades_compute", 4
    ),
    Resource(
        "cyclades.cpu", "Processors of running servers", None,
        "compute", "cyclades_compute", 16,
    ),
    _hidden("cyclades.total_cpu", "Processors of all servers", None, 32),
    Resource(
        "cyclades.ram", "Memory of running servers", "bytes",
        "compute", "cyclades_compute", 8 * GIB,
    ),
    _hidden("cyclades.total_ram", "Memory of all servers", "bytes", 16 * GIB),
    Resource(
        "cyclades.disk", "Disk space of servers", "bytes",
        "compute", "cyclades_compute", 40 * GIB,
    ),
    Resource(
        "cyclades.network.private", "Private networks", None,
        "network", "cyclades_network", 4,
    ),
    Resource(
        "cyclades.floating_ip", "Floating IP addresses", None,
        "network", "cyclades_network", 4,
    ),
    Resource(
        "pithos.diskspace", "Space for objects", "bytes",
        "object-store", "pithos_object-store", 40 * GIB,
    ),
)  # fmt: skip
"""The resources of the built-in services (``spec/astakos.md`` §1.4)."""

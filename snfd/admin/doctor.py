"""Looks whether all is well: every integrity check there is, in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from snfd.admin.model import Ailment
from snfd.audit import Actor
from snfd.db.port import Database
from snfd.keycheck import unopenable
from snfd.quota.findings import Kind
from snfd.quota.integrity import Integrity
from snfd.sealed import CLUSTER_PASSWORD, MAIL, TOTP_SEED

MOST = 100
"""Ailments of one kind that are told."""


@frozen
class Check:
    """Something that must not be.

    :ivar sql: gives (what, how it is) of each place where it is so.
    :ivar remedy: what to do about it.
    """

    name: str
    sql: str
    remedy: str


CHECKS = (
    Check(
        "no-administrator",
        "SELECT 'group admin', 'it has no active member' WHERE NOT EXISTS ("
        " SELECT 1 FROM identity.user_group g"
        " JOIN identity.user_group_member m ON m.group_id = g.id"
        " JOIN identity.app_user u ON u.uuid = m.user_id AND u.is_active"
        " WHERE g.name = 'admin')",
        "snfctl user groups USER --add admin",
    ),
    Check(
        "no-own-project",
        "SELECT 'user ' || u.username, 'active, without a project of his own'"
        " FROM identity.app_user u WHERE u.is_active AND NOT EXISTS ("
        " SELECT 1 FROM identity.project p JOIN identity.membership m"
        " ON m.project_id = p.uuid AND m.user_id = u.uuid"
        " WHERE p.uuid = u.uuid AND p.is_system)",
        "this should not happen: please report it",
    ),
    Check(
        "lost-default",
        "SELECT 'user ' || u.username, 'the default project is none of his'"
        " FROM identity.app_user u WHERE u.default_project IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM identity.membership m WHERE m.user_id = u.uuid"
        " AND m.project_id = u.default_project"
        " AND m.state IN ('accepted', 'leave_requested', 'suspended'))",
        "snfctl user default-project USER PROJECT; until then his own is used",
    ),
    Check(
        "past-its-end",
        "SELECT 'project ' || p.name, 'ended ' || p.ends_at FROM identity.project p"
        " WHERE p.state IN ('active', 'suspended') AND NOT p.is_system"
        " AND p.ends_at < now() - interval '1 hour'",
        "snfctl project expire; does any process run that looks after projects?",
    ),
    Check(
        "forgotten-commission",
        "SELECT 'commission ' || c.serial, 'of ' || c.clientkey || ', pending since '"
        " || c.issued_at FROM quota.commission c"
        " WHERE c.issued_at < now() - CASE WHEN c.ref IS NULL THEN interval '1 hour'"
        " ELSE interval '1 day' END ORDER BY c.serial",
        "snfctl commission show SERIAL, then accept or reject it",
    ),
    Check(
        "letter-failed",
        "SELECT 'mail ' || id, kind || ' to ' || recipient || ': '"
        " || coalesce(last_error, '') FROM ops.mail"
        " WHERE state = 'failed' AND finished > now() - interval '7 days'"
        " ORDER BY id DESC",
        "look at the address, or at the mail server",
    ),
    Check(
        "letter-waits",
        "SELECT 'mail ' || id, kind || ' to ' || recipient || ', since ' || created"
        " || coalesce(': ' || last_error, '') FROM ops.mail"
        " WHERE finished IS NULL AND created < now() - interval '30 minutes'"
        " ORDER BY id",
        "is [mail] server set, and does it answer?"
        " snfctl mail retry ID has it tried at once",
    ),
    Check(
        "stale-job",
        "SELECT subject, kind || ', ' || state || ' since ' || created FROM ops.outbox"
        " WHERE finished IS NULL AND created < now() - interval '1 day' ORDER BY seq",
        "is the cluster reachable, and its job queue open?",
    ),
    Check(
        "cluster-unreachable",
        "SELECT 'cluster ' || name, coalesce(last_error, 'it does not answer')"
        " FROM compute.cluster WHERE NOT reachable AND NOT offline",
        "does its RAPI answer?",
    ),
    Check(
        "cluster-differs",
        "SELECT c.name || ' ' || f.subject, f.kind || ' ' || f.detail"
        " FROM ops.finding f JOIN compute.cluster c ON c.id = f.cluster"
        " ORDER BY f.first_seen",
        "database and cluster disagree: compare both",
    ),
)

LOST_REMEDIES = {
    CLUSTER_PASSWORD: "name it in [[bootstrap.cluster]] and restart a daemon",
    TOTP_SEED: "a recovery code, or: snfctl user remove-second-factor USER",
    MAIL: "snfctl mail give-up ID",
}
LOST_REMEDY = "put the key back; if it is lost for good, these are lost as well"

QUOTA_REMEDIES = {
    Kind.LIMIT: "snfctl quota verify --limits",
    Kind.MISSING: "snfctl quota verify --limits",
    Kind.UNEXPECTED: "snfctl quota verify --unexpected",
    Kind.USAGE: "snfctl quota verify --usage",
    Kind.SUM: "snfctl quota verify --sums",
    Kind.ACTUAL: "snfctl quota verify --actual",
}


@frozen(eq=False)
class Doctor:
    """Runs all checks; changes nothing.

    :ivar db: one that has time for what looks through everything.
    :ivar idents: names of the keys that there are, see `snfd.keycheck.unopenable`.
    """

    db: Database
    integrity: Integrity
    idents: Callable[[], Sequence[bytes]]

    async def examine(self, actor: Actor) -> list[Ailment]:
        """Everything that is not well, at most `MOST` of a kind."""
        found = []
        for check in CHECKS:
            sql = f"SELECT * FROM ({check.sql}) AS found LIMIT {MOST}"
            for what, how in await self.db.read(sql):
                found.append(Ailment(check.name, what, how, check.remedy))
        return [
            *found,
            *await self._secrets(),
            *await self._numbers(actor),
            *await self._applications(actor),
        ]

    async def _secrets(self) -> list[Ailment]:
        found = await self.db.run(unopenable, self.idents())
        return [
            Ailment(
                "secret-lost",
                f"{one.table}, {one.name}",
                f"{lost} of {there} sealed with a key that is missing",
                LOST_REMEDIES.get(one, LOST_REMEDY),
            )
            for one, (lost, there) in found.items()
        ]

    async def _numbers(self, actor: Actor) -> list[Ailment]:
        report = await self.integrity.verify(actor)
        return [
            Ailment(
                f"quota-{one.kind}",
                f"{one.key.resource} of {one.key.user or 'all'} in {one.key.project}",
                f"{one.found}; must be {one.wanted}",
                QUOTA_REMEDIES[one.kind],
            )
            for one in report.findings[:MOST]
        ]

    async def _applications(self, actor: Actor) -> list[Ailment]:
        found = await self.integrity.reconcile(actor)
        return [
            Ailment(
                "quota-applications",
                f"user {one.user}",
                f"{one.usage} charged, {one.counted} undecided",
                "snfctl quota reconcile --fix",
            )
            for one in found[:MOST]
            if not one.skipped
        ]

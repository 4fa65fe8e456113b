"""Looking after the daemon: letters, the audit trail, its health, figures."""

from __future__ import annotations

import msgspec

from api.admin.bodies import Reason
from api.admin.lists import Listing
from api.operations import operation
from api.paging import RowId
from snfd.admin.doctor import Doctor
from snfd.admin.model import Ailment, AuditAsk, AuditRow, MailAsk, MailRow, Page
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Directory
from snfd.admin.statistics import Detail, Statistics
from snfd.audit import Entry, Filter, Trail
from snfd.identity.names import as_uuid
from snfd.mail.box import Outbox


class MailApi:
    """Letters that wait, and those that did."""

    def __init__(self, directory: Directory, outbox: Outbox) -> None:
        self._directory = directory
        self._outbox = outbox

    @operation("GET", "/mails", query=MailAsk)
    async def mails(self, staff: Staff, query: MailAsk) -> Listing[MailRow]:
        """List letters, newest first; never their text."""
        return Listing.of(await self._directory.mails(query))

    @operation("POST", "/mails/<mail>/retry", status=202)
    async def retry(self, staff: Staff, mail: RowId) -> None:
        """Have a letter that waits tried at once."""
        await self._outbox.hurry(staff.to(Right.OPERATIONS), mail)

    @operation("POST", "/mails/<mail>/give-up", body=Reason, status=204)
    async def give_up(self, staff: Staff, mail: RowId, body: Reason) -> None:
        """Have a letter tried no more, and its words forgotten."""
        await self._outbox.give_up(staff.to(Right.OPERATIONS), mail, body.reason)


class WatchApi:
    """What happened, and whether all is well."""

    def __init__(self, trail: Trail, doctor: Doctor, statistics: Statistics) -> None:
        self._trail = trail
        self._doctor = doctor
        self._statistics = statistics

    @operation("GET", "/audit", query=AuditAsk)
    async def audit(self, staff: Staff, query: AuditAsk) -> Listing[AuditRow]:
        """List who did what, newest first."""
        page = await self._trail.page(_filter(query), query.limit, query.after())
        following = None if page.marker is None else str(page.marker)
        return Listing.of(Page([entry(one) for one in page.entries], following))

    @operation("GET", "/doctor")
    async def doctor(self, staff: Staff) -> Listing[Ailment]:
        """Run every check that there is; empty if all is well."""
        found = await self._doctor.examine(staff.looking())
        return Listing.of(Page(found, None))

    @operation("GET", "/stats")
    async def stats(self, staff: Staff) -> Detail:
        """Tell how many users there are, and what they use."""
        return await self._statistics.detail()


def _filter(query: AuditAsk) -> Filter:
    actor = query.actor and (as_uuid(query.actor) or query.actor)
    return Filter(actor or None, query.action, query.target, query.since, query.until)


def entry(one: Entry) -> AuditRow:
    """An entry of the audit trail as it is shown."""
    details = msgspec.json.encode(one.details).decode()
    return AuditRow(
        one.id,
        one.at,
        one.actor_name,
        one.action,
        one.target,
        "" if details == "{}" else details,
        one.request_id,
    )

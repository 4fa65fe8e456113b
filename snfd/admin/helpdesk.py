"""Finds what people speak of when they call for help, and shows their accounts."""

from __future__ import annotations

from attrs import frozen

from snfd.admin.address_model import FloatingAsk
from snfd.admin.addresses import AddressViews
from snfd.admin.helpdesk_model import AccountFacts, FoundRow, LoginOf
from snfd.admin.helpdesk_store import BY, LOGINS, MOST
from snfd.admin.model import Page
from snfd.admin.network_model import NetworkAsk
from snfd.admin.networks import NetworkViews
from snfd.admin.project_model import QuotaAsk
from snfd.admin.reading import Readings
from snfd.admin.rights import Staff
from snfd.admin.server_model import Hint, ServerAsk, hint
from snfd.admin.servers import ServerViews
from snfd.admin.service import Directory, Ledger
from snfd.db.port import Database
from snfd.errors import Invalid

LONGEST = 255
"""Characters that are looked for."""


@frozen(eq=False)
class Helpdesk:
    """Search, and overviews of accounts; whoever looks is in the audit trail."""

    db: Database
    directory: Directory
    ledger: Ledger
    servers: ServerViews
    networks: NetworkViews
    addresses: AddressViews
    readings: Readings

    @classmethod
    def build(cls, db: Database, directory: Directory, ledger: Ledger) -> Helpdesk:
        """All of it, over ``db``."""
        find = directory.find
        views = ServerViews(db, find), NetworkViews(db, find), AddressViews(db, find)
        return cls(db, directory, ledger, *views, Readings(db))

    async def find(self, staff: Staff, query: str) -> Page[FoundRow]:
        """All that a few characters may mean, those that fit best first.

        A uuid, an e-mail or a part of it, ``vm-42``, an IPv4, IPv6 or MAC address,
        or what the name of a user, project, server, network or port begins with.

        :raises Invalid: too few or too many characters.
        """
        text = query.strip()
        if not 1 <= len(text) <= LONGEST:
            raise Invalid(f"look for 1 to {LONGEST} characters")
        meant = hint(text)
        found: list[FoundRow] = []
        for sql in _statements(meant):
            rows = await self.db.read(sql, _params(meant))
            found += [FoundRow(*row) for row in rows]
        people = sorted({str(one.owner_uuid) for one in found if one.owner_uuid})
        await self.readings.told(
            staff, "helpdesk.find", "helpdesk", query=text, users=people[:MOST]
        )
        return Page(found, None)

    async def account(self, staff: Staff, name: str) -> AccountFacts:
        """A user, by uuid, username or e-mail, and what is his.

        :raises NotFound: there is none.
        """
        user = await self.directory.user(name)
        whose = str(user.uuid)
        await self.readings.told(staff, "helpdesk.account", f"user:{whose}")
        logins = await self.db.read(LOGINS, {"wanted": user.uuid})
        return AccountFacts(
            uuid=user.uuid,
            username=user.username,
            email=user.email,
            name=f"{user.first_name} {user.last_name}".strip(),
            status=user.status,
            groups=user.groups,
            joined=user.joined,
            last_login=user.last_login,
            logins=[LoginOf(*one) for one in logins],
            projects=user.projects,
            servers=(await self.servers.servers(ServerAsk(owner=whose))).items,
            networks=(await self.networks.networks(NetworkAsk(user=whose))).items,
            addresses=(await self.addresses.floating(FloatingAsk(user=whose))).items,
            quotas=(await self.ledger.quotas(QuotaAsk(user=whose))).items,
        )


def _statements(meant: Hint) -> list[str]:
    """What to look at; a number may be a name, too."""
    found: list[str] = []
    for kind in ("number", "address", "mac", "uuid"):
        if getattr(meant, kind) is not None:
            found += BY[kind]
    if meant.address is None and meant.mac is None and meant.uuid is None:
        found += BY["name"]
    return found


def _params(meant: Hint) -> dict[str, object]:
    begin = meant.name.lower()
    for special in "\\%_":
        begin = begin.replace(special, "\\" + special)
    return {
        "name": meant.name,
        "begin": begin + "%",
        "number": meant.number,
        "address": meant.address,
        "mac": meant.mac,
        "uuid": meant.uuid,
        "most": MOST,
    }

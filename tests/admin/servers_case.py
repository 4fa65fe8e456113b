"""A cloud with servers, as administrators and the helpdesk see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid5

from twisted.trial.unittest import SynchronousTestCase

from api.admin.faults import DIALECT
from api.admin.servers import ServerBelongingApi, ServerChangesApi, ServersApi
from api.dispatch import build
from snfd.admin.doctor import Doctor
from snfd.admin.reading import Readings
from snfd.admin.servers import ServerViews
from snfd.admin.service import Administration
from snfd.compute.giving import Giving
from snfd.compute.stewarding import Stewards
from snfd.mail.service import Post
from snfd.projects.application_store import undecided
from snfd.quota.integrity import Integrity
from tests.api.memory import Browser
from tests.compute.kit import compute_cloud
from tests.identity.cloud import SPACE


class ServersCase(SynchronousTestCase):
    """Users chief (admin), helper (helpdesk) and reader (admin-readonly) besides."""

    def setUp(self) -> None:
        self.parts = compute_cloud(self)
        people = self.people = self.parts.people
        self.tokens = {}
        for name, group in (
            ("chief", "admin"), ("helper", "helpdesk"), ("reader", "admin-readonly"),
        ):  # fmt: skip
            people.user(name, "secret", group)
            self.tokens[name] = people.login(name).secret
        self.services = Administration.build(
            people.db,
            people.clock,
            people.project_parts,
            Post(people.keys),
            Doctor(people.db, Integrity(people.db, undecided), people.keys.idents),
        )
        gate: Any = self.services.staff
        self.web = Browser(build(DIALECT, gate, *self.apis()), self.tokens["chief"])

    def apis(self) -> Sequence[object]:
        db, stewards = self.people.db, Stewards(self.parts.compute)
        views = ServerViews(db, self.services.find)
        return [
            ServersApi(views, stewards, Readings(db)),
            ServerChangesApi(stewards),
            ServerBelongingApi(views, stewards, Giving(db)),
        ]

    def uuid(self, name: str) -> Any:
        return uuid5(SPACE, name)

    def ask(
        self,
        method: str,
        path: str,
        status: int = 200,
        body: object = None,
        who: str = "chief",
    ) -> Any:
        more: dict[str, Any] = {} if body is None else {"json": body}
        got = self.web.request(method, path, token=self.tokens[who], **more)
        self.assertEqual(status, got.status, (method, path, got.body))
        return got.json if got.body else None

    def get(self, path: str, status: int = 200, who: str = "chief") -> Any:
        return self.ask("GET", path, status, who=who)

    def post(
        self, path: str, body: object = None, status: int = 202, who: str = "chief"
    ) -> Any:
        return self.ask("POST", path, status, body, who)

    def ids(self, query: str) -> list[int]:
        return [one["id"] for one in self.get(f"/servers{query}")["items"]]

    def audited(self) -> list[tuple[Any, ...]]:
        found = self.people.sql(
            "SELECT actor_name, action, target FROM ops.audit"
            " WHERE action LIKE 'server.%%' OR action LIKE 'helpdesk.%%' ORDER BY id"
        )
        return list(found)

"""The log of what commissions changed, as administrators search it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from api.admin.faults import DIALECT
from api.admin.settled import SettledApi
from api.dispatch import build
from snfd.admin.settled import Settled
from snfd.quota import service as quota
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser

VM, CPU = "cyclades.vm", "cyclades.cpu"


class SettledTests(AdminCase):
    """Two accepted, one rejected, one that is pending."""

    def setUp(self) -> None:
        super().setUp()
        self.project = self.cloud.project("lab", {VM: 5, CPU: 5}, demo="member")
        gate: Any = self.services.staff
        api = SettledApi(Settled(self.cloud.db, self.services.find))
        self.web = Browser(build(DIALECT, gate, api), self.cloud.login("admin").secret)
        self.first = self.reserve({VM: 2, CPU: 1})
        self.second = self.reserve({VM: 1})
        self.third = self.reserve({VM: -1})
        self.pending = self.reserve({VM: 1})
        self.resolve(quota.accept, self.first)
        self.resolve(quota.reject, self.second)
        self.resolve(quota.accept, self.third)

    def reserve(self, amounts: dict[str, int]) -> int:
        run = self.cloud.db.run
        if min(amounts.values()) < 0:
            self.cloud.wait(run(quota.charge, self.demo, self.project, {VM: 1}))
        return self.cloud.wait(
            run(quota.reserve, self.demo, self.project, amounts, uuid4())
        )

    def resolve(self, how: Any, serial: int) -> None:
        self.assertTrue(self.cloud.wait(self.cloud.db.run(how, serial)))

    def found(self, query: str) -> list[tuple[int, str, int]]:
        items = self.get(f"/settled-commissions?{query}")["items"]
        return [(one["serial"], one["resource"], one["delta"]) for one in items]

    def test_newest_first_and_whole_projects_apart(self) -> None:
        newest, *others = self.get(f"/settled-commissions?resource={VM}")["items"]
        self.assertEqual(
            ("demo", "lab", "accepted", self.third, -1, None, str(self.demo)),
            tuple(
                newest[name]
                for name in ("user", "project", "outcome", "serial", "delta", "unit",
                             "user_uuid")
            ),
        )  # fmt: skip
        self.assertEqual((5, 3, 1), (newest["limit"], newest["usage"],
                                     newest["pending"]))  # fmt: skip
        self.assertEqual([self.second, self.first], [one["serial"] for one in others])
        whole = self.get("/settled-commissions?whole=true")["items"]
        self.assertEqual(4, len(whole))
        self.assertEqual({None}, {one["user"] for one in whole})

    def test_searched_by_all_that_is_known(self) -> None:
        every = self.found("")
        self.assertEqual(4, len(every))
        self.assertEqual(every, self.found("user=demo&project=lab&issuer=snfd"))
        self.assertEqual([(self.first, CPU, 1)], self.found(f"resource={CPU}"))
        self.assertEqual([(self.second, VM, 1)], self.found("outcome=rejected"))
        self.assertEqual(3, len(self.found("outcome=accepted")))
        self.assertEqual([(self.third, VM, -1)], self.found(f"serial={self.third}"))
        self.assertEqual(every, self.found("since=2000-01-01T00:00:00Z"))
        for nothing in ("until=2000-01-01T00:00:00Z", "user=helper", "issuer=x",
                        f"serial={self.pending}"):  # fmt: skip
            self.assertEqual((nothing, []), (nothing, self.found(nothing)))

    def test_in_pages(self) -> None:
        found, query = [], "limit=3"
        while query:
            page = self.get(f"/settled-commissions?{query}")
            found += [one["id"] for one in page["items"]]
            query = page["next"] and f"limit=3&marker={page['next']}"
        self.assertEqual(4, len(found))
        self.assertEqual(sorted(found, reverse=True), found)

    def test_only_for_those_who_look_after_the_cloud(self) -> None:
        self.web.token = self.cloud.login("demo").secret
        self.get("/settled-commissions", 403)

    def test_what_makes_no_sense(self) -> None:
        for query, status in (
            ("outcome=perhaps", 400),
            ("marker=x", 400),
            ("serial=-1", 400),
            ("user=nobody", 404),
            ("since=yesterday", 400),
        ):
            self.get(f"/settled-commissions?{query}", status)

"""Object storage on a real database, many at once."""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from snfd.errors import Conflict, NotFound
from snfd.objects.model import ContainerPath, Described, ObjectPath, Query, Versioning
from snfd.objects.rules import PITHOS_META
from snfd.objects.service import ContainerChange, Copy, ObjectStore, Revision
from snfd.quota.service import Quota, charge
from snfd.tasks import Tasks
from storage.blocks import MemoryBlocks
from storage.workers import CallerWorkers
from tests.functional.connections import eight_connections
from tests.objects.people import person
from tests.objects.test_service import content


class ManyAtOnceTests(TestCase):
    """Nothing is lost, counted twice, or waits for itself."""

    async def _ready(self, versioning: Versioning = Versioning.AUTO) -> None:
        self.db = eight_connections(self)
        self.store = ObjectStore.build(
            self.db, reactor, Tasks(), charge, Quota(self.db), MemoryBlocks(),
            CallerWorkers(),
        )  # fmt: skip
        self.owner = await self.db.run(person, "owner")
        self.path = ContainerPath(self.owner.user, "c")
        change = ContainerChange(PITHOS_META, versioning=versioning)
        await self.store.containers.put(self.owner, self.path, change)

    def name(self, text: str) -> ObjectPath:
        return ObjectPath(self.path.account, "c", text)

    async def put(self, name: str, data: bytes) -> None:
        upload = await self.store.uploads.begin(self.owner, self.name(name), len(data))
        await self.store.uploads.finish(upload, content(data), Described("a/b"))

    async def together(self, *work: Any) -> None:
        await gatherResults(
            [Deferred.fromCoroutine(one) for one in work], consumeErrors=True
        )

    async def check(self, objects: int, size: int) -> None:
        """Counters, quota and references all say the same."""
        found = await self.store.containers.show(self.owner, self.path)
        self.assertEqual((objects, size), (found.objects, found.size))
        usage = await Quota(self.db).usage_in(self.owner, self.owner.user)
        self.assertEqual(size, usage["pithos.diskspace"].usage)
        wrong = await self.db.read(
            "SELECT m.id FROM store.map m WHERE m.refs <> (SELECT count(*)"
            " FROM store.version v WHERE v.map_id = m.id)"
        )
        self.assertEqual([], wrong)
        wrong = await self.db.read(
            "SELECT b.digest FROM store.block b WHERE b.refs <> (SELECT count(*) FROM"
            " (SELECT DISTINCT p.map_id FROM store.map_page p,"
            " generate_series(0, length(p.slots) / 32 - 1) i"
            " WHERE substring(p.slots FROM 32 * i + 1 FOR 32) = b.digest) AS used)"
        )
        self.assertEqual([], wrong)

    async def test_pithos_102_a_hundred_uploads(self) -> None:
        await self._ready()
        await self.together(*(self.put(f"o{n}", b"%05d" % n) for n in range(100)))
        await self.check(100, 500)

    async def test_one_name(self) -> None:
        await self._ready()
        await self.together(*(self.put("o", bytes([n]) * 9) for n in range(30)))
        await self.check(1, 9)
        left = await self.db.read("SELECT count(*) FROM store.version")
        self.assertEqual([(30,)], left)

    async def test_one_name_without_history(self) -> None:
        await self._ready(Versioning.NONE)
        await self.together(*(self.put("o", bytes([n]) * 9) for n in range(30)))
        await self.check(1, 9)
        left = await self.db.read("SELECT count(*) FROM store.version")
        self.assertEqual([(1,)], left)

    async def test_the_same_content_under_many_names(self) -> None:
        await self._ready(Versioning.NONE)
        data = b"aaaabbbbccccdddd"
        await self.together(*(self.put(f"o{n}", data) for n in range(40)))
        await self.check(40, 640)
        self.assertEqual([(40,)], await self.db.read("SELECT refs FROM store.map"))

    async def test_shared_blocks_in_opposite_order(self) -> None:
        await self._ready(Versioning.NONE)
        names = [b"aaaabbbbcccc", b"ccccbbbbaaaa", b"bbbbaaaacccc", b"ccccaaaabbbb"]
        await self.together(
            *(self.put(f"o{n % 7}", names[n % len(names)]) for n in range(60))
        )
        await self.check(7, 84)

    async def test_all_kinds_of_writes_mixed(self) -> None:
        await self._ready(Versioning.NONE)
        await self.together(*(self.put(f"o{n}", b"%04d" % n) for n in range(10)))

        async def quietly(work: Any) -> None:
            with contextlib.suppress(NotFound, Conflict):
                await work

        def copy(a: int, b: int, move: bool) -> Any:
            wanted = Copy(
                self.name(f"o{a}"), self.name(f"o{b}"), Revision(PITHOS_META), move=move
            )
            return quietly(self.store.copies.make(self.owner, wanted))

        await self.together(
            *(copy(n % 10, (n * 7 + 1) % 10, n % 2 == 0) for n in range(40)),
            *(quietly(self.put(f"o{n % 10}", b"%04d" % n)) for n in range(40)),
            *(
                quietly(self.store.objects.delete(self.owner, self.name(f"o{n}")))
                for n in range(10)
            ),
        )
        _, names = await self.store.objects.listing(self.owner, self.path, Query())
        await self.check(len(names), 4 * len(names))

    async def test_prepared_statements_take_all_parameters(self) -> None:
        await self._ready()
        await self.put("d/x", b"1")
        await self.put("e", b"2")
        for query, count in (
            (Query(delimiter="/"), 2),
            (Query(delimiter="/", rolled=False), 1),
            (Query(prefix="d/", after="d/w", before="e"), 1),
        ):
            found = await self.store.objects.listing(self.owner, self.path, query)
            self.assertEqual(count, len(found[1]))
        account = await self.store.accounts.show(self.owner, self.owner.user)
        self.assertEqual(2, account.objects)
        listed = await self.store.accounts.containers(
            self.owner, self.owner.user, Query(prefix="c")
        )
        self.assertEqual(["c"], [one.path.container for one in listed])

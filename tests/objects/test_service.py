"""Use cases of object storage, on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd.db.port import Transaction
from snfd.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OverQuota,
    PreconditionFailed,
)
from snfd.identity.model import Caller
from snfd.objects.conditions import ANY, Conditions
from snfd.objects.model import (
    Committed,
    ContainerPath,
    Described,
    NewContent,
    ObjectPath,
    Query,
    Rolled,
    Versioning,
)
from snfd.objects.rules import PITHOS_META, SWIFT_META
from snfd.objects.service import ContainerChange, ObjectStore, Revision
from snfd.quota.service import Quota, charge
from snfd.tasks import Tasks
from storage import hashmap
from storage.blocks import MemoryBlocks
from storage.workers import CallerWorkers
from tests.objects.people import join, person, project, scoped
from tests.postgres import blocking_database

BLOCK = 4


def content(data: bytes) -> NewContent:
    """``data`` as an upload in blocks of four bytes would leave it."""
    digests = [
        hashmap.block_hash(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)
    ]
    return NewContent(
        size=len(data),
        digests=digests,
        root=hashmap.root(digests),
        md5=md5(data).digest(),
        block_size=BLOCK,
    )


class StoreTestCase(SynchronousTestCase):
    """An object store with the user ``owner`` and the container ``c``."""

    space = 10_000

    def setUp(self) -> None:
        """Make the parts and the container."""
        self.db = blocking_database(self)
        self.clock = Clock()
        self.clock.advance(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
        self.store = ObjectStore.build(
            self.db,
            self.clock,
            Tasks(),
            charge,
            Quota(self.db),
            MemoryBlocks(),
            CallerWorkers(),
        )
        self.owner = self.result(self.db.run(person, "owner", self.space))
        self.path = ContainerPath(self.owner.user, "c")
        self.make(self.path)

    def result(self, work: Any) -> Any:
        """What ``work`` gives, at once."""
        if not isinstance(work, Deferred):
            work = Deferred.fromCoroutine(work)
        return self.successResultOf(work)

    def refused(self, kind: type[Exception], work: Any) -> Exception:
        """The error of ``kind`` that ``work`` ends with."""
        failure = self.failureResultOf(Deferred.fromCoroutine(work), kind)
        error: Exception = failure.value
        return error

    def make(
        self, path: ContainerPath, caller: Caller | None = None, **policy: Any
    ) -> bool:
        change = ContainerChange(PITHOS_META, **policy)
        put = self.store.containers.put(caller or self.owner, path, change)
        return bool(self.result(put))

    def object(self, name: str) -> ObjectPath:
        return ObjectPath(self.path.account, self.path.container, name)

    async def upload(
        self,
        path: ObjectPath,
        data: bytes,
        caller: Caller | None = None,
        conditions: Conditions | None = None,
    ) -> Committed:
        who = caller or self.owner
        upload = await self.store.uploads.begin(
            who, path, len(data), conditions or Conditions()
        )
        return await self.store.uploads.finish(
            upload, content(data), Described("text/plain")
        )

    def put(self, name: str, data: bytes = b"hello") -> Committed:
        made: Committed = self.result(self.upload(self.object(name), data))
        return made

    def held(self) -> int:
        """What the owner is charged, in bytes."""
        usage = self.result(Quota(self.db).usage_in(self.owner, self.owner.user))
        found: int = usage["pithos.diskspace"].usage
        return found


class CommitTests(StoreTestCase):
    def test_an_upload_becomes_the_current_version(self) -> None:
        made = self.put("o", b"0123456789")
        self.assertTrue(made.created)
        got = self.result(self.store.objects.content(self.owner, self.object("o")))
        self.assertEqual(made.info, got.info)
        self.assertEqual(content(b"0123456789").digests, got.digests)
        self.assertEqual((10, "text/plain"), (got.info.size, got.info.described.ctype))

    def test_container_and_quota_count_it(self) -> None:
        self.put("a", b"12345")
        self.put("b", b"1")
        self.put("a", b"123")
        found = self.result(self.store.containers.show(self.owner, self.path))
        self.assertEqual((2, 4), (found.objects, found.size))
        self.assertEqual(4, self.held())
        account = self.result(self.store.accounts.show(self.owner, self.owner.user))
        self.assertEqual((1, 2, 4), (account.containers, account.objects, account.size))

    def test_overwriting_keeps_the_uuid_and_recreating_does_not(self) -> None:
        first = self.put("o").info
        second = self.put("o", b"other").info
        self.assertEqual(first.uuid, second.uuid)
        self.assertGreater(second.serial, first.serial)
        self.assertGreater(second.mtime, first.mtime)
        self.result(self.store.objects.delete(self.owner, self.object("o")))
        self.assertNotEqual(first.uuid, self.put("o").info.uuid)

    def test_history_is_kept_or_not_as_the_container_says(self) -> None:
        for policy, kept in ((Versioning.AUTO, 2), (Versioning.NONE, 0)):
            path = ContainerPath(self.owner.user, policy.value)
            self.make(path, versioning=policy)
            name = ObjectPath(path.account, path.container, "o")
            for data in (b"one", b"two", b"three"):
                self.result(self.upload(name, data))
            rows = self.result(
                self.db.read(
                    "SELECT n_cur, b_cur, n_hist, b_hist FROM store.container"
                    " WHERE name = %s",
                    (policy.value,),
                )
            )
            self.assertEqual([(1, 5, kept, 3 * kept)], rows)

    def test_without_history_nothing_of_a_deleted_object_stays(self) -> None:
        path = ContainerPath(self.owner.user, "n")
        self.make(path, versioning=Versioning.NONE)
        name = ObjectPath(path.account, "n", "o")
        self.result(self.upload(name, b"one"))
        self.result(self.store.objects.delete(self.owner, name))
        for table in ("object", "version"):
            count = self.result(self.db.read(f"SELECT count(*) FROM store.{table}"))
            self.assertEqual([(0,)], count)
        refs = self.result(
            self.db.read("SELECT refs, zero_since IS NULL FROM store.map")
        )
        self.assertEqual([(0, False)], refs)
        self.assertEqual(0, self.held())

    def test_pithos_103_same_content_is_one_map_with_its_blocks(self) -> None:
        self.put("a", b"aaaabbbb")
        self.put("b", b"aaaabbbb")
        self.put("c", b"aaaacccc")
        maps = self.result(self.db.read("SELECT refs FROM store.map ORDER BY refs"))
        self.assertEqual([(1,), (2,)], maps)
        blocks = self.result(self.db.read("SELECT refs FROM store.block ORDER BY 1"))
        self.assertEqual([(1,), (1,), (2,)], blocks)

    def test_blocks_of_zeros_are_not_indexed(self) -> None:
        self.put("z", bytes(12))
        self.assertEqual([], self.result(self.db.read("SELECT 1 FROM store.block")))
        got = self.result(self.store.objects.content(self.owner, self.object("z")))
        self.assertEqual([hashmap.EMPTY] * 3, got.digests)

    def test_an_object_of_many_pages_comes_back_in_order(self) -> None:
        data = b"".join(b"%04d" % number for number in range(600))
        self.put("big", data)
        got = self.result(self.store.objects.content(self.owner, self.object("big")))
        self.assertEqual(content(data).digests, got.digests)
        pages = self.result(self.db.read("SELECT count(*) FROM store.map_page"))
        self.assertEqual([(3,)], pages)

    def test_pithos_22_the_empty_object(self) -> None:
        made = self.put("e", b"")
        self.assertEqual((0, hashmap.EMPTY), (made.info.size, made.info.root))

    def test_a_commit_is_few_statements(self) -> None:
        self.put("warm")
        before = self.db.statements
        self.put("o", b"distinct")
        self.assertLessEqual(self.db.statements - before, 13)


class RefusalTests(StoreTestCase):
    def test_pithos_21_missing_container(self) -> None:
        path = ObjectPath(self.owner.user, "none", "o")
        self.refused(NotFound, self.upload(path, b""))
        self.refused(NotFound, self.store.objects.info(self.owner, path))

    def test_pithos_45_create_only(self) -> None:
        only = Conditions(none_match=frozenset({ANY}))
        name = self.object("o")
        self.result(self.upload(name, b"one", conditions=only))
        self.refused(PreconditionFailed, self.upload(name, b"two", conditions=only))
        info = self.result(self.store.objects.info(self.owner, name))
        self.assertEqual(3, info.size)

    def test_conditions_are_checked_again_in_the_commit(self) -> None:
        only = Conditions(none_match=frozenset({ANY}))
        name = self.object("o")
        upload = self.result(self.store.uploads.begin(self.owner, name, 3, only))
        self.put("o")
        finish = self.store.uploads.finish(upload, content(b"two"), Described(""))
        self.refused(PreconditionFailed, finish)

    def test_pithos_61_container_quota(self) -> None:
        self.make(self.path, quota=100)
        self.refused(OverQuota, self.upload(self.object("o"), bytes(101)))
        name = self.object("o")
        upload = self.result(self.store.uploads.begin(self.owner, name, None))
        finish = self.store.uploads.finish(upload, content(bytes(101)), Described(""))
        self.refused(OverQuota, finish)
        self.refused(NotFound, self.store.objects.info(self.owner, self.object("o")))

    def test_pithos_62_project_quota(self) -> None:
        self.put("a", bytes(6000))
        self.refused(OverQuota, self.upload(self.object("b"), bytes(6000)))
        self.refused(NotFound, self.store.objects.info(self.owner, self.object("b")))
        self.assertEqual(6000, self.held())
        self.result(self.store.objects.delete(self.owner, self.object("a")))
        self.put("b", bytes(6000))

    def test_pithos_62_a_big_body_is_refused_before_it_comes(self) -> None:
        begin = self.store.uploads.begin(self.owner, self.object("b"), 2**21)
        self.refused(OverQuota, begin)

    def test_pithos_96_a_container_goes_when_it_is_empty(self) -> None:
        self.put("o")
        self.refused(Conflict, self.store.containers.delete(self.owner, self.path))
        self.result(self.store.objects.delete(self.owner, self.object("o")))
        self.result(self.store.containers.delete(self.owner, self.path))
        self.refused(NotFound, self.store.containers.show(self.owner, self.path))
        refs = self.result(self.db.read("SELECT refs FROM store.map"))
        self.assertEqual([(0,)], refs)

    def test_pithos_04_names(self) -> None:
        for name in ("", "x" * 257, "a/b", "a\0b"):
            put = self.store.containers.put(
                self.owner,
                ContainerPath(self.owner.user, name),
                ContainerChange(PITHOS_META),
            )
            self.refused(Invalid, put)

    def test_pithos_10_metadata_has_bounds(self) -> None:
        for meta, limits in (
            ({f"K{number}": "v" for number in range(33)}, PITHOS_META),
            ({"K" * 129: "v"}, PITHOS_META),
            ({"K": "v" * 257}, PITHOS_META),
            ({f"K{number}": "v" * 200 for number in range(30)}, SWIFT_META),
        ):
            describe = self.store.accounts.describe(
                self.owner, self.owner.user, meta, limits, replace=True
            )
            self.refused(Invalid, describe)


class RightsTests(StoreTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.other = self.result(self.db.run(person, "other"))
        self.put("o")

    def test_another_user_gets_403_whether_it_exists_or_not(self) -> None:
        for name in ("o", "none"):
            path = self.object(name)
            for work in (
                self.store.objects.info(self.other, path),
                self.store.objects.content(self.other, path),
                self.store.objects.delete(self.other, path),
                self.upload(path, b"x", caller=self.other),
                self.store.containers.show(self.other, path.parent),
                self.store.objects.listing(self.other, path.parent, Query()),
                self.store.accounts.show(self.other, path.account),
                self.store.accounts.containers(self.other, path.account, Query()),
            ):
                self.refused(Forbidden, work)

    def test_a_reader_reads_and_writes_nothing(self) -> None:
        reader = scoped(self.other, self.owner.user, "reader")
        path = self.object("o")
        self.assertEqual(5, self.result(self.store.objects.info(reader, path)).size)
        for work in (
            self.store.objects.delete(reader, path),
            self.store.objects.describe(reader, path, Revision(PITHOS_META)),
            self.upload(path, b"x", caller=reader),
            self.store.containers.delete(reader, self.path),
            self.store.containers.put(reader, self.path, ContainerChange(PITHOS_META)),
            self.store.accounts.describe(
                reader, self.path.account, {}, PITHOS_META, replace=True
            ),
        ):
            self.refused(Forbidden, work)

    def test_a_projects_account_is_charged_to_whoever_creates(self) -> None:
        async def team(tx: Transaction) -> None:
            await project(tx, TEAM, "team", self.owner.user)
            await join(tx, self.owner.user, TEAM, "member")
            await join(tx, self.other.user, TEAM, "member")

        TEAM = UUID(int=77)
        self.result(self.db.run(team))
        creator, second = scoped(self.owner, TEAM), scoped(self.other, TEAM)
        path = ObjectPath(TEAM, "c", "o")
        self.make(path.parent, creator)
        self.result(self.upload(path, b"12345", caller=creator))
        self.result(self.upload(path, b"1234567", caller=second))
        rows = self.result(
            self.db.read(
                "SELECT member, usage_max FROM quota.holding WHERE project_id = %s"
                " AND resource = 'pithos.diskspace' AND usage_max > 0 ORDER BY member",
                (TEAM,),
            )
        )
        self.assertEqual([(UUID(int=0), 7), (creator.user, 7)], rows)
        self.result(self.store.objects.delete(second, path))


class ClaimTests(StoreTestCase):
    def test_pithos_34_a_foreign_block_cannot_be_claimed(self) -> None:
        self.put("secret", b"aaaabbbb")
        thief = self.result(self.db.run(person, "thief"))
        path = ObjectPath(thief.user, "c", "o")
        self.make(path.parent, thief)
        upload = self.result(self.store.uploads.begin(thief, path, 8))
        want = content(b"aaaabbbb")
        claim = self.store.uploads.claim
        missing = self.result(claim(upload, want, Described("")))
        self.assertEqual(want.digests, missing)
        self.result(self.store.uploads.show(thief, path.parent, content(b"aaaa")))
        missing = self.result(claim(upload, want, Described("")))
        self.assertEqual(want.digests[1:], missing)
        self.result(self.store.uploads.show(thief, path.parent, content(b"bbbb")))
        made = self.result(claim(upload, want, Described("")))
        self.assertEqual(want.root, made.info.root)

    def test_pithos_27_missing_blocks_are_named_once_and_zeros_never(self) -> None:
        upload = self.result(self.store.uploads.begin(self.owner, self.object("o"), 16))
        want = content(b"bbbbaaaabbbb" + bytes(4))
        missing = self.result(self.store.uploads.claim(upload, want, Described("")))
        self.assertEqual(want.digests[:2], missing)


class DescribeTests(StoreTestCase):
    def test_pithos_63_a_new_version_with_the_same_bytes(self) -> None:
        before = self.put("o").info
        revision = Revision(PITHOS_META, user={"Colour": "red"})
        after = self.result(
            self.store.objects.describe(self.owner, self.object("o"), revision)
        )
        self.assertEqual((before.uuid, before.root), (after.uuid, after.root))
        self.assertGreater(after.serial, before.serial)
        info = self.result(self.store.objects.info(self.owner, self.object("o")))
        self.assertEqual(after, info)
        self.assertEqual({"Colour": "red"}, info.described.user)

    def test_pithos_64_replacing_takes_away_what_is_not_named(self) -> None:
        name = self.object("o")
        self.put("o")
        for revision, user, http in (
            (
                Revision(PITHOS_META, {"A": "1"}, {"Content-Encoding": "gzip"}),
                {"A": "1"},
                {"Content-Encoding": "gzip"},
            ),
            (
                Revision(PITHOS_META, {"B": "2"}),
                {"A": "1", "B": "2"},
                {"Content-Encoding": "gzip"},
            ),
            (
                Revision(PITHOS_META, {"C": "3"}, replace_user=True),
                {"C": "3"},
                {"Content-Encoding": "gzip"},
            ),
            (
                Revision(PITHOS_META, {"C": ""}, replace_http=True),
                {},
                {},
            ),
        ):
            self.result(self.store.objects.describe(self.owner, name, revision))
            info = self.result(self.store.objects.info(self.owner, name))
            self.assertEqual((user, http), (info.described.user, info.described.http))

    def test_refs_follow_the_versions(self) -> None:
        self.put("o")
        revision = Revision(PITHOS_META, user={"A": "1"})
        self.result(self.store.objects.describe(self.owner, self.object("o"), revision))
        rows = self.result(
            self.db.read(
                "SELECT m.refs, (SELECT count(*) FROM store.version v"
                " WHERE v.map_id = m.id) FROM store.map m"
            )
        )
        self.assertEqual([(2, 2)], rows)


class ListingTests(StoreTestCase):
    def names(self, **query: Any) -> list[str]:
        _, found = self.result(
            self.store.objects.listing(self.owner, self.path, Query(**query))
        )
        return [
            f"<{one.name}>" if isinstance(one, Rolled) else one.name for one in found
        ]

    def fill(self, *names: str) -> None:
        for name in names:
            self.put(name, b"")

    def test_pithos_73_delimiter(self) -> None:
        self.fill("f", "e/", "d/y", "d/x", "a")
        self.assertEqual(["a", "<d/>", "e/", "f"], self.names(delimiter="/"))
        self.assertEqual(
            ["a", "<d/>", "<e/>", "f"], self.names(delimiter="/", markers=False)
        )

    def test_a_marker_object_with_names_below_it_is_there_once(self) -> None:
        self.fill("e/", "e/x")
        self.assertEqual(["e/"], self.names(delimiter="/"))
        self.assertEqual(["<e/>"], self.names(delimiter="/", markers=False))

    def test_pithos_74_path_and_prefix(self) -> None:
        self.fill("a", "d/x", "d/y", "e/", "f")
        self.assertEqual(["a", "e/", "f"], self.names(delimiter="/", rolled=False))
        self.assertEqual(["d/x", "d/y"], self.names(prefix="d/", delimiter="/"))
        self.assertEqual(["<d/>"], self.names(prefix="d", delimiter="/", markers=False))

    def test_a_name_that_is_the_prefix(self) -> None:
        self.fill("d", "d/x", "da")
        self.assertEqual(["d", "<d/>", "da"], self.names(prefix="d", delimiter="/"))

    def test_pithos_75_pages_in_byte_order(self) -> None:
        names = sorted(["Z", "a", "ä", "\U0001f600", "\uffee", *map(str, range(20))])
        self.fill(*names)
        seen: list[str] = []
        while page := self.names(limit=10, after=seen[-1] if seen else ""):
            seen += page
        self.assertEqual(names, seen)

    def test_pithos_77_each_directory_once_over_all_pages(self) -> None:
        names = [f"{top}/{number}" for top in "abc" for number in range(5)]
        self.fill(*names, "b", "bz")
        expected = ["<a/>", "b", "<b/>", "bz", "<c/>"]
        for limit in (1, 2, 3, 10):
            seen: list[str] = []
            after = ""
            while page := self.names(limit=limit, after=after, delimiter="/"):
                seen += page
                after = page[-1].strip("<>")
            self.assertEqual(expected, seen)

    def test_a_marker_inside_a_directory_does_not_show_it_again(self) -> None:
        self.fill("a/1", "a/2", "b")
        self.assertEqual(["b"], self.names(delimiter="/", after="a/1"))

    def test_long_delimiters_and_bounds(self) -> None:
        self.fill("a--1", "a--2", "a-1", "b", "c")
        self.assertEqual(["<a-->", "a-1", "b", "c"], self.names(delimiter="--"))
        self.assertEqual(["a-1", "b"], self.names(after="a--2", before="c"))

    def test_deleted_objects_are_not_listed(self) -> None:
        self.fill("a", "b/1")
        for name in ("a", "b/1"):
            self.result(self.store.objects.delete(self.owner, self.object(name)))
        self.assertEqual([], self.names())
        self.assertEqual([], self.names(delimiter="/"))

    def test_the_last_character_of_unicode(self) -> None:
        last = "\U0010ffff"
        self.fill(last, last * 5, f"{last}/x")
        self.assertEqual(3, len(self.names()))
        self.assertEqual(3, len(self.names(prefix=last)))
        self.assertEqual([f"{last}/x"], self.names(prefix=f"{last}/"))

    def test_pithos_13_containers_by_pages(self) -> None:
        for name in "ba":
            self.make(ContainerPath(self.owner.user, name))

        def names(**query: Any) -> list[str]:
            found = self.result(
                self.store.accounts.containers(
                    self.owner, self.owner.user, Query(**query)
                )
            )
            return [one.path.container for one in found]

        self.assertEqual(["a", "b"], names(limit=2))
        self.assertEqual(["c"], names(after="b"))
        self.assertEqual(["b"], names(prefix="b"))


class DateTests(StoreTestCase):
    def test_pithos_42_and_43(self) -> None:
        info = self.put("o").info
        hour = timedelta(hours=1)
        stamp = info.changed.replace(microsecond=0)
        verdicts = [
            Conditions(modified_since=stamp).check_read(info).name,
            Conditions(modified_since=stamp - hour).check_read(info).name,
        ]
        self.assertEqual(["UNCHANGED", "GO_ON"], verdicts)
        with self.assertRaises(PreconditionFailed):
            Conditions(unmodified_since=stamp - hour).check_read(info)

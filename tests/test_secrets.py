"""The key ring, its file, and changing keys."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd import secrets
from snfd.db.direct import connect
from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.sealed import SEALED, Column
from snfd.secrets import KeyFileError, KeyRing
from tests.postgres import blocking_database, fresh_dsn, postgres

PLACE = ("compute.cluster", "secret", "7")


class KeyRingCase(SynchronousTestCase):
    """Has a key file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "deep" / "keys"
        self.ring = secrets.load_or_create(self.path)


class SealTests(KeyRingCase):
    """What is sealed comes back, to its own place only."""

    def test_what_was_sealed_opens(self) -> None:
        self.assertEqual(b"pw", self.ring.open(self.ring.seal(b"pw", *PLACE), *PLACE))

    def test_it_opens_nowhere_else(self) -> None:
        sealed = self.ring.seal(b"pw", *PLACE)
        for place in (
            ("compute.other", "secret", "7"),
            ("compute.cluster", "other", "7"),
            ("compute.cluster", "secret", "8"),
            ("compute.cluster", "secret\x007", ""),
        ):
            with self.assertRaises(Unavailable):
                self.ring.open(sealed, *place)

    def test_the_same_value_never_looks_the_same(self) -> None:
        first, second = (self.ring.seal(b"pw", *PLACE) for _ in range(2))
        self.assertNotEqual(first, second)
        self.assertNotIn(b"pw", first)

    def test_no_secret_is_in_the_repr(self) -> None:
        text = self.path.read_text().splitlines()[-1]
        self.assertNotIn(text, repr(self.ring))
        self.assertNotIn("secret=b", repr(self.ring))

    @given(st.binary(max_size=80), st.data())
    def test_any_change_is_noticed(self, plain: bytes, data: st.DataObject) -> None:
        ring = KeyRing((secrets._Key(bytes(32)),))
        sealed = ring.seal(plain, *PLACE)
        self.assertEqual(plain, ring.open(sealed, *PLACE))
        index = data.draw(st.integers(0, len(sealed) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        broken = sealed[:index] + bytes([sealed[index] ^ bit]) + sealed[index + 1 :]
        for bad in (broken, sealed[:index]):
            with self.assertRaises(Unavailable):
                ring.open(bad, *PLACE)


class KeyFileTests(KeyRingCase):
    """The file: private, complete, replaced at once."""

    def test_it_is_made_once_and_private(self) -> None:
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))
        sealed = self.ring.seal(b"pw", *PLACE)
        again = secrets.load_or_create(self.path)
        self.assertEqual(b"pw", again.open(sealed, *PLACE))

    def test_one_that_others_can_read_is_refused(self) -> None:
        for mode in (0o640, 0o604, 0o620):
            self.path.chmod(mode)
            with self.assertRaisesRegex(KeyFileError, "chmod 600"):
                secrets.load(self.path)

    def test_nonsense_is_refused_without_showing_it(self) -> None:
        for text in ("", "# nothing\n", "c2hvcnQ=\n", "not base64!\n"):
            self.path.write_text(text)
            with self.assertRaises(KeyFileError) as caught:
                secrets.load(self.path)
            self.assertNotIn("base64!", str(caught.exception))

    def test_a_missing_file_is_an_error_where_it_must_exist(self) -> None:
        with self.assertRaises(KeyFileError):
            secrets.load(self.path.with_name("other"))

    def test_a_new_key_seals_and_the_old_one_still_opens(self) -> None:
        old = self.ring.seal(b"old", *PLACE)
        fresh = secrets.add_key(self.path)
        self.assertEqual(b"old", fresh.open(old, *PLACE))
        new = fresh.seal(b"new", *PLACE)
        self.assertEqual(b"new", self.ring.open(new, *PLACE), "it reads anew")
        alone = secrets.forget_old_keys(self.path)
        self.assertEqual(b"new", alone.open(new, *PLACE))
        with self.assertRaisesRegex(Unavailable, "key that is missing"):
            alone.open(old, *PLACE)
        self.assertEqual(["keys"], [path.name for path in self.path.parent.iterdir()])


SAFE = Column("public.safe", "sealed", "id")


class ResealTests(KeyRingCase):
    """Bringing a column under the new key."""

    def test_every_value_is_brought_under_the_new_key(self) -> None:
        db = blocking_database(self)

        async def prepare(tx: Transaction) -> None:
            await tx.execute("CREATE TABLE public.safe (id int, sealed bytea)")
            for number in range(3):
                plain = b"%d" % number
                value = self.ring.seal(plain, *SAFE.at(number)) if number else None
                await tx.execute(
                    "INSERT INTO public.safe VALUES (%s, %s)", (number, value)
                )

        self.successResultOf(db.run(prepare))
        ring = secrets.add_key(self.path)
        for expected in (2, 0):
            changed = self.successResultOf(db.run(secrets.reseal, ring, SAFE))
            self.assertEqual(expected, changed)
        alone = secrets.forget_old_keys(self.path)
        rows = self.successResultOf(
            db.read("SELECT id, sealed FROM public.safe WHERE id > 0 ORDER BY id")
        )
        opened = [alone.open(value, *SAFE.at(number)) for number, value in rows]
        self.assertEqual([b"1", b"2"], opened)


class RotateTests(KeyRingCase):
    """The command's work, on a database of its own."""

    def test_all_is_brought_under_a_new_key_and_old_ones_go_when_told(self) -> None:
        dsn = fresh_dsn(self)
        sealed = self.ring.seal(b"pw", *PLACE)
        with closing(connect(dsn)) as connection, connection:
            connection.cursor().execute(
                "INSERT INTO compute.cluster (id, name, url, username, secret, idx)"
                " OVERRIDING SYSTEM VALUE VALUES (7, 'c', 'https://c', 'u', %s, 1)",
                (sealed,),
            )
        self.assertEqual(1, secrets.rotate(self.path, dsn))
        self.assertEqual(2, len(secrets.load(self.path)._keys))
        self.assertEqual(0, secrets.rotate(self.path, dsn, forget=True))
        ring = secrets.load(self.path)
        self.assertEqual(1, len(ring._keys))
        rows = postgres().execute("SELECT secret FROM compute.cluster", dsn)
        self.assertEqual(b"pw", ring.open(bytes(rows[0][0]), *PLACE))

    def test_a_value_that_cannot_be_opened_forgets_nothing(self) -> None:
        dsn = fresh_dsn(self)
        with closing(connect(dsn)) as connection, connection:
            connection.cursor().execute(
                "INSERT INTO compute.cluster (id, name, url, username, secret, idx)"
                " OVERRIDING SYSTEM VALUE VALUES (7, 'c', 'https://c', 'u', 'x', 1)"
            )
        secrets.add_key(self.path)
        with self.assertRaises(Unavailable):
            secrets.rotate(self.path, dsn, forget=True)
        self.assertEqual(2, len(secrets.load(self.path)._keys))

    def test_every_sealed_column_exists(self) -> None:
        db = blocking_database(self)
        for one in SEALED:
            self.successResultOf(
                db.read(f"SELECT {one.name}, {one.row} FROM {one.table}")
            )

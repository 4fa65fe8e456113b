"""A database is opened with the key file that sealed it, or not at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from snfd import secrets
from snfd.db.direct import DirectTransaction, connect, finish
from snfd.ganeti.service import Clusters, NewCluster
from snfd.keycheck import FLAG, ring_for, unopenable
from snfd.sealed import CLUSTER_PASSWORD, LOGIN_PASSWORD, MAIL
from snfd.secrets import KeyFileError
from tests.postgres import blocking_database, fresh_dsn, postgres

LETTER = "e:1", "a@example.org"


class KeyCheckCase(SynchronousTestCase):
    """Has a database that was never started on, and a place for keys."""

    def setUp(self) -> None:
        self.dsn = fresh_dsn(self)
        self.folder = Path(self.mktemp())
        self.path = self.folder / "keys"

    def sealed(self) -> None:
        """Have a cluster's password and a letter, sealed with the key in the file."""
        ring = secrets.load_or_create(self.path)
        cluster = ring.seal(b"pw", *CLUSTER_PASSWORD.at(7))
        letter = ring.seal(b"{}", *MAIL.at("/".join(LETTER)))
        with closing(connect(self.dsn)) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(
                "INSERT INTO compute.cluster (id, name, url, username, secret, idx)"
                " OVERRIDING SYSTEM VALUE VALUES (7, 'c', 'https://c', 'u', %s, 1)",
                (cluster,),
            )
            cursor.execute(
                "INSERT INTO ops.mail (event, recipient, kind, words)"
                " VALUES (%s, %s, 'contact', %s)",
                (*LETTER, letter),
            )

    def lose(self) -> None:
        """Be without the key file."""
        self.path.unlink()

    def replace(self) -> None:
        """Have another key file."""
        self.lose()
        secrets.load_or_create(self.path)

    def refused(self) -> str:
        with self.assertRaises(KeyFileError) as caught:
            ring_for(self.path, self.dsn)
        self.assertIn(FLAG, str(caught.exception))
        return str(caught.exception)


class StartTests(KeyCheckCase):
    """What a start does about the key file."""

    def test_the_first_start_makes_one_and_later_ones_find_it(self) -> None:
        sealed = ring_for(self.path, self.dsn).seal(b"pw", *CLUSTER_PASSWORD.at(1))
        again = ring_for(self.path, self.dsn)
        self.assertEqual(b"pw", again.open(sealed, *CLUSTER_PASSWORD.at(1)))

    def test_a_lost_file_is_never_replaced(self) -> None:
        ring_for(self.path, self.dsn)
        self.lose()
        self.assertIn(f"there is no key file {self.path}", self.refused())
        self.assertFalse(self.path.exists())

    def test_another_file_is_refused(self) -> None:
        ring_for(self.path, self.dsn)
        self.replace()
        self.assertIn("is not the key file of this database", self.refused())

    def test_a_database_from_before_there_was_a_check_is_looked_through(self) -> None:
        self.sealed()
        self.lose()
        said = self.refused()
        self.assertIn("1 in compute.cluster, 1 in ops.mail", said)
        secrets.load_or_create(self.path)
        self.assertIn("1 in compute.cluster, 1 in ops.mail", self.refused())

    def test_it_is_checked_from_then_on(self) -> None:
        self.sealed()
        ring_for(self.path, self.dsn)
        self.assertTrue(
            postgres().execute("SELECT sealed FROM ops.key_check", self.dsn)
        )

    def test_rotated_keys_are_known_and_old_ones_refused(self) -> None:
        ring_for(self.path, self.dsn)
        before = self.path.read_text()
        secrets.rotate(self.path, self.dsn)
        ring_for(self.path, self.dsn)
        secrets.rotate(self.path, self.dsn, forget=True)
        ring_for(self.path, self.dsn)
        self.path.write_text(before)
        self.assertIn("is not the key file", self.refused())


class AbandonTests(KeyCheckCase):
    """The way out when a key is lost for good."""

    def test_a_new_key_is_taken_and_told_what_is_lost(self) -> None:
        self.sealed()
        ring_for(self.path, self.dsn)
        for harm in (self.lose, self.replace):
            harm()
            ring = ring_for(self.path, self.dsn, abandon=True)
            self.assertEqual({CLUSTER_PASSWORD: (1, 1)}, self.lost(ring))
            ring_for(self.path, self.dsn)
        rows = postgres().execute(
            "SELECT state, words, last_error FROM ops.mail", self.dsn
        )
        self.assertEqual([("failed", None, "its key was lost")], rows)

    def test_nothing_is_abandoned_that_opens(self) -> None:
        self.sealed()
        before = self.path.read_text()
        for _ in range(2):
            ring_for(self.path, self.dsn, abandon=True)
        self.assertEqual(before, self.path.read_text())
        rows = postgres().execute("SELECT state FROM ops.mail", self.dsn)
        self.assertEqual([("new",)], rows)

    def lost(self, ring: secrets.KeyRing) -> object:
        with closing(connect(self.dsn)) as connection, connection:
            return finish(unopenable(DirectTransaction(connection), ring.idents()))

    def test_rotation_says_what_it_cannot_open(self) -> None:
        self.sealed()
        self.replace()
        with self.assertRaisesRegex(Exception, "^compute.cluster, id = 7: "):
            secrets.rotate(self.path, self.dsn)


class LostTests(SynchronousTestCase):
    """Values under a lost key, in a running daemon."""

    def setUp(self) -> None:
        self.db = blocking_database(self)
        self.path = Path(self.mktemp()) / "keys"
        self.clusters = Clusters(self.db, secrets.load_or_create(self.path))
        self.new = NewCluster("c", "https://c:5080", "u", "pw")

    def test_they_are_counted(self) -> None:
        self.successResultOf(self.add())
        ring = secrets.load(self.path)
        self.assertEqual({}, self.lost(ring))
        other = secrets.load_or_create(self.path.with_name("other"))
        self.assertEqual({CLUSTER_PASSWORD: (1, 1)}, self.lost(other))

    def test_a_cluster_s_password_is_taken_from_the_configuration_anew(self) -> None:
        self.successResultOf(self.add())
        ring = secrets.load_or_create(self.path.with_name("other"))
        self.clusters.sealer = ring
        self.successResultOf(self.add())
        self.assertEqual({}, self.lost(ring))

    def test_one_that_opens_is_left(self) -> None:
        self.successResultOf(self.add())
        rows = self.successResultOf(self.db.read("SELECT secret FROM compute.cluster"))
        self.successResultOf(self.add())
        again = self.successResultOf(self.db.read("SELECT secret FROM compute.cluster"))
        self.assertEqual(rows, again)

    def test_the_file_may_go_while_its_keys_are_known(self) -> None:
        ring = secrets.load(self.path)
        sealed = ring.seal(b"x", *LOGIN_PASSWORD.at(1))
        self.path.unlink()
        self.assertEqual(b"x", ring.open(sealed, *LOGIN_PASSWORD.at(1)))
        with self.assertRaisesRegex(Exception, "key that is missing"):
            ring.open(b"\x01" + bytes(40), *LOGIN_PASSWORD.at(1))
        self.assertEqual(1, len(ring.idents()))

    def add(self) -> Deferred[list[str]]:
        return Deferred.fromCoroutine(self.clusters.bootstrap([self.new]))

    def lost(self, ring: secrets.KeyRing) -> object:
        return self.successResultOf(self.db.run(unopenable, ring.idents()))

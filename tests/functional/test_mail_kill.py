"""Letters of a daemon that is killed, and of one without its mail server."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
import tomllib
import unittest
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import policy
from email.parser import Parser
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from snfd.db.direct import DirectTransaction, connect, finish
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post
from snfd.secrets import load
from tests.functional.daemon import Daemon, eventually, running
from tests.functional.evidence import complaints, rows
from tests.lab.ports import free_port
from tests.lab.smtp import SmtpServer

LETTERS = 50
PATIENCE = 3
TIMEOUT = 1


def dsn(daemon: Daemon) -> str:
    """How to reach the daemon's own PostgreSQL, past the daemon."""
    secret = tomllib.loads((daemon.var / "secrets").read_text())
    return make_dsn(
        host=str(daemon.var / "pg"),
        dbname="snfd",
        user="snfd",
        password=secret["postgresql_password"],
    )


class Case(unittest.TestCase):
    """A mail server, and a daemon that knows it."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snfd-mail-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = SmtpServer(self.folder, free_port())
        self.addCleanup(self.server.stop)

    @contextmanager
    def daemon(self) -> Iterator[Daemon]:
        with running(
            SNFD_MAIL_SERVER="127.0.0.1",
            SNFD_MAIL_PORT=str(self.server.port),
            SNFD_MAIL_SECURITY="none",
            SNFD_MAIL_SENDER="snfd@example.org",
            SNFD_MAIL_TIMEOUT=str(TIMEOUT),
            SNFD_MAIL_PATIENCE=str(PATIENCE),
            SNFD_BRANDING_SERVICE="Cloud",
        ) as daemon:
            yield daemon

    def put(self, daemon: Daemon, event: str, count: int = LETTERS) -> None:
        """Post letters, in one transaction, as services do."""
        post = Post(load(daemon.var / "keys"))
        with closing(connect(dsn(daemon))) as connection, connection:
            tx = DirectTransaction(connection)
            for number in range(count):
                values = {"name": f"no. {number}", "link": f"https://s3cret/{number}"}
                to = f"user{number}@example.org"
                letter = Letter(f"{event}:{number}", to, Kind.RESET, values)
                finish(post.put(tx, letter))

    def waiting(self, daemon: Daemon) -> int:
        [(count,)] = rows(
            daemon, "SELECT count(*) FROM ops.mail WHERE finished IS NULL"
        )
        assert isinstance(count, int)
        return count

    def all_sent(self, daemon: Daemon, seconds: float = 60) -> None:
        eventually(lambda: self.waiting(daemon) == 0, seconds)
        states = rows(
            daemon,
            "SELECT state, words IS NULL, finished IS NOT NULL, count(*) FROM ops.mail"
            " GROUP BY 1, 2, 3",
        )
        [(state, forgotten, finished, _)] = states
        self.assertEqual(("sent", True, True), (state, forgotten, finished))

    def arrived(self) -> Counter[str]:
        """How often each letter was taken, by its Message-ID."""
        parse = Parser(policy=policy.default).parsestr
        return Counter(
            str(parse(one["data"])["Message-ID"]) for one in self.server.taken()
        )

    def await_taken(self, count: int) -> None:
        """Return as soon as the server has taken so many."""
        folder, deadline = self.folder / "taken", time.monotonic() + 60
        while len(list(folder.glob("*.json"))) < count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def repeated(self, daemon: Daemon) -> int:
        """How many letters the daemon says may have arrived more than once."""
        [(count,)] = rows(daemon, "SELECT count(*) FROM ops.mail WHERE repeats > 0")
        assert isinstance(count, int)
        return count


@pytest.mark.rig("pocket")
class KillTests(Case):
    """Killed at every step, and anywhere."""

    def setUp(self) -> None:
        super().setUp()
        self.server.start()

    @pytest.mark.timeout(600)
    def test_killed_at_a_certain_step(self) -> None:
        """Only between the server's answer and its note is a letter sent anew."""
        with self.daemon() as daemon:
            total, twice = 0, 0
            for point in ("held", "handed", "noted", "taken"):
                daemon.stop()
                daemon.environment["SNFD_TEST_CRASH"] = f"letter-{point}:7"
                daemon.start()
                self.put(daemon, point, 12)
                total += 12
                assert daemon.process is not None
                daemon.process.wait(60)
                del daemon.environment["SNFD_TEST_CRASH"]
                daemon.start()
                self.all_sent(daemon)
                counts = self.arrived()
                twice += point == "taken"
                self.assertEqual(total, len(counts), point)
                self.assertEqual(twice, counts.total() - total, point)
                if point != "taken":
                    self.assertEqual({1}, set(counts.values()))
            events = rows(daemon, "SELECT event FROM ops.mail WHERE repeats > 0")
            self.assertIn(("taken:6",), events)
            # one more was handed over, as far as the database could know
            self.assertLessEqual(len(events), 2)
            daemon.stop()
            self.assertEqual([], complaints(daemon))
            self.assertNotIn("s3cret", daemon.log.read_text())

    @pytest.mark.timeout(600)
    def test_killed_anywhere(self) -> None:
        seed = int(os.environ.get("SNFD_TEST_SEED", random.randrange(2**32)))
        print(f"SNFD_TEST_SEED={seed}")
        dice = random.Random(seed)
        with self.daemon() as daemon:
            self.put(daemon, "any")
            kills = 0
            for _ in range(4):
                goal = len(self.server.taken()) + dice.randint(1, 9)
                self.await_taken(min(goal, LETTERS))
                time.sleep(dice.random() * 0.02)
                daemon.kill()
                kills += 1
                daemon.start()
            self.all_sent(daemon)
            counts = self.arrived()
            self.assertEqual(LETTERS, len(counts))
            more = counts.total() - LETTERS
            self.assertLessEqual(more, kills)
            self.assertLessEqual(more, self.repeated(daemon))
            self.assertLessEqual(max(counts.values()), 2)
            daemon.stop()
            self.assertEqual([], complaints(daemon))


@pytest.mark.rig("pocket")
class AwayTests(Case):
    """The mail server is away for a while, or puts letters off."""

    @pytest.mark.timeout(300)
    def test_letters_wait_for_the_server(self) -> None:
        with self.daemon() as daemon:
            self.put(daemon, "away")
            eventually(
                lambda: any(
                    "letters wait" in event["message"] for event in daemon.events()
                )
            )
            self.assertEqual(LETTERS, self.waiting(daemon))
            self.server.start()
            self.all_sent(daemon)
            self.assertEqual({1}, set(self.arrived().values()))
            self.assertEqual(LETTERS, len(self.arrived()))
            self.assertEqual(0, self.repeated(daemon))
            # and from then on a notification is enough
            started = time.monotonic()
            self.put(daemon, "quick", 1)
            self.await_taken(LETTERS + 1)
            print(f"{time.monotonic() - started:.2f} s from commit to arrival")
            self.all_sent(daemon)

    @pytest.mark.timeout(300)
    def test_the_server_is_killed_while_it_takes_letters(self) -> None:
        self.server.start()
        with self.daemon() as daemon:
            self.put(daemon, "killed")
            for goal in (10, 25):
                self.await_taken(goal)
                self.server.stop()
                time.sleep(0.5)
                self.server.start()
            self.all_sent(daemon, 120)
            counts = self.arrived()
            self.assertEqual(LETTERS, len(counts))
            self.assertLessEqual(counts.total() - LETTERS, self.repeated(daemon))
            self.assertLessEqual(self.repeated(daemon), 2)

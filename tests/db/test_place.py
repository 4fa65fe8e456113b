"""Where an embedded PostgreSQL would be put."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from snfd.db.place import Binaries, PlaceError, User, decide, installed, may_enter

OLD = Binaries(15, Path("/usr/lib/postgresql/15/bin"), "15-system")
NEW = Binaries(18, Path("/usr/lib/postgresql/18/bin"), "18.6.3")
STRANGER = User(12345, 12345, frozenset({12345, 77}), "stranger")


class PlaceTests(SynchronousTestCase):
    """Pure decisions on a small tree."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="snfd-place-", dir="/tmp")
        self.addCleanup(self.folder.cleanup)
        self.top = Path(self.folder.name)
        self.top.chmod(0o755)
        self.var = self.top / "var"

    def test_the_first_choice_is_taken_for_new_data(self) -> None:
        place = decide(self.var, (OLD, NEW), self.top / "far")
        self.assertEqual((OLD, self.var / "pg"), (place.binaries, place.data))
        self.assertEqual(place.data, place.sockets)

    def test_data_keeps_its_major_version(self) -> None:
        data = self.var / "pg"
        data.mkdir(parents=True)
        os.chown(data, os.geteuid() or 1, -1)
        (data / "PG_VERSION").write_text("18\n")
        place = decide(self.var, (OLD, NEW), self.top / "far")
        self.assertEqual(NEW, place.binaries)
        with self.assertRaisesRegex(PlaceError, "apt install postgresql-18"):
            decide(self.var, (OLD,), self.top / "far")

    def test_without_any_postgresql_it_says_what_to_install(self) -> None:
        with self.assertRaisesRegex(PlaceError, "apt install postgresql"):
            decide(self.var, (), self.top / "far")

    def test_long_paths_have_their_socket_elsewhere(self) -> None:
        longest = 90 - len("/pg/.s.PGSQL.5432")
        for length, beside in ((longest, True), (longest + 1, False)):
            var = self.top / ("v" * (length - len(str(self.top)) - 1))
            place = decide(var, (OLD,), self.top / "far")
            self.assertEqual(beside, place.sockets == place.data)

    def test_who_may_enter_what(self) -> None:
        folder = self.top / "a"
        folder.mkdir()
        for mode, group, expected in (
            (0o701, 0, True),
            (0o700, 0, False),
            (0o710, 77, True),
            (0o701, 77, False),
        ):
            if group and os.geteuid() != 0:
                continue
            if group:
                os.chown(folder, -1, group)
            folder.chmod(mode)
            self.assertEqual(expected, may_enter(STRANGER, folder / "b"))

    def test_what_is_installed_prefers_the_system(self) -> None:
        tree = self.top / "lib"
        for major in ("9x", "15", "16"):
            program = tree / major / "bin" / "postgres"
            program.parent.mkdir(parents=True)
            program.touch()
        self.assertEqual([16, 15], [one.major for one in installed(tree)][:2])

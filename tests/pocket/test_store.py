"""One contract for the stores that remember."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pocket.store import FileStore, MemoryStore, Store


class StoreContract:
    """What a `Store` promises; subclasses set ``store``."""

    store: Store

    def test_what_was_put_is_loaded_by_kind(self) -> None:
        self.store.put("job", "1", {"a": [1, None, "x"]})
        self.store.put("job", "2", {})
        self.store.put("other", "1", 7)
        found = dict(self.store.load("job"))
        assert found == {"1": {"a": [1, None, "x"]}, "2": {}}

    def test_the_last_one_counts(self) -> None:
        self.store.put("job", "1", 1)
        self.store.put("job", "1", 2)
        assert list(self.store.load("job")) == [("1", 2)]

    def test_what_was_dropped_is_gone(self) -> None:
        self.store.put("job", "1", 1)
        self.store.drop("job", "1")
        self.store.drop("job", "never")
        assert list(self.store.load("job")) == []


class MemoryStoreTests(StoreContract, SynchronousTestCase):
    def setUp(self) -> None:
        self.store = MemoryStore()


class FileStoreTests(StoreContract, SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="pocket-"))
        self.addCleanup(shutil.rmtree, folder)
        self.path = folder / "pocket.sqlite"
        self.store = FileStore(self.path)

    def test_it_is_still_there_after_a_restart(self) -> None:
        self.store.put("job", "1", 1)
        self.store.close()
        again = FileStore(self.path)
        self.assertEqual([("1", 1)], list(again.load("job")))
        again.close()

    def test_it_belongs_to_one_process(self) -> None:
        error = self.assertRaises(OSError, FileStore, self.path)
        self.assertIn("locked", str(error))

    def test_nobody_else_can_read_it(self) -> None:
        for path in self.path.parent.iterdir():
            self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode), path)

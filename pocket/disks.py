"""Disks as raw sparse files: ``disks/<instance's uuid>/<disk's uuid>``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from attrs import define

from pocket.cluster import Space
from pocket.errors import OpExecError
from pocket.images import Fetcher, InThread
from pocket.model import Instance

MIB = 1024 * 1024


@define(eq=False)
class FileSpace(Space):
    """Real disks below a directory.

    :ivar root: the directory; nothing else is in it.
    """

    root: Path
    fetcher: Fetcher
    in_thread: InThread
    real = True

    def place(self, instance: str, disk: str) -> Path:
        """The file of a disk, from the UUIDs of instance and disk."""
        return self.root / instance / disk

    def free(self) -> int:
        """MiB that are left on the file system."""
        status = os.statvfs(self.root)
        return status.f_bavail * status.f_frsize // MIB

    async def make(
        self, instance: Instance, image: str | None, say: Callable[[str], None]
    ) -> None:
        """Make the disks of an instance, the first from the image at a URL.

        :raises OpExecError: it cannot be done; no new disk is left behind.
        """
        made: list[str] = []
        try:
            await self.in_thread(self._directory, instance.uuid)
            for number, disk in enumerate(instance.disks):
                path = self.place(instance.uuid, disk.uuid)
                made.append(disk.uuid)
                if number == 0 and image is not None:
                    say("* running the instance OS create scripts...")
                    await self.fetcher.fetch(image, path, disk.size * MIB)
                else:
                    await self.in_thread(_empty, path, disk.size * MIB)
        except BaseException as error:
            await self.in_thread(self._undo, instance.uuid, made)
            if isinstance(error, OSError):
                raise OpExecError(f"Can't make the disks: {error}") from error
            raise

    async def remove(self, instance: str) -> None:
        """Remove the disks of an instance."""
        await self.in_thread(shutil.rmtree, self.root / instance, True)

    async def discard(self, instance: str, disk: str) -> None:
        """Remove one disk."""
        await self.in_thread(self._undo, instance, [disk])

    async def tidy(self, instances: frozenset[str]) -> None:
        """Remove disks that belong to none of these."""
        await self.in_thread(self._tidy, instances)

    def _directory(self, instance: str) -> None:
        (self.root / instance).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _undo(self, instance: str, disks: list[str]) -> None:
        for disk in disks:
            self.place(instance, disk).unlink(missing_ok=True)
        folder = self.root / instance
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()

    def _tidy(self, instances: frozenset[str]) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.root.iterdir():
            if path.name not in instances:
                shutil.rmtree(path, ignore_errors=True)


def _empty(path: Path, size: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.ftruncate(file, size)
    finally:
        os.close(file)

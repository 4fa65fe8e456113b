"""Streams an image onto a disk: holes stay holes, breaks are gone over."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Callable
from hashlib import sha256
from http.client import HTTPResponse

from snfd_os import Failure
from snfd_os.web import BROKEN, PERSISTENCE, Away, Refused, Web

PIECE = 1 << 20
HOLE = 64 << 10
_BLKZEROOUT = 0x127F


class Disk:
    """A server's disk: a block device, or a file.

    :ivar size: bytes.
    :ivar device: whether it is a block device.
    """

    def __init__(self, path: str, size: int) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.device = stat.S_ISBLK(os.fstat(self.file).st_mode)
        real = os.lseek(self.file, 0, os.SEEK_END)
        self.size = real if self.device or not size else size
        self._hole = self._length = 0

    def empty(self) -> None:
        """Forget what a file held; a device is written over instead."""
        if not self.device:
            os.ftruncate(self.file, 0)
            os.ftruncate(self.file, self.size)

    def write(self, data: bytes, place: int) -> None:
        """Write, or make a hole where ``data`` is all zeros; in order, see `sync`."""
        for start in range(0, len(data), HOLE):
            part = data[start : start + HOLE]
            if part.strip(b"\0"):
                self._zero()
                self._write(part, place + start)
            elif not self._length:
                self._hole, self._length = place + start, len(part)
            else:
                self._length += len(part)

    def _write(self, part: bytes, place: int) -> None:
        view = memoryview(part)
        while view:
            done = os.pwrite(self.file, view, place)
            view, place = view[done:], place + done

    def _zero(self) -> None:
        """Make the hole that came last; a file has it already."""
        place, length, self._length = self._hole, self._length, 0
        if not length or not self.device:
            return
        try:
            fcntl.ioctl(self.file, _BLKZEROOUT, struct.pack("QQ", place, length))
        except OSError:
            for start in range(0, length, PIECE):
                self._write(bytes(min(PIECE, length - start)), place + start)

    def sync(self) -> None:
        """All that was written is there for good."""
        self._zero()
        os.fsync(self.file)

    def close(self) -> None:
        """Close it."""
        os.close(self.file)


class Copy:
    """One image on its way to a disk."""

    def __init__(
        self, web: Web, url: str, disk: Disk, told: Callable[[int, int], None]
    ) -> None:
        self._web = web
        self._url = url
        self._disk = disk
        self._told = told
        self._hash = sha256()
        self._done = 0
        self._size = -1
        self._digest = ""

    def run(self) -> int:
        """Write it; its length in bytes.

        :raises Failure: it cannot be had, does not fit, or is not what it should be.
        """
        waited, pause = 0.0, 0.5
        while self._done != self._size:
            before = self._done
            try:
                self._once()
            except Refused as error:
                raise Failure(f"the image cannot be had: {error}") from None
            except (Away, *BROKEN) as error:
                waited = 0.0 if self._done > before else waited
                if waited > PERSISTENCE:
                    raise Failure(f"the image cannot be had: {error}") from None
                self._web.rest(pause)
                waited, pause = waited + pause, min(5.0, pause * 1.5)
        self._check()
        return self._size

    def _once(self) -> None:
        headers = {"Range": f"bytes={self._done}-"} if self._done else {}
        with self._web.get(self._url, headers) as got:
            self._promised(got)
            while data := got.read(PIECE):
                self._take(data)
        if self._done < self._size:
            raise Away(f"only {self._done} of {self._size} bytes came")

    def _take(self, data: bytes) -> None:
        if self._done + len(data) > self._size:
            raise Failure("more of the image came than was promised")
        try:
            self._disk.write(data, self._done)
        except OSError as error:
            raise Failure(f"the disk cannot be written: {error.strerror}") from None
        self._hash.update(data)
        self._done += len(data)
        self._told(self._done, self._size)

    def _promised(self, got: HTTPResponse) -> None:
        digest = got.headers.get("X-Content-SHA256", "")
        if self._size < 0 or not self._done:
            self._begin(got.headers.get("Content-Length", ""), digest)
            return
        expected = f"bytes {self._done}-{self._size - 1}/{self._size}"
        if got.status != 206 or got.headers.get("Content-Range") != expected:
            raise Failure("the image does not go on where it broke off")
        if digest != self._digest:
            raise Failure("the image changed while it was copied")

    def _begin(self, length: str, digest: str) -> None:
        if not length.isdigit() or len(digest) != 64:
            raise Failure("the image comes without its length or SHA-256")
        self._size, self._digest = int(length), digest
        if self._size > self._disk.size:
            raise Failure("the image is larger than the disk")

    def _check(self) -> None:
        found = self._hash.hexdigest()
        if found != self._digest:
            raise Failure(f"the image's SHA-256 is {found}, not {self._digest}")
        try:
            self._disk.sync()
        except OSError as error:
            raise Failure(f"the disk cannot be written: {error.strerror}") from None

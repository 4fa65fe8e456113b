"""Lets an ext2, ext3 or ext4 file system fill its partition."""

from __future__ import annotations

import os

from snfd_os import Trouble
from snfd_os.programs import name, run
from snfd_os.table import Part

_MAGIC_AT, _MAGIC = 1024 + 56, b"\x53\xef"


def is_ext(file: int, part: Part) -> bool:
    """Whether there is such a file system."""
    return os.pread(file, 2, part.start + _MAGIC_AT) == _MAGIC


def grow(file: int, old: Part, new: Part, size: int | None) -> None:
    """Let it fill the partition as that will be.

    :param size: of the disk, if that is a file: resize2fs cuts files off where it
        thinks that their file system ends, unless they are shorter before.
    :raises Trouble: the tools do not like it; the guest may do better.
    """
    if size is not None:
        if old.start + old.size > new.size:
            raise Trouble("there is too little room to gain", "")
        os.ftruncate(file, old.start + old.size)
    try:
        _grow(file, new)
    finally:
        if size is not None:
            os.ftruncate(file, size)


def _grow(file: int, part: Part) -> None:
    place = f"{name(file)}?offset={part.start}"
    check = ["e2fsck", "-f", "-y", place]
    run(file, check, good=(0, 1, 2))
    try:
        run(file, ["resize2fs", place, f"{part.size >> 10}K"])
    finally:
        # Whatever was begun is ended before anybody mounts it.
        run(file, check, good=(0, 1, 2))

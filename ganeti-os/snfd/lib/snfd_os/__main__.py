"""``create``: the image, then what its owner gave along."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from snfd_os import Failure, Trouble, grow, seed, table
from snfd_os.image import Copy, Disk
from snfd_os.report import Reporter
from snfd_os.web import Web, opener

FORMATS = ("diskdump", "")
KEPT = "null"
"""The image of a server that keeps its disk."""


def create(environment: Mapping[str, str], web: Web) -> int:
    """Make a server's disk as the document says; the exit code."""
    try:
        told = web.document(_wanted(environment, "OSP_CONFIG_URL"))
    except Failure as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    reporter = Reporter(web, told.get("progress_url", ""))
    try:
        make(environment, web, told, reporter)
    except (Failure, OSError) as error:
        reporter.note("error", _text(error))
        return 1
    except Exception as error:
        # Nothing that a traceback shows may reach a log: it quotes the document.
        reporter.note("error", f"the OS definition failed: {type(error).__name__}")
        return 1
    print("done", flush=True)
    return 0


def _text(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the disk cannot be used: {error.strerror}"
    return str(error)


def _wanted(environment: Mapping[str, str], key: str) -> str:
    if not environment.get(key):
        raise Failure(f"{key} is not given")
    return environment[key]


def make(
    environment: Mapping[str, str],
    web: Web,
    told: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Make a server's disk.

    :raises Failure: it cannot be made.
    """
    if told.get("img_format", "") not in FORMATS:
        raise Failure(f"images of format {told['img_format']!r} are not known here")
    size = int(environment.get("DISK_0_SIZE") or 0) << 20
    disk = Disk(_wanted(environment, "DISK_0_PATH"), size)
    try:
        new = told.get("img_id", KEPT) != KEPT
        if new:
            reporter.task("image")
            disk.empty()
            Copy(web, told["img_id"], disk, reporter.progress).run()
        try:
            customise(disk, told, reporter, new)
        except Trouble as error:
            text = f"{error.args[0]}: nothing is put into the server"
            if not new:
                raise Failure(text) from None
            reporter.note("warning", text, error.args[1])
        disk.sync()
    finally:
        disk.close()


def customise(
    disk: Disk, told: Mapping[str, str], reporter: Reporter, new: bool
) -> None:
    """Grow what the image brought, and put a seed behind it.

    :raises Trouble: the image has no place for a seed.
    """
    reporter.task("customise")
    content = seed.image(seed.files(told, seed.hashed, new))
    found = table.read(disk.file)
    if found is None:
        raise Trouble("the image has no partition table", "")
    place = found.seed
    if place is None:
        last, place = table.plan(disk.size, found, _root(told))
        if last != found.parts[-1]:
            _grow(disk, found.parts[-1], last, reporter)
        table.write(disk.file, found, last, place)
    os.pwrite(disk.file, content, place.start)


def _grow(disk: Disk, old: table.Part, new: table.Part, reporter: Reporter) -> None:
    if not grow.is_ext(disk.file, old) or os.environ.get("SNFD_OS_RESIZE") == "no":
        return
    reporter.task("grow")
    try:
        grow.grow(disk.file, old, new, None if disk.device else disk.size)
    except Trouble as error:
        text = f"the file system does not grow: {error.args[0]}"
        reporter.note("warning", text, error.args[1])


def _root(told: Mapping[str, str]) -> int | None:
    """The number of the root partition, where the image's properties tell it."""
    number = str(seed.properties(told).get("ROOT_PARTITION", ""))
    return int(number) if number.isdigit() else None


def stop(*_: object) -> None:
    """End in order: what was lent is taken back."""
    sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(create(os.environ, Web(opener())))

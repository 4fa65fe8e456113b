"""Partition tables: the last partition grows, and one for the seed comes after it."""

from __future__ import annotations

import json
import os
import re
from typing import Any, NamedTuple

from snfd_os import Trouble
from snfd_os.programs import name, run

ALIGN = 1 << 20
SEED_SIZE = 4 << 20
_BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
_EXTENDED = ("5", "f", "85")
_LABEL = b"CIDATA     "
_LABEL_AT = 43
_BOOT_CODE = 440


class Part(NamedTuple):
    """A partition; bytes."""

    number: int
    start: int
    size: int


class Table(NamedTuple):
    """What is where on a disk.

    :ivar parts: by their place; without extended ones and the seed's.
    :ivar seed: where a seed is, or None.
    :ivar sector: bytes.
    """

    kind: str
    parts: tuple[Part, ...]
    seed: Part | None
    sector: int
    extended: bool


def read(file: int) -> Table | None:
    """The table of a disk, or None if there is none that sfdisk knows.

    :raises Trouble: it is one with which nothing can be done here.
    """
    try:
        found = json.loads(run(file, ["sfdisk", "--json", name(file)]))
    except Trouble:
        return None
    told = found["partitiontable"]
    if told["label"] not in ("dos", "gpt"):
        raise Trouble(f"partition tables of type {told['label']} are not known", "")
    sector = int(told.get("sectorsize", 512))
    every = [_part(one, sector) for one in told.get("partitions", ())
             if one["type"].lower() not in _EXTENDED]  # fmt: skip
    every.sort(key=lambda part: part.start)
    seed = next((part for part in every if _is_seed(file, part)), None)
    return Table(
        told["label"],
        tuple(part for part in every if part != seed),
        seed,
        sector,
        any(one["type"].lower() in _EXTENDED for one in told.get("partitions", ())),
    )


def _part(told: dict[str, Any], sector: int) -> Part:
    number = re.search(r"(\d+)\Z", told["node"])
    assert number is not None
    return Part(int(number[1]), told["start"] * sector, told["size"] * sector)


def _is_seed(file: int, part: Part) -> bool:
    head = os.pread(file, 512, part.start)
    return head[_LABEL_AT : _LABEL_AT + 11] == _LABEL and part.size == SEED_SIZE


def plan(size: int, table: Table, root: int | None) -> tuple[Part, Part]:
    """How the last partition can fill a disk of ``size`` bytes, but for a seed.

    :param root: number of the partition that may grow; None: whichever is last.
    :returns: the last partition as it will be, and the seed's.
    :raises Trouble: that cannot be.
    """
    if not table.parts:
        raise Trouble("the image has no partitions", "")
    last = table.parts[-1]
    start = (size - SEED_SIZE - ALIGN) // ALIGN * ALIGN
    if start < last.start + last.size:
        raise Trouble("the disk has no room for a seed behind the image", "")
    grows = root in (None, last.number) and not (table.extended and last.number > 4)
    new = last._replace(size=start - last.start) if grows else last
    return new, Part(_free_number(table), start, SEED_SIZE)


def write(file: int, table: Table, last: Part, seed: Part) -> None:
    """Make the table of a disk as planned; its boot code stays.

    :raises Trouble: sfdisk does not do it.
    """
    script = _script(file, table, last, seed)
    boot = os.pread(file, _BOOT_CODE, 0)
    options = ["--quiet", "--no-reread", "--no-tell-kernel", "--force"]
    options += ["--wipe=never", "--wipe-partitions=never"]
    run(file, ["sfdisk", *options, name(file)], script.encode())
    os.pwrite(file, boot, 0)


def _free_number(table: Table) -> int:
    taken = {part.number for part in table.parts}
    most = 4 if table.kind == "dos" else 128
    used = len(taken) + table.extended
    free = [number for number in range(1, most + 1) if number not in taken]
    if table.kind == "dos" and used >= most:
        free = []
    if not free:
        raise Trouble("the image's partition table is full", "")
    return free[-1] if table.kind == "dos" and table.extended else free[0]


def _script(file: int, table: Table, last: Part, seed: Part) -> str:
    """The table as sfdisk writes it, changed."""
    dump = run(file, ["sfdisk", "--dump", name(file)]).decode()
    lines = []
    for line in dump.splitlines():
        if line.startswith("last-lba:"):
            continue
        if re.match(rf"\S*[^\d]{last.number} :", line):
            size = last.size // table.sector
            line = re.sub(r"size=\s*\d+", f"size={size}", line, count=1)
        lines.append(line)
    kind = f'{_BASIC_DATA}, name="cidata"' if table.kind == "gpt" else "c"
    start, size = seed.start // table.sector, seed.size // table.sector
    lines.append(
        f"{name(file)}p{seed.number} : start={start}, size={size}, type={kind}"
    )
    return "\n".join(lines) + "\n"

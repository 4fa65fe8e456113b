"""Flavors and volume types of what was made elsewhere."""

from __future__ import annotations

from snfd.db.port import Transaction
from snfd.network.store.adoption import insert


async def volume_type(tx: Transaction, template: str) -> int:
    """A volume type of Ganeti's disk template, made where there is none."""
    like = f"{template}\\_%" if template == "ext" else template
    row = await tx.row(
        "SELECT id FROM compute.volume_type WHERE disk_template LIKE %s"
        " AND NOT deleted ORDER BY id LIMIT 1",
        (like,),
    )
    if row is None:
        await tx.execute(
            "INSERT INTO compute.volume_type (name, disk_template) VALUES (%s, %s)"
            " ON CONFLICT (name) DO NOTHING",
            (f"adopted-{template}", template),
        )
        row = await tx.row(
            "SELECT id FROM compute.volume_type WHERE name = %s",
            (f"adopted-{template}",),
        )
    assert row is not None
    return int(row[0])


async def flavor(
    tx: Transaction, cpu: int, ram: int, disk: int, kind: int
) -> tuple[int, bool]:
    """A flavor of that size and whether it was made: a closed one, then.

    :param ram: MiB.
    :param disk: GiB.
    """
    size = {"cpu": cpu, "ram": ram, "disk": disk, "volume_type": kind}
    made = await insert(tx, "flavor", {**size, "public": False, "allow_create": False})
    row = await tx.row(
        "SELECT id FROM compute.flavor WHERE cpu = %(cpu)s AND ram = %(ram)s"
        " AND disk = %(disk)s AND volume_type = %(volume_type)s",
        size,
    )
    assert row is not None
    return int(row[0]), made

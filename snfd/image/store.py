"""SQL of the image registry, table ``store.image``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from snfd.db.port import Jsonb, Row, Statement, Transaction
from snfd.image.model import Details, Image, ImageQuery, Status, Sums, Visibility

_COLUMNS = (
    "i.id, i.project, i.owner, i.status, i.name, i.visibility, i.protected,"
    " i.hidden, i.disk_format, i.container_format, i.min_disk, i.min_ram,"
    " i.properties, i.tags, i.size, i.checksum, i.sha256, i.sha512, i.map_id,"
    " i.created, i.updated"
)

IMAGE = Statement(
    "store_image", f"SELECT {_COLUMNS} FROM store.image i WHERE i.id = $1"
)

_SORTED: Mapping[str, str] = {
    "id": "i.id",
    "name": "i.name",
    "status": "i.status",
    "size": "coalesce(i.size, 0)",
    "disk_format": "coalesce(i.disk_format, '')",
    "container_format": "coalesce(i.container_format, '')",
    "created_at": "i.created",
    "updated_at": "i.updated",
}

_SEEN = (
    "(%(admin)s OR i.project = ANY(%(projects)s::uuid[])"
    " OR i.visibility = 'public'"
    " OR (i.visibility = 'community' AND (%(visibility)s = 'community'"
    " OR %(ids)s IS NOT NULL)))"
)

_FILTERS = (
    "(%(ids)s IS NULL OR i.id = ANY(%(ids)s::uuid[]))",
    "(%(names)s IS NULL OR i.name = ANY(%(names)s::text[]))",
    "(%(statuses)s IS NULL OR i.status = ANY(%(statuses)s::text[]))",
    "(%(visibility)s IS NULL OR i.visibility = %(visibility)s)",
    "(%(owner)s IS NULL OR i.project = %(owner)s::uuid)",
    "(%(disk_formats)s IS NULL OR i.disk_format = ANY(%(disk_formats)s::text[]))",
    "(%(kinds)s IS NULL OR i.container_format = ANY(%(kinds)s::text[]))",
    "(%(size_min)s IS NULL OR i.size >= %(size_min)s::bigint)",
    "(%(size_max)s IS NULL OR i.size <= %(size_max)s::bigint)",
    "(%(protected)s IS NULL OR i.protected = %(protected)s::boolean)",
    "i.hidden = %(hidden)s",
    "i.tags @> %(tags)s::text[]",
    "i.properties @> %(properties)s",
)


def image(row: Row) -> Image:
    """A row of `IMAGE`."""
    sums = None
    if row[15] is not None:
        sums = Sums(row[15], row[16], row[17])
    details = Details(
        name=row[4],
        visibility=Visibility(row[5]),
        protected=row[6],
        hidden=row[7],
        disk_format=row[8],
        container_format=row[9],
        min_disk=row[10],
        min_ram=row[11],
        properties=row[12],
        tags=tuple(row[13]),
    )
    return Image(
        id=row[0],
        project=row[1],
        owner=row[2],
        status=Status(row[3]),
        details=details,
        size=row[14],
        sums=sums,
        map_id=row[18],
        created=row[19],
        updated=row[20],
    )


async def page(
    tx: Transaction, query: ImageQuery, admin: bool, projects: frozenset[UUID]
) -> list[Image] | None:
    """One page, or None if there is no image ``query.marker``."""
    column = _SORTED[query.sort_key]
    order, sign = ("DESC", "<") if query.descending else ("ASC", ">")
    where = [_SEEN, *_FILTERS]
    if query.marker is not None:
        where.append(
            f"({column}, i.id) {sign} (SELECT {column}, i.id"
            " FROM store.image i WHERE i.id = %(marker)s)"
        )
    rows = await tx.rows(
        f"SELECT {_COLUMNS} FROM store.image i WHERE {' AND '.join(where)}"
        f" ORDER BY {column} {order}, i.id {order} LIMIT %(limit)s",
        _params(query, admin, projects),
    )
    if not rows and query.marker is not None and not await _exists(tx, query.marker):
        return None
    return [image(row) for row in rows]


def _params(
    query: ImageQuery, admin: bool, projects: frozenset[UUID]
) -> dict[str, object]:
    def many(given: object) -> list[object] | None:
        return None if given is None else list(given)  # type: ignore[call-overload]

    return {
        "admin": admin,
        "projects": sorted(projects),
        "marker": query.marker,
        "limit": query.limit,
        "ids": many(query.ids),
        "names": many(query.names),
        "statuses": many(query.statuses),
        "visibility": query.visibility,
        "owner": query.owner,
        "disk_formats": many(query.disk_formats),
        "kinds": many(query.container_formats),
        "size_min": query.size_min,
        "size_max": query.size_max,
        "protected": query.protected,
        "hidden": query.hidden,
        "tags": list(query.tags),
        "properties": Jsonb(dict(query.properties)),
    }


async def _exists(tx: Transaction, ident: UUID) -> bool:
    return await tx.row("SELECT 1 FROM store.image WHERE id = %s", (ident,)) is not None


async def lock(tx: Transaction, ident: UUID) -> tuple[Image, UUID | None] | None:
    """The image and the upload that may fill it, locked; or None."""
    row = await tx.row(
        f"SELECT {_COLUMNS}, i.upload FROM store.image i WHERE i.id = %s FOR UPDATE",
        (ident,),
    )
    return None if row is None else (image(row), row[21])


async def insert(tx: Transaction, new: Image) -> bool:
    """Enter an image without data; False if the id is taken."""
    made = await tx.execute(
        "INSERT INTO store.image (id, project, owner, status, visibility, name,"
        " protected, hidden, disk_format, container_format, min_disk, min_ram,"
        " properties, tags, created, updated) VALUES (%(id)s, %(project)s,"
        " %(owner)s, %(status)s, %(visibility)s, %(name)s, %(protected)s,"
        " %(hidden)s, %(disk_format)s, %(container_format)s, %(min_disk)s,"
        " %(min_ram)s, %(properties)s, %(tags)s::text[], %(created)s, %(created)s)"
        " ON CONFLICT (id) DO NOTHING",
        {
            **_details(new.details),
            "id": new.id,
            "project": new.project,
            "owner": new.owner,
            "status": new.status.value,
            "created": new.created,
        },
    )
    return made == 1


async def update(tx: Transaction, ident: UUID, details: Details, now: datetime) -> None:
    """Replace what the owner may set."""
    await tx.execute(
        "UPDATE store.image SET visibility = %(visibility)s, name = %(name)s,"
        " protected = %(protected)s, hidden = %(hidden)s,"
        " disk_format = %(disk_format)s, container_format = %(container_format)s,"
        " min_disk = %(min_disk)s, min_ram = %(min_ram)s,"
        " properties = %(properties)s, tags = %(tags)s::text[], updated = %(now)s"
        " WHERE id = %(id)s",
        {**_details(details), "id": ident, "now": now},
    )


async def saving(tx: Transaction, ident: UUID, upload: UUID, now: datetime) -> None:
    """Let ``upload`` fill the image."""
    await tx.execute(
        "UPDATE store.image SET status = 'saving', upload = %s, saving_since = %s,"
        " updated = %s WHERE id = %s",
        (upload, now, now, ident),
    )


async def saving_since(tx: Transaction, ident: UUID) -> datetime | None:
    """When the upload began that may fill the image."""
    row = await tx.row("SELECT saving_since FROM store.image WHERE id = %s", (ident,))
    return None if row is None else row[0]


async def queued(tx: Transaction, ident: UUID, upload: UUID, now: datetime) -> None:
    """``upload`` came to nothing."""
    await tx.execute(
        "UPDATE store.image SET status = 'queued', upload = NULL,"
        " saving_since = NULL, updated = %s"
        " WHERE id = %s AND upload = %s AND status = 'saving'",
        (now, ident, upload),
    )


async def active(
    tx: Transaction, ident: UUID, map_id: int, size: int, sums: Sums, now: datetime
) -> None:
    """The data is there: the object that has the image's uuid."""
    await tx.execute(
        "UPDATE store.image SET status = 'active', upload = NULL,"
        " saving_since = NULL, map_id = %s, size = %s, checksum = %s, sha256 = %s,"
        " sha512 = %s, updated = %s, object_id = (SELECT o.id FROM store.object o"
        " WHERE o.uuid = %s AND o.cur IS NOT NULL) WHERE id = %s",
        (map_id, size, sums.md5, sums.sha256, sums.sha512, now, ident, ident),
    )


async def delete(tx: Transaction, ident: UUID) -> int | None:
    """Remove the image; the id of the object that holds its data, or None."""
    row = await tx.row(
        "DELETE FROM store.image WHERE id = %s RETURNING object_id", (ident,)
    )
    return None if row is None else row[0]


def _details(details: Details) -> dict[str, object]:
    return {
        "visibility": details.visibility.value,
        "name": details.name,
        "protected": details.protected,
        "hidden": details.hidden,
        "disk_format": details.disk_format,
        "container_format": details.container_format,
        "min_disk": details.min_disk,
        "min_ram": details.min_ram,
        "properties": Jsonb(dict(details.properties)),
        "tags": list(details.tags),
    }

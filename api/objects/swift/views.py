"""Accounts, containers and objects as the Swift dialect shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from api.objects.headers import HTTP_META, Raw, encoded, http_date, iso
from api.objects.listing import Element, Format, text, xml
from api.operations import Reply
from snfd.objects.model import Account, Container, Entry, Listing, ObjectInfo, Rolled

CODEC = Raw()

FIRST_POLICY = "Policy-0"


class ContainerEntry(Reply):
    """A container in the listing of an account."""

    name: str
    count: int
    bytes: int
    last_modified: str


class ObjectEntry(Reply, omit_defaults=True):
    """An object in the listing of a container, or what names were rolled up to."""

    name: str | UnsetType = UNSET
    hash: str | UnsetType = UNSET
    bytes: int | UnsetType = UNSET
    content_type: str | UnsetType = UNSET
    last_modified: str | UnsetType = UNSET
    subdir: str | UnsetType = UNSET


def etag(info: ObjectInfo | Entry) -> str:
    """The MD5 in hex; the root, which has another length, while it is unknown."""
    return (info.md5 or info.root).hex()


def stamp(moment: datetime) -> str:
    """A moment as seconds since 1970, five decimals."""
    return f"{moment.timestamp():.5f}"


def account_headers(account: Account) -> dict[str, str]:
    """What is said of an account."""
    return {
        "X-Account-Container-Count": str(account.containers),
        "X-Account-Object-Count": str(account.objects),
        "X-Account-Bytes-Used": str(account.size),
        "X-Timestamp": stamp(account.created),
        "Last-Modified": http_date(account.mtime),
        **_meta("X-Account-Meta-", account.meta),
    }


def container_headers(container: Container) -> dict[str, str]:
    """What is said of a container."""
    return {
        "X-Container-Object-Count": str(container.objects),
        "X-Container-Bytes-Used": str(container.size),
        "X-Timestamp": stamp(container.created),
        "Last-Modified": http_date(container.mtime),
        "X-Storage-Policy": FIRST_POLICY,
        **_meta("X-Container-Meta-", container.meta),
    }


def object_headers(info: ObjectInfo) -> dict[str, str]:
    """What is said of an object, but for what a range changes."""
    http = {
        name: info.described.http[name]
        for name in HTTP_META
        if name in info.described.http
    }
    return {
        "Etag": etag(info),
        "Last-Modified": http_date(info.mtime),
        "X-Timestamp": stamp(info.mtime),
        "Accept-Ranges": "bytes",
        "X-Object-Hash": info.root.hex(),
        **encoded(http, CODEC),
        **_meta("X-Object-Meta-", info.described.user),
    }


def containers(found: Sequence[Container], kind: Format, account: str) -> bytes:
    """One page of an account."""
    entries = [
        ContainerEntry(
            name=one.path.container,
            count=one.objects,
            bytes=one.size,
            last_modified=iso(one.mtime, zone=False),
        )
        for one in found
    ]
    if kind is Format.TEXT:
        return text(entry.name for entry in entries)
    if kind is Format.JSON:
        return msgspec.json.encode(entries)
    return xml("account", account, "container", _elements(entries))


def objects(found: Listing, kind: Format, container: str) -> bytes:
    """One page of a container."""
    if kind is Format.TEXT:
        return text(one.name for one in found)
    entries = [
        ObjectEntry(subdir=one.name) if isinstance(one, Rolled) else _object(one)
        for one in found
    ]
    if kind is Format.JSON:
        return msgspec.json.encode(entries)
    return xml("container", container, "object", _elements(entries))


def _object(entry: Entry) -> ObjectEntry:
    return ObjectEntry(
        name=entry.name,
        hash=etag(entry),
        bytes=entry.size,
        content_type=entry.ctype,
        last_modified=iso(entry.mtime, zone=False),
    )


def _elements(entries: Iterable[Reply]) -> list[Element]:
    return [
        {
            key: value
            for key, value in msgspec.structs.asdict(entry).items()
            if value is not UNSET
        }
        for entry in entries
    ]


def _meta(prefix: str, meta: Mapping[str, str]) -> dict[str, str]:
    return encoded({prefix + key: value for key, value in meta.items()}, CODEC)

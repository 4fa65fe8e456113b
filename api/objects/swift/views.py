"""Accounts, containers and objects as the Swift dialect shows them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from api.objects.headers import Raw, http_headers, meta_headers
from api.objects.listing import Format, written
from api.operations import Reply
from api.times import epoch, http_date, micros_bare
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


def account_headers(account: Account) -> dict[str, str]:
    """What is said of an account."""
    return {
        "X-Account-Container-Count": str(account.containers),
        "X-Account-Object-Count": str(account.objects),
        "X-Account-Bytes-Used": str(account.size),
        "X-Timestamp": epoch(account.created, 5),
        "Last-Modified": http_date(account.mtime),
        **meta_headers("X-Account-Meta-", account.meta, CODEC),
    }


def container_headers(container: Container) -> dict[str, str]:
    """What is said of a container."""
    return {
        "X-Container-Object-Count": str(container.objects),
        "X-Container-Bytes-Used": str(container.size),
        "X-Timestamp": epoch(container.created, 5),
        "Last-Modified": http_date(container.mtime),
        "X-Storage-Policy": FIRST_POLICY,
        **meta_headers("X-Container-Meta-", container.meta, CODEC),
    }


def object_headers(info: ObjectInfo) -> dict[str, str]:
    """What is said of an object, but for what a range changes."""
    return {
        "Etag": etag(info),
        "Last-Modified": http_date(info.mtime),
        "X-Timestamp": epoch(info.mtime, 5),
        "Accept-Ranges": "bytes",
        "X-Object-Hash": info.root.hex(),
        **http_headers(info.described.http, CODEC),
        **meta_headers("X-Object-Meta-", info.described.user, CODEC),
    }


def containers(found: Sequence[Container], kind: Format, account: str) -> bytes:
    """One page of an account."""
    names = (one.path.container for one in found)
    entries = (
        ContainerEntry(
            name=one.path.container,
            count=one.objects,
            bytes=one.size,
            last_modified=micros_bare(one.mtime),
        )
        for one in found
    )
    return written(kind, names, entries, ("account", account), "container")


def objects(found: Listing, kind: Format, container: str) -> bytes:
    """One page of a container."""
    names = (one.name for one in found)
    entries = (
        ObjectEntry(subdir=one.name) if isinstance(one, Rolled) else _object(one)
        for one in found
    )
    return written(kind, names, entries, ("container", container), "object")


def _object(entry: Entry) -> ObjectEntry:
    return ObjectEntry(
        name=entry.name,
        hash=etag(entry),
        bytes=entry.size,
        content_type=entry.ctype,
        last_modified=micros_bare(entry.mtime),
    )

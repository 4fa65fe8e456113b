"""Accounts, containers and objects as the Pithos dialect shows them.

Shapes: ``spec/pithos.md`` §2.2 to §2.5 and §2.17.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from api.objects.headers import Percent, http_headers, meta_headers
from api.objects.listing import Format, text, written, xml
from api.operations import Reply
from api.times import epoch, http_date, micros_offset
from snfd.objects.model import (
    EMPTY_DIGEST,
    Account,
    Container,
    Content,
    Entry,
    Listing,
    ObjectInfo,
    Policy,
    Rolled,
)

CODEC = Percent()

BLOCK_HASH = "sha256"


class AccountEntry(Reply):
    """An account of others that one may read."""

    name: UUID
    last_modified: str


class ContainerEntry(Reply):
    """A container in the listing of an account."""

    name: str
    count: int
    bytes: int
    last_modified: str
    x_container_policy: dict[str, str]


class ObjectEntry(Reply, omit_defaults=True):
    """An object in the listing of a container, or what names were rolled up to."""

    name: str | UnsetType = UNSET
    bytes: int | UnsetType = UNSET
    hash: str | UnsetType = UNSET
    content_type: str | UnsetType = UNSET
    last_modified: str | UnsetType = UNSET
    x_object_hash: str | UnsetType = UNSET
    x_object_uuid: UUID | UnsetType = UNSET
    x_object_version: int | UnsetType = UNSET
    x_object_version_timestamp: str | UnsetType = UNSET
    x_object_modified_by: UUID | UnsetType = UNSET
    available: int | UnsetType = UNSET
    md5: str | UnsetType = UNSET
    subdir: str | UnsetType = UNSET


class Hashmap(Reply):
    """The blocks of an object."""

    block_size: int
    block_hash: str
    bytes: int
    hashes: list[str]


def account_headers(account: Account) -> dict[str, str]:
    """What is said of an account, but for its quota."""
    return {
        "X-Account-Container-Count": str(account.containers),
        "X-Account-Bytes-Used": str(account.size),
        "Last-Modified": http_date(account.mtime),
        **meta_headers("X-Account-Meta-", account.meta, CODEC),
    }


def quota_headers(limits: Mapping[UUID, int]) -> dict[str, str]:
    """How many bytes each project grants, and all together."""
    each = {
        f"X-Account-Policy-Quota-{project}": str(limit)
        for project, limit in limits.items()
    }
    return {"X-Account-Policy-Quota": str(sum(limits.values())), **each}


def container_headers(container: Container, block_size: int) -> dict[str, str]:
    """What is said of a container.

    :param block_size: of the deployment, in bytes.
    """
    policy = {
        f"X-Container-Policy-{name.capitalize()}": value
        for name, value in _policy(container.policy).items()
    }
    return {
        "X-Container-Object-Count": str(container.objects),
        "X-Container-Bytes-Used": str(container.size),
        "Last-Modified": http_date(container.mtime),
        "X-Container-Block-Size": str(block_size),
        "X-Container-Block-Hash": BLOCK_HASH,
        **policy,
        **meta_headers("X-Container-Meta-", container.meta, CODEC),
    }


def object_headers(info: ObjectInfo) -> dict[str, str]:
    """What is said of an object, but for what a range changes."""
    return {
        "ETag": info.root.hex(),
        "Last-Modified": http_date(info.changed),
        "Available": "1",
        "X-Object-Hash": info.root.hex(),
        "X-Object-UUID": str(info.uuid),
        "X-Object-Version": str(info.serial),
        "X-Object-Version-Timestamp": http_date(info.mtime),
        "X-Object-Modified-By": str(info.modified_by),
        **({"X-Object-MD5": info.md5.hex()} if info.md5 is not None else {}),
        **http_headers(info.described.http, CODEC),
        **meta_headers("X-Object-Meta-", info.described.user, CODEC),
    }


def made_headers(info: ObjectInfo) -> dict[str, str]:
    """What is said of a version that was just made."""
    names = ("ETag", "Last-Modified", "X-Object-Hash", "X-Object-UUID",
             "X-Object-Version")  # fmt: skip
    headers = object_headers(info)
    return {name: headers[name] for name in names}


def accounts(found: Sequence[tuple[UUID, datetime]], kind: Format) -> bytes:
    """Accounts of others."""
    names = (str(uuid) for uuid, _ in found)
    entries = (AccountEntry(uuid, micros_offset(mtime)) for uuid, mtime in found)
    return written(kind, names, entries, ("accounts", None), "account")


def containers(found: Sequence[Container], kind: Format, account: str) -> bytes:
    """One page of an account."""
    names = (one.path.container for one in found)
    entries = (
        ContainerEntry(
            name=one.path.container,
            count=one.objects,
            bytes=one.size,
            last_modified=micros_offset(one.mtime),
            x_container_policy=_policy(one.policy),
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


def hashmap(content: Content, kind: Format) -> bytes:
    """The blocks of an object; of an empty one, that of nothing."""
    info = content.info
    hashes = [_shown(digest) for digest in content.digests] or [EMPTY_DIGEST.hex()]
    if kind is not Format.XML:
        found = Hashmap(info.block_size, BLOCK_HASH, info.size, hashes)
        return msgspec.json.encode(found)
    attributes = {
        "bytes": str(info.size),
        "block_size": str(info.block_size),
        "block_hash": BLOCK_HASH,
    }
    return xml("object", info.path.name, "hash", hashes, attributes)


def digests(found: Sequence[bytes], kind: Format) -> bytes:
    """A list of block hashes."""
    shown = [_shown(digest) for digest in found]
    if kind is Format.TEXT:
        return text(shown)
    if kind is Format.JSON:
        return msgspec.json.encode(shown)
    return xml("items", None, "item", shown)


def _object(entry: Entry) -> ObjectEntry:
    return ObjectEntry(
        name=entry.name,
        bytes=entry.size,
        hash=entry.root.hex(),
        content_type=entry.ctype,
        last_modified=micros_offset(entry.mtime),
        x_object_hash=entry.root.hex(),
        x_object_uuid=entry.uuid,
        x_object_version=entry.serial,
        x_object_version_timestamp=epoch(entry.mtime, 6),
        x_object_modified_by=entry.modified_by,
        available=1,
        md5=UNSET if entry.md5 is None else entry.md5.hex(),
    )


def _shown(digest: bytes) -> str:
    """A block's hash; a hole is a block of zeros."""
    return (digest if any(digest) else EMPTY_DIGEST).hex()


def _policy(policy: Policy) -> dict[str, str]:
    return {
        "quota": str(policy.quota),
        "versioning": policy.versioning.value,
        "project": str(policy.project),
    }

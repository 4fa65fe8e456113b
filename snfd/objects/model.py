"""Values of object storage; no SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from attrs import field, frozen

BLOCK_SIZE = 4 * 1024 * 1024
"""Length of every block but an object's last, in bytes."""

MAX_UPLOAD = 5 * 1024**3
"""Longest body of one upload, in bytes."""

MAX_LISTING = 10_000
"""Most entries of one page of a listing."""

EMPTY_DIGEST = bytes.fromhex(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)
"""Digest of a block of zeros, which is never stored."""


class Versioning(Enum):
    """What becomes of a version that is overwritten or deleted."""

    AUTO = "auto"
    NONE = "none"


@frozen
class ContainerPath:
    """The name of a container, within an account."""

    account: UUID
    container: str


@frozen
class ObjectPath:
    """The name of an object."""

    account: UUID
    container: str
    name: str

    @property
    def parent(self) -> ContainerPath:
        """The container that holds it."""
        return ContainerPath(self.account, self.container)


@frozen
class Account:
    """An account as its owner sees it; all zero before its first container.

    :ivar containers: how many there are.
    :ivar objects: current objects in all of them.
    :ivar size: bytes of those objects.
    """

    uuid: UUID
    meta: Mapping[str, str]
    created: datetime
    mtime: datetime
    containers: int
    objects: int
    size: int


@frozen
class Policy:
    """What an owner may set on a container.

    :ivar quota: bytes of current objects, 0 for no bound.
    :ivar project: the project that is charged.
    """

    versioning: Versioning
    quota: int
    project: UUID


@frozen
class Container:
    """A container with its counters.

    :ivar objects: current objects.
    :ivar size: bytes of the current objects.
    """

    id: int
    account_id: int
    path: ContainerPath
    policy: Policy
    meta: Mapping[str, str]
    created: datetime
    mtime: datetime
    objects: int
    size: int


@frozen
class NewContent:
    """Bytes that are safely in the block store and wait for a name.

    :ivar digests: sha256 of each block without its trailing zeros.
    :ivar root: Merkle root over ``digests``.
    :ivar md5: of the whole content, or None if nobody computed it.
    """

    size: int
    digests: Sequence[bytes]
    root: bytes
    md5: bytes | None
    block_size: int = BLOCK_SIZE


@frozen
class Described:
    """What a client says about an object besides its bytes.

    :ivar user: metadata of the user's own, canonical keys.
    :ivar http: ``Content-Encoding``, ``Content-Disposition`` and the like,
        to be served with the bytes.
    """

    ctype: str
    user: Mapping[str, str] = field(factory=dict)
    http: Mapping[str, str] = field(factory=dict)


@frozen
class ObjectInfo:
    """One version of an object.

    :ivar root: Merkle root, 32 bytes.
    :ivar md5: of the content, or None while it is not known.
    :ivar changed: last change of the object, also for an old version.
    :ivar mtime: when this version was made.
    """

    path: ObjectPath
    uuid: UUID
    serial: int
    size: int
    block_size: int
    root: bytes
    md5: bytes | None
    map_id: int
    described: Described
    mtime: datetime
    changed: datetime
    modified_by: UUID


@frozen
class Content:
    """All that is needed to send an object's bytes.

    :ivar digests: sha256 of each block in order; `EMPTY_DIGEST` and 32 zero
        bytes stand for a block of zeros.
    """

    info: ObjectInfo
    digests: Sequence[bytes]


@frozen
class Query:
    """One page of a listing of names.

    :ivar after: only names greater than this one, "" for all.
    :ivar before: only names less than this one, "" for all.
    :ivar delimiter: names are rolled up at its first occurrence behind
        ``prefix``; "" rolls up nothing.
    :ivar rolled: whether the rolled-up names themselves are wanted.
    :ivar markers: a name that ends at its first delimiter is an object
        (Pithos), not a rolled-up name (Swift).
    """

    limit: int = MAX_LISTING
    after: str = ""
    before: str = ""
    prefix: str = ""
    delimiter: str = ""
    rolled: bool = True
    markers: bool = True


@frozen
class Entry:
    """A listed object.

    :ivar md5: of the content, or None while it is not known.
    """

    name: str
    uuid: UUID
    serial: int
    size: int
    ctype: str
    root: bytes
    md5: bytes | None
    mtime: datetime
    modified_by: UUID


@frozen
class Rolled:
    """A common beginning of names, up to and including the delimiter."""

    name: str


Listing = Sequence[Entry | Rolled]


@frozen
class Committed:
    """What an upload has become.

    :ivar created: whether the name was not in use before.
    """

    info: ObjectInfo
    created: bool

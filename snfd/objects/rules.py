"""Pure rules of object storage: names, metadata, rights."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from uuid import UUID

from attrs import frozen

from snfd.errors import Forbidden, Invalid
from snfd.identity.model import Caller

MAX_CONTAINER = 256
MAX_OBJECT = 1024


@frozen
class MetaLimits:
    """Bounds on the metadata of one account, container or object.

    :ivar key: longest key, in bytes of UTF-8.
    :ivar value: longest value, in bytes of UTF-8.
    :ivar total: keys and values together, in bytes of UTF-8.
    """

    items: int
    key: int
    value: int
    total: int


PITHOS_META = MetaLimits(items=32, key=128, value=256, total=32 * 384)
SWIFT_META = MetaLimits(items=90, key=128, value=256, total=4096)


def check_meta(meta: Mapping[str, str], limits: MetaLimits) -> None:
    """Refuse metadata that is out of bounds.

    :raises Invalid: names the bound.
    """
    if len(meta) > limits.items:
        raise Invalid(f"more than {limits.items} metadata items")
    total = 0
    for key, value in meta.items():
        lengths = len(key.encode()), len(value.encode())
        if not 0 < lengths[0] <= limits.key:
            raise Invalid(f"a metadata name must have 1 to {limits.key} bytes")
        if lengths[1] > limits.value:
            raise Invalid(f"metadata {key!r} is longer than {limits.value} bytes")
        total += sum(lengths)
    if total > limits.total:
        raise Invalid(f"metadata is longer than {limits.total} bytes in all")


def merged(old: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    """``old`` with ``change`` laid over; an empty value takes a key away."""
    both = {**old, **change}
    return {key: value for key, value in both.items() if value != ""}


def check_container_name(name: str) -> str:
    """Return ``name`` if a container may have it.

    :raises Invalid: empty, too long, or with a slash.
    """
    if not name:
        raise Invalid("a container needs a name")
    if len(name) > MAX_CONTAINER or len(name.encode()) > MAX_CONTAINER * 4:
        raise Invalid(f"container name longer than {MAX_CONTAINER} characters")
    if "/" in name or "\0" in name:
        raise Invalid("a container name has no slash and no NUL")
    return name


def check_object_name(name: str) -> str:
    """Return ``name`` if an object may have it.

    :raises Invalid: empty, too long, or with a NUL.
    """
    if not name:
        raise Invalid("an object needs a name")
    if len(name) > MAX_OBJECT:
        raise Invalid(f"object name longer than {MAX_OBJECT} characters")
    if "\0" in name:
        raise Invalid("an object name has no NUL")
    return name


class Right(IntEnum):
    """What a caller may do in an account."""

    NOTHING = 0
    READ = 1
    WRITE = 2


def right(caller: Caller, account: UUID) -> Right:
    """What ``caller`` may do in ``account`` as a whole.

    A user owns the account that has his uuid, unless the token is for another
    project alone. In the account of the token's project the role counts that
    the token carries, so a token for another project can only read.
    """
    if caller.is_admin:
        return Right.WRITE
    if account == caller.project:
        return Right.WRITE if caller.may_write else Right.READ
    if account == caller.owner:
        return Right.WRITE
    return Right.READ if account in caller.projects else Right.NOTHING


def check_right(caller: Caller, account: UUID, wanted: Right) -> None:
    """Refuse what `right` does not give; says nothing of what exists.

    :raises Forbidden: not allowed.
    """
    given = right(caller, account)
    if given >= wanted:
        return
    if given is Right.READ:
        raise Forbidden("this token may only read in this account")
    raise Forbidden("this account is not yours")

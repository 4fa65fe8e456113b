"""Pure checks of what users ask for (``spec/cyclades.md`` appendix F)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from snfd.compute.model import File, Flavor, ImageFacts, NewServer, NewVolume
from snfd.errors import Forbidden, Invalid, TooLarge
from snfd.ganeti import names

MAX_NAME = 255
MAX_METADATA, MAX_KEY, MAX_VALUE = 10, 50, 500
MAX_TAGS, MAX_TAG = 50, 60
MAX_CLUSTER_TAG = 128
"""Characters of a tag as Ganeti keeps it."""
MAX_FILES, MAX_FILE = 5, 10240
MAX_USER_DATA = 65536
MAX_DISKS = 8
MAX_VOLUME = 200
"""GiB."""
MIN_PASSWORD = 10
_LOWER = "abcdefghijkmnopqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"


def name(text: str) -> str:
    """``text`` if it may name a server.

    :raises Invalid: it is empty or too long.
    """
    if not 1 <= len(text) <= MAX_NAME:
        raise Invalid(f"a server's name has 1 to {MAX_NAME} characters")
    return text


def metadata(wanted: Mapping[str, str]) -> Mapping[str, str]:
    """``wanted`` if a server may carry it.

    :raises Invalid: too many items, or one too long.
    """
    if len(wanted) > MAX_METADATA:
        raise Invalid(f"a server has at most {MAX_METADATA} metadata items")
    for key, value in wanted.items():
        if not 1 <= len(key) <= MAX_KEY:
            raise Invalid(f"a metadata key has 1 to {MAX_KEY} characters")
        if len(value) > MAX_VALUE:
            raise Invalid(f"the metadata value of {key!r} exceeds {MAX_VALUE}")
    return wanted


def tags(wanted: Sequence[str]) -> Sequence[str]:
    """``wanted`` if a server may carry them.

    :raises Invalid: too many, or one too long or with a ``/`` or ``,`` in it.
    """
    if len(set(wanted)) > MAX_TAGS:
        raise Invalid(f"a server has at most {MAX_TAGS} tags")
    for one in wanted:
        if not 1 <= len(one) <= MAX_TAG or set(one) & set("/,\0"):
            raise Invalid(f"a tag has 1 to {MAX_TAG} characters and no '/' or ','")
        if len(names.user_tag(one)) > MAX_CLUSTER_TAG:
            raise Invalid(f"the tag {one!r} is too long for its cluster once encoded")
    return wanted


def files(wanted: Sequence[File]) -> Sequence[File]:
    """``wanted`` if they may be put into a server.

    :raises TooLarge: too many, or one too long.
    :raises Invalid: one is not base64.
    """
    if len(wanted) > MAX_FILES:
        raise TooLarge(f"at most {MAX_FILES} files")
    for one in wanted:
        if len(one.contents) > MAX_FILE:
            raise TooLarge(f"the contents of {one.path!r} exceed {MAX_FILE}")
        decoded(one.contents, f"the contents of {one.path!r}")
        if len(one.path) > 255 or not one.path:
            raise Invalid("a file's path has 1 to 255 characters")
    return wanted


def decoded(text: str, what: str) -> bytes:
    """Strict base64 decoded.

    :raises Invalid: it is not that.
    """
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"{what} must be base64") from None


def user_data(text: str) -> str:
    """``text`` if it may be a server's user data.

    :raises Invalid: it is no base64 or too long.
    """
    if len(text) > MAX_USER_DATA:
        raise Invalid(f"user_data exceeds {MAX_USER_DATA} characters")
    decoded(text, "user_data")
    return text


def password(text: str) -> str:
    """``text`` if it is good enough.

    :raises Invalid: it is short, or lacks a class of characters.
    """
    classes = (r"[a-z]", r"[A-Z]", r"[0-9]")
    if len(text) < MIN_PASSWORD or not all(re.search(c, text) for c in classes):
        raise Invalid(
            f"adminPass needs {MIN_PASSWORD} characters, among them an upper-case "
            "letter, a lower-case letter and a digit"
        )
    if len(text) > 255:
        raise Invalid("adminPass exceeds 255 characters")
    return text


def new_password(pick: Callable[[str], str], length: int = 12) -> str:
    """A random password of every class.

    :param pick: a random one of a string's characters.
    """
    while True:
        made = "".join(pick(_LOWER + _UPPER + _DIGITS) for _ in range(length))
        if all(set(made) & set(kind) for kind in (_LOWER, _UPPER, _DIGITS)):
            return made


def disks(wanted: NewServer, flavor: Flavor) -> tuple[UUID, Sequence[NewVolume]]:
    """The image of a new server, and all its disks, sizes filled in.

    :raises Invalid: no image, or one that contradicts the first disk; a blank
        root; too many disks or a size out of bounds.
    """
    volumes = list(wanted.volumes) or [NewVolume(wanted.image)]
    if len(volumes) > MAX_DISKS:
        raise Invalid(f"at most {MAX_DISKS} disks")
    root = volumes[0]
    if root.source is None:
        raise Invalid("the first disk must come from an image: give imageRef")
    if wanted.image is not None and root.source != wanted.image:
        raise Invalid("imageRef and the first disk name different images")
    sized = [_sized(one, flavor, n == 0) for n, one in enumerate(volumes)]
    if any(one.source is not None for one in sized[1:]):
        raise Invalid("only the first disk can come from an image")
    return root.source, sized


def _sized(one: NewVolume, flavor: Flavor, is_root: bool) -> NewVolume:
    if not is_root and one.size is None:
        raise Invalid("a blank disk needs a volume_size")
    size = flavor.disk if one.size is None else one.size
    if not 1 <= size <= MAX_VOLUME:
        raise Invalid(f"a disk has 1 to {MAX_VOLUME} GiB")
    if not one.delete_on_termination:
        raise Invalid("these disks always go with their server")
    return NewVolume(one.source, size)


def fits(image: ImageFacts, flavor: Flavor, root: NewVolume) -> None:
    """Check that ``image`` can become the root disk.

    :raises Invalid: it is larger than the disk, or asks for a bigger flavor.
    """
    size = root.size or 0
    if image.size > size << 30:
        raise Invalid(f"the image has {image.size} bytes; the disk {size} GiB")
    if image.min_disk > size or image.min_ram > flavor.ram:
        raise Invalid(
            f"the image needs {image.min_disk} GiB of disk "
            f"and {image.min_ram} MiB of memory"
        )


def may_use(flavor: Flavor, project: UUID) -> None:
    """Check that servers of ``flavor`` may be made in ``project``.

    :raises Forbidden: the flavor is closed, or not for that project.
    """
    if not flavor.allow_create:
        raise Forbidden("no new servers are made of this flavor")
    if not flavor.public and project not in flavor.projects:
        raise Forbidden("the project has no access to this flavor")

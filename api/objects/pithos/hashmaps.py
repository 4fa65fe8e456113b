"""Lists of block hashes that clients send instead of bytes."""

from __future__ import annotations

from re import compile as regex

from msgspec import Struct

from api.decoding import decode_json
from api.objects.dispatch import Call
from api.objects.pithos.views import BLOCK_HASH
from snfd.errors import Invalid
from snfd.objects.model import EMPTY_DIGEST, NewContent
from snfd.objects.service.uploads import check_hashmap
from storage import hashmap

LIMIT = 8 * 1024 * 1024
"""Longest list, in bytes; enough for an object of some 500 GiB."""

_DIGEST = regex("[0-9a-fA-F]{64}")


class HashmapBody(Struct):
    """What ``PUT ?hashmap`` takes."""

    bytes: int
    hashes: list[str]
    block_size: int | None = None
    block_hash: str | None = None


def decoded(call: Call, block_size: int) -> NewContent:
    """The content that a request describes.

    :raises Invalid: not a list of blocks of the size and hash used here.
    """
    if call.args.get("format", "json") == "xml":
        raise Invalid("a hashmap is sent as JSON")
    body = decode_json(call.request.content.read(), HashmapBody)
    if body.block_size not in (None, block_size):
        raise Invalid(f"blocks have {block_size} bytes here")
    if body.block_hash not in (None, BLOCK_HASH):
        raise Invalid(f"blocks are hashed with {BLOCK_HASH} here")
    if not all(map(_DIGEST.fullmatch, body.hashes)):
        raise Invalid("a hash is 64 hexadecimal digits")
    digests = [bytes.fromhex(text) for text in body.hashes]
    if body.bytes == 0 and digests == [EMPTY_DIGEST]:
        digests = []
    check_hashmap(body.bytes, digests, block_size)
    return NewContent(
        size=body.bytes,
        digests=digests,
        root=hashmap.root(digests),
        md5=None,
        block_size=block_size,
    )

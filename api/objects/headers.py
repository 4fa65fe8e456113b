"""HTTP headers of object storage as values; pure.

Rules: ``spec/pithos.md`` §1.4, RFC 9110, RFC 6266.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from re import compile as regex
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from attrs import frozen
from twisted.web.http import stringToDatetime
from twisted.web.http_headers import Headers

from snfd.errors import Invalid
from snfd.objects.conditions import ANY, Conditions

_CONTROL = regex(r"[\x00-\x1f\x7f]")
_SAFE = '/=,:@; "'
_TOKEN_BREAKERS = regex(r'["\\\r\n]')

HTTP_META = ("Content-Encoding", "Content-Disposition", "X-Object-Manifest")
"""Headers that are kept with an object and served with it."""


class Codec(Protocol):
    """How text beyond ASCII travels in headers."""

    def decode(self, raw: bytes) -> str:
        """A header's value, or the rest of its name, as text.

        :raises Invalid: not encoded as it must be.
        """
        ...

    def encode(self, text: str) -> str:
        """The opposite; what it gives goes out as UTF-8."""
        ...

    def key(self, text: str) -> str:
        """The canonical form of a metadata key."""
        ...


@frozen
class Percent:
    """Pithos: percent-encoded UTF-8; underscores are dashes."""

    def decode(self, raw: bytes) -> str:
        """See `Codec.decode`."""
        if not raw.isascii():
            raise Invalid("headers must be ASCII; percent-encode the rest as UTF-8")
        return _plain(unquote_to_bytes(raw))

    def encode(self, text: str) -> str:
        """See `Codec.encode`."""
        return quote(text, safe=_SAFE)

    def key(self, text: str) -> str:
        """See `Codec.key`."""
        return _capitalised(text.replace("_", "-"))


@frozen
class Raw:
    """Swift: UTF-8 as it is."""

    def decode(self, raw: bytes) -> str:
        """See `Codec.decode`."""
        return _plain(raw)

    def encode(self, text: str) -> str:
        """See `Codec.encode`."""
        return text

    def key(self, text: str) -> str:
        """See `Codec.key`."""
        return _capitalised(text)


def one(headers: Headers, name: str) -> str | None:
    """A header's value; the last of several, None if there is none.

    :raises Invalid: not UTF-8.
    """
    values = headers.getRawHeaders(name.encode())
    return _plain(values[-1]).strip() if values else None


def metadata(headers: Headers, prefix: str, codec: Codec) -> dict[str, str]:
    """What the client wants to have noted under ``prefix``.

    :param prefix: lower case, as ``x-object-meta-``.
    :raises Invalid: a name or value is not encoded as it must be.
    """
    found: dict[str, str] = {}
    for raw, values in headers.getAllRawHeaders():
        name = raw.lower()
        if name.startswith(prefix.encode()):
            key = codec.key(codec.decode(name[len(prefix) :]))
            if not key:
                raise Invalid(f"{prefix}* needs a name")
            found[key] = codec.decode(values[-1]).strip()
    return found


def http_meta(headers: Headers, codec: Codec) -> dict[str, str]:
    """What shall be served with an object, by header name."""
    found = {}
    for name in HTTP_META:
        values = headers.getRawHeaders(name.encode())
        if values:
            found[name] = codec.decode(values[-1]).strip()
    return found


def content_type(headers: Headers) -> str | None:
    """The declared type of the body, None if there is none.

    :raises Invalid: too long or not ASCII.
    """
    found = one(headers, "content-type")
    if found is not None and (len(found) > 256 or not found.isascii()):
        raise Invalid("the content type is longer than 256 characters or not ASCII")
    return found or None


def content_length(headers: Headers) -> int | None:
    """The declared length of the body in bytes, None if there is none.

    :raises Invalid: not a number.
    """
    text = one(headers, "content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Invalid("Content-Length is not a number")
    return int(text)


def is_chunked(headers: Headers) -> bool:
    """Whether the body says its own end."""
    return (one(headers, "transfer-encoding") or "").lower() == "chunked"


def conditions(headers: Headers) -> Conditions:
    """The conditions attached to a request; unreadable dates are ignored."""
    return Conditions(
        match=etags(one(headers, "if-match")),
        none_match=etags(one(headers, "if-none-match")),
        modified_since=date(one(headers, "if-modified-since")),
        unmodified_since=date(one(headers, "if-unmodified-since")),
    )


def etags(value: str | None) -> frozenset[str] | None:
    """A list of hashes, bare, in lower case; None if there is no list."""
    if value is None:
        return None
    return frozenset(etag(part) for part in value.split(",") if part.strip())


def etag(value: str) -> str:
    """One hash, bare, in lower case."""
    bare = value.strip()
    return bare.removeprefix("W/").strip('"').lower() if bare != ANY else bare


def date(value: str | None) -> datetime | None:
    """An HTTP date in UTC; None if there is none that can be read."""
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(stringToDatetime(value.encode()), UTC)
    except (ValueError, OverflowError, IndexError, OSError, LookupError):
        return None


def disposition(kind: str, name: str) -> str:
    """``Content-Disposition`` for an object, named by the last part of ``name``."""
    last = name.rstrip("/").rpartition("/")[2] or "file"
    plain = _TOKEN_BREAKERS.sub("_", _CONTROL.sub("_", last))
    if plain.isascii() and plain == last:
        return f'{kind}; filename="{plain}"'
    fallback = plain.encode("ascii", "replace").decode().replace("?", "_")
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(last, safe='')}"


def encoded(headers: Mapping[str, str], codec: Codec) -> dict[str, str]:
    """Response headers as they go out; nothing in them breaks a line."""
    return {
        quote(name, safe="-_.!~*'()"): codec.encode(_CONTROL.sub(" ", value))
        for name, value in headers.items()
    }


def meta_headers(prefix: str, meta: Mapping[str, str], codec: Codec) -> dict[str, str]:
    """Metadata as response headers that begin with ``prefix``."""
    return encoded({prefix + key: value for key, value in meta.items()}, codec)


def http_headers(kept: Mapping[str, str], codec: Codec) -> dict[str, str]:
    """Those of `HTTP_META` that are kept with an object, as response headers."""
    return encoded({name: kept[name] for name in HTTP_META if name in kept}, codec)


def _plain(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Invalid("a header is not UTF-8") from None
    if _CONTROL.search(text):
        raise Invalid("a header contains control characters")
    return text


def _capitalised(text: str) -> str:
    return "-".join(part.capitalize() for part in text.split("-"))

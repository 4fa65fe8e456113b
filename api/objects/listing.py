"""Listings: what a request asks for, and their text and XML forms; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from re import compile as regex
from xml.sax.saxutils import escape, quoteattr

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict

from api.operations import Reply
from snfd.errors import PreconditionFailed
from snfd.objects.model import MAX_LISTING, Query

_NOT_XML = regex("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Element = Mapping[str, object]
"""One entry as XML shows it: a child for each key; ``subdir`` stands alone."""


class Listing(Struct):
    """The keys of the query string that listings look at."""

    format: str = ""
    limit: str = ""
    marker: str = ""
    end_marker: str = ""
    prefix: str = ""
    delimiter: str = ""
    path: str = ""


class Format(Enum):
    """How a listing is written."""

    TEXT = "text/plain"
    JSON = "application/json"
    XML = "application/xml"

    @property
    def content_type(self) -> str:
        """With the character set."""
        return f"{self.value}; charset=utf-8"


def chosen(
    args: Mapping[str, str], accept: str | None, default: Format = Format.TEXT
) -> Format:
    """The format that a request asks for."""
    named = args.get("format", "").lower()
    if named in ("json", "xml"):
        return Format.JSON if named == "json" else Format.XML
    if named:
        return Format.TEXT
    for part in (accept or "").lower().split(","):
        kind = part.partition(";")[0].strip()
        if kind == "application/json":
            return Format.JSON
        if kind in ("application/xml", "text/xml"):
            return Format.XML
        if kind == "text/plain":
            return Format.TEXT
    return default


def capped_limit(args: Mapping[str, str]) -> int:
    """Pithos's ``limit``: junk and zero are the default, more is capped."""
    text = args.get("limit", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19) or not int(text):
        return MAX_LISTING
    return min(int(text), MAX_LISTING)


def strict_limit(args: Mapping[str, str]) -> int:
    """Swift's ``limit``: junk is the default, more is refused.

    :raises PreconditionFailed: more than one page has.
    """
    text = args.get("limit", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return MAX_LISTING
    if int(text) > MAX_LISTING:
        raise PreconditionFailed(f"a page has at most {MAX_LISTING} entries")
    return int(text)


def query(args: Mapping[str, str], limit: int, pithos: bool) -> Query:
    """The page of a container that a request asks for."""
    prefix, delimiter = args.get("prefix", ""), args.get("delimiter", "")
    rolled = True
    if "path" in args:
        path = args["path"].strip("/") if pithos else args["path"].rstrip("/")
        prefix, delimiter, rolled = f"{path}/" if path else "", "/", False
    elif pithos:
        prefix = prefix.lstrip("/")
        if prefix and delimiter and not prefix.endswith(delimiter):
            prefix += delimiter
    return Query(
        limit=limit,
        after=args.get("marker", ""),
        before=args.get("end_marker", ""),
        prefix=prefix,
        delimiter=delimiter,
        rolled=rolled,
        markers=pithos or not rolled,
    )


def text(names: Iterable[str]) -> bytes:
    """One name a line."""
    return "".join(f"{name}\n" for name in names).encode()


def xml(
    root: str,
    name: str | None,
    child: str,
    entries: Sequence[Element | str],
    attributes: Mapping[str, str] | None = None,
) -> bytes:
    """Entries below ``root``, each as a ``child`` or a ``subdir``."""
    named = {} if name is None else {"name": name}
    shown = "".join(
        f" {key}={quoteattr(_clean(value))}"
        for key, value in {**named, **(attributes or {})}.items()
    )
    body = "".join(_element(child, entry) for entry in entries)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<{root}{shown}>{body}</{root}>".encode()


def elements(entries: Iterable[Reply]) -> list[Element]:
    """Entries of a JSON listing as `xml` takes them; what is unset is left out."""
    return [
        {key: value for key, value in asdict(entry).items() if value is not UNSET}
        for entry in entries
    ]


def written(
    kind: Format,
    names: Iterable[str],
    entries: Iterable[Reply],
    root: tuple[str, str | None],
    child: str,
) -> bytes:
    """A page of names, or of entries.

    :param root: the element around them in XML, and its name if it has one.
    :param child: the element of each.
    """
    if kind is Format.TEXT:
        return text(names)
    shown = list(entries)
    if kind is Format.JSON:
        return msgspec.json.encode(shown)
    return xml(root[0], root[1], child, elements(shown))


def _element(child: str, entry: Element | str) -> str:
    if isinstance(entry, str):
        return f"<{child}>{_text_of(entry)}</{child}>"
    if "subdir" in entry:
        name = _clean(str(entry["subdir"]))
        return f"<subdir name={quoteattr(name)}><name>{_text_of(name)}</name></subdir>"
    inner = "".join(_field(key, value) for key, value in entry.items())
    return f"<{child}>{inner}</{child}>"


def _field(key: str, value: object) -> str:
    if isinstance(value, Mapping):
        pairs = "".join(
            f"<key>{_text_of(str(name))}</key><value>{_text_of(str(one))}</value>"
            for name, one in value.items()
        )
        return f"<{key}>{pairs}</{key}>"
    return f"<{key}>{_text_of(str(value))}</{key}>"


def _text_of(value: str) -> str:
    """``value`` as XML writes it; what reads it must not mend its line ends."""
    return escape(_clean(value), {"\r": "&#13;"})


def _clean(value: str) -> str:
    """``value`` without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", value)

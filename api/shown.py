"""What of a request may stand in a log.

Tokens come in wherever somebody puts them by mistake: in another path than that
of tokens, behind a question mark, in place of an id.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_SECRET = re.compile(
    r"^(/+(?:identity/+v2\.0/+tokens|console|vmapi/+v1\.0/+[a-z-]+|public)/+)[^/]+"
)
_UUID = re.compile(
    r"[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
_RUN = re.compile(r"[A-Za-z0-9_\-+=]{20,}")
"""As long as the shortest token; `snfd.registry.model.MIN_TOKEN` is longer."""

_WORDS = re.compile(r"[a-z_-]+")
_METHOD = re.compile(r"[A-Z]{1,16}")

LEFT_OUT = "…"


def shown(uri: bytes) -> str:
    """The path, without its query; what may be a secret is left out.

    That is a token, ticket or one-time name in its place, and any other segment
    that looks like one: twenty letters and digits on end that are no uuid, and
    not just small letters, as the words of our own paths.
    """
    path = uri.partition(b"?")[0].decode("ascii", "replace")
    plain = unquote(path)
    if _SECRET.match(plain):
        path = plain = _SECRET.sub(rf"\1{LEFT_OUT}", plain)
    if not _tells(plain):
        return path
    parts = path.split("/")
    return "/".join(LEFT_OUT if _tells(unquote(one)) else one for one in parts)


def method_of(method: bytes) -> str:
    """The method as it may be logged; anything can stand in its place."""
    name = method.decode("ascii", "replace")
    return name if _METHOD.fullmatch(name) else LEFT_OUT


def _tells(text: str) -> bool:
    """Whether a secret may stand in ``text``."""
    found = _RUN.findall(_UUID.sub("/", text)) if len(text) >= 20 else ()
    return any(not _WORDS.fullmatch(run) for run in found)

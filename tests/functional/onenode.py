"""A daemon as the scripts of ``ganeti-os`` see it, and disks for them."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import define, field

ROOT = Path(__file__).parent.parent.parent
OS = ROOT / "ganeti-os" / "snfd"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
MIB = 1 << 20


@define(eq=False)
class Source:
    """What a node is given, and what it tells.

    :ivar breaks: after how many bytes each of the next transfers breaks off.
    :ivar digest: of the image; None for the right one.
    :ivar told: messages of the node.
    :ivar ranges: ``Range`` headers of the image's requests.
    :ivar posted: where the messages went to.
    """

    image: bytes = b""
    document: dict[str, str] = field(factory=dict)
    breaks: list[int] = field(factory=list)
    digest: str | None = None
    told: list[Any] = field(factory=list)
    ranges: list[str | None] = field(factory=list)
    posted: list[str] = field(factory=list)
    url: str = ""

    def messages(self, kind: str) -> list[str]:
        """Texts of the messages of one type."""
        found = [one for one in self.told if one["type"] == kind]
        return [" ".join(one["messages"]) for one in found]


class _Handler(BaseHTTPRequestHandler):
    source: Source

    def do_GET(self) -> None:
        if self.path == "/document" and self.source.document:
            body = json.dumps(self.source.document).encode()
            self.source.document = {}
            self._answer(200, body, {})
        elif self.path == "/image":
            self._image()
        else:
            self._answer(404, b"{}", {})

    def _image(self) -> None:
        asked = self.headers.get("Range")
        self.source.ranges.append(asked)
        whole = self.source.image
        found = re.fullmatch(r"bytes=(\d+)-", asked or "")
        start = int(found[1]) if found else 0
        shown = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        digest = self.source.digest or sha256(whole).hexdigest()
        more = {"X-Content-SHA256": digest}
        if found:
            more["Content-Range"] = shown
        body = whole[start:]
        cut = self.source.breaks.pop(0) if self.source.breaks else None
        self._answer(206 if found else 200, body, more, cut)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.source.posted.append(self.path)
        self.source.told.append(json.loads(self.rfile.read(length)))
        self._answer(204, b"", {})

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(source: Source, certificate: Path | None = None) -> Iterator[str]:
    """The base URL under which a source is served.

    :param certificate: PEM with its key, for TLS.
    """
    handler = type("Handler", (_Handler,), {"source": source})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@define
class Ran:
    """What a script printed, and its exit code."""

    code: int
    output: str


def create(
    url: str, disk: Path, scratch: Path, uid: int | None = None, **more: str
) -> Ran:
    """Run ``create`` as Ganeti's node daemon does, or as another user."""
    environment = {
        "PATH": PATH,
        "TMPDIR": str(scratch),
        "OS_API_VERSION": "20",
        "INSTANCE_NAME": "snf-1",
        "DISK_0_PATH": str(disk),
        "OSP_CONFIG_URL": f"{url}/document",
        **more,
    }
    done = subprocess.run(
        [OS / "create"],
        cwd=OS,
        env=environment,
        user=uid,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=200,
    )
    return Ran(done.returncode, done.stdout)


def tool(*command: str | Path, given: str = "") -> str:
    """What a program prints."""
    done = subprocess.run(
        command,
        input=given,
        text=True,
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": PATH, "LC_ALL": "C"},
    )
    return done.stdout


def an_image(path: Path, table: str, size: int = 16) -> bytes:
    """A disk of ``size`` MiB whose only partition, at 1 MiB, is ext4.

    :param table: ``dos`` or ``gpt``.
    """
    tree = path.with_suffix(".d")
    (tree / "etc").mkdir(parents=True)
    (tree / "etc" / "hostname").write_text("image\n")
    part = path.with_suffix(".part")
    room = size - 2
    part.touch()
    os.truncate(part, room * MIB)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, part)
    with path.open("wb") as disk:
        disk.truncate(size * MIB)
        disk.seek(MIB)
        disk.write(part.read_bytes())
    kind = "type=83, bootable" if table == "dos" else "type=linux"
    script = f"label: {table}\nstart=2048, size={room * 2048}, {kind}\n"
    tool("sfdisk", "-q", path, given=script)
    with path.open("r+b") as disk:
        disk.write(b"\xfaboot code")
    return path.read_bytes()


def partitions(disk: Path) -> list[tuple[int, int]]:
    """Where each partition begins, and its length; MiB."""
    found = json.loads(tool("sfdisk", "--json", disk))["partitiontable"]
    return [
        (one["start"] // 2048, one["size"] // 2048)
        for one in sorted(found["partitions"], key=lambda one: one["start"])
    ]


def seed_of(disk: Path) -> dict[str, str]:
    """The files of the seed, the last partition."""
    start, _ = partitions(disk)[-1]
    place = f"{disk}@@{start}M"
    names = ("meta-data", "user-data", "vendor-data")
    return {name: tool("mtype", "-i", place, f"::{name}") for name in names}

"""A server of one object over files, to be watched from outside.

``python -m tests.storage.server DIRECTORY [rados options]`` prints its port and
serves until its standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.internet.stdio import StandardIO
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from snfd.errors import CloudError
from storage.blocks import Blocks
from storage.download import Reader, Slice, whole
from storage.files import FileBlocks
from storage.librados import RadosConfig
from storage.rados import connect
from storage.ranges import Map, requested
from storage.tuning import LargeEndpoint, tune_malloc
from storage.upload import make_site, received
from storage.workers import ThreadWorkers
from storage.writer import Writer

reactor: Any = _reactor


class Objects(Resource):
    """Objects by path, in memory but for their blocks."""

    isLeaf = True

    def __init__(self, writer: Writer, reader: Reader) -> None:
        Resource.__init__(self)
        self.writer = writer
        self.reader = reader
        self.maps: dict[bytes, Map] = {}

    def opener(self, method: bytes, uri: bytes, headers: Headers) -> Any:
        if method != b"PUT":
            return None
        return succeed(self.writer.open(md5=headers.hasHeader("X-MD5")))

    def render(self, request: Request) -> Any:
        serve = {b"PUT": self.put, b"GET": self.get}[request.method]
        work = Deferred.fromCoroutine(serve(request))
        work.addErrback(self.failed, request)
        ended = request.notifyFinish()
        ended.addErrback(lambda _: work.cancel())
        return NOT_DONE_YET

    async def put(self, request: Request) -> None:
        upload = await received(request)
        self.maps[request.uri] = Map(upload.hashes, upload.block_size, upload.size)
        md5 = upload.md5.hex() if upload.md5 else None
        self.answer(request, 201, {"root": upload.root.hex(), "md5": md5})

    async def get(self, request: Request) -> None:
        if request.uri == b"/state":
            self.answer(request, 200, self.state())
            return
        content = self.maps[request.uri]
        header = request.getHeader("range")
        spans = requested(header, content.size) if header else None
        body = whole(content)
        if spans:
            request.setResponseCode(206)
            body = [Slice(content, spans[0])]
        request.setHeader(b"Content-Type", b"application/octet-stream")
        length = sum(part.length for part in body if isinstance(part, Slice))
        request.setHeader(b"Content-Length", b"%d" % length)
        if await self.reader.send(request, body):
            request.finish()

    def state(self) -> dict[str, Any]:
        status = Path("/proc/self/status").read_text()
        (peak,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return {
            "peak": int(peak.split()[1]) * 1024,
            "uploads": self.writer.open_streams,
            "writing": self.writer.budget.used,
            "downloads": self.reader.open_streams,
            "reading": self.reader.budget.used,
            "objects": sorted(uri.decode() for uri in self.maps),
        }

    def answer(self, request: Request, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        request.setResponseCode(status)
        request.setHeader(b"Content-Type", b"application/json")
        request.setHeader(b"Content-Length", b"%d" % len(body))
        request.write(body)
        request.finish()

    def failed(self, failure: Any, request: Request) -> None:
        if request._disconnected:
            return
        if failure.check(CloudError):
            self.answer(request, 503, {"error": str(failure.value)})
        else:
            failure.printTraceback()
            self.answer(request, 500, {})


class UntilEnd(Protocol):
    """Ends the server with its standard input."""

    def connectionLost(self, reason: Any = None) -> None:
        if reactor.running:
            reactor.stop()


async def main(where: list[str]) -> None:
    blocks: Blocks
    if len(where) == 1:
        blocks = FileBlocks(Path(where[0]), ThreadWorkers(reactor, 4))
    else:
        conf, pool, user, keyring, namespace = where
        config = RadosConfig(conf, pool, user, keyring, namespace)
        blocks = await connect(reactor, config)
    workers = ThreadWorkers(reactor, 2, "hash")
    objects = Objects(Writer(blocks, workers), Reader(blocks, reactor))
    site = make_site(objects, objects.opener, reactor)
    port: Any = await LargeEndpoint(reactor, 0, "127.0.0.1").listen(site)
    reactor.addSystemEventTrigger("before", "shutdown", workers.stop)
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromCoroutine(blocks.close())
    )
    print(port.getHost().port, flush=True)
    StandardIO(UntilEnd())


if __name__ == "__main__":
    tune_malloc()
    starting = Deferred.fromCoroutine(main(sys.argv[1:]))
    starting.addErrback(lambda failure: (failure.printTraceback(), reactor.stop()))
    reactor.run()

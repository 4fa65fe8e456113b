"""The websocket end of the console: autobahn below ``/console/<ticket>``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from snfd.errors import (
    CloudError,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from vnc.bridge import Bridge
from vnc.console import Consoles
from vnc.model import LEFT, NOT_BINARY, Closing, ConsoleTarget
from vnc.ports import Wire

MAX_MESSAGE = 1024 * 1024
"""Longest message either way, in bytes; what we send is at most `bridge.READ`."""
REDEEM = 15.0
"""Seconds that redeeming a ticket may take."""

_STATUS: Mapping[type[CloudError], int] = {
    NotFound: 404,
    Forbidden: 403,
    Unauthorized: 403,
    TooManyRequests: 429,
    Unavailable: 503,
}
_PORTS = {"http": 80, "https": 443}


class ConsoleSocket(WebSocketServerProtocol):
    """One client's websocket; knows no RFB."""

    factory: _Factory
    _asked = False
    _target: ConsoleTarget | None = None
    _bridge: Bridge | None = None
    _log = Logger()

    async def onConnect(  # type: ignore[override]
        self, request: ConnectionRequest
    ) -> str | None:
        """Let the client in if origin and ticket are good.

        Nothing is read meanwhile, so a client that talks too early cannot
        start a second handshake.
        """
        if self._asked:
            raise ConnectionDeny(400, "one request per connection")
        self._asked = True
        end = _End(self)
        end.pause()
        try:
            return await self._admit(request)
        except CloudError as error:
            end.resume()
            status = next((s for e, s in _STATUS.items() if isinstance(error, e)), 400)
            raise ConnectionDeny(status, _one_line(error.message)) from error
        except Exception as error:
            end.resume()
            self._log.failure("a console ticket could not be redeemed")
            raise ConnectionDeny(500, "the console failed, see the log") from error

    async def _admit(self, request: ConnectionRequest) -> str | None:
        host = request.headers.get("host", "")
        if not allowed(request.origin, host, self.factory.origins):
            raise Forbidden(f"pages of {request.origin} may not open consoles here")
        ticket = request.path.rpartition("/")[2]
        peer = getattr(cast(Any, self.transport).getPeer(), "host", "")
        target = await self.factory.consoles.admit(ticket, peer)
        if self.state != self.STATE_CONNECTING:
            self.factory.consoles.turned_away(target)
            raise Unavailable("the client left")
        self._target = target
        return "binary" if "binary" in request.protocols else None

    def onOpen(self) -> None:
        """Join the client with its screen."""
        assert self._target is not None
        _End(self).detach()  # from twisted.web's own producer
        bridge = self.factory.consoles.opened(self._target, _End(self))
        self._bridge = bridge
        # a client that says goodbye but reads no more holds `onClose` back
        self.is_closed.addCallback(lambda _: bridge.close(LEFT))

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Pass what the client says; text is refused."""
        if self._bridge is None:
            return
        if isBinary:
            self._bridge.received(payload)
        else:
            self._bridge.close(NOT_BINARY)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Tell the bridge, whoever closed."""
        if self._bridge is not None:
            self._bridge.lost()


class _End:
    """A websocket as its bridge sees it, a `Socket`."""

    def __init__(self, websocket: ConsoleSocket) -> None:
        self._websocket = websocket
        self._wire = cast(Wire, websocket.transport)

    def send(self, data: bytes) -> None:
        """Send one binary message, unless the socket is closing."""
        websocket = self._websocket
        if websocket.state == websocket.STATE_OPEN:
            websocket.sendMessage(data, isBinary=True)  # type: ignore[no-untyped-call]

    def close(self, closing: Closing) -> None:
        """Start the closing handshake."""
        # sendClose() refuses the codes that servers need, such as 1001
        websocket = self._websocket
        if websocket.state == websocket.STATE_OPEN:
            websocket.sendCloseFrame(closing.code, closing.reason.encode()[:120])

    def abort(self) -> None:
        """Cut the connection."""
        self._wire.abortConnection()

    def pause(self) -> None:
        """Read no more."""
        self._wire.pauseProducing()

    def resume(self) -> None:
        """Read again."""
        self._wire.resumeProducing()

    def attach(self, producer: IPushProducer) -> None:
        """Have ``producer`` paused while the client does not read."""
        self._wire.registerProducer(producer, True)

    def detach(self) -> None:
        """Let go of the producer, if there is one."""
        self._wire.unregisterProducer()


class _Timer:
    """Autobahn's batched timer, on the clock that we are given."""

    def __init__(self, clock: IReactorTime) -> None:
        self.call_later = clock.callLater


class _Factory(WebSocketServerFactory):
    """Makes sockets that all ask the same service."""

    protocol = ConsoleSocket  # type: ignore[assignment]

    def __init__(self, consoles: Consoles, origins: Collection[str]) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            server="", reactor=consoles.clock
        )
        self._batched_timer = _Timer(consoles.clock)
        self.consoles = consoles
        self.origins = frozenset(filter(None, map(_origin, origins)))
        self.setProtocolOptions(  # type: ignore[no-untyped-call]
            webStatus=False,
            versions=[13],
            allowNullOrigin=True,  # `allowed` decides
            utf8validateIncoming=True,
            maxFramePayloadSize=MAX_MESSAGE,
            maxMessagePayloadSize=MAX_MESSAGE,
            openHandshakeTimeout=REDEEM,
            closeHandshakeTimeout=0,  # the bridge has its own
            autoPingInterval=consoles.limits.ping,
            autoPingTimeout=consoles.limits.ping,
            perMessageCompressionAccept=lambda offers: None,
        )


class _Root(Resource):
    """Takes exactly one path segment, the ticket."""

    isLeaf = True

    def __init__(self, factory: _Factory) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._websockets = WebSocketResource(factory)

    def render(self, request: IRequest) -> Any:
        """Hand a websocket's opening request to autobahn, refuse all else."""
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        upgrade = request.getHeader(b"upgrade") or b""
        if len(request.postpath) != 1:
            _forget(request)
            request.setResponseCode(404)
            return b"A console's address ends in its ticket.\n"
        if request.method != b"GET" or upgrade.lower() != b"websocket":
            _forget(request)
            request.setResponseCode(426, b"Upgrade Required")
            request.setHeader(b"upgrade", b"websocket")
            return b"This address is for websockets; open the console's page.\n"
        return self._websockets.render(request)


def _forget(request: IRequest) -> None:
    """Keep a ticket that may still be good out of the access log."""
    request.uri = b"/" + b"/".join(request.prepath)


def resource(consoles: Consoles, origins: Collection[str] = ()) -> IResource:
    """What to mount at ``/console``.

    :param origins: origins (``https://host[:port]``) whose pages may open
        consoles, besides the origin that the page and the console share.
    """
    found: IResource = _Root(_Factory(consoles, origins))
    return found


def allowed(origin: str | None, host: str, origins: Collection[_Origin]) -> bool:
    """Whether a page of ``origin`` may connect to us, known to it as ``host``.

    Native clients send no origin and are let in; ``null`` (a sandbox or a
    local file) is not.
    """
    if not origin:
        return True
    given = _origin(origin)
    if given is None:
        return False
    here = _origin(f"{given[0]}://{host}")
    return given == here or given in origins


_Origin = tuple[str, str, int]


def _origin(url: str) -> _Origin | None:
    """Scheme, host and port of a URL of http or https; None for others."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def _one_line(text: str) -> str:
    """``text`` fit for a status line."""
    return " ".join(text.encode("ascii", "replace").decode().split())[:200]

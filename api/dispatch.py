"""Runs operations: decode, authenticate, call, encode, and tell faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, cast

import msgspec
from attrs import frozen
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import MapAdapter
from zope.interface import implementer

from api.answers import tell, write_head
from api.cookies import guarded_session
from api.decoding import decode_body, decode_query, decode_segment
from api.operations import (
    SERVICE,
    STREAMED,
    Answer,
    Dialect,
    Operation,
    Streamed,
    operations_of,
)
from api.shown import shown
from snfd.errors import (
    CloudError,
    Invalid,
    NotAllowed,
    Unauthorized,
)
from snfd.identity.model import Caller
from snfd.registry.model import Component
from storage.tuning import send

_log = Logger(namespace="api")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Authenticator(Protocol):
    """Says who a token stands for."""

    def __call__(self, token: str | None) -> Awaitable[Caller]:
        """The caller behind ``token``.

        :raises Unauthorized: no token, or one that is not valid now.
        """


class ComponentAuthenticator(Protocol):
    """Says which component a token stands for."""

    def __call__(self, token: str | None) -> Awaitable[Component]:
        """The component behind ``token``.

        :raises Unauthorized: no token, or no component's that is valid now.
        """


async def nobody(token: str | None) -> Component:
    """Where no components are known, none presents anything."""
    raise Unauthorized("no component may call this")


Serve = Callable[..., Awaitable[Any]]


@implementer(IResource)
class Served(Resource):
    """All operations of one mount as a twisted.web resource.

    :ivar operations: what it serves, for the OpenAPI document.
    """

    isLeaf = True

    def __init__(self, dialect: Dialect, operations: tuple[Operation, ...]) -> None:
        Resource.__init__(self)
        self.dialect = dialect
        self.operations = operations

    def render(self, request: IRequest) -> Any:
        """Answer ``request``, now or later; failures are told as faults."""
        serving = Deferred.fromCoroutine(self._serve(request))
        gone: Deferred[None] = cast(Any, request).notifyFinish()
        gone.addErrback(lambda _: serving.cancel())
        serving.addErrback(lambda failure: _log.failure("answering failed", failure))
        return NOT_DONE_YET

    async def _serve(self, request: Any) -> None:
        try:
            body = await self._answer(request)
        except Exception as error:
            body = self._failed(error, request)
        _finish(body, request)

    async def _answer(self, request: Any) -> bytes | Streamed:
        """The body of the answer, whose status and headers are set.

        :raises CloudError: anything that the dialect can tell.
        """
        raise NotImplementedError

    def _failed(self, error: Exception, request: Any) -> bytes | Streamed:
        if not isinstance(error, CloudError):
            if not isinstance(error, CancelledError):
                _log.failure("{path} failed", path=shown(request.uri))
            error = CloudError("internal error")
        if request.startedWriting and not request._disconnected:
            request.loseConnection()
        if request.startedWriting or request._disconnected:
            return STREAMED
        return tell(self.dialect, request, error)


class Routed(Served):
    """Serves the routes of a Klein app.

    Klein's own resource would also serve elements and other resources, which no
    operation gives; that takes longer than most operations (``docs/performance.rst``).

    :param handlers: what answers a request, by the endpoint of its route.
    """

    def __init__(
        self,
        dialect: Dialect,
        operations: tuple[Operation, ...],
        handlers: Mapping[str, Serve],
    ) -> None:
        Served.__init__(self, dialect, operations)
        self._routes = _routes(tuple(_route(one) for one in operations))
        self._handlers = handlers
        self._fixed = _fixed(operations, handlers)

    async def _answer(self, request: Any) -> bytes | Streamed:
        serve, segments = self._route(_path(request), request.method)
        answer: bytes | Streamed = await serve(request, **segments)
        return answer

    def _route(self, path: str, method: bytes) -> tuple[Serve, Mapping[str, str]]:
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, {}
        try:
            name, segments = self._routes.match(
                path or "/", method.decode("ascii", "replace")
            )
        except MethodNotAllowed as error:
            allow = ", ".join(sorted(error.valid_methods or ()))
            raise NotAllowed(f"this path takes {allow}", allow=allow) from None
        except HTTPException:
            raise self.dialect.unknown_path("no such path") from None
        return self._handlers[name], segments


def _fixed(
    operations: Sequence[Operation], handlers: Mapping[str, Serve]
) -> Mapping[tuple[bytes, str], Serve]:
    """What answers a method on a path without variable segments."""
    return {
        (one.method.encode(), one.path.strip("/")): handlers[_endpoint(one)]
        for one in operations
        if not one.segments
    }


def _endpoint(operation: Operation) -> str:
    """How Klein calls the route of ``operation``."""
    return f"{operation.name} {operation.method} {operation.path}"


_Route = tuple[str, str, str, bool]
"""Name of the endpoint, path, method, whether HEAD is answered as well."""


def _route(operation: Operation) -> _Route:
    return (
        _endpoint(operation),
        operation.path or "/",
        operation.method,
        operation.head,
    )


@lru_cache(maxsize=64)
def _routes(wanted: tuple[_Route, ...]) -> MapAdapter:
    """Klein's routes for ``wanted``, in this order.

    Kept, since werkzeug compiles two functions for each of them, and tests make
    the same mounts over and over.
    """
    app = Klein()
    for name, path, method, head in wanted:
        made = app.route(path, methods=[method], endpoint=name, strict_slashes=False)
        made(_served_elsewhere)
        if not head:
            for rule in app.url_map.iter_rules(name):
                rule.methods = {method}
    return app.url_map.bind("snfd")


def _served_elsewhere(request: IRequest) -> None:
    """Stands in a route whose endpoint `Routed` calls itself."""
    raise AssertionError("Klein was not to call this")


def _finish(body: bytes | Streamed, request: Any) -> None:
    """End an answer with ``body``, unless it was ended, or its client is gone."""
    if isinstance(body, Streamed) or request._disconnected:
        return
    send(request, body)


def _path(request: IRequest) -> str:
    """The path below the mount, if an operation could make sense of the request.

    :raises Invalid: path or headers are not UTF-8, or there is a NUL.
    """
    segments = request.postpath
    while segments and segments[-1] == b"":
        segments.pop()
    try:
        path = b"/".join(segments).decode()
    except UnicodeDecodeError:
        raise Invalid("the path is not UTF-8") from None
    if b"%00" in request.uri or b"\0" in request.uri:
        raise Invalid("a URL must not contain NUL")
    try:
        for _, values in request.requestHeaders.getAllRawHeaders():
            for value in values:
                value.decode()
    except UnicodeDecodeError:
        raise Invalid("a header is not UTF-8") from None
    return path


def build(
    dialect: Dialect,
    authenticator: Authenticator,
    *apis: object,
    components: ComponentAuthenticator = nobody,
) -> Served:
    """One resource that serves all operations of ``apis``.

    Errors of every kind are told as ``dialect``'s faults.

    :param components: who may call operations that are for components.
    """
    served, handlers = [], {}
    for api in apis:
        for operation, handler in operations_of(api):
            served.append(operation)
            endpoint = _Endpoint(dialect, authenticator, operation, handler, components)
            handlers[_endpoint(operation)] = endpoint.serve
    return Routed(dialect, tuple(served), handlers)


@frozen(eq=False)
class _Endpoint:
    """One operation bound to the method that handles it."""

    dialect: Dialect
    authenticator: Authenticator
    operation: Operation
    handler: Callable[..., Awaitable[Any]]
    components: ComponentAuthenticator

    async def serve(self, request: IRequest, **segments: str) -> Any:
        """Answer one request."""
        operation = self.operation
        headers = self.dialect.before(request)
        arguments: list[Caller | Component] = []
        if operation.auth is True:
            arguments.append(await self.authenticator(token_of(request)))
        elif operation.auth == SERVICE:
            arguments.append(await self.components(token_of(request)))
        named = self._segments(segments)
        if operation.query is not None:
            named["query"] = decode_query(request, operation.query)
        if operation.body is not None:
            named["body"] = decode_body(request, operation.body, self.dialect)
        if operation.raw:
            named["request"] = request
        result = await self.handler(*arguments, **named)
        return result if result is STREAMED else self._reply(request, result, headers)

    def _segments(self, segments: Mapping[str, str]) -> dict[str, Any]:
        return {
            name: decode_segment(self.dialect, name, text, self.operation.segments)
            for name, text in segments.items()
        }

    def _reply(self, request: IRequest, result: Any, extra: Mapping[str, str]) -> bytes:
        headers = {**self.dialect.headers, **extra}
        status = self.operation.status
        if isinstance(result, Answer):
            status = result.status or status
            headers.update(result.headers)
            result = result.body
        body = b""
        if isinstance(result, bytes):
            body = result
        elif result is not None:
            headers.setdefault("Content-Type", self.dialect.content_type)
            body = _encode(result)
        write_head(request, status, headers, body)
        return body


def token_of(request: IRequest) -> str | None:
    """The token that a request presents, or None; a header wins over a session.

    :raises Forbidden: a session's cookie without its CSRF token.
    """
    value = request.getHeader("x-auth-token")
    if isinstance(value, str) and value:
        return value
    return guarded_session(request)

"""Runs operations: decode, authenticate, call, encode, and tell faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import msgspec
from attrs import frozen
from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from zope.interface import implementer

from api.cookies import guarded_session
from api.decoding import decode_body, decode_query, decode_segment
from api.operations import (
    SERVICE,
    STREAMED,
    Answer,
    Dialect,
    Fault,
    Operation,
    operations_of,
)
from api.shown import shown
from snfd.errors import (
    CloudError,
    Invalid,
    NotAllowed,
    Unauthorized,
    Unavailable,
)
from snfd.identity.model import Caller
from snfd.observe import request_id
from snfd.registry.model import Component

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


@implementer(IResource)
class Served(Resource):
    """All operations of one mount as a twisted.web resource.

    :ivar operations: what it serves, for the OpenAPI document.
    """

    isLeaf = True

    def __init__(
        self,
        dialect: Dialect,
        operations: tuple[Operation, ...],
        klein: IResource,
    ) -> None:
        Resource.__init__(self)
        self.dialect = dialect
        self.operations = operations
        self._klein = klein

    def render(self, request: IRequest) -> Any:
        """Hand a well-formed path on to its operation."""
        try:
            _check(request)
        except Invalid as error:
            return tell(self.dialect, request, error)
        while request.postpath and request.postpath[-1] == b"":
            request.postpath.pop()
        return self._klein.render(request)


def _check(request: IRequest) -> None:
    """Refuse what no operation could make sense of.

    :raises Invalid: path or headers are not UTF-8, or there is a NUL.
    """
    try:
        b"/".join(request.postpath).decode()
    except UnicodeDecodeError:
        raise Invalid("the path is not UTF-8") from None
    if b"\0" in unquote_to_bytes(request.uri):
        raise Invalid("a URL must not contain NUL")
    try:
        for _, values in request.requestHeaders.getAllRawHeaders():
            for value in values:
                value.decode()
    except UnicodeDecodeError:
        raise Invalid("a header is not UTF-8") from None


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
    app = new_app(dialect)
    served = []
    for api in apis:
        for operation, handler in operations_of(api):
            served.append(operation)
            endpoint = _Endpoint(dialect, authenticator, operation, handler, components)
            name = f"{operation.name} {operation.method} {operation.path}"
            app.route(
                operation.path or "/",
                methods=[operation.method],
                endpoint=name,
                strict_slashes=False,
            )(endpoint.serve)
            if not operation.head:
                for rule in app.url_map.iter_rules(name):
                    rule.methods = {operation.method}
    return Served(dialect, tuple(served), app.resource())


def new_app(dialect: Dialect) -> Klein:
    """A Klein app that answers every failure with a fault of ``dialect``."""
    app = Klein()

    @app.handle_errors(HTTPException)
    def routing(request: IRequest, failure: Failure) -> bytes:
        error = failure.value
        if isinstance(error, MethodNotAllowed):
            allow = ", ".join(sorted(error.valid_methods or ()))
            return tell(
                dialect,
                request,
                NotAllowed(f"this path takes {allow}", allow=allow),
            )
        return tell(dialect, request, dialect.unknown_path("no such path"))

    @app.handle_errors(CloudError)
    def cloud_error(request: IRequest, failure: Failure) -> bytes:
        error = failure.value
        assert isinstance(error, CloudError)
        return tell(dialect, request, error)

    @app.handle_errors(Exception)
    def unexpected(request: IRequest, failure: Failure) -> bytes:
        if failure.check(CancelledError) is None:
            _log.failure("{path} failed", failure, path=shown(request.uri))
        return tell(dialect, request, CloudError("internal error"))

    return app


def tell(dialect: Dialect, request: IRequest, error: CloudError) -> bytes:
    """Set status and headers for ``error`` and return the fault's body."""
    fault = dialect.fault(error)
    body = dialect.render(fault, error.message, error.details, _ident(request))
    if isinstance(error, Unavailable):
        # who looks after the cloud must learn it too
        _log.warn(
            "answered {status}: {why}",
            status=fault.status,
            why=error.message,
            request_id=_ident(request),
        )
    request.setResponseCode(fault.status, _phrase(fault.status))
    headers = {
        **dialect.headers,
        **_fault_headers(dialect, fault, error),
        "Content-Type": dialect.fault_content_type,
        "Content-Length": str(len(body)),
    }
    for name, value in headers.items():
        request.setHeader(name.encode(), value.encode())
    return body


def _phrase(status: int) -> bytes:
    """What stands behind ``status`` in the first line of an answer."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _fault_headers(
    dialect: Dialect, fault: Fault, error: CloudError
) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if "allow" in error.details:
        headers["Allow"] = str(error.details["allow"])
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, Unauthorized):
        headers.update(dialect.unauthorized_headers)
    return headers


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


def write_head(
    request: IRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Set status and headers of an answer; twisted.web's own type is no default."""
    request.setResponseCode(status)
    if "Content-Type" not in headers:
        request.responseHeaders.removeHeader("content-type")
    if status not in (204, 304):
        headers = {"Content-Length": str(len(body)), **headers}
    for name, value in headers.items():
        request.setHeader(name.encode(), value.encode())


def token_of(request: IRequest) -> str | None:
    """The token that a request presents, or None; a header wins over a session.

    :raises Forbidden: a session's cookie without its CSRF token.
    """
    value = request.getHeader("x-auth-token")
    if isinstance(value, str) and value:
        return value
    return guarded_session(request)


def _ident(request: IRequest) -> str:
    """The request's id, also outside of its scope: a body is read before it."""
    told = request.responseHeaders.getRawHeaders(b"X-Openstack-Request-Id")
    return told[0].decode() if told else request_id()

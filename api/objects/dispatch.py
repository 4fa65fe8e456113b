"""One resource for all paths of a mount: parse, authenticate, call, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import field, frozen
from msgspec import Struct
from twisted.web.http_headers import Headers
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from zope.interface import implementer

from api.answers import write_head
from api.dispatch import Authenticator, Served
from api.objects import headers as http
from api.objects.listing import Format, Listing
from api.objects.paths import Target, all_arguments, target
from api.objects.streams import Streaming, streamed
from api.operations import STREAMED, Answer, Dialect, Operation, Streamed
from snfd.errors import (
    CloudError,
    Invalid,
    NotAllowed,
    NotImplementedHere,
    RangeUnsatisfiable,
)
from snfd.identity.model import Caller
from snfd.observe import request_id

Result = Answer[bytes | None] | Streamed

TEMPLATES = {
    "top": "/",
    "account": "/{prefix}<account>",
    "container": "/{prefix}<account>/<container>",
    "object": "/{prefix}<account>/<container>/<object>",
}
FORMS = (Format.TEXT.content_type, Format.XML.content_type)
SEGMENTS = {"account": UUID, "container": str, "object": str}


@frozen(eq=False)
class Call:
    """A request to object storage.

    :ivar args: the query string, last value of each key.
    :ivar stream: what a streamed body has become, with what its opener
        decided; None if the body was not streamed.
    """

    request: Any
    caller: Caller
    target: Target
    args: Mapping[str, str]
    stream: Streaming | None = None

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        found: Headers = self.request.requestHeaders
        return found

    def header(self, name: str) -> str | None:
        """One of the request's headers, or None."""
        return http.one(self.headers, name)

    def flag(self, name: str) -> bool:
        """Whether a key is there, with a value or without."""
        return name in self.args


Handler = Callable[[Call], Awaitable[Result]]


@frozen(eq=False)
class Route:
    """What answers one method at one level.

    :ivar reply: type of the JSON answer, ``bytes``, or None for no body.
    :ivar also: further statuses, each with the type of its body.
    :ivar query: keys of the query string that the handler looks at.
    :ivar accepts: content types of bodies, each with the type of its content.
    """

    level: str
    method: str
    handler: Handler
    reply: Any = None
    status: int = 200
    also: Mapping[int, Any] = field(factory=dict)
    query: type[Struct] | None = None
    accepts: Mapping[str, Any] = field(factory=dict)

    def operation(self, prefix: str) -> Operation:
        """How it is described in OpenAPI."""
        path = TEMPLATES[self.level].format(prefix=prefix)
        doc = (self.handler.__doc__ or "").partition("\n\n")[0]
        return Operation(
            method=self.method,
            path=path,
            status=self.status,
            body=None,
            query=self.query,
            auth=True,
            raw=True,
            also=self.also,
            summary=doc.replace("\n", " "),
            name=f"{self.level} {self.method}",
            reply=self.reply,
            segments={
                name: kind for name, kind in SEGMENTS.items() if f"<{name}>" in path
            },
            accepts=self.accepts,
            forms=FORMS if self.query is Listing else (),
            kind="*/*",
        )


@implementer(IResource)
class ObjectsResource(Served):
    """Serves ``routes``; a failure of any kind becomes a fault.

    :param prefix: stands before an account's uuid in a path.
    :param bad_path: raised for a path that cannot be one.
    :param query_token: whether a GET may carry its token in the query.
    """

    def __init__(
        self,
        dialect: Dialect,
        authenticator: Authenticator,
        routes: Sequence[Route],
        *,
        prefix: str = "",
        bad_path: type[CloudError] = Invalid,
        query_token: bool = False,
    ) -> None:
        operations = tuple(route.operation(prefix) for route in routes)
        Served.__init__(self, dialect, operations)
        self._authenticator = authenticator
        self._routes = {(route.level, route.method): route for route in routes}
        self._bad_path = bad_path
        self._query_token = query_token

    def render(self, request: IRequest) -> Any:
        """Answer ``request``, now or later."""
        request.setHeader(b"X-Trans-Id", request_id().encode())
        return super().render(request)

    async def _answer(self, request: Any) -> bytes | Streamed:
        try:
            found = target(request.uri, len(request.prepath))
        except Invalid as error:
            raise self._bad_path(error.message) from None
        args = arguments(request)
        stream = await streamed(request)
        if stream is None:
            caller = await self._authenticator(self._token(request, args))
        else:
            caller = stream.opened.caller
        route = self._route(found.level, request.method.decode("ascii", "replace"))
        result = await route.handler(Call(request, caller, found, args, stream))
        if isinstance(result, Streamed):
            return STREAMED
        body = result.body or b""
        headers = {**self.dialect.headers, **result.headers}
        write_head(request, result.status or 200, headers, body)
        return body

    def _route(self, level: str, method: str) -> Route:
        found = self._routes.get((level, method))
        if found is None:
            allow = ", ".join(sorted(one for at, one in self._routes if at == level))
            raise NotAllowed(f"this path takes {allow}", allow=allow)
        return found

    def _token(self, request: Any, args: Mapping[str, str]) -> str | None:
        sent = token(request.requestHeaders)
        if sent is None and self._query_token and request.method == b"GET":
            return args.get("X-Auth-Token")
        return sent

    def _failed(self, error: Exception, request: Any) -> bytes | Streamed:
        if isinstance(error, RangeUnsatisfiable) and not request.startedWriting:
            size = error.details.get("size", "*")
            request.setHeader(b"Content-Range", f"bytes */{size}".encode())
        return super()._failed(error, request)


def page_of(body: bytes, kind: Format, headers: Mapping[str, str]) -> Result:
    """A listing; an empty text has a status of its own."""
    status = 204 if kind is Format.TEXT and not body else 200
    return Answer(body, status, {**headers, "Content-Type": kind.content_type})


def refuse(headers: Headers, names: Sequence[str]) -> None:
    """Refuse headers whose neglect would surprise.

    :raises NotImplementedHere: one of ``names`` is there with a value.
    """
    for name in names:
        if http.one(headers, name):
            raise NotImplementedHere(f"{name} is not served by this cloud yet")


def refuse_keys(given: Container[str], names: Sequence[str]) -> None:
    """Refuse keys of the query string whose neglect would surprise.

    :raises NotImplementedHere: one of ``names`` is there.
    """
    for name in names:
        if name in given:
            raise NotImplementedHere(f"?{name} is not served by this cloud yet")


def arguments(request: Any) -> dict[str, str]:
    """The query string, last value of each key.

    :raises Invalid: not UTF-8, or with NUL.
    """
    return {key: values[-1] for key, values in all_arguments(request.uri).items()}


def token(headers: Headers) -> str | None:
    """The token that a request's headers carry, or None."""
    for name in ("x-auth-token", "x-storage-token"):
        found = http.one(headers, name)
        if found:
            return found
    scheme, _, value = (http.one(headers, "authorization") or "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None

"""Operations: methods that answer one method and path, described by types.

A handler states what it takes and gives by its annotations; decoding,
authentication, encoding, faults and the OpenAPI document follow from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from re import findall, sub
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args, get_origin

from attrs import field, frozen
from msgspec import Struct
from twisted.web.iweb import IRequest

from snfd.errors import CloudError, NotFound

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])


class Reply(Struct, forbid_unknown_fields=True):
    """Base of everything that an API answers with: a closed schema."""


class Streamed(Enum):
    """What a raw handler returns once it has finished the response itself."""

    STREAMED = "streamed"


STREAMED = Streamed.STREAMED

OWN: Literal["own"] = "own"
"""Marks a raw operation whose handler authenticates by itself.

It saves a round trip where the token is looked up together with other things.
"""

SERVICE: Literal["service"] = "service"
"""Marks an operation for other programs: its handler gets the `Component`
whose token was presented, instead of a `Caller`."""

Auth = bool | Literal["own", "service"]


@frozen
class Answer(Generic[T]):
    """A reply that needs more than the operation's usual status.

    :ivar body: a `Reply`, ``bytes``, or ``None`` for no body.
    :ivar status: HTTP status, or ``None`` for the operation's own.
    :ivar headers: set on the response, on top of the dialect's.
    """

    body: T
    status: int | None = None
    headers: Mapping[str, str] = field(factory=dict)


EMPTY: Answer[bytes] = Answer(b"", headers={"Content-Type": "application/octet-stream"})
"""No body where its clients expect 200; it says the type that is described."""


class Fault(NamedTuple):
    """How a dialect tells one class of errors: HTTP status and fault name."""

    status: int
    name: str


@frozen(eq=False)
class Dialect:
    """What is common to all operations of one dialect.

    :ivar faults: a fault for every `CloudError`; a subclass that is not
        listed is told as its nearest listed base.
    :ivar render: (fault, message, details, request id) → body.
    :ivar fault_body: the type whose schema ``render`` obeys.
    :ivar unknown_path: raised where no operation has the path.
    :ivar bad_segment: raised where a path segment is not of its type.
    :ivar json_only: whether a body must be declared ``application/json``.
    :ivar before: looks at a request before its operation; returns headers
        for the response (microversions) or raises a `CloudError`.
    """

    name: str
    title: str
    faults: Mapping[type[CloudError], Fault]
    render: Callable[[Fault, str, Mapping[str, object], str], bytes]
    fault_body: Any
    unknown_path: type[CloudError] = NotFound
    bad_segment: type[CloudError] = NotFound
    json_only: bool = False
    content_type: str = "application/json"
    fault_content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    unauthorized_headers: Mapping[str, str] = field(factory=dict)
    before: Callable[[IRequest], Mapping[str, str]] = lambda request: {}

    def fault(self, error: CloudError) -> Fault:
        """The fault of ``error``, by its class or the nearest base."""
        for kind in type(error).__mro__:
            if kind in self.faults:
                return self.faults[kind]
        return Fault(HTTPStatus.INTERNAL_SERVER_ERROR, "internalServerError")


@frozen(eq=False)
class Operation:
    """One method on one path, as its handler's annotations describe it.

    :ivar path: as Klein takes it, ``/servers/<server>``.
    :ivar body: type of the request's JSON body, or ``None``.
    :ivar query: type of the query string, or ``None``.
    :ivar reply: type of the response's body, ``bytes``, or ``None``.
    :ivar auth: whether it needs a token; `OWN` if its handler looks at that,
        `SERVICE` if it must be a component's.
    :ivar head: whether the path of a GET answers HEAD, too.
    :ivar also: further statuses, each with the type of its body.
    :ivar accepts: bodies that a raw handler reads by itself: content types,
        each with the type of what is in it.
    :ivar forms: further content types of the reply, as text.
    :ivar kind: content type of a reply of ``bytes``.
    """

    method: str
    path: str
    status: int
    body: Any
    query: Any
    auth: Auth
    raw: bool
    also: Mapping[int, Any]
    summary: str
    name: str
    reply: Any
    segments: Mapping[str, Any]
    accepts: Mapping[str, Any] = field(factory=dict)
    forms: Sequence[str] = ()
    kind: str = "application/octet-stream"
    head: bool = True

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it, ``/servers/{server}``."""
        return sub(r"<(?:[^<>:]*:)?([^<>:]+)>", r"{\1}", self.path)


def operation(
    method: str,
    path: str,
    *,
    body: Any = None,
    query: Any = None,
    status: int = 200,
    auth: Auth = True,
    raw: bool = False,
    also: Mapping[int, Any] | None = None,
    accepts: Mapping[str, Any] | None = None,
    head: bool = True,
) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of ``method`` on ``path``.

    The handler gets ``caller`` first (unless ``auth`` is false or `OWN`; for
    `SERVICE` it is the component), then
    the path's segments by name, then ``body`` and ``query``, and ``request`` if
    ``raw``. Several marks on one method give it several paths.
    """

    def mark(handler: Handler) -> Handler:
        marked: list[Operation] = handler.__dict__.setdefault("operations", [])
        marked.append(
            _described(
                handler,
                method=method,
                path=path,
                status=status,
                body=body,
                query=query,
                auth=auth,
                raw=raw,
                also=also or {},
                accepts=accepts or {},
                head=head,
            )
        )
        return handler

    return mark


def operations_of(api: object) -> Sequence[tuple[Operation, Callable[..., Any]]]:
    """Every operation of ``api``, with the bound method that handles it."""
    return [(one, getattr(api, name)) for one, name in operations_in(type(api))]


def operations_in(kind: type) -> Sequence[tuple[Operation, str]]:
    """Every operation that a class marks, with the name of its handler."""
    return [
        (one, name)
        for name, member in inspect.getmembers_static(kind)
        if inspect.isfunction(member)
        for one in getattr(member, "operations", ())
    ]


def _described(handler: Callable[..., Any], **given: Any) -> Operation:
    hints = inspect.get_annotations(
        handler,
        eval_str=True,
        locals={"caller": None},
    )
    names = findall(r"<(?:[^<>:]*:)?([^<>:]+)>", given["path"])
    missing = [name for name in names if name not in hints]
    if missing:
        raise TypeError(f"{handler.__qualname__} takes no {', '.join(missing)}")
    doc = inspect.getdoc(handler) or ""
    return Operation(
        **given,
        summary=doc.split("\n\n", 1)[0].replace("\n", " "),
        name=handler.__qualname__,
        reply=_body_type(hints.get("return")),
        segments={name: hints[name] for name in names},
    )


def _body_type(annotation: Any) -> Any:
    """The body's type in a handler's return annotation."""
    if get_origin(annotation) is Answer:
        return _body_type(get_args(annotation)[0])
    if annotation in (None, type(None), Streamed):
        return None
    if get_origin(annotation) is None or annotation is bytes:
        return annotation
    members = [part for part in get_args(annotation) if part is not Streamed]
    if len(members) < len(get_args(annotation)):
        return _body_type(members[0]) if members else None
    return annotation

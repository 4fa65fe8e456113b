"""What operators see: JSON logs with request ids, and metrics."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from functools import lru_cache
from random import getrandbits
from typing import IO, Any

import msgspec
from attrs import define, field
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)
from zope.interface import implementer

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_client: ContextVar[Callable[[], str]] = ContextVar("client", default=str)
_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode
_quick = msgspec.json.Encoder().encode
_PLAIN = frozenset((str, int, float, bool, type(None)))
"""What both encoders write alike; all else becomes text, never its fields."""

_OWN = ("log_", "isError", "time", "message", "system", "format", "failure", "why")


def new_request_id() -> str:
    """A fresh id in OpenStack's form, ``req-<uuid>``; it is no secret."""
    digits = f"{getrandbits(128):032x}"
    return (
        f"req-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}"
        f"-a{digits[17:20]}-{digits[20:]}"
    )


def request_id() -> str:
    """Id of the request being answered, or an empty string outside of one."""
    return _request_id.get()


def client_address() -> str:
    """Where the request being answered comes from, or an empty string."""
    return _client.get()()


@define(eq=False)
class RequestScope:
    """Whatever is started inside belongs to the request ``ident``.

    :ivar client: looks up the address that it comes from, once somebody asks.
    """

    ident: str
    client: Callable[[], str] = str
    _before: tuple[Token[str], Token[Callable[[], str]]] = field(init=False)

    def __enter__(self) -> None:
        self._before = _request_id.set(self.ident), _client.set(self.client)

    def __exit__(self, *raised: object) -> None:
        ident, client = self._before
        _request_id.reset(ident)
        _client.reset(client)


@implementer(ILogObserver)
@define(eq=False)
class JsonObserver:
    """Writes one JSON object per event: time, level, message, fields.

    :ivar out: a text file; each line is flushed.
    """

    out: IO[str]

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write ``event``; a value that is no JSON is written as text."""
        line: dict[str, Any] = {
            "time": _iso(event.get("log_time")),
            "level": getattr(event.get("log_level"), "name", "info"),
            "from": event.get("log_namespace", ""),
            "message": _message(event),
        }
        ident = request_id()
        if ident:
            line["request_id"] = ident
        for name, value in event.items():
            if name not in line and not _is_own(name):
                line[name] = value
        failure = event.get("log_failure")
        if failure is not None:
            line["error"] = failure.getErrorMessage()
            line["traceback"] = failure.getTraceback()
        plain = _PLAIN.issuperset(map(type, line.values()))
        self.out.write((_quick(line).decode() if plain else _encode(line)) + "\n")
        self.out.flush()


def json_observer(out: IO[str], level: str = "info") -> ILogObserver:
    """Events of ``level`` and above as JSON lines on ``out``."""
    quiet = LogLevelFilterPredicate(LogLevel.levelWithName(level))
    for chatty in ("twisted.web", "txaio", "log_legacy"):
        quiet.setLogLevelForNamespace(chatty, LogLevel.warn)
    return FilteringLogObserver(JsonObserver(out), [_Remembering(quiet)])


@implementer(ILogFilterPredicate)
@define(eq=False)
class _Remembering:
    """What a predicate says of a namespace's events of one level, asked once."""

    _predicate: LogLevelFilterPredicate
    _known: dict[tuple[object, object], object] = field(init=False, factory=dict)

    def __call__(self, event: Mapping[str, Any]) -> Any:
        key = event.get("log_namespace"), event.get("log_level")
        if key not in self._known:
            self._known[key] = self._predicate(dict(event))
        return self._known[key]


@define(eq=False)
class Metrics:
    """Figures of the whole process, in Prometheus's terms.

    :ivar registry: what ``/metrics`` shows; other parts add their own.
    """

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.requests = Counter(
            "snfd_requests",
            "Answers by dialect, method and status.",
            ("dialect", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "snfd_request_seconds",
            "Time from a request's last header to its answer's last byte.",
            ("dialect",),
            registry=self.registry,
        )

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Show ``read()`` as ``snfd_<name>`` whenever somebody looks."""
        gauge = Gauge(f"snfd_{name}", help_text, registry=self.registry)
        gauge.set_function(read)


def quiet_libraries() -> None:
    """Keep libraries' own loggers from writing past ours."""
    logging.getLogger().addHandler(logging.NullHandler())


@lru_cache(maxsize=1024)
def _is_own(name: str) -> bool:
    """Whether a field is the logger's, not the event's."""
    return name.startswith(_OWN)


def _message(event: Mapping[str, Any]) -> str:
    try:
        return str(event["log_format"].format_map(event))
    except Exception:
        # what only Twisted understands, such as a call in a format
        return formatEvent(dict(event))


def _iso(when: object) -> str:
    if not isinstance(when, float):
        return ""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")

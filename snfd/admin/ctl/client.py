"""Talks to ``/admin/v1``: over the daemon's socket, or as a cloud's user."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from attrs import field, frozen

from snfd.admin.ctl.problems import NO_DAEMON, USAGE, Problem, refusal
from snfd.admin.socket import SocketPlace

PREFIX = "/admin/v1"
SECONDS = 60.0
"""How long to wait for any part of an answer."""

Connect = Callable[[], http.client.HTTPConnection]


@frozen
class Client:
    """Sends requests, one connection for each.

    :ivar connect: makes a connection.
    :ivar headers: sent with every request.
    :ivar where: what is talked to, in words.
    """

    connect: Connect
    where: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    prefix: str = PREFIX

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        """The decoded answer; None where it has no body.

        :param query: None values are left out.
        :raises Problem: it was refused, or nobody answers.
        """
        asked = {k: _text(v) for k, v in (query or {}).items() if v is not None}
        target = self.prefix + path + (f"?{urlencode(asked)}" if asked else "")
        status, raw = self._exchange(method, target, body)
        try:
            told = json.loads(raw) if raw else None
        except ValueError:
            told = raw.decode(errors="replace")
        if not 200 <= status < 300:
            raise refusal(status, told)
        return told

    def items(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Everything in a list, page after page."""
        marker: str | None = None
        while True:
            page = self.call("GET", path, {**query, "marker": marker})
            yield from page["items"]
            marker = page["next"]
            if marker is None:
                return

    def _exchange(self, method: str, target: str, body: Any) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", **self.headers}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection = self.connect()
            try:
                connection.request(method, target, data, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise self._away(error, method) from None

    def _away(self, error: Exception, method: str) -> Problem:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        hint = _hint(error)
        if not hint and method != "GET":
            hint = "it may have been done all the same: look before you ask again"
        return Problem(NO_DAEMON, f"no answer from {self.where}: {why}", hint)


def segment(value: object) -> str:
    """``value`` as a part of a path.

    :raises Problem: it is empty; the path would be that of all there are.
    """
    if not str(value).strip():
        raise Problem(
            USAGE, "a name or number is empty", "is a variable of your script not set?"
        )
    return quote(str(value), safe="@")


def over_socket(var: Path) -> Client:
    """A client of the daemon whose data directory is ``var``."""
    place = SocketPlace(var)
    return Client(lambda: _UnixConnection(place), str(place.path))


def over_http(url: str, token: str, context: ssl.SSLContext | None) -> Client:
    """A client of the cloud whose pages and APIs are below ``url``."""
    parts = urlsplit(url)
    return Client(
        lambda: web(url, context),
        url,
        {"X-Auth-Token": token},
        parts.path.rstrip("/") + PREFIX,
    )


def web(url: str, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A connection to the host of ``url``.

    :param context: how its certificate is checked; None for the usual way.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=SECONDS)
    chosen = context or ssl.create_default_context()
    return http.client.HTTPSConnection(
        host, parts.port, timeout=SECONDS, context=chosen
    )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the daemon's socket."""

    def __init__(self, place: SocketPlace) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._place = place

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock: socket.socket = self._place.connected(SECONDS)


def _hint(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return (
            "is the daemon running? SNFD_VAR, or --config FILE, says where its data "
            "is; 'snfctl --cloud NAME' talks to one elsewhere"
        )
    if isinstance(error, PermissionError):
        return "only root and the daemon's own user may; others use --cloud NAME"
    return ""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

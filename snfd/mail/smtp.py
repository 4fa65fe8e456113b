"""Letters by SMTP (RFC 5321): one connection, one letter after the other.

Twisted's client greets, secures the connection and logs in; what follows is
said here, because it must be known exactly how far a letter came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import connectionDone
from twisted.mail.smtp import (
    CramMD5ClientAuthenticator,
    ESMTPClient,
    LOGINAuthenticator,
    PLAINAuthenticator,
    SMTPClientError,
)
from twisted.python.failure import Failure

from snfd.errors import Unavailable
from snfd.mail.port import Go, Parcel, Verdict
from snfd.mail.states import Outcome

MAX_LINES = 100
"""Lines of one answer; a server that says more is left."""

MAX_REASON = 500
"""Characters of an answer that are kept."""

_OURS = (530, 534, 535, 538)
"""Refusals that concern our login, or us, and not the letter (RFC 4954, 6)."""

_ANY = range(1000)
_GOOD = range(200, 300)


@frozen
class Terms:
    """How to speak with a server.

    :ivar secure: STARTTLS is a must (it has no meaning on a TLS connection).
    :ivar username: empty: no login.
    :ivar timeout: seconds that an answer may take, and all from greeting to login.
    :ivar patience: seconds that the answer to a whole letter may take. RFC 5321
        (4.5.3.2.6) wants 600, lest letters arrive twice.
    """

    identity: str = ""
    trust: IOpenSSLClientConnectionCreator | None = None
    secure: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 60.0
    patience: float = 600.0


class _Lost(Exception):
    """The connection is gone, or must go."""


class SmtpConnection(ESMTPClient):
    """A `Connection`; use `snfd.mail.courier.SmtpCourier` to have one.

    :param clock: the reactor.
    """

    debug = False  # its notes would hold passwords and letters
    transport: Any
    timeout: Any
    _expected: Any

    def __init__(self, clock: Any, terms: Terms) -> None:
        super().__init__(terms.password.encode() or None, terms.trust, terms.identity)  # type: ignore[no-untyped-call]
        self.requireTransportSecurity = terms.secure
        self.requireAuthentication = bool(terms.username)
        self.callLater = clock.callLater  # type: ignore[method-assign]
        self.timeout = terms.timeout
        self.ready: Deferred[SmtpConnection] = Deferred(lambda _: self._drop("stopped"))
        self._terms = terms
        self._extensions: frozenset[bytes] = frozenset()
        self._answer: Deferred[tuple[int, str]] | None = None
        self._why = ""
        self._open = True
        self._over: Deferred[None] = Deferred()
        user = terms.username.encode()
        for way in (CramMD5ClientAuthenticator, PLAINAuthenticator, LOGINAuthenticator):
            self.registerAuthenticator(way(user))  # type: ignore[no-untyped-call]

    # what Twisted's client calls

    def connectionMade(self) -> None:
        """Greet; a host without a full name gives its address (4.1.3)."""
        if b"." not in self.identity:
            host = self.transport.getHost().host
            ip6 = "IPv6:" if ":" in host else ""
            self.identity = f"[{ip6}{host}]".encode()
        super().connectionMade()  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """One line of an answer."""
        if len(self.resp) >= MAX_LINES:
            self._drop("the mail server does not come to an end")
            return
        super().lineReceived(line)  # type: ignore[no-untyped-call]

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line without an end."""
        self._drop("the mail server does not come to an end")

    def esmtpState_serverConfig(self, code: int, resp: bytes) -> None:
        """Note what the server can do."""
        words = (line.split() for line in resp.splitlines())
        self._extensions = frozenset(found[0].upper() for found in words if found)
        super().esmtpState_serverConfig(code, resp)  # type: ignore[no-untyped-call]

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:
        """Trust nothing that came before the connection was secure."""
        if self.clearLineBuffer():  # type: ignore[no-untyped-call]
            self._drop("the mail server, or somebody between, spoke before TLS")
            return
        super().esmtpState_starttls(code, resp)  # type: ignore[no-untyped-call]

    def smtpState_from(self, code: int, resp: bytes) -> None:
        """Greeted, secured, logged in: letters may come."""
        self._limit(None)
        if not self.ready.called:
            self.ready.callback(self)

    def sendError(self, exc: Exception) -> None:
        """No letter can be sent by this connection."""
        told = str(exc)
        if isinstance(exc, SMTPClientError):
            told = _said(exc.code, exc.resp)
        self._drop(told)

    def timeoutConnection(self) -> None:
        """The server fell silent."""
        self._drop("the mail server did not answer in time")

    def resetTimeout(self) -> None:
        """No: an answer that comes drop by drop must not take for ever."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Gone."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        told = reason.getErrorMessage()
        if not reason.check(ConnectionClosed):
            told = f"{type(reason.value).__name__}: {told}"
        self._over.callback(None)
        self._lost(self._why or told)

    # what the sender calls

    @property
    def usable(self) -> bool:
        """See `Connection.usable`."""
        return self._open

    async def send(self, parcel: Parcel, go: Go) -> Verdict:
        """See `Connection.send`."""
        try:
            if ours := await self._introduced(parcel):
                return ours
            refused = await self._recipient(parcel)
            if refused is None:
                refused = await self._ask(b"DATA", (354,))
        except _Lost as lost:
            return Verdict(Outcome.LATER, str(lost))
        if refused is not None:
            return await self._refused(refused)
        if not await self._may(go):
            return Verdict(Outcome.UNTRIED)
        try:
            refused = await self._ask(
                stuffed(parcel.data) + b".", _GOOD, self._terms.patience
            )
        except _Lost as lost:
            return Verdict(Outcome.DOUBTFUL, str(lost))
        if refused is not None:
            return await self._refused(refused)
        return Verdict(Outcome.TAKEN)

    async def close(self) -> None:
        """See `Connection.close`."""
        if self._open and self._answer is None:
            self._open = False
            self.timeout = min(self._terms.timeout, 5.0)
            self._disconnectFromServer()  # type: ignore[no-untyped-call]
            self._limit(self.timeout)
        else:
            self._drop("stopped")
        await self._over

    async def _introduced(self, parcel: Parcel) -> Verdict | None:
        """Name the sender; a verdict if it ends there."""
        wide = not (parcel.to + parcel.sender).isascii()
        if wide and b"SMTPUTF8" not in self._extensions:
            told = "553 the mail server takes no addresses beyond ASCII"
            return Verdict(Outcome.REFUSED, told)
        more = b" SMTPUTF8 BODY=8BITMIME" if wide else b""
        line = b"MAIL FROM:<" + parcel.sender.encode() + b">" + more
        refused = await self._ask(line, _GOOD)
        return None if refused is None else await self._refused(refused, us=True)

    async def _recipient(self, parcel: Parcel) -> tuple[int, str] | None:
        return await self._ask(b"RCPT TO:<" + parcel.to.encode() + b">", _GOOD)

    async def _may(self, go: Go) -> bool:
        """Ask ``go``; unless it says yes, what was begun is torn off."""
        allowed = False
        try:
            allowed = await go()
        finally:
            if not allowed:
                self._drop("a letter was not to be sent")
        return allowed

    async def _refused(self, refused: tuple[int, str], us: bool = False) -> Verdict:
        """What a refusal means.

        :param us: whether a final one means us, not the letter.
        """
        code, text = refused
        if code in _OURS or (us and code >= 500):
            self._drop(text)
            return Verdict(Outcome.UNTRIED, text)
        try:
            if code == 421:
                self._drop(text)
            elif await self._ask(b"RSET", _GOOD) is not None:
                self._drop("the mail server does not forget a letter")
        except _Lost:
            pass  # the letter's fate is known; `usable` tells the rest
        return Verdict(Outcome.REFUSED if code >= 500 else Outcome.LATER, text)

    async def _ask(
        self, line: bytes, good: Sequence[int], seconds: float | None = None
    ) -> tuple[int, str] | None:
        """Say something; None for a good answer, else the answer.

        :raises _Lost: there was none, or one that makes no sense.
        """
        if not self._open:
            raise _Lost(self._why)
        answer: Deferred[tuple[int, str]] = Deferred()
        self._answer = answer
        self._expected = _ANY
        self._okresponse = self._failresponse = self._answered
        self.sendLine(line)  # type: ignore[no-untyped-call]
        self._limit(seconds or self._terms.timeout)
        code, text = await answer
        if code in good:
            return None
        if code < 400:
            self._drop(f"the mail server makes no sense: {text}")
            raise _Lost(self._why)
        return code, text

    def _limit(self, seconds: float | None) -> None:
        self.setTimeout(seconds)  # type: ignore[no-untyped-call]

    def _answered(self, code: int, resp: bytes) -> None:
        self._limit(None)
        self._expected = ()
        self._okresponse = self._failresponse = self._unasked
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.callback((code, _said(code, resp)))

    def _unasked(self, code: int, resp: bytes) -> None:
        self._drop(_said(code, resp))

    def _drop(self, why: str) -> None:
        self._why = self._why or why
        self._limit(None)
        if self.transport is not None and not self._over.called:
            self.transport.abortConnection()
        self._lost(self._why)

    def _lost(self, why: str) -> None:
        self._open = False
        self._why = self._why or why
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.errback(_Lost(self._why))
        if not self.ready.called:
            self.ready.errback(Unavailable(f"mail server: {self._why}"))


def stuffed(data: bytes) -> bytes:
    """``data`` as it stands between ``DATA`` and the last dot (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)


def _said(code: int, resp: bytes | str) -> str:
    text = resp if isinstance(resp, str) else resp.decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return (f"{code} {line}" if code >= 0 else line)[:MAX_REASON]

"""What all pages of logging in share: who is there, and where he goes next."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping

import msgspec
from attrs import frozen
from twisted.web.iweb import IRequest

from api import cookies
from api.addresses import Peers
from api.doors import OPEN, Door
from api.operations import Answer
from api.session import closed, opened
from api.ui.paper import Forms, Link, going, plain
from snfd.clock import Seconds
from snfd.errors import Unauthorized, Unavailable
from snfd.identity.model import Caller, Issued
from snfd.identity.service import Authenticator
from snfd.logins.redirects import Redirects, plus_query
from snfd.logins.wired import WebLogin
from snfd.sealed import Sealer

HOME = "/ui/"
PROFILE = "/ui/profile"
TERMS = "/ui/approval_terms"
PATH = "/ui/login"

LASTS = 600
"""How long a login that goes on may take, in seconds."""


@frozen(eq=False, kw_only=True)
class PageContext:
    """The services of logging in, and shorthands over them.

    :ivar door: how many new accounts are opened from one address.
    :ivar origin: our base URL, without a trailing slash.
    :ivar service: what the cloud is called.
    """

    weblogin: WebLogin
    authenticator: Authenticator
    forms: Forms
    sealer: Sealer
    clock: Seconds
    peers: Peers
    door: Door = OPEN
    origin: str
    service: str

    @property
    def redirects(self) -> Redirects:
        """Where browsers may be sent."""
        return self.weblogin.redirects

    async def caller(self, request: IRequest) -> Caller | None:
        """Whose session the browser has, for what changes nothing."""
        secret = cookies.session_of(request)
        if secret is None:
            return None
        try:
            return await self.authenticator(secret)
        except Unauthorized:
            return None

    async def must_sign(self, request: IRequest) -> bool:
        """Whether the session is good but for terms of service, unsigned."""
        secret = cookies.session_of(request)
        if secret is None or await self.caller(request) is not None:
            return False
        try:
            await self.authenticator.signer(secret)
        except Unauthorized:
            return False
        return True

    async def deliberate(self, request: IRequest) -> Caller | None:
        """The same, unless another site sent the browser here."""
        if request.getHeader("sec-fetch-site") in ("cross-site", "same-site"):
            return None
        return await self.caller(request)

    def in_person(self, request: IRequest) -> bool:
        """Whether somebody came by himself, or from a page of ours.

        Browsers that do not say so may have been sent by another site.
        """
        return request.getHeader("sec-fetch-site") in ("none", "same-origin")

    async def log_out(self, request: IRequest) -> None:
        """End the browser's session, if it has one."""
        caller = await self.caller(request)
        if caller is not None:
            await self.weblogin.sessions.logout(caller)
        if cookies.session_of(request) is not None:
            cookies.put(request, closed(self.weblogin.secure))

    def address(self, request: IRequest) -> str:
        """Where the request comes from."""
        return self.peers.address(request)

    def login_url(self, next_: str) -> str:
        """The login page that leads on to ``next_``."""
        return plus_query(f"{PATH}", next=next_)

    def let_in(
        self, request: IRequest, session: Issued, next_: str, *, form: bool = True
    ) -> Answer[bytes]:
        """Give the browser its session and send it on.

        :param form: whether the answer is one to a form; browsers hold what it
            leads to against the page's policy, so a page of its own leads there.
        """
        cookies.put(request, opened(session, self.weblogin.secure))
        to = self.redirects.or_else(next_, HOME)
        if form and not to.startswith("/ui/"):
            return self.onward(to)
        return going(to)

    def onward(self, to: str) -> Answer[bytes]:
        """A page that leads on at once."""
        return plain(
            self.service, text="Going on …", onward=to, links=[Link(to, "Go on")]
        )

    def remember(self, request: IRequest, name: str, told: Mapping[str, str]) -> None:
        """Let the browser carry ``told``, which it cannot read, for a while."""
        until = str(self.clock.seconds() + LASTS)
        plain_text = msgspec.json.encode({**told, "until": until})
        sealed = self.sealer.seal(plain_text, "browser", "cookie", name)
        text = urlsafe_b64encode(sealed).rstrip(b"=").decode()
        cookies.put(request, self._cookie(name, text, LASTS))

    def recall(self, request: IRequest, name: str) -> Mapping[str, str] | None:
        """What the browser carries, if it is ours and not too old."""
        full = cookies.named(f"snfd_{name}", self.weblogin.secure)
        text = cookies.cookie_of(request, full)
        if text is None:
            return None
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            plain_text = self.sealer.open(sealed, "browser", "cookie", name)
            told = msgspec.json.decode(plain_text, type=dict[str, str])
        except (Base64Error, ValueError, Unavailable, msgspec.MsgspecError):
            return None
        return told if float(told["until"]) > self.clock.seconds() else None

    def forget(self, request: IRequest, name: str) -> None:
        """Have the browser carry it no longer."""
        cookies.put(request, self._cookie(name, "", 0))

    def _cookie(self, name: str, text: str, seconds: int) -> str:
        secure = self.weblogin.secure
        return cookies.made(f"snfd_{name}", text, secure=secure, seconds=seconds)

"""OAuth2 for programs that people let act for them (``/oauth2``).

Source: ``spec/astakos.md`` §2.9.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from attrs import evolve
from msgspec import Struct
from twisted.web.iweb import IRequest

from api.dispatch import Served, build
from api.forms import FORM, form_of
from api.operations import Answer, Fault, Reply, operation
from api.synnefo.faults import DIALECT as SYNNEFO
from api.synnefo.faults import FAULTS
from api.ui.context import TERMS, PageContext
from api.ui.paper import HEADERS, HTML, Link
from snfd.logins.handoff import TOKEN_LASTS, OAuth2, Refused
from snfd.logins.handoff_model import Wish as Asked
from snfd.logins.redirects import plus_query

HERE = "/oauth2/auth"


class Problem(Reply):
    """What is wrong: OAuth2's word, and ours."""

    error: str
    exception: str


class Wish(Struct):
    """What a program wants; ``response_type`` is ``code``.

    A request's first line bounds them all.
    """

    response_type: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    scope: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""

    @property
    def here(self) -> str:
        """The address to come back to, once somebody has logged in."""
        given = msgspec.structs.asdict(self)
        return plus_query(HERE, **{name: one for name, one in given.items() if one})


class TokenForm(Struct):
    """Body of ``POST /token``; the client is told by HTTP Basic."""

    grant_type: str
    code: str
    redirect_uri: str = ""
    client_id: str = ""
    code_verifier: str = ""


class TokenReply(Reply):
    """A token; ``expires_in`` seconds."""

    access_token: str
    token_type: str
    expires_in: int


class OAuth2Api:
    """Asks people, and gives programs codes and tokens."""

    def __init__(self, context: PageContext, oauth2: OAuth2) -> None:
        self._context = context
        self._oauth2 = oauth2

    @operation("GET", "/auth", auth=False, raw=True, query=Wish, head=False)
    async def ask(self, request: IRequest, query: Wish) -> Answer[bytes]:
        """Ask somebody whether he lets a program act for him."""
        wish = await self._wish(query)
        caller = await self._context.caller(request)
        if caller is None:
            signs = await self._context.must_sign(request)
            page = plus_query(TERMS, next=query.here)
            return _going(page if signs else self._context.login_url(query.here))
        if wish.client.trusted:
            return _going(_back(wish, code=await self._oauth2.grant(caller, wish)))
        asked = self._context.forms.answer(
            request,
            f"Let {wish.client.name} act for you?",
            text=f"You are {caller.username}. It will read and change what is yours.",
            button="Allow",
            links=[Link(_back(wish, error="access_denied"), "Do not allow")],
        )
        return evolve(asked, headers={**HEADERS, **asked.headers})

    @operation("POST", "/auth", auth=False, raw=True, query=Wish)
    async def allow(self, request: IRequest, query: Wish) -> Answer[bytes]:
        """Let the program act for whoever is logged in."""
        self._context.forms.read(request)
        wish = await self._wish(query)
        caller = await self._context.caller(request)
        if caller is None:
            return _going(self._context.login_url(query.here))
        to = _back(wish, code=await self._oauth2.grant(caller, wish))
        page = self._context.onward(to)
        return evolve(page, headers={**HEADERS, **page.headers})

    @operation(
        "POST",
        "/token",
        auth=False,
        raw=True,
        accepts={FORM: TokenForm},
    )
    async def token(self, request: IRequest) -> TokenReply:
        """Give a program a token for its code."""
        given = form_of(request)
        if given.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "grant_type: authorization_code")
        client, secret = _client(request, given)
        made = await self._oauth2.token(
            client,
            secret,
            given.get("code", "")[:512],
            given.get("redirect_uri", ""),
            given.get("code_verifier", "")[:512],
        )
        return TokenReply(made, "Bearer", int(TOKEN_LASTS.total_seconds()))

    async def _wish(self, query: Wish) -> Asked:
        if query.response_type != "code":
            raise Refused("unsupported_response_type", "response_type: code")
        return await self._oauth2.wish(
            query.client_id,
            query.redirect_uri,
            query.scope,
            query.state,
            query.code_challenge,
            query.code_challenge_method,
        )


def resource(context: PageContext) -> Served:
    """Everything below ``/oauth2``."""
    return build(
        OAUTH2, context.authenticator, OAuth2Api(context, context.weblogin.oauth2)
    )


def _render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    word = "server_error" if fault.status >= 500 else "invalid_request"
    return msgspec.json.encode(Problem(str(details.get("error", word)), message))


OAUTH2 = evolve(
    SYNNEFO,
    title="OAuth2",
    faults={
        kind: fault if fault.status >= 500 or fault.status in (405, 429) else
        Fault(400, fault.name)
        for kind, fault in FAULTS.items()
    },
    render=_render,
    fault_body=Problem,
)  # fmt: skip
"""OAuth2's faults: one word of its own, and 400 for all that is the client's."""


def _back(wish: Asked, **answer: str) -> str:
    state = {"state": wish.state} if wish.state else {}
    return plus_query(wish.redirect, **answer, **state)


def _client(request: IRequest, given: Mapping[str, str]) -> tuple[str, str | None]:
    """Which program it says it is, and its secret if it has one.

    :raises Refused: it does not say.
    """
    kind, _, text = (request.getHeader("authorization") or "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, colon, secret = b64decode(text, validate=True).decode().partition(":")
        except (Base64Error, ValueError):
            name, colon, secret = "", "", ""
        if not colon or "\0" in unquote(name):
            raise Refused("invalid_client", "the client must log in by HTTP Basic")
        return unquote(name)[:512], unquote(secret)[:512]
    if not given.get("client_id"):
        raise Refused("invalid_client", "the client must log in by HTTP Basic")
    return given["client_id"][:512], None


def _going(url: str) -> Answer[bytes]:
    headers = {**HEADERS, "Location": url, "Content-Type": HTML}
    return Answer(b"", status=302, headers=headers)

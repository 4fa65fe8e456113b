"""An OpenID provider that lies on demand; a real one is used beside it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site


class Provider(Resource):
    """Listens on loopback; every attribute changes what it says.

    :ivar claims: what is different in an ID token; None leaves a claim out.
    :ivar signing: how the ID token is signed.
    :ivar manners: whose they are; ``linkedin`` takes no verifier.
    :ivar userinfo: what it tells besides the ID token.
    :ivar fault: what happens instead of an answer with metadata.
    """

    isLeaf = True

    def __init__(self, reactor: Any) -> None:
        Resource.__init__(self)
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.bearer = self.manners = ""
        self.signing = "right"
        self.fault = ""
        self.redirect = False
        self.nonce = ""
        self.form: dict[str, str] = {}
        self.authorization = ""
        self.new_key()
        self._open: list[Request] = []
        self._port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")
        self.issuer = f"http://127.0.0.1:{self._port.getHost().port}"

    def new_key(self) -> None:
        """Sign with another key from now on."""
        self.key = ECKey.generate_key("P-256", {"kid": str(time.monotonic())})

    def stop(self) -> Deferred[Any]:
        """Listen no longer."""
        for request in self._open:
            if request.channel is not None:
                request.channel.forceAbortClient()
        done: Deferred[Any] = self._port.stopListening()
        return done

    def render(self, request: Request) -> Any:
        path = request.path.decode()
        if path == "/.well-known/openid-configuration":
            return self._described(request)
        if path == "/token":
            return self._token(request)
        if path == "/keys":
            return msgspec.json.encode({"keys": [self.key.as_dict(private=False)]})
        if path == "/me":
            self.bearer = request.getHeader("authorization") or ""
            return msgspec.json.encode(self.userinfo)
        request.setResponseCode(404)
        return b"{}"

    def _described(self, request: Request) -> Any:
        if self.redirect:
            request.redirect(f"{self.issuer}/elsewhere".encode())
            return b"{}"
        if self.fault:
            return self._broken(request)
        return msgspec.json.encode(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/login",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.metadata,
            }
        )

    def _broken(self, request: Request) -> Any:
        if self.fault == "no json":
            return b"<html>"
        if self.fault == "list":
            return b"[1]"
        if self.fault == "500":
            request.setResponseCode(500)
            return b'{"issuer": "x"}'
        if self.fault == "huge":
            return b'"' + b"x" * 1_000_000 + b'"'
        self._open.append(request)
        request.notifyFinish().addErrback(lambda _: None)
        if self.fault == "endless":
            request.write(b"[" + b"1," * 1000)
        if self.fault == "lost":
            request.write(b"[")
            request.channel.forceAbortClient()
        return NOT_DONE_YET

    def _token(self, request: Request) -> bytes:
        self.form = dict(parse_qsl(_body(request)))
        self.authorization = request.getHeader("authorization") or ""
        if self.manners == "linkedin" and "code_verifier" in self.form:
            request.setResponseCode(401)
            return b'{"error": "invalid_client"}'
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": "snfd",
            "sub": "anna-1",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        signed = self._signed(told)
        return msgspec.json.encode({"id_token": signed, "access_token": "opened"})

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "ES256", "kid": self.key.kid}
        if self.signing == "none":
            return jwt.encode({"alg": "none"}, claims, self.key, ["none"])
        if self.signing == "shared":
            secret = OctKey.import_key("hush" * 8)
            return jwt.encode({"alg": "HS256"}, claims, secret, ["HS256"])
        if self.signing == "stranger":
            return jwt.encode(header, claims, ECKey.generate_key("P-256"), ["ES256"])
        made = jwt.encode(header, claims, self.key, ["ES256"])
        if self.signing == "garbled":
            return made[:-6] + "AAAAAA"
        return "" if self.signing == "empty" else made


def _body(request: Request) -> str:
    assert request.content is not None
    return str(request.content.read().decode())

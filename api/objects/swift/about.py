"""What the Swift dialect says of itself, and its own way to log in."""

from __future__ import annotations

from typing import Any

import msgspec
from attrs import frozen
from twisted.web.http_headers import Headers

from api.addresses import DIRECT, Peers
from api.dispatch import Authenticator, Served
from api.dispatch import build as served
from api.objects import headers as http
from api.objects.swift.accounts import PREFIX
from api.objects.swift.faults import DIALECT
from api.operations import Answer, Reply, operation
from snfd.clock import Seconds
from snfd.errors import Unauthorized
from snfd.identity.model import By, Issued, Scope, Scoping, UserRef
from snfd.identity.service import Identity
from snfd.objects.model import MAX_LISTING, MAX_UPLOAD
from snfd.objects.rules import MAX_CONTAINER, MAX_OBJECT, SWIFT_META


class SwiftInfo(Reply):
    """Bounds of object storage."""

    version: str = "2.38.0"
    max_file_size: int = MAX_UPLOAD
    max_meta_name_length: int = SWIFT_META.key
    max_meta_value_length: int = SWIFT_META.value
    max_meta_count: int = SWIFT_META.items
    max_meta_overall_size: int = SWIFT_META.total
    max_header_size: int = 8192
    max_object_name_length: int = MAX_OBJECT
    max_container_name_length: int = MAX_CONTAINER
    max_account_name_length: int = 256
    container_listing_limit: int = MAX_LISTING
    account_listing_limit: int = MAX_LISTING
    extra_header_count: int = 0
    strict_cors_mode: bool = True
    valid_api_versions: list[str] = msgspec.field(default_factory=lambda: ["v1"])
    policies: list[dict[str, str | bool]] = msgspec.field(
        default_factory=lambda: [
            {"name": "Policy-0", "aliases": "Policy-0", "default": True}
        ]
    )


class Info(Reply):
    """All features; what is not named is not served."""

    swift: SwiftInfo


@frozen(eq=False)
class InfoApi:
    """``/info``."""

    @operation("GET", "/", auth=False)
    async def info(self) -> Info:
        """Bounds and features."""
        return Info(SwiftInfo())


@frozen(eq=False)
class LoginApi:
    """``/auth/v1.0``.

    :ivar storage: URL in front of ``AUTH_<uuid>``, without a slash at its end.
    """

    _identity: Identity
    _clock: Seconds
    _storage: str
    _peers: Peers

    @operation("GET", "/", auth=False, raw=True, status=200)
    async def login(self, request: Any) -> Answer[None]:
        """Trade a name and a password for a token."""
        user, scope, password = credentials(request.requestHeaders)
        address = self._peers.address(request)
        issued = await self._identity.login(user, password, scope, address=address)
        return Answer(None, 200, self._headers(issued))

    def _headers(self, issued: Issued) -> dict[str, str]:
        token = issued.token
        left = int(token.expires.timestamp() - self._clock.seconds())
        return {
            "X-Auth-Token": issued.secret,
            "X-Storage-Token": issued.secret,
            "X-Auth-Token-Expires": str(max(0, left)),
            "X-Storage-Url": f"{self._storage}/{PREFIX}{token.project.uuid}",
            "Cache-Control": "no-store",
        }


def credentials(headers: Headers) -> tuple[UserRef, Scope, str]:
    """Who logs in: ``user`` or ``project:user``, and his password.

    :raises Unauthorized: something is missing.
    """
    name = http.one(headers, "x-auth-user") or http.one(headers, "x-storage-user")
    key = http.one(headers, "x-auth-key") or http.one(headers, "x-storage-pass")
    if not name or not key:
        raise Unauthorized("X-Auth-User and X-Auth-Key are needed")
    project, colon, user = name.rpartition(":")
    scope = Scope(Scoping.PROJECT, project) if colon else Scope(Scoping.DEFAULT)
    return UserRef(user, By.ANY), scope, key


def build_info(authenticator: Authenticator) -> Served:
    """What is mounted on ``/info``."""
    return served(DIALECT, authenticator, InfoApi())


def build_login(
    identity: Identity,
    clock: Seconds,
    authenticator: Authenticator,
    storage: str,
    peers: Peers = DIRECT,
) -> Served:
    """What is mounted on ``/auth/v1.0``."""
    return served(DIALECT, authenticator, LoginApi(identity, clock, storage, peers))

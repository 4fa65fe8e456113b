"""Values and pure rules of the registry.

Source: ``spec/astakos.md`` §1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from attrs import frozen

from snfd.errors import Invalid
from snfd.quota.model import CLIENTKEY

MAX_NAME = 255
MAX_URL = 2000
MIN_TOKEN, MAX_TOKEN = 22, 1024

EXPOSE = "SNF:exposeVersion"
"""Key of an endpoint: whether its URL is to end in its version."""

Scalar = str | int | float | bool | None
Endpoint = Mapping[str, Scalar]
"""One endpoint as it was published: at least ``versionId`` and ``publicURL``."""


@frozen
class Component:
    """A program that offers services and may charge quota.

    :ivar name: also the ``clientkey`` of its commissions.
    :ivar base_url: without a trailing slash; None for none.
    :ivar ui_url: its pages; None for none.
    :ivar has_token: whether it can present itself at all.
    :ivar expires: when its token ends; None for never.
    """

    id: int
    name: str
    base_url: str | None
    ui_url: str | None
    created: datetime
    has_token: bool
    token_created: datetime | None
    expires: datetime | None


@frozen
class Service:
    """Something that a component offers.

    :ivar builtin: whether it is this daemon's own.
    """

    name: str
    type: str
    component: str
    endpoints: Sequence[Endpoint]
    builtin: bool
    ui_url: str | None = None


@frozen
class Own:
    """A service of this daemon.

    :ivar base_url: of its component.
    :ivar url: of itself, version included.
    """

    component: str
    base_url: str
    name: str
    type: str
    version: str
    url: str

    @property
    def endpoint(self) -> Endpoint:
        """Its one endpoint, as components publish theirs."""
        return {"versionId": self.version, "publicURL": self.url, EXPOSE: True}


def check_name(name: str) -> str:
    """``name`` if a component may have it.

    :raises Invalid: not 1 to 255 printable characters without spaces, or kept
        for this daemon's own charges.
    """
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or " " in name:
        raise Invalid(f"a component's name has 1 to {MAX_NAME} characters, no spaces")
    if name == CLIENTKEY:
        raise Invalid(f"the name {CLIENTKEY!r} is kept for this daemon itself")
    return name


def check_url(url: str | None, what: str) -> str | None:
    """``url`` without its trailing slashes; None and empty mean none.

    :raises Invalid: it is not an absolute http(s) URL without query.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname is not None
        sound = sound and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or len(url) > MAX_URL or not url.isascii() or not url.isprintable():
        raise Invalid(f"{what} must be an absolute http(s) URL")
    if parts.query or parts.fragment or " " in url:
        raise Invalid(f"{what} must have no query, fragment or spaces")
    return url.rstrip("/")


def check_token(token: str) -> str:
    """``token`` if an administrator may choose it.

    :raises Invalid: it is too short to be a secret, too long, or no header value.
    """
    sound = token.isascii() and token.isprintable() and " " not in token
    if not sound or not MIN_TOKEN <= len(token) <= MAX_TOKEN:
        raise Invalid(
            f"a component's token has {MIN_TOKEN} to {MAX_TOKEN} printable ASCII "
            "characters, no spaces"
        )
    return token


def joined(base: str, prefix: str, version: str) -> str:
    """The URL of a service: its component's base, prefix and version."""
    parts = (base.rstrip("/"), prefix.strip("/"), version.strip("/"))
    return "/".join(part for part in parts if part)

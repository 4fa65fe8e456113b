"""Settings of a login by OpenID Connect, and of well-known providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from snfd.errors import Invalid
from snfd.logins.settings import LoginTable

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "google": {
        "name": "google",
        "title": "Google",
        "issuer": "https://accounts.google.com",
        "issuers": ["accounts.google.com"],
        "origins": [
            "https://oauth2.googleapis.com",
            "https://www.googleapis.com",
            "https://openidconnect.googleapis.com",
        ],
    },
    "linkedin": {
        "name": "linkedin",
        "title": "LinkedIn",
        "issuer": "https://www.linkedin.com/oauth",
        "origins": ["https://www.linkedin.com", "https://api.linkedin.com"],
        "client_auth": "post",
        "nonce": False,
        "pkce": False,
    },
    "keycloak": {"name": "keycloak", "title": "Keycloak", "groups_claim": "groups"},
}
"""Settings of well-known providers; a table's own win."""


class OpenIdTable(LoginTable, frozen=True, kw_only=True):
    """A ``[[login]]`` table of the kind ``oidc``.

    :ivar preset: one of `PRESETS`.
    :ivar issuer: exactly as the provider writes it.
    :ivar issuers: other names that its ID tokens may give it.
    :ivar origins: what we may ask besides the issuer's own origin.
    :ivar client_auth: how the token endpoint is told our secret.
    :ivar nonce: whether the provider repeats it, as it should.
    :ivar pkce: whether a code is bound to our login (RFC 7636); LinkedIn refuses
        clients that do it, unless it enabled it for them.
    :ivar groups_claim: claim that lists a person's groups; empty for none.
    :ivar tls_ca: file with the CA certificate of a private provider.
    :ivar timeout: of one request to the provider, in seconds.
    """

    issuer: str
    client_id: str
    preset: str = ""
    client_secret: str = ""
    client_secret_file: str = ""
    scopes: list[str] = msgspec.field(
        default_factory=lambda: ["openid", "email", "profile"]
    )
    issuers: list[str] = []
    origins: list[str] = []
    client_auth: Literal["basic", "post", "none"] = "basic"
    nonce: bool = True
    pkce: bool = True
    groups_claim: str = ""
    tls_ca: str = ""
    timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0


def with_preset(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """``table`` with what its preset says, where it says nothing itself.

    :raises Invalid: there is no such preset.
    """
    name = table.get("preset", "")
    if name and name not in PRESETS:
        raise Invalid(f"no preset {name!r}; there are: {', '.join(PRESETS)}")
    return {**PRESETS.get(name, {}), **table}

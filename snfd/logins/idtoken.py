"""ID tokens: whether one is a provider's, for us, and of this login; pure.

Source: OpenID Connect Core 1.0 §3.1.3.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from snfd.logins.model import same

LEEWAY = 60
"""How wrong the provider's clock may be, in seconds."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
              "ES512", "EdDSA", "Ed25519")  # fmt: skip
"""Signatures by a provider's own key; neither ``none`` nor a shared one."""


def signed(text: str, keys: KeySet) -> Mapping[str, Any]:
    """The claims of a token that one of ``keys`` signed.

    :raises JoseError: or ValueError: none did.
    """
    return jwt.decode(text, keys, ALGORITHMS).claims


def check(
    claims: Mapping[str, Any],
    issuers: Sequence[str],
    client: str,
    nonce: str,
    *,
    now: int,
    repeated: bool = True,
) -> None:
    """Pass if the claims are of our provider, for us, now, for this login.

    :param issuers: names by which the provider goes.
    :param nonce: what was sent along with this login.
    :param now: seconds since 1970.
    :param repeated: whether the provider must repeat the nonce.
    :raises JoseError: or ValueError: they are not.
    """
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY,
        iss={"essential": True, "values": list(issuers)},
        aud={"essential": True, "value": client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    registry.validate(dict(claims))
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != client:
        raise ValueError("it is for somebody else")
    given = claims.get("nonce")
    if (given is not None or repeated) and not same(str(given), nonce):
        raise ValueError("it is of another login")

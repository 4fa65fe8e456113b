"""What an OpenID provider's claims say of a person; pure.

Sources: OpenID Connect Core 1.0 §5.1, §5.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snfd.errors import Unauthorized
from snfd.logins.model import MAX_IDENTIFIER, Claims
from snfd.logins.openid_table import OpenIdTable
from snfd.logins.settings import Field

ATTRIBUTES: Mapping[Field, str] = {
    "email": "email",
    "first_name": "given_name",
    "last_name": "family_name",
}
VERIFIED = "email_verified"
YES = (True, "true")
"""LinkedIn and some others write a string."""


def words(table: OpenIdTable) -> Mapping[Field, str]:
    """Our fields, and the provider's words for them."""
    return {**ATTRIBUTES, **table.attributes}


def complete(table: OpenIdTable, told: Mapping[str, Any]) -> bool:
    """Whether all that is wanted is told, so that nobody need be asked for more."""
    wanted = [*words(table).values(), table.groups_claim or "sub", VERIFIED]
    return all(word in told for word in wanted)


def joined(token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Mapping[str, Any]:
    """What both tell; the signed token wins, and nothing of another person counts.

    An address and whether it is verified are of the same source.
    """
    if userinfo.get("sub") != token["sub"]:
        return token
    told = {**userinfo, **token}
    if VERIFIED in token and "email" in token:
        return told
    verified = userinfo.get(VERIFIED)
    told[VERIFIED] = verified if told.get("email") == userinfo.get("email") else False
    return told


def claims_of(table: OpenIdTable, told: Mapping[str, Any]) -> Claims:
    """The claims as every method gives them.

    :raises Unauthorized: they do not say who it is.
    """
    subject = told["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_IDENTIFIER:
        raise Unauthorized(f"{table.method.title} did not say who you are")
    fields: dict[str, str] = {
        name: told[word]
        for name, word in words(table).items()
        if isinstance(told.get(word), str)
    }
    # it speaks of the claim "email", which another may stand in for
    verified = told.get(VERIFIED) in YES and "email" in fields
    return Claims(
        subject,
        fields,
        verified and fields["email"] == told.get("email"),
        _groups(table, told),
        frozenset(table.groups.values()),
    )


def _groups(table: OpenIdTable, told: Mapping[str, Any]) -> frozenset[str] | None:
    if not table.groups_claim or not table.groups:
        return None
    theirs = told.get(table.groups_claim)
    names: Sequence[Any] = theirs if isinstance(theirs, list) else []
    return frozenset(ours for word, ours in table.groups.items() if word in names)

"""Tokens and sessions."""

from __future__ import annotations

from snfd.admin.ctl.nouns.people import WHO
from snfd.admin.ctl.verbs import Noun, Param, Verb

OF = Param("user", "Only what is this user's: uuid, username or e-mail.")

_TOKENS = ("id", "user", "kind", "label", "project", "expires", "last_used")

TOKEN = Noun(
    "token",
    "What programs present to act as a user.",
    (
        Verb(
            "list",
            "GET",
            "/tokens",
            "List tokens that are good; their secrets are nowhere.",
            "--user alice",
            options=(OF,),
            columns=_TOKENS,
        ),
        Verb(
            "create",
            "POST",
            "/users/{user}/tokens",
            "Make a token for a user; its secret is told only now.",
            "alice --label backup --expires 2030-01-01T00:00:00Z",
            (WHO,),
            (
                Param("label", "What it is for."),
                Param(
                    "expires", "When it ends; else as late as may be.", metavar="TIME"
                ),
                Param("project", "The one project that it is good for."),
            ),
        ),
        Verb(
            "revoke",
            "DELETE",
            "/users/{user}/tokens/{token}",
            "End one token of a user.",
            "alice 1Hq-X5lVlsh9Ho8Q6NG2MA",
            (WHO, Param("token", "its id, from the list")),
        ),
        Verb(
            "revoke-all",
            "DELETE",
            "/users/{user}/tokens",
            "End all tokens and sessions of a user.",
            "alice --yes",
            (WHO,),
            warning="End everything that {user} is logged in by?",
        ),
    ),
)

SESSION = Noun(
    "session",
    "Browsers that are logged in.",
    (
        Verb(
            "list",
            "GET",
            "/sessions",
            "List sessions of browsers.",
            "--user alice",
            options=(OF,),
            columns=("id", "user", "created", "expires", "last_used"),
        ),
        Verb(
            "end",
            "DELETE",
            "/users/{user}/sessions/{session}",
            "End one session of a user's browser.",
            "alice 1Hq-X5lVlsh9Ho8Q6NG2MA",
            (WHO, Param("session", "its id, from the list")),
        ),
    ),
)

"""Users, groups, tokens and sessions."""

from __future__ import annotations

from snfd.admin.ctl.verbs import Noun, Param, Verb, choice, yes_no

WHO = Param("user", "a user's uuid, username or e-mail")
OF = Param("user", "Only what is this user's: uuid, username or e-mail.")

USER = Noun(
    "user",
    "People who use the cloud.",
    (
        Verb(
            "list",
            "GET",
            "/users",
            "List users, in the order in which they came.",
            "--moderation pending -c email,joined",
            options=(
                yes_no("active", "Only those who can, or cannot, log in."),
                yes_no("verified", "Only those whose e-mail is, or is not, verified."),
                choice(
                    "moderation",
                    "Only those of whom an administrator thought so.",
                    "pending",
                    "accepted",
                    "rejected",
                ),
                Param("group", "Only members of this group."),
                Param("method", "Only those who have this kind of login: local, ldap."),
                Param("search", "Only those whose name or e-mail holds this text."),
            ),
            columns=("uuid", "username", "email", "name", "status", "groups"),
        ),
        Verb(
            "show",
            "GET",
            "/users/{user}",
            "Show all about a user, and his projects.",
            "alice@example.org",
            (WHO,),
            parts={"projects": ("uuid", "project", "role", "state")},
        ),
    ),
)

GROUP = Noun(
    "group",
    "Groups of users; 'admin', 'helpdesk' and 'admin-readonly' have rights.",
    (
        Verb(
            "list",
            "GET",
            "/groups",
            "List groups, and how many users are in each.",
            "",
            columns=("name", "members"),
        ),
    ),
)

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
    ),
)

"""What happens in the daemon: letters, the audit trail."""

from __future__ import annotations

from snfd.admin.ctl.verbs import Noun, Param, Verb, choice

MAIL = Noun(
    "mail",
    "Letters to users and staff.",
    (
        Verb(
            "list",
            "GET",
            "/mails",
            "List letters, newest first; never what they say.",
            "--state failed -c id,to,last_error",
            options=(
                choice(
                    "state",
                    "Only those in this state.",
                    "new",
                    "sending",
                    "sent",
                    "failed",
                ),
                Param("to", "Only those to this address."),
            ),
            columns=("id", "kind", "to", "state", "attempts", "created", "last_error"),
        ),
    ),
)

AUDIT = Noun(
    "audit",
    "Who changed what.",
    (
        Verb(
            "list",
            "GET",
            "/audit",
            "List who did what, newest first.",
            "--target user:8d0f2a52-3c41-4f0e-9d7b-2f1f0f6f3f11 --most 20",
            options=(
                Param("actor", "Only what he did: username or uuid; root, snfd."),
                Param("action", "Only such: user.deactivate, or all of user."),
                Param("target", "Only to this: user:UUID, project:UUID."),
            ),
            columns=("at", "actor", "action", "target", "details"),
        ),
    ),
)

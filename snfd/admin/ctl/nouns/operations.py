"""What happens in the daemon: letters, the audit trail."""

from __future__ import annotations

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice

LETTER = Param("mail", "its number, from the list", COUNT)

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
        Verb(
            "retry",
            "POST",
            "/mails/{mail}/retry",
            "Have a letter that waits tried at once.",
            "17",
            (LETTER,),
        ),
        Verb(
            "give-up",
            "POST",
            "/mails/{mail}/give-up",
            "Have a letter tried no more, and what it says forgotten.",
            "17 --reason 'wrong address' --yes",
            (LETTER,),
            (Param("reason", "Why."),),
            warning="Never send letter {mail}?",
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
                Param("since", "Only from then on.", metavar="TIME"),
                Param("until", "Only before.", metavar="TIME"),
            ),
            columns=("at", "actor", "action", "target", "details"),
        ),
    ),
)

DOCTOR = Noun(
    "doctor",
    "Whether all is well.",
    (
        Verb(
            "run",
            "GET",
            "/doctor",
            "Run every check that there is; it prints nothing but a headline if all is"
            " well.\n\nWhat is not is told with what to do about it, and by status 8."
            " Nothing is changed.",
            "-c what,how,remedy",
            columns=("check", "what", "how", "remedy"),
            findings=True,
        ),
    ),
)

STATS = Noun(
    "stats",
    "Figures.",
    (
        Verb(
            "show",
            "GET",
            "/stats",
            "Tell how many users there are, and what they use.",
            "-o json",
        ),
    ),
)

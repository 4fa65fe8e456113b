"""Users and groups."""

from __future__ import annotations

from snfd.admin.ctl.files import text_of
from snfd.admin.ctl.importing import import_users
from snfd.admin.ctl.verbs import Noun, Param, Verb, choice, flag, yes_no

WHO = Param("user", "a user's uuid, username or e-mail")

SHOWN = {"projects": ("uuid", "project", "role", "state")}
REASON = Param("reason", "Why; whom it concerns is told.")


def _decided(
    name: str, text: str, example: str, *, reason: bool = False, warning: str = ""
) -> Verb:
    return Verb(
        name,
        "POST",
        f"/users/{{user}}/{name}",
        text,
        example,
        (WHO,),
        (REASON,) if reason else (),
        parts=SHOWN,
        warning=warning,
    )


DECISIONS = (
    _decided("verify", "Vouch for a user's e-mail address.", "alice@example.org"),
    Verb(
        "send-verification",
        "POST",
        "/users/{user}/send-verification",
        "Send a user another letter that lets him verify his address.",
        "alice@example.org",
        (WHO,),
    ),
    _decided("accept", "Let a user in who is verified and waits.", "alice@example.org"),
    _decided(
        "reject",
        "Turn a user away who waits; he may be accepted later.",
        "mallory@example.org --reason 'not one of ours'",
        reason=True,
    ),
    _decided(
        "deactivate",
        "Keep a user out.\n\n"
        "His tokens end; his projects and memberships are suspended until he is"
        " activated.",
        "alice --reason 'left the institute' --yes",
        reason=True,
        warning="Deactivate {user}, and suspend all that he owns?",
    ),
    _decided(
        "activate",
        "Let a user in again, with all that his deactivation suspended.",
        "alice",
    ),
    Verb(
        "remove-second-factor",
        "DELETE",
        "/users/{user}/second-factor",
        "Ask a user for no one-time codes any more.\n\n"
        "For people who lost what makes the codes, and their recovery codes. Be sure"
        " who asks: from then on the password alone lets in.",
        "alice --yes",
        (WHO,),
        warning="Let {user} in by the password alone?",
    ),
    Verb(
        "close",
        "POST",
        "/users/{user}/close",
        "Close an account for good and forget the person; only his uuid stays.",
        "alice --yes",
        (WHO,),
        (flag("force", "Even if he still owns or uses something."),),
        parts=SHOWN,
        warning="Close the account of {user} for good?",
    ),
    Verb(
        "remove",
        "DELETE",
        "/users/{user}",
        "Remove an account that was never accepted.",
        "mallory@example.org --yes",
        (WHO,),
        warning="Remove the account of {user}?",
    ),
)

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
                flag("closed", "Also accounts that were closed."),
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
            parts=SHOWN,
        ),
        Verb(
            "add",
            "POST",
            "/users",
            "Make a user, who may log in at once.\n\n"
            "The cloud makes a password and tells it, unless one is given; with"
            " --waiting he must verify his address and be accepted like others:"
            " 'user send-verification' sends him the link.",
            "alice@example.org Alice Liddell --group helpdesk",
            (
                Param("email", "his address"),
                Param("first_name", "his first name"),
                Param("last_name", "his last name"),
            ),
            (
                Param("username", "What he logs in with, besides the e-mail."),
                Param("affiliation", "Where he belongs."),
                Param("groups", "A group to be in.", many=True, spelled="group"),
                flag("waiting", "Wait for verification and moderation."),
                flag("signed", "He agreed to the terms of service elsewhere."),
            ),
            asks="password",
        ),
        Verb(
            "import",
            "POST",
            "/users",
            "Make the users of a CSV file.\n\n"
            "Its first line names columns: email, and any of first_name, last_name,"
            " username, affiliation, groups (separated by blanks), waiting, signed"
            " (yes or no). Rows that are refused are told, and the others made; the"
            " passwords that the cloud makes are printed.",
            "users.csv -o csv",
            (Param("file", "the CSV file, or - for standard input"),),
            columns=("line", "email", "uuid", "password", "problem"),
            run=import_users,
        ),
        Verb(
            "modify",
            "PATCH",
            "/users/{user}",
            "Change a user's names.",
            "alice --last-name Hargreaves",
            (WHO,),
            (
                Param("first_name", "First name."),
                Param("last_name", "Last name."),
                Param("username", "What he logs in with; empty for the e-mail."),
                Param("affiliation", "Where he belongs; empty for nowhere."),
            ),
            parts=SHOWN,
        ),
        Verb(
            "email",
            "PUT",
            "/users/{user}/email",
            "Give a user another e-mail address, which you vouch for.\n\n"
            "He is told at the old one.",
            "alice alice@example.com",
            (WHO, Param("email", "the new address")),
            parts=SHOWN,
        ),
        Verb(
            "password",
            "PUT",
            "/users/{user}/password",
            "Give a user another password.\n\n"
            "The cloud makes one and tells it, unless one is given. Tokens and"
            " sessions that went in with the old one end.",
            "alice --ask-password",
            (WHO,),
            asks="password",
        ),
        Verb(
            "groups",
            "PUT",
            "/users/{user}/groups",
            "Put a user into groups, and take him out of others.\n\n"
            "Members of admin may do everything, everywhere.",
            "alice --add helpdesk --remove admin",
            (WHO,),
            (
                Param("add", "A group to join; repeatable.", many=True),
                Param("remove", "A group to leave; repeatable.", many=True),
            ),
            parts=SHOWN,
        ),
        Verb(
            "default-project",
            "PUT",
            "/users/{user}/default-project",
            "Choose what a user's unscoped tokens act in.",
            "alice physics.example.org",
            (WHO, Param("project", "one of his projects, by uuid or name")),
            parts=SHOWN,
        ),
        Verb(
            "sign-terms",
            "POST",
            "/users/{user}/sign-terms",
            "Note that a user agreed to the newest terms of service elsewhere.",
            "alice",
            (WHO,),
        ),
        *DECISIONS,
        Verb(
            "contact",
            "POST",
            "/contact",
            "Send users a letter, each one of his own.",
            "notice.txt --subject 'Maintenance on Monday' --user alice --user bob",
            (
                Param(
                    "text",
                    "file with the text; - for standard input",
                    metavar="FILE",
                    shape=text_of,
                ),
            ),
            (
                Param("subject", "What it is about.", required=True),
                Param(
                    "users",
                    "To whom: uuid, username or e-mail; repeatable.",
                    many=True,
                    required=True,
                    spelled="user",
                ),
            ),
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
        Verb(
            "add",
            "POST",
            "/groups",
            "Make a group.",
            "students",
            (Param("name", "what it is called"),),
        ),
        Verb(
            "remove",
            "DELETE",
            "/groups/{group}",
            "Remove a group; its members stay.",
            "students --yes",
            (Param("group", "its name"),),
            warning="Remove the group {group}?",
        ),
    ),
)

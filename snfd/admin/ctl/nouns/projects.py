"""Projects and their members."""

from __future__ import annotations

from snfd.admin.ctl.nouns.people import REASON, WHO
from snfd.admin.ctl.verbs import (
    AMOUNT,
    COUNT,
    Noun,
    Param,
    Verb,
    choice,
    flag,
    limit_option,
    yes_no,
)

WHICH = Param("project", "a project's uuid or name")

SHOWN = {
    "application": ("number", "applicant", "state", "issued", "comments", "changes"),
    "limits": ("resource", "member", "project", "used"),
    "history": ("at", "before", "after", "actor", "reason"),
}
POLICIES = ("auto", "moderated", "closed")


PROPERTIES = (
    Param("owner", "Whose it is: uuid, username or e-mail."),
    Param("description", "What it is for."),
    Param("homepage", "URL of its home page."),
    Param("ends", "When it ends, as 2030-01-01T00:00:00Z.", metavar="TIME"),
    choice("join_policy", "Whether people may join by themselves.", *POLICIES),
    choice("leave_policy", "Whether members may leave by themselves.", *POLICIES),
    Param("max_members", "How many members at most; inf for no limit.", AMOUNT),
    yes_no("private", "Whether others do not see it."),
    limit_option(),
    REASON,
)


def _decision(name: str, text: str, example: str, *more: Param) -> Verb:
    number = Param("application", "Its number; else the project's last.", COUNT)
    return _step(name, text, example, (number, REASON, *more))


def _life(name: str, text: str, example: str, warning: str = "") -> Verb:
    return _step(name, text, example, (REASON,), warning)


def _step(
    name: str, text: str, example: str, options: tuple[Param, ...], warning: str = ""
) -> Verb:
    return Verb(
        name,
        "POST",
        f"/projects/{{project}}/{name}",
        text,
        example,
        (WHICH,),
        options,
        parts=SHOWN,
        warning=warning,
    )


def _member(name: str, text: str) -> Verb:
    return Verb(
        f"member-{name}",
        "POST",
        f"/projects/{{project}}/members/{{user}}/{name}",
        text,
        "physics.example.org alice --reason 'as agreed'",
        (WHICH, WHO),
        (REASON,),
    )


CHANGES = (
    Verb(
        "create",
        "POST",
        "/projects",
        "Make an active project, without application; any name will do.\n\n"
        "Resources that are not mentioned have their default limits.",
        "physics --owner alice --limit cyclades.vm 2 20 --limit cyclades.ram 4G 40G",
        (Param("name", "what it is called"),),
        PROPERTIES,
        parts=SHOWN,
    ),
    Verb(
        "modify",
        "PATCH",
        "/projects/{project}",
        "Change a project, its limits and its owner, at once.",
        "physics --limit pithos.diskspace 10G 1T --join-policy closed",
        (WHICH,),
        (Param("name", "Another name."), *PROPERTIES),
        parts=SHOWN,
    ),
    _decision(
        "approve",
        "Grant the application for a project, or for changes to it.",
        "physics.example.org --reason 'welcome'",
        flag("reactivate", "Make a suspended or terminated project active, too."),
    ),
    _decision(
        "deny",
        "Refuse the application for a project, or for changes to it.",
        "physics.example.org --application 17 --reason 'too much'",
    ),
    _life(
        "suspend",
        "Have a project grant nothing until it is unsuspended.",
        "physics --reason 'unpaid' --yes",
        "Suspend {project}? Its members can use nothing of it then.",
    ),
    _life("unsuspend", "Have a suspended project grant what it did.", "physics"),
    _life(
        "terminate",
        "End a project; its name is free for others then.",
        "physics --reason 'over' --yes",
        "Terminate {project}?",
    ),
    _life("reinstate", "Bring a terminated project back.", "physics"),
    Verb(
        "expired",
        "GET",
        "/expired-projects",
        "List live projects whose end has passed: what 'expire' would end.",
        "-o json",
        columns=("uuid", "name", "ends"),
    ),
    Verb(
        "expire",
        "POST",
        "/expired-projects/terminate",
        "Terminate the projects whose end has passed, now.\n\n"
        "The daemon does so by itself every few minutes.",
        "--yes",
        warning="Terminate all projects that are past their end?",
    ),
    Verb(
        "member-add",
        "PUT",
        "/projects/{project}/members/{user}",
        "Make a user a member, whatever the policies; or change his role.\n\n"
        "A reader may look at what is in the project, and change nothing.",
        "physics alice --role reader",
        (WHICH, WHO),
        (choice("role", "What he may do.", "member", "reader"),),
    ),
    _member("accept", "Grant a request to join."),
    _member("reject", "Refuse a request to join."),
    _member("remove", "End a membership."),
    _member("suspend", "Grant a member nothing until he is unsuspended."),
    _member("unsuspend", "Grant a suspended member what he had."),
)

PROJECT = Noun(
    "project",
    "What people work in together, and what they may use there.",
    (
        Verb(
            "list",
            "GET",
            "/projects",
            "List projects; people's own ones only with --system.",
            "--state suspended -c name,owner",
            options=(
                choice(
                    "state",
                    "Only those in this state.",
                    "uninitialized",
                    "active",
                    "suspended",
                    "terminated",
                    "deleted",
                ),
                Param("owner", "Only those of this user."),
                Param("search", "Only those whose name holds this text."),
                flag("pending", "Only those with an application that waits."),
                flag("system", "People's own projects instead."),
            ),
            columns=("uuid", "name", "owner", "state", "members", "ends", "pending"),
        ),
        Verb(
            "show",
            "GET",
            "/projects/{project}",
            "Show all about a project, and what it grants.",
            "physics.example.org",
            (WHICH,),
            parts=SHOWN,
        ),
        Verb(
            "members",
            "GET",
            "/projects/{project}/members",
            "List who is, was or wants to be a member.",
            "physics.example.org --state requested",
            (WHICH,),
            (
                choice(
                    "state",
                    "Only those in this state.",
                    "requested",
                    "accepted",
                    "leave_requested",
                    "suspended",
                    "rejected",
                    "cancelled",
                    "removed",
                ),
            ),
            columns=("uuid", "username", "email", "role", "state"),
        ),
        *CHANGES,
    ),
)

"""What is counted, what may be used, and what is."""

from __future__ import annotations

from snfd.admin.ctl.repeating import until_done
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

QUOTA = Noun(
    "quota",
    "What may be used and what is.",
    (
        Verb(
            "list",
            "GET",
            "/quotas",
            "List limits and usage of every member of every project.\n\n"
            "With --whole, of projects as a whole.",
            "--user alice --resource cyclades.vm",
            options=(
                Param("user", "Only this user's."),
                Param("project", "Only in this project."),
                Param("resource", "Only of this resource."),
                flag("over", "Only where more is used than the limit."),
                flag("whole", "What all members of a project use together."),
            ),
            columns=("user", "project", "resource", "limit", "usage", "pending"),
        ),
        Verb(
            "verify",
            "POST",
            "/quotas/verify",
            "Compare limits and usage with what they must be.\n\n"
            "Nothing is put right unless it is named. Status 8 if something is wrong"
            " and was not put right.",
            "--limits --usage",
            options=(
                flag("limits", "Put limits right, and make holdings that are missing."),
                flag("unexpected", "Remove holdings that there must not be."),
                flag("usage", "Put usage right that does not fit what is pending."),
                flag("sums", "Have projects use what their members use together."),
                flag("actual", "Count servers, networks and floating IPs anew."),
                flag("force", "Remove unexpected holdings though they are used."),
            ),
            columns=("kind", "project", "user", "resource", "found", "wanted"),
            findings=True,
        ),
        Verb(
            "reconcile",
            "POST",
            "/quotas/reconcile",
            "Compare what is charged for project applications with those there are.",
            "--fix",
            options=(
                flag("fix", "Charge the differences."),
                flag("force", "Past the limits."),
            ),
            columns=("user", "usage", "counted", "skipped"),
            findings=True,
        ),
        Verb(
            "grant-all",
            "PATCH",
            "/own-projects",
            "Give the own projects of all users these limits.\n\n"
            "What new users get is set by 'resource modify'.",
            "--limit cyclades.vm 2 2 --but alice --yes",
            options=(
                limit_option(required=True),
                Param("but", "A user who keeps what he has; repeatable.", many=True),
                Param("reason", "Why."),
            ),
            warning="Change the limits of all users?",
            run=until_done,
        ),
    ),
)


def _settled(name: str, text: str) -> Verb:
    return Verb(
        name,
        "POST",
        f"/commissions/{{serial}}/{name}",
        text + "\n\nThe component that issued it should do so; only it knows.",
        "57 --yes",
        (Param("serial", "number of the commission", COUNT),),
        (flag("force", "Though a job of this daemon waits for it."),),
        warning=f"Really {name} commission {{serial}}?",
    )


COMMISSION = Noun(
    "commission",
    "Changes of usage that are not settled yet.",
    (
        Verb(
            "list",
            "GET",
            "/commissions",
            "List pending commissions, oldest first.",
            "--overdue 3600",
            options=(
                Param(
                    "overdue",
                    "Only those pending longer than this.",
                    COUNT,
                    metavar="SECONDS",
                ),
                Param("issuer", "Only those of this component."),
            ),
            columns=("serial", "issuer", "name", "issued", "age", "provisions"),
        ),
        Verb(
            "show",
            "GET",
            "/commissions/{serial}",
            "Show a pending commission and its provisions.",
            "57",
            (Param("serial", "number of the commission", COUNT),),
            parts={"provisions": ("project", "user", "resource", "quantity")},
        ),
        _settled("accept", "Settle a pending commission: what it reserves is used."),
        _settled("reject", "Call a pending commission off: nothing was used."),
        Verb(
            "resolve",
            "POST",
            "/commissions/resolve",
            "Resolve all commissions that components forgot.\n\n"
            "They are rejected, unless --accept is given. What a job of this daemon"
            " waits for is left alone.",
            "--overdue 86400 --issuer dns --yes",
            options=(
                Param(
                    "overdue",
                    "Those pending longer than this.",
                    COUNT,
                    metavar="SECONDS",
                    required=True,
                ),
                Param("issuer", "Only those of this component."),
                flag("accept", "Settle them instead."),
            ),
            warning="Resolve everything that is overdue by {overdue} s?",
        ),
        Verb(
            "log",
            "GET",
            "/settled-commissions",
            "List what commissions changed that were accepted or rejected, newest"
            " first.\n\nHow long that is remembered, [quota] keep_days says.",
            "--user alice --resource dns.zone --most 20",
            options=(
                Param("user", "Only of this user."),
                Param("project", "Only in this project."),
                Param("resource", "Only of this resource."),
                Param("issuer", "Only of this component."),
                Param("serial", "Only of this commission.", COUNT),
                choice("outcome", "Only such.", "accepted", "rejected"),
                Param("since", "Only from then on.", metavar="TIME"),
                Param("until", "Only before.", metavar="TIME"),
                flag("whole", "What changed for all members together."),
            ),
            columns=(
                "at",
                "serial",
                "issuer",
                "outcome",
                "project",
                "user",
                "resource",
                "delta",
                "usage",
                "limit",
            ),
        ),
    ),
)

RESOURCE = Noun(
    "resource",
    "What is counted: servers, memory, space.",
    (
        Verb(
            "list",
            "GET",
            "/resources",
            "List everything that is counted, with its default limits.",
            "-c name,system_default",
            columns=(
                "name",
                "service",
                "system_default",
                "project_default",
                "api_visible",
                "ui_visible",
            ),
        ),
        Verb(
            "show",
            "GET",
            "/resources/{resource}",
            "Show a resource.",
            "cyclades.vm",
            (Param("resource", "its name"),),
        ),
        Verb(
            "modify",
            "PATCH",
            "/resources/{resource}",
            "Change what future users and projects get of a resource.\n\n"
            "Limits that there are stay: see 'quota grant-all' and 'project modify'.",
            "cyclades.ram --system-default 8G --project-default 0",
            (Param("resource", "its name"),),
            (
                Param("system_default", "Limit in own projects of new users.", AMOUNT),
                Param(
                    "project_default", "Limit in new projects that do not say.", AMOUNT
                ),
                yes_no("api_visible", "Whether programs see it."),
                yes_no("ui_visible", "Whether people see it."),
            ),
        ),
    ),
)

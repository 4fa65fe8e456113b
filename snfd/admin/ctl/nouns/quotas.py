"""What is counted, what may be used, and what is."""

from __future__ import annotations

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, flag

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
    ),
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
    ),
)

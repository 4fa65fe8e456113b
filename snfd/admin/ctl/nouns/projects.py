"""Projects and their members."""

from __future__ import annotations

from snfd.admin.ctl.verbs import Noun, Param, Verb, choice, flag

WHICH = Param("project", "a project's uuid or name")

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
                flag("system", "People's own projects instead."),
            ),
            columns=("uuid", "name", "owner", "state", "members", "ends"),
        ),
        Verb(
            "show",
            "GET",
            "/projects/{project}",
            "Show all about a project, and what it grants.",
            "physics.example.org",
            (WHICH,),
            parts={"limits": ("resource", "member", "project", "used")},
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
    ),
)

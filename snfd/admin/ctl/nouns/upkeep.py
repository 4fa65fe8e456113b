"""Reconciliation, and the jobs of clusters."""

from __future__ import annotations

import click

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice, yes_no

BACKEND = Param("backend", "Only of this cluster, by name or number.")
FIXES = ("stale", "orphan", "network-orphan", "pool", "quota")
COLUMNS = ("id", "backend", "kind", "subject", "detail", "looks", "first_seen")

RECONCILE = Noun(
    "reconcile",
    "Where rows disagree with clusters, pools or quota.",
    (
        Verb(
            "run",
            "POST",
            "/findings/run",
            "Look at everything now, and tell what disagrees.\n\n"
            "What takes nothing from anybody is put right all the time, unasked."
            " Other things only if they are named here: 'stale' deletes servers whose"
            " instance is gone, 'orphan' and 'network-orphan' remove what nobody knows"
            " from clusters, 'pool' and 'quota' count anew. What is removed must have"
            " been seen twice, a minute apart, and is at most 20 of a kind. Status 8 if"
            " something disagrees and is not put right.",
            "--backend one --fix orphan",
            options=(
                BACKEND,
                Param(
                    "fix",
                    "Put such right. Repeatable.",
                    click.Choice(FIXES),
                    many=True,
                ),
            ),
            columns=COLUMNS,
            findings=True,
        ),
        Verb(
            "list",
            "GET",
            "/findings",
            "List what the last look found.",
            "--kind orphan --looks 2",
            options=(
                BACKEND,
                Param("kind", "Only such: stale, orphan, silent, quota, …"),
                Param("subject", "Only of this: server:42, network:5."),
                Param("looks", "Only what was seen so often in a row.", COUNT),
            ),
            columns=COLUMNS,
        ),
        Verb(
            "show",
            "GET",
            "/findings/{finding}",
            "Show one finding.",
            "17",
            (Param("finding", "its number, from the list", COUNT),),
        ),
    ),
)

WHICH = Param("job", "its id, from the list")

JOB = Noun(
    "job",
    "What clusters shall do, and did.",
    (
        Verb(
            "list",
            "GET",
            "/jobs",
            "List jobs, newest first.\n\nThose that have ended are kept for 30 days.",
            "--backend one --open yes",
            options=(
                BACKEND,
                choice(
                    "state",
                    "Only those in this state.",
                    *("new", "submitting", "queued", "waiting", "running"),
                    *("success", "error", "canceled", "lost"),
                ),
                Param("subject", "Only of this: server:42, network:5."),
                Param("kind", "Only such: OP_INSTANCE_CREATE."),
                yes_no("open", "Whether it has yet to end."),
            ),
            columns=(
                *("id", "backend", "kind", "subject", "state", "job", "actor"),
                *("created", "finished", "error"),
            ),
        ),
        Verb("show", "GET", "/jobs/{job}", "Show one job.", "8d0f2a52-…", (WHICH,)),
        Verb(
            "cancel",
            "POST",
            "/jobs/{job}/cancel",
            "Have a job canceled that the cluster has not begun.\n\n"
            "What waits for it, such as a server being built, fails then.",
            "8d0f2a52-3c41-4f0e-9d7b-2f1f0f6f3f11 --yes",
            (WHICH,),
            warning="Give up job {job}?",
        ),
    ),
)

"""Who may log in how, and programs that hand users on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from snfd.admin.ctl.problems import USAGE, Problem
from snfd.admin.ctl.verbs import Noun, Param, Verb, flag


def _policies(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise Problem(USAGE, f"{text!r} is no policy", "write login=no, limit=2")
        found[name] = _value(name, value)
    return found


def _value(name: str, value: str) -> Any:
    if name.endswith("_groups"):
        return [part for part in value.split(",") if part]
    if value.isdecimal():
        return int(value)
    if value.lower() in ("yes", "no", "true", "false"):
        return value.lower() in ("yes", "true")
    raise Problem(USAGE, f"{name}={value}: must be yes or no, or a number")


POLICY = Noun(
    "login-policy",
    "What holds of a login method for some users only.",
    (
        Verb(
            "list",
            "GET",
            "/login-policies",
            "List profiles by name.",
            "-o yaml",
            columns=("name", "module", "policies", "active", "users", "groups"),
        ),
        Verb(
            "set",
            "PUT",
            "/login-policies/{policy_name}",
            "Make or replace a profile, and give it to users and groups.\n\n"
            "Policies: login, create, add, remove, switch, required, automoderate,"
            " autoverify (yes or no), limit (a number), creation_groups, add_groups"
            " (names, separated by commas).",
            "students ldap --policy automoderate=yes --group students",
            (
                Param("policy_name", "what it is called", metavar="NAME"),
                Param("module", "the login method that it is about: local, ldap"),
            ),
            (
                Param(
                    "policies",
                    "A policy and its value; repeatable.",
                    many=True,
                    metavar="POLICY=VALUE",
                    shape=_policies,
                    spelled="policy",
                ),
                flag("exclusive", "It is about all methods but that one."),
                flag("inactive", "It holds for nobody, for now."),
                Param("priority", "Among several the highest decides.", click.INT),
                Param(
                    "users", "Whom it holds for; repeatable.", many=True, spelled="user"
                ),
                Param(
                    "groups",
                    "Whose members it holds for; repeatable.",
                    many=True,
                    spelled="group",
                ),
            ),
        ),
        Verb(
            "remove",
            "DELETE",
            "/login-policies/{policy_name}",
            "Remove a profile.",
            "students --yes",
            (Param("policy_name", "its name", metavar="NAME"),),
            warning="Remove the profile {policy_name}?",
        ),
    ),
)

CLIENT = Noun(
    "oauth2-client",
    "Programs that users may let act for them.",
    (
        Verb(
            "list",
            "GET",
            "/oauth2-clients",
            "List programs; never their secrets.",
            "",
            columns=("id", "name", "redirects", "trusted", "public"),
        ),
        Verb(
            "add",
            "POST",
            "/oauth2-clients",
            "Make a program known; its secret is told only now.",
            "viewer --redirect https://viewer.example.org/back",
            (Param("id", "what it calls itself"),),
            (
                Param("name", "What people call it."),
                Param(
                    "redirects",
                    "Where users are sent back to, exactly; repeatable.",
                    many=True,
                    required=True,
                    metavar="URL",
                    spelled="redirect",
                ),
                flag("trusted", "Users are not asked whether they let it."),
                flag("public", "It can keep no secret, and uses PKCE."),
            ),
        ),
        Verb(
            "remove",
            "DELETE",
            "/oauth2-clients/{client_id}",
            "Forget a program; what it was given ends.",
            "viewer --yes",
            (Param("client_id", "its id", metavar="ID"),),
            warning="Forget the program {client_id}?",
        ),
    ),
)

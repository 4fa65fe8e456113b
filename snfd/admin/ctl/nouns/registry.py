"""Components, services, terms of service."""

from __future__ import annotations

from snfd.admin.ctl.files import json_of, text_of
from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice

WHICH = Param("component_name", "a component's name", metavar="COMPONENT")
BASE = Param("base_url", "Where its services are; endpoints lie below.", metavar="URL")
UI = Param("ui_url", "Where its pages are.", metavar="URL")

COMPONENT = Noun(
    "component",
    "Programs that offer services here, or charge quota.",
    (
        Verb(
            "list",
            "GET",
            "/components",
            "List components by name.",
            "",
            columns=("name", "base_url", "ui_url", "has_token", "token_expires"),
        ),
        Verb(
            "show",
            "GET",
            "/components/{component_name}",
            "Show a component.",
            "dns",
            (WHICH,),
        ),
        Verb(
            "add",
            "POST",
            "/components",
            "Make a component; its token is told only now.",
            "dns --base-url https://dns.example.org",
            (Param("name", "what it is called"),),
            (BASE, UI),
        ),
        Verb(
            "modify",
            "PATCH",
            "/components/{component_name}",
            "Change where a component is.\n\n"
            "Its endpoints stay until its services are imported again.",
            "dns --ui-url https://dns.example.org/ui",
            (WHICH,),
            (BASE, UI),
        ),
        Verb(
            "renew-token",
            "PUT",
            "/components/{component_name}/token",
            "Give a component another token; the one before ends at once.",
            "dns --yes",
            (WHICH,),
            (Param("expires", "When it ends; else never.", metavar="TIME"),),
            warning="End the token of {component_name}, and make another?",
        ),
        Verb(
            "purge-services",
            "DELETE",
            "/components/{component_name}/services",
            "Remove all services of a component; resources and their usage stay.",
            "dns --yes",
            (WHICH,),
            warning="Remove all services of {component_name}?",
        ),
        Verb(
            "remove",
            "DELETE",
            "/components/{component_name}",
            "Remove a component with its token and services.",
            "dns --yes",
            (WHICH,),
            warning="Remove the component {component_name}?",
        ),
    ),
)

SERVICE = Noun(
    "service",
    "What components offer: the catalogs list it.",
    (
        Verb(
            "list",
            "GET",
            "/services",
            "List services by name.",
            "--component dns",
            options=(Param("component", "Only those of this component."),),
            columns=("name", "type", "component", "builtin", "urls"),
        ),
        Verb(
            "export",
            "GET",
            "/components/{component_name}/services",
            "Print the definitions of a component's services.",
            "dns -o json",
            (WHICH,),
        ),
        Verb(
            "import",
            "POST",
            "/services",
            "Register what components publish, all of it or nothing.\n\n"
            "New resources get limits in every project.",
            "definition.json",
            (
                Param(
                    "services",
                    "file with definitions, as 'export' prints them; - for standard"
                    " input",
                    metavar="FILE",
                    shape=json_of,
                ),
            ),
        ),
    ),
)

TERMS = Noun(
    "terms",
    "Terms of service, which users must sign.",
    (
        Verb(
            "list",
            "GET",
            "/terms",
            "List versions, newest first.",
            "",
            columns=("id", "issued", "enforced", "format"),
        ),
        Verb(
            "show",
            "GET",
            "/terms/{version}",
            "Show one version with its text.",
            "3",
            (Param("version", "its number", COUNT),),
        ),
        Verb(
            "add",
            "POST",
            "/terms",
            "Issue a new version, which everybody must sign.\n\n"
            "After the grace, API tokens of those who did not are refused.",
            "terms.md --format markdown --grace 604800 --yes",
            (
                Param(
                    "body",
                    "file with the text; - for standard input",
                    metavar="FILE",
                    shape=text_of,
                ),
            ),
            (
                choice("format", "What the text is.", "text", "markdown", "html"),
                Param(
                    "grace",
                    "How long tokens work on, unsigned; else as configured.",
                    COUNT,
                    metavar="SECONDS",
                ),
            ),
            warning="Have everybody sign {body}?",
        ),
    ),
)

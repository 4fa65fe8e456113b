"""The manual's page of all nouns and verbs, made of the tables.

``python -m snfd.admin.ctl.manual > docs/snfctl-verbs.rst``; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from snfd.admin.ctl.nouns import NOUNS
from snfd.admin.ctl.verbs import Noun, Param, Verb

HEAD = """.. Written by python -m snfd.admin.ctl.manual; do not edit.

Nouns and verbs of snfctl
=========================

What all commands have in common is told in :doc:`snfctl`. Each verb is one operation
of ``/admin/v1``, which is named beside it.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for noun in NOUNS for line in _noun(noun))])


def _noun(noun: Noun) -> Iterator[str]:
    yield from (noun.name, "-" * len(noun.name), "", noun.help, "")
    for verb in noun.verbs:
        yield from _verb(noun, verb)


def _verb(noun: Noun, verb: Verb) -> Iterator[str]:
    title = f"{noun.name} {verb.name}"
    yield from (title, "~" * len(title), "")
    yield from (f"``{verb.method} {verb.path}``", "")
    for paragraph in verb.help.split("\n\n"):
        yield from (paragraph, "")
    for one in verb.arguments:
        yield from (f"``{one.shown}``", f"    {_sentence(one)}", "")
    for one in verb.options:
        yield from (f"``{_spelled(one)}``", f"    {one.help}", "")
    yield from ("::", "", f"    {verb.line(noun.name)}", "")


def _sentence(one: Param) -> str:
    return one.help[0].upper() + one.help[1:] + "."


def _spelled(one: Param) -> str:
    if one.kind is None:
        return one.option
    if one.metavar:
        return f"{one.option} {one.metavar}"
    if isinstance(one.kind, click.Choice):
        return f"{one.option} {'|'.join(one.kind.choices)}"
    return f"{one.option} {one.name.upper()}"


if __name__ == "__main__":
    sys.stdout.write(page())

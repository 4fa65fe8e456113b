"""All of logging in with a browser, in one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from attrs import frozen

from snfd.errors import Invalid
from snfd.logins.handoff import OAuth2
from snfd.logins.model import LOCAL, Method
from snfd.logins.policies import LoginPolicies
from snfd.logins.port import Local, Tools, Way
from snfd.logins.redirects import Redirects
from snfd.logins.service import Logins
from snfd.logins.sessions import Sessions
from snfd.sealed import Sealer

RESERVED = frozenset({"new", "logout", "required"})
"""Names that mean other pages."""


@frozen(eq=False, kw_only=True)
class WebLogin:
    """What people do with a browser, and administrators with that.

    :ivar sealer: seals what browsers carry and must not read.
    :ivar secure: whether cookies go over TLS only.
    """

    sessions: Sessions
    logins: Logins
    policies: LoginPolicies
    oauth2: OAuth2
    redirects: Redirects
    sealer: Sealer
    secure: bool


def ways(
    tables: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, Callable[[Mapping[str, Any], Tools], Way]],
    tools: Tools,
) -> Mapping[str, Way]:
    """The configured login methods by name; our passwords unless told otherwise.

    :param kinds: what makes a method of a table of each kind.
    :raises Invalid: an unknown kind or setting, or two methods of one name.
    """
    found: dict[str, Way] = {}
    if not any(table.get("kind") == "local" for table in tables):
        tables = [{"kind": "local"}, *tables]
    for table in tables:
        kind = str(table.get("kind", ""))
        if kind not in kinds:
            near = get_close_matches(kind, kinds, 1, 0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Invalid(f"no kind of login {kind!r}{hint}")
        way = kinds[kind](table, tools)
        name = way.method.name
        if name in found or name in RESERVED:
            raise Invalid(f"two logins cannot both be called {name}")
        if kind == "local" and name != "local":
            raise Invalid("the login of kind local is called so, too")
        if way.method.policies.required and not _addable(way.method):
            raise Invalid(f"login {name} cannot be required: nobody could add it")
        found[name] = way
    return found


def _addable(method: Method) -> bool:
    """Whether somebody who lacks the method can add it to get in."""
    return method.name != LOCAL and method.policies.add and method.policies.login


def takes_passwords(found: Mapping[str, Way]) -> bool:
    """Whether our own passwords log people in."""
    return any(
        isinstance(one, Local) and one.method.policies.login for one in found.values()
    )

"""Who may change the directory of identity v3."""

from __future__ import annotations

from snfd.audit import Actor
from snfd.errors import Forbidden
from snfd.identity.model import Caller


def administrator(caller: Caller) -> Actor:
    """The caller, as the audit trail names him, if he is an administrator.

    :raises Forbidden: he is none.
    """
    if not caller.is_admin:
        raise Forbidden("only administrators may do this")
    return Actor.of(caller)

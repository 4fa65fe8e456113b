"""Accounts, projects and quotas, as kamaki and astakosclient speak them.

Everything below ``/account/v1.0``; source: ``spec/astakos.md`` §2.2–§2.6.
"""

from __future__ import annotations

from api.dispatch import (
    Authenticator,
    ComponentAuthenticator,
    Served,
    build,
)
from api.synnefo.faults import DIALECT


def resource(
    authenticator: Authenticator, *apis: object, components: ComponentAuthenticator
) -> Served:
    """All operations of ``apis``, one for each family of resources.

    :param components: who may call what is for other programs.
    """
    return build(DIALECT, authenticator, *apis, components=components)

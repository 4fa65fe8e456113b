"""The pages to which letters about accounts lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from snfd.cloud import Cloud


@implementer(IApi, IPlugin)
@frozen
class AccountPages:
    """``/ui/activate``, ``/ui/profile`` and their like."""

    kind: str = "accounts"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.dispatch import build
        from api.ui.access import AccessPages
        from api.ui.deciding import AccountDecisionPage, ProjectDecisionPage
        from api.ui.home import ProfilePage, ProjectPage, StaffPage
        from api.ui.letters import ActivatePage, AddressPage, ResetPage
        from api.ui.paper import PAGES, Paper
        from api.ui.signup import SignUpPage
        from api.ui.terms import TermsPages
        from snfd.plugins.login_pages import context

        here, accounts = context(cloud), cloud.astakos.accounts
        single: dict[str, Any] = {
            "signup": SignUpPage(here, accounts),
            "activate": ActivatePage(here, accounts),
            "password_reset": ResetPage(here, accounts),
            "email_change": AddressPage(here, accounts),
            "approval_terms": TermsPages(here, accounts.terms),
            "profile": ProfilePage(here, cloud.people),
            "api_access": AccessPages(
                here, accounts.tokens, cloud.projects, cloud.catalog
            ),
        }
        projects = cloud.astakos.projects.desk
        pages = {
            **{name: (page,) for name, page in single.items()},
            "projects": (
                ProjectPage(here, projects),
                ProjectDecisionPage(here, projects),
            ),
            "admin": (StaffPage(), AccountDecisionPage(here, accounts.moderation)),
        }
        return [
            Mount(f"/ui/{name}", "", Paper(build(PAGES, cloud.authenticator, *found)))
            for name, found in pages.items()
        ]


account_pages = AccountPages()

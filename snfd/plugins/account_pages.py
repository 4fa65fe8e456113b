"""The pages to which letters about accounts lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
        from api.ui.home import ProfilePage, ProjectPage, StaffPage
        from api.ui.letters import ActivatePage, AddressPage, ResetPage
        from api.ui.paper import PAGES, Paper
        from api.ui.signup import SignUpPage
        from api.ui.terms import TermsPages
        from snfd.plugins.login_pages import context

        here, accounts = context(cloud), cloud.astakos.accounts
        pages = {
            "signup": SignUpPage(here, accounts),
            "activate": ActivatePage(here, accounts),
            "password_reset": ResetPage(here, accounts),
            "email_change": AddressPage(here, accounts),
            "approval_terms": TermsPages(here, accounts.terms),
            "profile": ProfilePage(here, cloud.people),
            "api_access": AccessPages(
                here, accounts.tokens, cloud.projects, cloud.catalog
            ),
            "projects": ProjectPage(here, cloud.astakos.projects.desk),
            "admin": StaffPage(),
        }
        return [
            Mount(f"/ui/{name}", "", Paper(build(PAGES, cloud.authenticator, page)))
            for name, page in pages.items()
        ]


account_pages = AccountPages()

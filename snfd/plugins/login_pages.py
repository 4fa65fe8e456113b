"""The pages of logging in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from api.ui.context import PageContext
    from snfd.cloud import Cloud


def context(cloud: Cloud) -> PageContext:
    """What all pages of logging in share."""
    from api.addresses import Peers
    from api.doors import Door
    from api.ui.context import PageContext
    from api.ui.paper import Forms

    found = cloud.astakos.weblogin
    peers = Peers.of(cloud.config.identity.trusted_proxies)
    return PageContext(
        weblogin=found,
        authenticator=cloud.authenticator,
        forms=Forms(secrets.token_bytes, found.secure),
        sealer=found.sealer,
        clock=cloud.clock,
        peers=peers,
        door=Door(peers, cloud.astakos.forms),
        origin=cloud.urls.astakos,
        service=cloud.config.branding.service,
    )


@implementer(IApi, IPlugin)
@frozen
class LoginApi:
    """``/ui/login``, ``/ui/logout``, and what pages show around themselves."""

    kind: str = "login"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.dispatch import build
        from api.synnefo.faults import DIALECT
        from api.ui.login import LoginPages, LogoutPage
        from api.ui.menu import MenuApi, ServicesApi
        from api.ui.methods import MethodPages
        from api.ui.newcomers import NewcomerPages
        from api.ui.paper import PAGES, Paper
        from api.ui.required import RequiredPage

        here, who = context(cloud), cloud.authenticator

        def paper(*apis: Any) -> Any:
            return Paper(build(PAGES, who, *apis))

        menu = MenuApi(here, cloud.people)
        services = ServicesApi(cloud.urls, cloud.catalog.enabled)
        newcomers = NewcomerPages(here, cloud.astakos.accounts.terms)
        required = RequiredPage(here)
        login = LoginPages(here, signup=cloud.astakos.accounts.signup.open)
        pages = login, required, MethodPages(here), newcomers
        return [
            Mount("/ui/login", "", paper(*pages)),
            Mount("/ui/logout", "", paper(LogoutPage(here))),
            Mount("/ui/get_menu", "synnefo", build(DIALECT, who, menu)),
            Mount("/ui/get_services", "synnefo", build(DIALECT, who, services)),
        ]


login_pages = LoginApi()

"""The parts that log people in with a browser."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from twisted.plugin import getPlugins

import snfd.plugins
from snfd.config import Urls
from snfd.logins.handoff import OAuth2
from snfd.logins.model import HOST_MARK, SESSION_MARK
from snfd.logins.opening import Opening
from snfd.logins.policies import LoginPolicies
from snfd.logins.port import Tools
from snfd.logins.redirects import Redirects
from snfd.logins.required import Required
from snfd.logins.service import Logins
from snfd.logins.sessions import Sessions
from snfd.logins.wired import WebLogin, takes_passwords, ways
from snfd.plugin import ILogin

if TYPE_CHECKING:
    from snfd.accounts.wired import Accounts
    from snfd.db.port import Database
    from snfd.identity.proof import Verifier
    from snfd.wiring import Ground


def weblogin(
    ground: Ground, db: Database, verifier: Verifier, accounts: Accounts
) -> WebLogin:
    """All of them, over what stands already.

    :raises Invalid: a login method is not configured as it must be.
    """
    config, reactor = ground.config, ground.reactor
    base = Urls.of(config.urls).astakos
    secure = base.startswith("https://")
    kinds = {one.kind: one.way for one in getPlugins(ILogin, snfd.plugins)}
    tools = Tools(reactor, secrets.token_bytes, config.identity.trusted_proxies)
    found = ways(config.login, kinds, tools)
    sessions = Sessions(
        db,
        verifier,
        reactor,
        secrets.token_bytes,
        timedelta(seconds=config.identity.session_seconds),
        timedelta(seconds=config.identity.personal_seconds),
        takes_passwords(found),
        HOST_MARK if secure else SESSION_MARK,
        Required(found, f"{base}/ui/login"),
        config.identity.sessions_per_user,
        config.identity.tokens_per_user,
    )
    return WebLogin(
        sessions=sessions,
        logins=Logins(
            db,
            sessions,
            verifier,
            Opening(accounts.signup.parts),
            reactor,
            secrets.token_bytes,
            found,
            accounts.signup.parts.letters.changed,
        ),
        policies=LoginPolicies(db),
        oauth2=OAuth2(db, reactor, secrets.token_bytes),
        redirects=Redirects(base, tuple(config.identity.redirects)),
        sealer=ground.keys,
        secure=secure,
    )

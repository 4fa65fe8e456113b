"""The families of ``/account/v1.0`` by which people look after their accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from api.dispatch import Authenticator
from api.doors import OPEN, Door
from api.synnefo.account.emails import EmailsApi
from api.synnefo.account.export import ExportApi
from api.synnefo.account.passwords import PasswordsApi
from api.synnefo.account.profile import ProfileApi
from api.synnefo.account.signup import SignUpApi
from api.synnefo.account.terms import TermsApi
from api.synnefo.account.tokens import HeldTokensApi
from snfd.accounts.wired import Accounts
from snfd.identity.model import Caller


def apis(
    accounts: Accounts,
    authenticator: Authenticator,
    signer: Callable[[str | None], Awaitable[Caller]],
    door: Door = OPEN,
) -> Sequence[object]:
    """All of them.

    :param signer: says who presents a token, also where new terms of service
        lock him out.
    :param door: how many forms it takes that make others read letters.
    """
    return (
        SignUpApi(accounts.signup, door),
        ProfileApi(accounts.profiles),
        PasswordsApi(accounts.credentials, door),
        EmailsApi(accounts.emails, authenticator, door),
        TermsApi(accounts.terms, signer),
        HeldTokensApi(accounts.tokens),
        ExportApi(accounts.exports),
    )

"""All use cases of accounts in one value."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from snfd.accounts.credentials import Credentials
from snfd.accounts.editing import Editing, Groups
from snfd.accounts.emails import Emails
from snfd.accounts.export import Exports
from snfd.accounts.held import HeldTokens
from snfd.accounts.model import Rules, patterns
from snfd.accounts.moderation import Moderation
from snfd.accounts.parts import Parts
from snfd.accounts.profiles import Profiles
from snfd.accounts.service import Lifecycle
from snfd.accounts.signup import SignUp
from snfd.accounts.terms import Terms
from snfd.accounts.users import Users
from snfd.config import IdentitySection


@frozen(eq=False, kw_only=True)
class Accounts:
    """What people do with their accounts, and administrators with all.

    :ivar lifecycle: the same inside the transactions of others.
    """

    lifecycle: Lifecycle
    signup: SignUp
    credentials: Credentials
    emails: Emails
    profiles: Profiles
    terms: Terms
    tokens: HeldTokens
    moderation: Moderation
    editing: Editing
    groups: Groups
    users: Users
    exports: Exports

    @classmethod
    def of(cls, parts: Parts) -> Accounts:
        """All of them, over ``parts``."""
        editing, moderation = Editing(parts), Moderation(parts)
        terms, tokens = Terms(parts), HeldTokens(parts)
        return cls(
            lifecycle=parts.lifecycle,
            signup=SignUp(parts),
            credentials=Credentials(parts),
            emails=Emails(parts),
            profiles=Profiles(parts),
            terms=terms,
            tokens=tokens,
            moderation=moderation,
            editing=editing,
            groups=Groups(parts),
            users=Users(parts, editing, moderation, terms, tokens),
            exports=Exports(parts),
        )


def rules(section: IdentitySection, *, passwords: bool = True) -> Rules:
    """What a configuration says of accounts.

    :param passwords: whether people may open them with a password.
    :raises Invalid: a pattern of ``accept`` is no regular expression.
    """
    return Rules(
        signup=section.signup,
        moderation=section.moderation,
        accept=patterns(section.accept),
        password_revokes=section.password_revokes,
        password_length=section.password_length,
        verification=timedelta(seconds=section.verification_seconds),
        reset=timedelta(seconds=section.reset_seconds),
        email=timedelta(seconds=section.email_change_seconds),
        terms_grace=timedelta(seconds=section.terms_grace_seconds),
        personal=timedelta(seconds=section.personal_seconds),
        passwords=passwords,
        email_change=section.email_change,
    )

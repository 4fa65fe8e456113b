"""Values and pure rules of accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.accounts.states import Columns, State, state_of
from snfd.errors import Invalid
from snfd.identity.looks import check_address_looks
from snfd.identity.names import CLOSED, check_email, check_password, full_name
from snfd.mail.model import checked_address

MAX_PERSON = 100
MAX_AFFILIATION = 254
MAX_REASON = 1000
MAX_GROUP = 64
MAX_TERMS = 262_144
"""The longest terms of service, in characters."""

PAUSE = timedelta(minutes=5)
"""How long an account that nobody verified keeps its address from another
sign-up, and how often one address gets a letter of one kind."""

FORMATS = ("text", "markdown", "html")

_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@frozen
class Account:
    """A person's account, as administrators see it.

    :ivar number: counts accounts; lists are in its order.
    :ivar terms: the newest terms of service that he signed, if any.
    :ivar default_project: None for his own.
    :ivar methods: how he may log in, ``local`` for a password.
    :ivar token_until: when the last of his tokens ends; None where he has none.
    """

    uuid: UUID
    number: int
    username: str
    email: str
    first_name: str
    last_name: str
    affiliation: str | None
    columns: Columns
    verified_at: datetime | None
    moderated_at: datetime | None
    accepted_policy: str | None
    rejected_reason: str | None
    deactivated_at: datetime | None
    deactivated_reason: str | None
    closed_at: datetime | None
    terms: int | None
    default_project: UUID | None
    joined_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    token_until: datetime | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return state_of(self.columns)

    @property
    def name(self) -> str:
        """How the person is shown and spoken to."""
        return full_name(self.first_name, self.last_name, self.username)

    @property
    def status(self) -> str:
        """The state in words, with its reason."""
        match self.state:
            case State.UNVERIFIED:
                return "Pending email verification"
            case State.PENDING:
                return "Pending moderation"
            case State.REJECTED:
                return _why("Rejected", self.rejected_reason)
            case State.ACTIVE:
                return f"Accepted/Active ({self.accepted_policy or 'manual'})"
            case State.INACTIVE:
                return _why("Accepted/Inactive", self.deactivated_reason)
            case _:
                return "Closed"


@frozen
class Method:
    """A way to log in.

    :ivar identifier: who he is there; empty for passwords.
    :ivar info: what else is known of it.
    """

    module: str
    identifier: str
    active: bool
    affiliation: str | None
    info: Mapping[str, object]


@frozen
class NewAccount:
    """An account to be opened, not verified yet.

    :ivar email: as `snfd.identity.names.check_email` returns it.
    :ivar username: None for the e-mail.
    :ivar password_hash: from `Passwords.hash`; None for no password: then
        whoever opens it adds another way to log in.
    :ivar terms: the terms of service that were signed with it, if any.
    """

    uuid: UUID
    email: str
    first_name: str = ""
    last_name: str = ""
    username: str | None = None
    affiliation: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    terms: int | None = None
    groups: Sequence[str] = ("default",)


@frozen
class Names:
    """What a person may change of himself at any time; None leaves it."""

    first_name: str | None = None
    last_name: str | None = None
    affiliation: str | None = None
    username: str | None = None


@frozen
class TermsVersion:
    """One version of the terms of service.

    :ivar enforced_at: from then on API tokens of those who did not sign it are
        refused.
    :ivar body: None in lists.
    """

    id: int
    issued_at: datetime
    enforced_at: datetime
    format: str
    body: str | None = None


@frozen
class HeldToken:
    """A token as its owner sees it, without its secret.

    :ivar id: what audit records call it.
    :ivar project: what it is bound to, by uuid and name; None for none.
    """

    id: str
    kind: str
    label: str
    project: UUID | None
    project_name: str | None
    created: datetime
    expires: datetime
    last_used: datetime | None
    current: bool = False


@frozen
class Rules:
    """What holds for accounts in this cloud.

    :ivar signup: whether people may open accounts themselves.
    :ivar passwords: whether a password is a way to do so.
    :ivar moderation: whether somebody must accept each of them.
    :ivar accept: an account whose e-mail matches one of these, from the start,
        is accepted at once.
    :ivar password_revokes: whether a new password ends all other tokens, and
        not only sessions.
    :ivar verification: how long a letter's link works; so ``reset``, ``email``.
    :ivar email_change: whether people may change their addresses.
    :ivar personal: the longest life of a token that a person makes.
    :ivar password_length: of the shortest password that people may choose.
    """

    signup: bool = True
    moderation: bool = True
    accept: tuple[re.Pattern[str], ...] = ()
    password_revokes: bool = True
    verification: timedelta = timedelta(days=10)
    reset: timedelta = timedelta(days=3)
    email: timedelta = timedelta(days=10)
    terms_grace: timedelta = timedelta(days=7)
    personal: timedelta = timedelta(days=30)
    password_length: int = 1
    passwords: bool = True
    email_change: bool = True

    def check_password(self, password: str) -> str:
        """``password`` if people may choose it for themselves.

        :raises Invalid: it is too short or too long.
        """
        if len(password) < self.password_length:
            raise Invalid(
                f"a password needs at least {self.password_length} characters"
            )
        return check_password(password)


def patterns(texts: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Regular expressions for `Rules.accept`; letters match in any case.

    :raises Invalid: one is none.
    """
    try:
        return tuple(re.compile(text, re.IGNORECASE) for text in texts)
    except re.error as error:
        raise Invalid(f"identity.accept: {error.pattern!r}: {error}") from None


def accepting_policy(rules: Rules, email: str) -> str | None:
    """Why an account may be accepted without anybody looking; None if not."""
    if not rules.moderation:
        return "auto_moderation"
    if any(one.match(email) for one in rules.accept):
        return "email"
    return None


def check_address(text: str) -> str:
    """``text`` normalised, if it may be somebody's address.

    :raises Invalid: it is none, or none to which a letter can be sent.
    """
    return checked_address(check_email(text))


def check_new_address(text: str) -> str:
    """As `check_address`, of somebody who chooses it himself.

    :raises Invalid: also where it could be taken for another one.
    """
    email = check_address(text)
    check_address_looks(email)
    return email


def check_person(text: str, what: str, most: int = MAX_PERSON) -> str:
    """``text`` stripped, if it may be (part of) a name.

    :raises Invalid: too long or unprintable; it will stand in letters.
    """
    text = text.strip()
    if len(text) > most or not text.isprintable():
        raise Invalid(f"{what} has at most {most} printable characters")
    return text


def named(new: NewAccount) -> NewAccount:
    """``new`` with its names as they are stored, if an account may have them.

    :raises Invalid: as `check_person`.
    """
    affiliation = new.affiliation or ""
    return evolve(
        new,
        first_name=check_person(new.first_name, "a first name"),
        last_name=check_person(new.last_name, "a last name"),
        affiliation=check_person(affiliation, "an affiliation", MAX_AFFILIATION)
        or None,
    )


def check_reason(text: str) -> str:
    """``text`` stripped, if it may be a reason.

    :raises Invalid: it is too long.
    """
    text = text.strip()
    if len(text) > MAX_REASON:
        raise Invalid(f"a reason has at most {MAX_REASON} characters")
    return text


def check_group(name: str) -> str:
    """``name`` if a group may be called so.

    :raises Invalid: it is empty, too long or has other characters than
        letters, digits, ``_``, ``.`` and ``-``.
    """
    if len(name) > MAX_GROUP or not _GROUP.fullmatch(name):
        raise Invalid(f"a group's name has 1 to {MAX_GROUP} of A-Z a-z 0-9 _ . -")
    return name


def check_terms(body: str, form: str) -> None:
    """Pass if ``body`` may be terms of service.

    :raises Invalid: it is empty, too long, or of an unknown format.
    """
    if form not in FORMATS:
        raise Invalid(f"terms are of format {', '.join(FORMATS)}, not {form!r}")
    if not body.strip() or len(body) > MAX_TERMS:
        raise Invalid(f"terms of service have 1 to {MAX_TERMS} characters")


def closed_names(user: UUID) -> tuple[str, str]:
    """Username and e-mail of an account whose person is forgotten."""
    return f"{CLOSED}{user}", f"closed-{user}@invalid"


def _why(text: str, reason: str | None) -> str:
    return f"{text} ({reason})" if reason else text

"""Slows down whoever guesses passwords, in all processes together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import TooManyRequests
from snfd.identity import throttle_store as store
from snfd.identity.model import UserRef
from snfd.identity.throttle_store import Count

WINDOW = timedelta(minutes=1)
"""How long failures count, from the first of them."""

PER_ADDRESS = 10
"""How many times as often as one name one address may fail: it may be an office."""

MAX_TOLD = 60
"""How many failed logins a minute the audit trail takes."""


@frozen
class Guess:
    """One attempt to log in, as it is counted.

    :ivar name: as it was typed; names that nobody has count alike.
    :ivar address: where it comes from, or an empty string for nowhere.
    """

    name: str
    address: str = ""

    @classmethod
    def of(cls, who: UserRef, address: str) -> Guess:
        """An attempt to be ``who``; each spelling of a name counts on its own.

        Or one could learn which name and e-mail are the same person.
        """
        uuid = who.uuid
        return cls(str(uuid) if uuid else who.name or who.value, address)

    def subjects(self, failures: int) -> Iterator[tuple[bytes, int]]:
        """What is counted, and how many failures of it are too many."""
        yield _subject("name", self.name), failures
        if self.address:
            yield _subject("address", network(self.address)), failures * PER_ADDRESS


@frozen(eq=False)
class Throttle:
    """Counts failed logins by name and by address.

    :ivar failures: of one name in a `WINDOW`, after which none is looked at.
    """

    db: Database
    clock: Seconds
    failures: int = 3

    async def admit(self, guess: Guess) -> None:
        """Pass unless there were too many failures lately.

        Ask before a password is looked at, and again before one that is right
        is believed: many guesses at once must not be worth more than one by one.

        :raises TooManyRequests: there were.
        """
        at = now(self.clock)
        limits = dict(guess.subjects(self.failures))
        first, *more = limits
        second = more[0] if more else first
        rows = await self.db.read(store.FAILURES, (first, second, at - WINDOW))
        _check(store.counts(rows), limits, at, reached=0)

    async def failed(self, guess: Guess, user: UUID | None) -> None:
        """Count a failure.

        :param user: whose password it was not; None for nobody.
        :raises TooManyRequests: others failed meanwhile, and it were too many.
        """
        at = now(self.clock)
        limits = dict(guess.subjects(self.failures))
        counted = await self.db.run(_count, guess, limits, user, at)
        _check(counted, limits, at, reached=1)


def network(address: str) -> str:
    """What counts as one address: of IPv6, all that one customer has (/64)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, 64), strict=False))
    return str(found)


async def _count(
    tx: Transaction,
    guess: Guess,
    limits: Mapping[bytes, int],
    user: UUID | None,
    at: datetime,
) -> Mapping[bytes, Count]:
    counted = await store.count(tx, list(limits), at, at - WINDOW)
    name, limit = next(iter(limits.items()))
    failures = counted[name].failures
    action = {1: "login.failed", limit: "login.throttled"}.get(failures)
    if action is not None and not await store.told_lately(tx, MAX_TOLD):
        # a name that nobody has may be a password, typed into the wrong field
        target = f"user:{user}" if user else "user:unknown"
        await record(
            tx, Actor(None, "", guess.address), action, target, failures=failures
        )
    return counted


def _check(
    counts: Mapping[bytes, Count],
    limits: Mapping[bytes, int],
    at: datetime,
    reached: int,
) -> None:
    """Refuse if a count has its limit; ``reached`` of it are the caller's own."""
    for subject, count in counts.items():
        if count.failures - reached >= limits[subject]:
            left = ceil((count.since + WINDOW - at).total_seconds())
            raise TooManyRequests(
                f"too many failed logins; try again in {max(1, left)} seconds",
                retry_after=max(1, left),
            )


def _subject(kind: str, value: str) -> bytes:
    text = f"{kind}:{value}"
    return sha256(text.encode("utf-8", "surrogatepass")).digest()

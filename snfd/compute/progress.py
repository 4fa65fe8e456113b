"""What clusters tell while they make a server (``spec/cyclades.md`` §3.3).

Nodes of a cluster share a secret; what they tell of an instance goes to a URL whose
token is the instance's name and its HMAC. Our OS definition is given that URL.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.compute.store import progress
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Invalid, NotFound
from snfd.ganeti import names
from snfd.sealed import REPORT_SECRET, Sealer

MAX_MESSAGE = 255
MAX_DETAILS = 10_000
_LEVELS = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}
_SKEW = 86_400.0
"""Seconds by which a node's clock may be wrong and still be believed."""


@frozen
class Report:
    """One message of an OS definition.

    :ivar kind: ``image-copy-progress``, ``image-info``, ``image-warning``,
        ``image-error`` or ``image-helper``.
    :ivar subtype: of a helper's: ``task-start``, ``task-end`` or a level.
    :ivar percent: of the image; may exceed 100.
    :ivar at: of the node's clock, seconds since 1970, or None.
    """

    kind: str
    subtype: str = ""
    percent: float | None = None
    task: str = ""
    messages: Sequence[str] = ()
    details: str = ""
    at: float | None = None


@frozen
class Note:
    """A diagnostic to keep."""

    level: str
    source: str
    message: str
    details: str


def percent(report: Report) -> int:
    """How much of the image is copied, 0 to 100.

    :raises Invalid: it is negative, or not told.
    """
    told = report.percent
    if told is None or not told >= 0:
        raise Invalid("progress must be a number that is not negative")
    return int(min(told, 100.0))


def note(report: Report) -> Note:
    """The diagnostic that a message is kept as; what is too long is cut.

    :raises Invalid: messages of that type are not known.
    """
    level, source = _level(report), report.kind
    if report.kind == "image-helper" and report.subtype.startswith("task-"):
        source = f"{report.kind}-{report.subtype}"
    text = _clean(" ".join(report.messages) or report.task or report.subtype)
    details = _clean(report.details)[:MAX_DETAILS]
    if len(text) > MAX_MESSAGE:
        details = (f"{text}\n{details}" if details else text)[:MAX_DETAILS]
    return Note(level, source, text[:MAX_MESSAGE] or report.kind, details)


def _level(report: Report) -> str:
    kind, _, level = report.kind.partition("-")
    if report.kind == "image-helper":
        if report.subtype in ("task-start", "task-end"):
            return "DEBUG"
        level = report.subtype
    if kind != "image" or level not in _LEVELS:
        raise Invalid(f"there are no messages of type {report.kind!r}")
    return _LEVELS[level]


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()


@frozen(eq=False)
class Reports:
    """Takes what clusters tell of builds.

    :ivar fresh: 32 unpredictable bytes.
    """

    db: Database
    clock: Seconds
    sealer: Sealer
    fresh: Callable[[], bytes]

    async def token_of(self, tx: Transaction, server: int, cluster: int) -> str:
        """The token with which a server's build is told of."""
        return token(await self.secret_in(tx, cluster), names.instance(server))

    async def secret_in(self, tx: Transaction, cluster: int) -> bytes:
        """The secret of a cluster's nodes; made if need be."""
        place = REPORT_SECRET.at(cluster)
        sealed = await progress.secret(tx, cluster)
        if sealed is not None:
            return self.sealer.open(sealed, *place)
        made = self.fresh()
        await progress.keep_secret(tx, cluster, self.sealer.seal(made, *place))
        return made

    async def take(self, told: str, report: Report) -> None:
        """Write down what a cluster tells; nothing once the server's build ended.

        :param told: the token.
        :raises NotFound: the token is not good.
        :raises Invalid: the message makes no sense.
        """
        name = told.partition(".")[0]
        subject = names.subject_of_instance(name)
        found = None
        if subject is not None:
            server = int(subject.partition(":")[2])
            found = await progress.judge(self.db, server)
        if found is None:
            raise NotFound("no such hand-off")
        cluster, sealed, open_ = found
        secret = self.sealer.open(sealed, *REPORT_SECRET.at(cluster))
        if not hmac.compare_digest(token(secret, name).encode(), told.encode()):
            raise NotFound("no such hand-off")
        if report.kind == "image-copy-progress":
            done = percent(report)
            if open_:
                await self.db.run(self._advance, server, done)
            return
        kept = note(report)
        if open_:
            await self.db.run(self._note, server, kept, self._when(report))

    def _when(self, report: Report) -> datetime:
        at = self.clock.seconds()
        if report.at is not None and abs(report.at - at) < _SKEW:
            return datetime.fromtimestamp(report.at, UTC)
        return now(self.clock)

    async def _advance(self, tx: Transaction, server: int, done: int) -> None:
        if await progress.advance(tx, server, done):
            await notify(tx, "server", server)

    async def _note(
        self, tx: Transaction, server: int, kept: Note, at: datetime
    ) -> None:
        await progress.note(
            tx, server, kept.level, kept.source, at, kept.message, kept.details
        )
        await notify(tx, "server", server)


def token(secret: bytes, name: str) -> str:
    """The token of an instance: its name, and that one's HMAC-SHA256 in hex."""
    return f"{name}.{hmac.new(secret, name.encode(), 'sha256').hexdigest()}"

"""Letters: who writes them, who carries them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter
from twisted.application.service import Service
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS

from snfd.config import Config, Urls
from snfd.db.listener import Listener
from snfd.db.port import Database
from snfd.errors import Invalid
from snfd.mail.compose import Composer
from snfd.mail.courier import SmtpCourier
from snfd.mail.model import checked_address
from snfd.mail.pace import Pace
from snfd.mail.sender import Sender
from snfd.mail.smtp import Terms
from snfd.mail.texts import Branding, load
from snfd.observe import Metrics
from snfd.trust import policy_of_file

if TYPE_CHECKING:
    from snfd.wiring import Ground


def branding(config: Config) -> Branding:
    """What the cloud is called."""
    chosen = config.branding
    return Branding(
        service=chosen.service,
        company=chosen.company,
        company_url=chosen.company_url,
        contact=chosen.contact,
        site=chosen.site or Urls.of(config.urls).astakos,
        footer=chosen.footer,
    )


def mail(ground: Ground, db: Database, listener: Listener) -> Service:
    """What sends letters.

    :raises Invalid: a text, an address or the CA file is no good.
    """
    sender = _sender(ground, db)
    listener.subscribe("mail", sender.heard, sender.heard)
    _figures(ground.metrics, sender)
    return sender


def _sender(ground: Ground, db: Database) -> Sender:
    chosen = ground.config.mail
    for name in ("helpdesk", "managers"):
        for address in getattr(chosen, name):
            _address(f"mail.{name}", address)
    folder = Path(chosen.templates) if chosen.templates else None
    texts = load(folder, branding(ground.config))
    outcomes = Counter(
        "snfd_letters",
        "Letters that were sent, failed, deferred, or repeated in doubt.",
        ("outcome",),
        registry=ground.metrics.registry,
    )
    for outcome in ("sent", "failed", "deferred", "repeated"):
        outcomes.labels(outcome)
    return Sender(
        ground.reactor,
        db,
        ground.keys,
        Composer(texts, _address("mail.sender", chosen.sender)),
        _courier(ground.reactor, ground.config) if chosen.server else None,
        Pace(
            hold=2.0 * chosen.timeout,
            hold_handed=chosen.patience + 2.0 * chosen.timeout,
            give_up=timedelta(days=chosen.give_up_days),
        ),
        lambda outcome: outcomes.labels(outcome).inc(),
        ground.probe,
    )


def _address(setting: str, text: str) -> str:
    try:
        return checked_address(text)
    except Invalid:
        raise Invalid(f"{setting}: {text!r} is no e-mail address") from None


def _courier(reactor: Any, config: Config) -> SmtpCourier:
    chosen = config.mail
    host = chosen.server.encode()
    believed = policy_of_file(chosen.tls_ca, "mail.tls_ca")
    trust = believed.creatorForNetloc(host, chosen.port)
    endpoint: Any = HostnameEndpoint(reactor, host, chosen.port, chosen.timeout)
    if chosen.security == "tls":
        endpoint = wrapClientTLS(trust, endpoint)
    starttls = chosen.security == "starttls"
    terms = Terms(
        gethostname(),
        trust if starttls else None,
        starttls,
        chosen.username,
        chosen.password,
        chosen.timeout,
        chosen.patience,
    )
    return SmtpCourier(reactor, endpoint, terms)


def _figures(metrics: Metrics, sender: Sender) -> None:
    metrics.gauge(
        "letters_waiting",
        "Letters that are neither sent nor given up.",
        lambda: sender.waiting.count,
    )
    metrics.gauge(
        "letters_oldest_seconds",
        "How long the oldest of them waits.",
        lambda: sender.oldest_seconds,
    )

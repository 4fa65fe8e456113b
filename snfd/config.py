"""What a process must know before it can read its database.

Everything that has an API lives in the database instead; `snfd.loading` reads
these values.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from attrs import frozen
from msgspec import Meta, Struct

Kind = Literal["api", "follower", "console"]
Port = Annotated[int, Meta(ge=1, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s,]+)$")]
Colour = Annotated[str, Meta(pattern="^(#[0-9a-fA-F]{6})?$")]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, and closed."""


class Listen(Section, frozen=True):
    """Where the daemon listens.

    :ivar http: endpoint strings of the main listener (``tcp:…``, ``ssl:…``).
    :ivar metrics: endpoint string of an open listener for ``/metrics``.
    :ivar origins: web origins whose pages may call the APIs, with a token;
        ``*`` for all.
    """

    http: list[str] = msgspec.field(
        default_factory=lambda: ["tcp:8080:interface=127.0.0.1"]
    )
    metrics: str = ""
    origins: list[Origin] = []


class UrlSection(Section, frozen=True):
    """Base URLs as clients reach them; empty ones follow ``base``."""

    base: str = "http://127.0.0.1:8080"
    astakos: str = ""
    cyclades: str = ""
    pithos: str = ""
    console: str = ""


class DatabaseSection(Section, frozen=True):
    """The PostgreSQL server; without ``dsn`` an embedded one is run.

    :ivar pool: connections at most.
    :ivar migrate: whether to bring the schema up to date at start.
    """

    dsn: str = ""
    pool: Positive = 8
    migrate: bool = False


class StorageSection(Section, frozen=True):
    """Where blocks live.

    :ivar directory: of the ``file`` driver; empty means ``<var>/blocks``.
    :ivar pool: RADOS pool of the ``rados`` driver.
    :ivar ceph_conf: its cluster's configuration file.
    :ivar ceph_user: full name of the client.
    :ivar ceph_keyring: its key, if ``ceph_conf`` does not say where it is.
    :ivar timeout: seconds that one operation on RADOS may take.
    """

    driver: Literal["file", "rados", "memory"] = "file"
    directory: str = ""
    pool: str = "snfd"
    ceph_conf: str = "/etc/ceph/ceph.conf"
    ceph_user: str = "client.snfd"
    ceph_keyring: str = ""
    timeout: Positive = 30
    block_size: Annotated[int, Meta(ge=4096, le=64 << 20)] = 4 << 20


class SecretsSection(Section, frozen=True):
    """The key ring that seals what must be read back."""

    key_file: str = ""


class ConsoleSection(Section, frozen=True):
    """Limits of ``/console``.

    :ivar origins: web origins that may open consoles besides our own.
    """

    origins: list[str] = []
    sessions: Positive = 1000
    sessions_per_user: Positive = 50


class IdentitySection(Section, frozen=True):
    """Tokens, accounts, and who may have one.

    :ivar token_seconds: lifetime of a token from a login.
    :ivar personal_seconds: longest lifetime of a token that a user makes himself.
    :ivar session_seconds: lifetime of a browser's session.
    :ivar tokens_per_user: tokens of one kind that a user has at once; where there
        is one too many, the oldest ends.
    :ivar sessions_per_user: the same of browsers' sessions.
    :ivar signup: whether people may open accounts themselves.
    :ivar moderation: whether an administrator accepts each new account.
    :ivar enroll_owner: whether the owner of an approved project is its first
        member.
    :ivar accept: regular expressions, matched from the start; an account whose
        e-mail matches one is accepted without moderation.
    :ivar password_length: of the shortest password that people may choose.
    :ivar password_revokes: whether a password that its owner changes ends the
        account's tokens, too; a reset does in any case.
    :ivar verification_seconds: how long the link in a verification mail works.
    :ivar reset_seconds: the same of one to a new password.
    :ivar email_change_seconds: the same of one that confirms a new address.
    :ivar email_change: whether people may change their addresses themselves.
    :ivar terms_grace_seconds: how long API tokens work on after new terms of
        service, unsigned.
    :ivar login_failures: wrong passwords in a minute of one name, until further
        ones are not looked at; ten times as many from one address.
    :ivar admin_api: whether ``/identity/v2.0/users`` is served.
    :ivar redirects: exact URLs, or prefixes that end in ``/`` or ``://``, to
        which a login may send a browser.
    :ivar trusted_proxies: addresses whose ``X-Forwarded-For`` and, for
        Shibboleth, ``REMOTE_USER`` headers are believed.
    """

    token_seconds: Positive = 86400
    personal_seconds: Positive = 30 * 86400
    session_seconds: Positive = 86400
    tokens_per_user: Positive = 2000
    sessions_per_user: Positive = 100
    region: str = "default"
    signup: bool = True
    moderation: bool = True
    enroll_owner: bool = True
    accept: list[str] = []
    password_length: Positive = 8
    password_revokes: bool = True
    verification_seconds: Positive = 10 * 86400
    reset_seconds: Positive = 3 * 86400
    email_change_seconds: Positive = 10 * 86400
    email_change: bool = True
    terms_grace_seconds: Annotated[int, Meta(ge=0)] = 7 * 86400
    login_failures: Positive = 3
    admin_api: bool = False
    redirects: list[str] = msgspec.field(
        default_factory=lambda: ["pithos://", "pithosdev://"]
    )
    trusted_proxies: list[str] = []


class MailSection(Section, frozen=True):
    """How letters leave; without ``server`` they wait in the database.

    :ivar server: host of the SMTP server.
    :ivar security: ``starttls`` refuses a server that offers none.
    :ivar sender: From address.
    :ivar templates: directory of texts that replace ours, ``<kind>.txt``.
    :ivar helpdesk: addresses that hear of feedback and, with ``managers``, of
        accounts and applications that wait for a decision; see `snfd.mail.staff`
        for when administrators do.
    :ivar tls_ca: file with the CA certificates that the server's must chain to;
        empty: the system's.
    :ivar timeout: seconds that the server may take for an answer.
    :ivar patience: the same for its answer to a whole letter. RFC 5321 asks for
        600: with less a letter may arrive twice.
    :ivar give_up_days: how long a letter that the server puts off is tried.
    :ivar keep_days: how long is remembered that a letter was sent, or given up.
    """

    server: str = ""
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""
    sender: str = "snfd@localhost"
    templates: str = ""
    helpdesk: list[str] = []
    managers: list[str] = []
    tls_ca: str = ""
    timeout: Positive = 60
    patience: Positive = 600
    give_up_days: Positive = 3
    keep_days: Positive = 90


class AuditSection(Section, frozen=True):
    """The trail of who did what.

    :ivar keep_days: how long an entry is kept; 0 for ever.
    """

    keep_days: Annotated[int, Meta(ge=0)] = 730


class QuotaSection(Section, frozen=True):
    """Limits and what is charged to them.

    :ivar keep_days: how long is remembered which commissions were accepted and
        which rejected; 0 for ever. Those that are pending stay in any case.
    :ivar balanced: whether commissions are refused that change a project and its
        members by different amounts; old programs send such.
    """

    keep_days: Annotated[int, Meta(ge=0)] = 365
    balanced: bool = False


class BrandingSection(Section, frozen=True):
    """What the cloud is called in letters and pages.

    :ivar contact: address for those who need help.
    :ivar site: URL of the cloud's home page; empty for ``urls.astakos``.
    :ivar copyright: what pages say of that; empty makes it of ``company``.
    :ivar colour: of the pages' accents, ``#rrggbb``; ``colour_dark`` is for dark
        pages. Empty leaves the pages' own.
    :ivar images: directory with ``logo``, ``logo-dark`` and ``favicon``, as SVG,
        PNG or ICO, for pages.
    """

    service: str = "snfd"
    company: str = ""
    company_url: str = ""
    contact: str = ""
    site: str = ""
    footer: str = ""
    show_copyright: bool = True
    copyright: str = ""
    colour: Colour = ""
    colour_dark: Colour = ""
    images: str = ""


class NetworkSection(Section, frozen=True):
    """Networks and addresses.

    :ivar enabled_flavors: kinds of networks that users may make, the first where
        they do not say.
    :ivar bridge: the nodes' bridge of networks of kind CUSTOM.
    :ivar mac_filtered_bridge: the one that all MAC-filtered networks share.
    :ivar mac_prefix: of networks that have none of their own.
    :ivar largest: shortest prefix length of users' IPv4 subnets.
    :ivar quarantine: seconds that an address of a new public subnet rests once it
        was given back.
    """

    enabled_flavors: Annotated[
        list[Literal["CUSTOM", "IP_LESS_ROUTED", "MAC_FILTERED", "PHYSICAL_VLAN"]],
        Meta(min_length=1),
    ] = msgspec.field(default_factory=lambda: ["MAC_FILTERED"])
    bridge: str = "br0"
    mac_filtered_bridge: str = "prv0"
    mac_prefix: Annotated[str, Meta(pattern="^[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]$")] = (
        "aa:00:0"
    )
    largest: Annotated[int, Meta(ge=16, le=29)] = 22
    quarantine: Annotated[int, Meta(ge=0, le=86400)] = 60


class ClusterSection(Section, frozen=True):
    """A Ganeti cluster to create a row for, where there is none of the name.

    :ivar url: of its RAPI, ``https://host:5080``.
    :ivar tls_ca: file with the CA certificate that its RAPI's must chain to.
    :ivar os_name: OS definition of new instances.
    """

    name: str
    url: str
    username: str = ""
    password: str = ""
    password_file: str = ""
    tls_ca: str = ""
    hypervisor: str = "kvm"
    os_name: str = "snf-image+default"
    disk_templates: list[str] = []


class BootstrapSection(Section, frozen=True):
    """Rows made at start where missing, and never changed."""

    cluster: list[ClusterSection] = []


class PocketSection(Section, frozen=True):
    """The embedded one-node cluster for trying things out.

    :ivar hypervisor: ``auto`` takes QEMU where it is installed.
    :ivar port: of its RAPI; 0 chooses one and keeps it.
    :ivar latency: seconds that every job takes at least.
    :ivar memory: of the node, in MiB.
    :ivar control: whether faults can be had on demand, for tests only.
    """

    enabled: bool = False
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    hypervisor: Literal["auto", "qemu", "screen", "fake"] = "auto"
    latency: Annotated[float, Meta(ge=0)] = 0.2
    memory: Positive = 4096
    control: bool = False


class LogSection(Section, frozen=True):
    """Log lines are JSON objects on standard error or in ``file``."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    file: str = ""


class MetricsSection(Section, frozen=True):
    """Who may read ``/metrics`` on the main listener; empty means nobody."""

    token: str = ""


class SeedSection(Section, frozen=True):
    """Accounts and demo data made on the first start.

    :ivar demo: users admin and demo, flavors, a network, an image.
    :ivar template: disk template of the demo flavors.
    :ivar accounts: also the users reader, alt and altreader.
    :ivar password: of all seeded users; empty generates one for each.
    """

    demo: bool = False
    accounts: bool = False
    template: str = "file"
    password: str = ""


class ComputeSection(Section, frozen=True):
    """Servers; ``allocator`` judges clusters: ``balanced``, ``packed`` or a plugin."""

    allocator: str = "balanced"


class Config(Section, frozen=True):
    """All of it.

    :ivar var: directory of everything the daemon writes.
    :ivar run: what this process does.
    :ivar plugins: APIs to serve; empty means all that are installed.
    :ivar login: login methods besides passwords, as their plugins describe them.
    """

    var: str = "var"
    run: list[Kind] = msgspec.field(
        default_factory=lambda: ["api", "follower", "console"]
    )
    plugins: list[str] = []
    login: list[dict[str, Any]] = []
    listen: Listen = Listen()
    urls: UrlSection = UrlSection()
    database: DatabaseSection = DatabaseSection()
    storage: StorageSection = StorageSection()
    secrets: SecretsSection = SecretsSection()
    compute: ComputeSection = ComputeSection()
    console: ConsoleSection = ConsoleSection()
    identity: IdentitySection = IdentitySection()
    mail: MailSection = MailSection()
    audit: AuditSection = AuditSection()
    quota: QuotaSection = QuotaSection()
    branding: BrandingSection = BrandingSection()
    network: NetworkSection = NetworkSection()
    bootstrap: BootstrapSection = BootstrapSection()
    pocket: PocketSection = PocketSection()
    log: LogSection = LogSection()
    metrics: MetricsSection = MetricsSection()
    seed: SeedSection = SeedSection()


@frozen
class Urls:
    """Base URL of each component, without a trailing slash."""

    astakos: str
    cyclades: str
    pithos: str
    console: str

    @classmethod
    def of(cls, section: UrlSection) -> Urls:
        """Each component's own base URL, or the common one."""
        base = section.base.rstrip("/")
        return cls(
            *(
                (getattr(section, name) or base).rstrip("/")
                for name in ("astakos", "cyclades", "pithos", "console")
            )
        )

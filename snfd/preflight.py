"""What a start looks at before anything runs; ``snfctl config check`` looks at no less.

The daemon makes what is found here; the command throws it away, and looks at what
only a start would come to: whether files and directories can be written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen
from OpenSSL.SSL import Error as SSLError
from twisted.internet.interfaces import IStreamServerEndpoint

from snfd import keycheck, wiring
from snfd.config import ClusterSection, Config, Urls
from snfd.db import schema
from snfd.db.direct import DirectTransaction, connect, finish
from snfd.db.place import decide, installed
from snfd.errors import Invalid
from snfd.ganeti.service import NewCluster, checked
from snfd.observe import Metrics
from snfd.registry.model import check_url
from snfd.secrets import KeyRing, load, new_key
from snfd.setting import insist
from snfd.wiring import Ground
from storage.blocks import MemoryBlocks
from storage.tuning import endpoint


@frozen
class Listener:
    """Somewhere to listen.

    :ivar text: as it was configured.
    """

    text: str
    endpoint: IStreamServerEndpoint


@frozen
class Found:
    """What was configured, as it is used.

    :ivar key_file: where the key ring is, or will be.
    :ivar metrics: the open listener for metrics, if there is to be one.
    """

    key_file: Path
    clusters: Sequence[NewCluster]
    http: Sequence[Listener]
    metrics: Listener | None


def look(reactor: Any, config: Config) -> Found:
    """What a start needs of the configuration, apart from the parts themselves.

    :raises Invalid: something is wrong; names the setting or the file.
    :raises KeyFileError: there is a key file, and it cannot be used.
    """
    for name in ("astakos", "cyclades", "pithos", "console"):
        setting = f"urls.{name}" if getattr(config.urls, name) else "urls.base"
        check_url(getattr(Urls.of(config.urls), name), setting)
    _writable("var", Path(config.var))
    _storage(config)
    key_file = _key_file(config)
    if key_file.exists():
        load(key_file)
    text = config.listen.metrics
    return Found(
        key_file,
        [_cluster(one) for one in config.bootstrap.cluster],
        [_listener(reactor, one) for one in config.listen.http],
        _listener(reactor, text) if text else None,
    )


def rehearse(reactor: Any, config: Config) -> None:
    """Do all that a start does without a database, and nothing that stays.

    :raises Invalid: it would not start; names the setting or the file.
    :raises KeyFileError: as `look`.
    :raises PlaceError: there is no PostgreSQL to embed.
    """
    found = look(reactor, config)
    if not found.key_file.exists():
        _writable("secrets.key_file", found.key_file.parent)
    if config.log.file:
        _writable("log.file", Path(config.log.file), file=True)
    if not config.database.dsn:
        decide(Path(config.var).absolute(), installed())
    keys = load(found.key_file) if found.key_file.exists() else KeyRing((new_key(),))
    dsn = config.database.dsn
    ground = Ground(reactor, config, dsn, keys, MemoryBlocks(), Metrics())
    wiring.build(ground, wiring.database(reactor, config, dsn))


def agree(config: Config, dsn: str) -> None:
    """Whether the database fits, as a start would have it. Blocks.

    :raises SchemaError: its schema does not.
    :raises KeyFileError: the key file is missing, or another.
    :raises Invalid: it was set up with another size of blocks.
    :raises psycopg2.Error: PostgreSQL is away.
    """
    if not config.database.migrate:
        schema.check_at(dsn)
    key_file = _key_file(config)
    ring = load(key_file) if key_file.exists() else None
    with closing(connect(dsn)) as connection, connection:
        tx = DirectTransaction(connection)
        finish(keycheck.insist(tx, key_file, ring))
        finish(insist(tx, "block_size", config.storage.block_size))


def why(error: BaseException | None) -> str:
    """What went wrong with a file or a socket, in one line."""
    if isinstance(error, OSError) and error.strerror:
        about = f"{error.filename}: " if error.filename else ""
        return f"{about}{error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _key_file(config: Config) -> Path:
    return Path(config.secrets.key_file or Path(config.var) / "keys")


def _storage(config: Config) -> None:
    chosen = config.storage
    if chosen.driver == "file":
        directory = Path(chosen.directory or Path(config.var) / "blocks")
        _writable("storage.directory", directory)
    if chosen.driver == "rados":
        for name in ("ceph_conf", "ceph_keyring"):
            _readable(f"storage.{name}", getattr(chosen, name))


def _listener(reactor: Any, text: str) -> Listener:
    try:
        return Listener(text, endpoint(reactor, text))
    except OSError as error:
        reason = why(error)
    except (ValueError, OverflowError, SSLError) as error:
        reason = str(error)
    raise Invalid(f"cannot listen on {text!r}: {reason}")


def _cluster(section: ClusterSection) -> NewCluster:
    password, authority = section.password, section.tls_ca
    try:
        if section.password_file:
            password = Path(section.password_file).read_text().strip()
        if authority and not authority.startswith("sha256:"):
            authority = Path(authority).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"bootstrap.cluster {section.name}: {why(error)}") from None
    return checked(
        NewCluster(
            name=section.name,
            url=section.url,
            username=section.username,
            password=password,
            tls_ca=authority or None,
            hypervisor=section.hypervisor,
            os_name=section.os_name,
            disk_templates=tuple(section.disk_templates),
        )
    )


def _readable(setting: str, file: str) -> None:
    try:
        if file:
            with open(file, "rb"):
                pass
    except OSError as error:
        raise Invalid(f"{setting}: {why(error)}") from None


def _writable(setting: str, path: Path, *, file: bool = False) -> None:
    """Refuse a directory, or a file, that can neither be written nor made."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if (there != path or not file) and not there.is_dir():
        raise Invalid(f"{setting}: {path}: Not a directory")
    if not os.access(there, os.W_OK):
        raise Invalid(f"{setting}: {path}: Permission denied")

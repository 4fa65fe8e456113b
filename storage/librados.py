"""Loads Debian's binding of librados, and translates what it reports."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import sysconfig
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

from attrs import frozen

from snfd.errors import CloudError, Timeout, Unavailable

PLACE = Path("/usr/lib/python3/dist-packages")
"""Where Debian's package ``python3-rados`` puts its one file."""


@frozen
class RadosConfig:
    """Which cluster and pool.

    :ivar conf: the cluster's ``ceph.conf``.
    :ivar user: the client's full name, ``client.NAME``.
    :ivar keyring: its key, if ``conf`` does not say where it is.
    :ivar namespace: of the pool, for stores that share one.
    :ivar timeout: seconds that one operation may take.
    """

    conf: str = "/etc/ceph/ceph.conf"
    pool: str = "blocks"
    user: str = "client.snfd"
    keyring: str | None = None
    namespace: str = ""
    timeout: float = 30.0


_FULL = (errno.ENOSPC, errno.EDQUOT)


def load(place: Path = PLACE) -> Any:
    """Give the module ``rados``, from the environment or from Debian's package.

    :raises Unavailable: there is none for this Python; says what to install.
    """
    if "rados" in sys.modules:
        return sys.modules["rados"]
    try:
        return importlib.import_module("rados")
    except ImportError:
        return _load(place / f"rados{sysconfig.get_config_var('EXT_SUFFIX')}")


def failure(code: int, what: str) -> CloudError:
    """Make the error for a negative errno, as librados gives them.

    :param what: what was tried, for the message.
    """
    number = abs(code)
    if number == errno.ETIMEDOUT:
        return Timeout(f"{what}: the Ceph cluster did not answer", retry_after=30)
    if number in _FULL:
        return Unavailable(f"{what}: the Ceph cluster is full", retry_after=60)
    return Unavailable(f"{what}: {os.strerror(number)}", errno=number)


def connected(rados: Any, config: RadosConfig) -> Any:
    """Connect to a cluster; blocks, so in a thread.

    :raises Unavailable: it does not answer, or does not know the client.
    """
    seconds = str(int(max(1, config.timeout)))
    settings = {
        "rados_osd_op_timeout": seconds,
        "rados_mon_op_timeout": seconds,
        "client_mount_timeout": seconds,
    }
    if config.keyring is not None:
        settings["keyring"] = config.keyring
    try:
        cluster = rados.Rados(conffile=config.conf, name=config.user, conf=settings)
        cluster.connect(timeout=int(seconds))
    except rados.Error as error:
        text = f"no connection to the Ceph cluster of {config.conf}: {error}"
        raise Unavailable(text) from error
    return cluster


def _load(path: Path) -> Any:
    if not path.exists():
        raise Unavailable(_advice(path.parent))
    loader = ExtensionFileLoader("rados", str(path))
    spec = spec_from_loader("rados", loader)
    assert spec is not None
    try:
        module = module_from_spec(spec)
        loader.exec_module(module)
    except ImportError as error:
        raise Unavailable(f"{path} cannot be loaded: {error}") from error
    # An extension is loaded once in a process: whoever asks again gets this one.
    sys.modules["rados"] = module
    return module


def _advice(place: Path) -> str:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = sorted(path.name for path in place.glob("rados.cpython-*.so"))
    if others:
        return (
            f"python3-rados is installed for another Python ({', '.join(others)}), "
            f"and this is Python {here}: Debian 12's binding needs Python 3.11"
        )
    return (
        "the RADOS binding is missing: apt-get install python3-rados "
        f"(Debian 12's needs Python 3.11; this is {here})"
    )

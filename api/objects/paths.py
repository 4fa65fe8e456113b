"""Paths of object storage, from the bytes that the client sent; pure.

A name keeps what the client put into it: ``..``, ``//`` and an encoded slash
are characters like others (``spec/pithos.md`` §13).
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes
from uuid import UUID

from attrs import frozen

from snfd.errors import Forbidden, Invalid
from snfd.objects.model import ContainerPath, ObjectPath
from snfd.objects.rules import check_container_name, check_object_name


@frozen
class Target:
    """What a path names.

    :ivar account: as it stands in the path, "" for the top.
    :ivar container: "" for an account.
    :ivar name: "" for a container.
    """

    account: str = ""
    container: str = ""
    name: str = ""

    @property
    def level(self) -> str:
        """``top``, ``account``, ``container`` or ``object``."""
        if self.name:
            return "object"
        if self.container:
            return "container"
        return "account" if self.account else "top"


def target(uri: bytes, mount: int) -> Target:
    """What the path of ``uri`` names below its first ``mount`` segments.

    A slash at the end of an account or container does not count.

    :raises Invalid: not UTF-8, with NUL, or a name that nothing can have.
    """
    raw = uri.partition(b"?")[0].split(b"/")[1 + mount :]
    account, container = (_text(part) for part in (*raw, b"", b"")[:2])
    name = _text(b"/".join(raw[2:]))
    if not account and (container or name):
        raise Invalid("an account needs a name")
    if container:
        check_container_name(container)
    elif name:
        raise Invalid("a container needs a name")
    if name:
        check_object_name(name)
    return Target(account, container, name)


def account(target: Target, prefix: str) -> UUID:
    """The account that a path names.

    :param prefix: stands before its uuid.
    :raises Forbidden: it is none; nobody is told which ones there are.
    """
    text = target.account.removeprefix(prefix)
    if target.account.startswith(prefix) and len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise Forbidden("this account is not yours")


def container(target: Target, prefix: str) -> ContainerPath:
    """The container that a path names, or the one that holds its object."""
    return ContainerPath(account(target, prefix), target.container)


def object_(target: Target, prefix: str) -> ObjectPath:
    """The object that a path names."""
    return ObjectPath(account(target, prefix), target.container, target.name)


def all_arguments(uri: bytes) -> dict[str, list[str]]:
    """The query string of ``uri``; a key without a value has an empty one.

    :raises Invalid: not UTF-8, or with NUL.
    """
    found: dict[str, list[str]] = {}
    for part in uri.partition(b"?")[2].split(b"&"):
        if part:
            key, _, value = part.replace(b"+", b" ").partition(b"=")
            found.setdefault(_text(key), []).append(_text(value))
    return found


def pair(text: str) -> tuple[str, str]:
    """Container and object in a header's ``/container/object``.

    :raises Invalid: one of them is missing.
    """
    decoded = _text(text.encode())
    name, _, rest = decoded.lstrip("/").partition("/")
    return check_container_name(name), check_object_name(rest)


def _text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Invalid("the URL is not UTF-8") from None
    if "\0" in text:
        raise Invalid("a URL must not contain NUL")
    return text

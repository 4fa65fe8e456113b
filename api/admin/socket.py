"""The admin API on the daemon's unix socket, for whoever owns the daemon.

The kernel tells whose process is at the other end; there are no tokens.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.web.resource import IResource, Resource
from zope.interface import implementer

from api.admin.faults import DIALECT
from api.admin.resource import PATH, Gate, resource
from api.answers import tell
from api.objects.opener import Opener
from api.root import Root
from snfd.admin.rights import EVERYTHING, Staff
from snfd.admin.socket import ROOT_UID, SocketPlace
from snfd.audit import Actor
from snfd.errors import Forbidden
from snfd.plugin import Mount
from storage.upload import make_site

if TYPE_CHECKING:
    from pathlib import Path

    from snfd.cloud import Cloud
    from snfd.observe import Metrics

_log = Logger()
_CREDENTIALS = struct.Struct("3i")


@implementer(IResource)
class Door(Resource):
    """Lets each process in by the user that it runs as.

    :ivar rooms: what a uid gets; all others are refused.
    """

    isLeaf = True

    def __init__(self, rooms: Mapping[int, IResource]) -> None:
        Resource.__init__(self)
        self._rooms = rooms

    def render(self, request: Any) -> Any:
        """Hand on to the room of the caller's uid."""
        uid = peer(request.channel.transport.getHandle())
        room = self._rooms.get(uid)
        if room is None:
            who = ", ".join(map(str, sorted(self._rooms)))
            error = Forbidden(
                f"user {uid} may not administer this cloud from here",
                hint=f"uids {who} may; others use 'snfctl --cloud NAME'",
            )
            return tell(DIALECT, request, error)
        return room.render(request)


def peer(handle: socket.socket) -> int:
    """The uid of the process at the other end, as it was when it connected."""
    told = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(told)[1]
    return uid


def door(cloud: Cloud) -> Door:
    """The admin API for root and for the user that the daemon runs as."""
    return Door({uid: resource(cloud, _known(uid)) for uid in (ROOT_UID, os.getuid())})


def _known(uid: int) -> Gate:
    """Lets everybody in as the user with this uid, whatever token he shows."""
    someone = Staff(Actor(None, _name(uid)), EVERYTHING)

    async def gate(token: str | None) -> Staff:
        return someone

    return gate


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@define(eq=False)
class AdminSocket:
    """Listens on the socket; the first daemon of a data directory has it."""

    reactor: Any
    place: SocketPlace
    _port: IListeningPort | None = field(init=False, default=None)

    def listen(self, site: Any) -> None:
        """Serve ``site``; a file that a dead daemon left is replaced.

        :raises CannotListenError: the socket cannot be made.
        """
        if self.place.answers():
            _log.info("another process serves {path}", path=str(self.place.path))
            return
        self.place.path.unlink(missing_ok=True)
        self._port = self.reactor.listenUNIX(self.place.address(), site, mode=0o600)

    async def stopListening(self) -> None:
        """Close the socket and remove its file."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        self.place.close()


def opened(reactor: Any, cloud: Cloud, metrics: Metrics, var: Path) -> AdminSocket:
    """The socket of the data directory ``var``, serving.

    :raises CannotListenError: it cannot be made.
    """
    root = Root([Mount(PATH, DIALECT.name, door(cloud))], metrics, reactor)
    made = AdminSocket(reactor, SocketPlace(var))
    made.listen(make_site(root, Opener([]), reactor))
    return made

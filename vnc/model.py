"""The values of the console: targets, limits and reasons to close."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class ConsoleTarget:
    """What a redeemed ticket opens.

    :ivar session: name of the session, unique for ever.
    :ivar server: id of the server whose screen is shown.
    :ivar user: whose session it is; counted against his limit.
    :ivar host: name or address of the node's VNC server.
    :ivar port: its TCP port.
    :ivar password: what the node's VNC server asks for; None for nothing.
    :ivar client_password: one-time password that the client must prove by VNC
        authentication; None where the ticket alone suffices.
    """

    session: str
    server: int
    user: str
    host: str
    port: int
    password: str | None = field(default=None, repr=False)
    client_password: str | None = field(default=None, repr=False)


@frozen
class Limits:
    """Bounds of the console service; all times in seconds.

    :ivar sessions: open sessions, all users together.
    :ivar per_user: open sessions of one user.
    :ivar connect: to reach the node and agree with it on RFB.
    :ivar greet: for the client to answer the RFB greeting, password included.
    :ivar close: for a closing handshake, then the connection is cut.
    :ivar ping: between two pings, and to wait for the answer to one.
    :ivar idle: without a byte in either direction; None for no limit.
    :ivar lifetime: of a session; None for no limit.
    """

    sessions: int = 1000
    per_user: int = 16
    connect: float = 10.0
    greet: float = 60.0
    close: float = 5.0
    ping: float = 30.0
    idle: float | None = 4 * 3600.0
    lifetime: float | None = 24 * 3600.0


@frozen
class Closing:
    """Why a session ends, as the closing frame says it.

    :ivar code: of RFC 6455 below 3000, our own from 4000; the console page
        has a sentence for each of ours.
    :ivar reason: for people, at most 120 bytes.
    """

    code: int
    reason: str


ENDED = Closing(1000, "the server's screen was closed")
LEFT = Closing(1000, "the client left")
STOPPING = Closing(1001, "the cloud's console is restarting")
NOT_BINARY = Closing(1003, "only binary messages are understood")
UNREACHABLE = Closing(1011, "the server's screen cannot be reached")
NOT_ACTIVE = Closing(4001, "the server is no longer active")
WITHDRAWN = Closing(4003, "access to this console has ended")
WRONG_PASSWORD = Closing(4004, "the console's password was wrong")
IDLE = Closing(4008, "nothing happened on this console for too long")
TOO_LONG = Closing(4009, "this console was open for too long")

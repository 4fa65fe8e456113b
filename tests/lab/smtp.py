"""A real SMTP server as a child process, with faults to order.

It writes each message that it took to ``<folder>/taken`` before it says so, and
reads ``<folder>/script.json`` at every command: ``{"rcpt": [450, "hang"]}`` has
the next RCPT refused and the one after it never answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

POINTS = ("greet", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end", "rset")
ACTIONS = ("hang", "lose", "lose after", "hang after", "mumble")
"""Besides codes; ``after`` means: after the message was taken."""


@define(eq=False)
class SmtpServer:
    """A server to be started, stopped and started again.

    :ivar options: ``--tls CERT`` from the first byte, ``--starttls CERT``,
        ``--login USER:PASSWORD``.
    """

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self) -> SmtpServer:
        """Start it and wait until it listens."""
        (self.folder / "taken").mkdir(parents=True, exist_ok=True)
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.lab.smtp",
                str(self.folder), str(self.port), *self.options,
            ],
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("no SMTP server: pip install aiosmtpd")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Have it gone at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def script(self, **events: Sequence[int | str]) -> None:
        """Have these things happen, each once."""
        new = self.folder / "script.new"
        new.write_text(json.dumps(events))
        new.replace(self.folder / "script.json")

    def taken(self) -> list[dict[str, Any]]:
        """What it took, oldest first: sender, to, data, session."""
        files = sorted((self.folder / "taken").glob("*.json"))
        return [json.loads(file.read_text()) for file in files]


def _next(folder: Path, point: str) -> int | str | None:
    """What shall happen at this point, this time."""
    file = folder / "script.json"
    try:
        events = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    left = events.get(point)
    if not left:
        return None
    event: int | str = left.pop(0)
    new = folder / "script.new"
    new.write_text(json.dumps(events))
    new.replace(file)
    return event


def _keep(folder: Path, count: int, envelope: Any, session: int) -> None:
    message = {
        "sender": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "data": envelope.original_content.decode("utf-8", "surrogateescape"),
        "session": session,
    }
    name = f"{time.time_ns():020}-{os.getpid()}-{count:06}.json"
    new = folder / "taken" / f"{name}.new"
    new.write_text(json.dumps(message))
    new.rename(folder / "taken" / name)


def _serve(folder: Path, port: int, options: dict[str, str]) -> None:
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    counts = {"session": 0, "message": 0}

    class Scripted(SMTP):
        number = 0

        async def at(self, point: str) -> bool:
            """Whether the usual thing shall happen."""
            return await self.do(_next(folder, point))

        async def do(self, event: int | str | None) -> bool:
            if event is None:
                return True
            if event == "mumble":
                await self.push("hello there")
            elif isinstance(event, int):
                await self.push(f"{event} not now")
                if event == 421:
                    self._writer.close()
            elif event.startswith("hang"):
                await asyncio.sleep(3600)
            else:
                self._writer.transport.abort()
            return False

        async def _handle_client(self) -> None:
            counts["session"] += 1
            self.number = counts["session"]
            if await self.at("greet"):
                await super()._handle_client()

        async def smtp_EHLO(self, hostname: str) -> None:
            if await self.at("ehlo"):
                await super().smtp_EHLO(hostname)

        async def smtp_STARTTLS(self, arg: str) -> None:
            event = _next(folder, "starttls")
            if event == "inject":
                self._writer.write(b"220 go\r\n250-hello\r\n250 SMTPUTF8\r\n")
                await self._writer.drain()
            elif await self.do(event):
                await super().smtp_STARTTLS(arg)

        async def smtp_AUTH(self, arg: str) -> None:
            if await self.at("auth"):
                await super().smtp_AUTH(arg)

        async def smtp_MAIL(self, arg: str | None) -> None:
            if await self.at("mail"):
                await super().smtp_MAIL(arg)

        async def smtp_RCPT(self, arg: str | None) -> None:
            if await self.at("rcpt"):
                await super().smtp_RCPT(arg)

        async def smtp_DATA(self, arg: str) -> None:
            if await self.at("data"):
                await super().smtp_DATA(arg)

        async def smtp_RSET(self, arg: str) -> None:
            if await self.at("rset"):
                await super().smtp_RSET(arg)

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            event = _next(folder, "end")
            after = isinstance(event, str) and event.endswith("after")
            if event is None or after:
                counts["message"] += 1
                _keep(folder, counts["message"], envelope, server.number)
            if isinstance(event, int):
                return f"{event} not now"
            if event is not None:
                await server.do(event)
            return "250 taken"

    def login(server: Any, session: Any, envelope: Any, way: str, data: Any) -> Any:
        user, _, password = options["login"].partition(":")
        good = isinstance(data, LoginPassword) and (
            (data.login, data.password) == (user.encode(), password.encode())
        )
        return AuthResult(success=good, handled=good)

    def context(name: str) -> ssl.SSLContext | None:
        if name not in options:
            return None
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(options[name])
        return made

    def made() -> Scripted:
        return Scripted(
            Handler(),
            hostname="mx.example.org",
            enable_SMTPUTF8="ascii" not in options,
            tls_context=context("starttls"),
            require_starttls="starttls" in options,
            authenticator=login if "login" in options else None,
            auth_required="login" in options,
            auth_exclude_mechanism=None if "login" in options else ("LOGIN", "PLAIN"),
            auth_require_tls="starttls" in options,
        )

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(made, "127.0.0.1", port, ssl=context("tls"))
        (folder / "ready").touch()
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    pairs = iter(sys.argv[3:])
    _serve(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        {
            name.removeprefix("--"): value
            for name, value in zip(pairs, pairs, strict=True)
        },
    )

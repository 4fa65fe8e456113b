"""What is inside servers is made anew: the whole first disk, or the password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import field, frozen

from snfd.clock import now
from snfd.compute import handoff, passwords, rules
from snfd.compute.accept import Tools, document
from snfd.compute.actions import Actions, Plan, changeable, idle, ready
from snfd.compute.images import Images
from snfd.compute.keypairs import whose
from snfd.compute.model import File, ImageFacts, NewVolume, Server
from snfd.compute.states import State, Task
from snfd.compute.store import guests, keypairs, rows, secrets, servers
from snfd.db.port import Jsonb, Transaction
from snfd.errors import Busy, Conflict, NotFound
from snfd.ganeti import requests
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope
from snfd.sealed import LOGIN_PASSWORD


@frozen
class Rebuild:
    """A server that shall begin anew; None leaves what there is.

    :ivar password: None to have one made.
    """

    image: UUID
    password: str | None = None
    name: str | None = None
    metadata: Mapping[str, str] | None = None
    files: Sequence[File] = field(factory=tuple)
    user_data: str = ""


@frozen(eq=False)
class Rebuilding:
    """Makes what is inside servers anew."""

    actions: Actions
    images: Images
    tools: Tools

    async def rebuild(
        self, caller: Caller, scope: Scope, ident: int, wanted: Rebuild
    ) -> tuple[Server, str]:
        """Write an image to a server's first disk; all else stays.

        It runs afterwards if it ran before. Its keys are those of its owner that
        still have the names that it was made with.

        :returns: the server, and its new login password.
        :raises NotFound: no such server or image.
        :raises Invalid: something malformed, or the image does not fit.
        :raises TooLarge: too many files, or one too long.
        :raises Forbidden: the server is suspended, or the caller only reads.
        :raises Busy: the server's state or task excludes it.
        :raises NotImplementedHere: its cluster's OS definition takes no hand-offs.
        :raises Unavailable: its cluster does not answer.
        """
        require_writer(caller)
        server = await self._found(scope, ident)
        image = await self.images.usable(caller, wanted.image)
        _check(wanted, server, image)
        password = self._password(wanted.password)
        known = await keypairs.contents(
            self.actions.db, server.owner, whose(caller)[1], server.key_names
        )
        told = document(
            password,
            image.properties,
            wanted.files,
            [known[name] for name in server.key_names if name in known],
            wanted.user_data,
        )
        made = await self.actions.db.run(
            self._rebuild, caller, scope, ident, wanted, image, told
        )
        return made, password

    async def change_password(
        self, caller: Caller, scope: Scope, ident: int, password: str
    ) -> None:
        """Give a server another login password from its next start or reboot on.

        It is kept for the owner at once. A reboot from inside does not count, and
        if the cluster cannot apply it at that start a diagnostic says so.

        :raises NotFound: no such server.
        :raises Invalid: the password is too simple, or the server gone.
        :raises Forbidden: the server is suspended, or the caller only reads.
        :raises Busy: it is being built, in error, or has another task.
        :raises NotImplementedHere: its cluster's OS definition takes no hand-offs.
        """
        require_writer(caller)
        rules.password(password)
        server = await self._found(scope, ident)
        told = document(password, await self._properties(caller, server))
        await self.actions.db.run(self._change, scope, ident, password, dict(told))

    async def _found(self, scope: Scope, ident: int) -> Server:
        found = await servers.find(self.actions.db, scope, ident)
        if found is None:
            raise NotFound(f"there is no server {ident}")
        return found

    async def _properties(self, caller: Caller, server: Server) -> Mapping[str, str]:
        """Those of the image that a server was made from, if that is still there."""
        if server.image is None:
            return {}
        try:
            return (await self.images.usable(caller, server.image)).properties
        except (NotFound, Conflict):
            return {}

    def _password(self, wanted: str | None) -> str:
        if wanted is not None:
            return rules.password(wanted)
        draw = self.tools.draw
        return rules.new_password(lambda text: text[draw(len(text))])

    async def _rebuild(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        wanted: Rebuild,
        image: ImageFacts,
        told: Mapping[str, str],
    ) -> Server:
        server = await ready(tx, scope, ident, Task.REBUILD)
        name = await passwords.os_of(tx, server)
        await guests.rebuilt(tx, ident, image.id, image.os or None)
        changes: dict[str, object] = {}
        if wanted.name is not None:
            changes["name"] = wanted.name
        if wanted.metadata is not None:
            changes["metadata"] = Jsonb(dict(wanted.metadata))
        if changes:
            await rows.update(tx, ident, **changes)
        await self._hand(tx, ident, told)
        start = server.state is State.STARTED
        request = requests.reinstall(ident, name, start=start)
        plan = Plan(Task.REBUILD, [request], to=server.state)
        await self.actions.begin(tx, caller, server, plan)
        return await servers.within(tx, ident)

    async def _hand(
        self, tx: Transaction, server: int, told: Mapping[str, str]
    ) -> None:
        at = now(self.actions.clock)
        await handoff.prepare(tx, self.tools.sealer, server, told, at, image=True)
        await self._keep(tx, server, told["img_passwd"])

    async def _keep(self, tx: Transaction, server: int, password: str) -> None:
        place = LOGIN_PASSWORD.at(server)
        sealed = self.tools.sealer.seal(password.encode(), *place)
        await secrets.keep_password(tx, server, sealed)

    async def _change(
        self,
        tx: Transaction,
        scope: Scope,
        ident: int,
        password: str,
        told: dict[str, str],
    ) -> None:
        server = await changeable(tx, scope, ident)
        idle(server)
        if server.state is State.ERROR:
            raise Busy("the server is in error")
        await passwords.os_of(tx, server)
        await passwords.wait(tx, self.tools.sealer, server, told)
        await self._keep(tx, ident, password)


def _check(wanted: Rebuild, server: Server, image: ImageFacts) -> None:
    rules.files(wanted.files)
    rules.user_data(wanted.user_data)
    if wanted.name is not None:
        rules.name(wanted.name)
    if wanted.metadata is not None:
        rules.metadata(wanted.metadata)
    size = server.volumes[0].size if server.volumes else server.flavor.disk
    rules.fits(image, server.flavor, NewVolume(image.id, size))

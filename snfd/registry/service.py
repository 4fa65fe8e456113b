"""Use cases of the registry: which components there are, and their tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, NotFound
from snfd.registry import store
from snfd.registry.model import Component, check_name, check_token, check_url
from snfd.tokens import digest, mint

MOST = 1000
"""Components, or services, on one page at most."""


@frozen
class Introduced:
    """A component with its new token, told once."""

    component: Component
    token: str = field(repr=False)


@frozen
class Urls:
    """Where a component is; None for nowhere.

    :ivar ui: its pages.
    """

    base: str | None
    ui: str | None


@frozen(eq=False)
class Registry:
    """What administrators do with components.

    :ivar random: gives so many random bytes, fit for secrets.
    """

    db: Database
    clock: Seconds
    random: Callable[[int], bytes]

    async def list(
        self, marker: str | None = None, limit: int = MOST
    ) -> Sequence[Component]:
        """Components by name, from after ``marker``, at most ``limit``."""
        rows = await self.db.read(store.COMPONENTS, (marker, min(limit, MOST)))
        return [store.component(row) for row in rows]

    async def show(self, name: str) -> Component:
        """The component called ``name``.

        :raises NotFound: there is none.
        """
        return await self.db.run(_existing, name)

    async def create(
        self, actor: Actor, name: str, urls: Urls, token: str | None = None
    ) -> Introduced:
        """Make a component.

        :param token: what it presents itself with; None makes one.
        :raises Invalid: the name, a URL or the token.
        :raises Conflict: the name, or the token, is taken.
        """
        check_name(name)
        urls = _checked(urls)
        return await self.db.run(self._create, actor, name, urls, self._secret(token))

    async def modify(
        self, actor: Actor, name: str, base: str | None, ui: str | None
    ) -> Component:
        """Change where a component is.

        Endpoints that were registered stay as they are until they are imported
        again.

        :param base: None leaves it, an empty string removes it; so for ``ui``.
        :raises NotFound: there is no such component.
        :raises Invalid: a URL.
        :raises Conflict: it is this daemon's own; its URLs are configured.
        """
        wanted = Urls(base, ui)
        _checked(wanted)
        return await self.db.run(_modify, actor, name, wanted)

    async def renew_token(
        self,
        actor: Actor,
        name: str,
        token: str | None = None,
        expires: datetime | None = None,
    ) -> Introduced:
        """Give a component another token; the one before ends at once.

        :param token: None makes one.
        :param expires: None for never.
        :raises NotFound: there is no such component.
        :raises Invalid: the token.
        :raises Conflict: another component has that token.
        """
        secret = self._secret(token)
        return await self.db.run(self._renew, actor, name, secret, expires)

    async def purge_services(self, actor: Actor, name: str) -> Sequence[str]:
        """Remove all services of a component; their names.

        Resources stay, with what is used of them. What this daemon serves
        itself is registered again at its next start.

        :raises NotFound: there is no such component.
        """
        return await self.db.run(_purge, actor, name)

    async def remove(self, actor: Actor, name: str) -> None:
        """Remove a component with its token and services.

        :raises NotFound: there is no such component.
        :raises Conflict: commissions of it are pending; nobody could resolve
            them afterwards.
        """
        await self.db.run(_remove, actor, name)

    def _secret(self, token: str | None) -> str:
        return mint(self.random) if token is None else check_token(token)

    async def _create(
        self, tx: Transaction, actor: Actor, name: str, urls: Urls, secret: str
    ) -> Introduced:
        at = now(self.clock)
        if not await store.insert(tx, name, urls.base, urls.ui, at):
            raise Conflict(f"there is a component {name!r} already")
        await store.set_token(tx, name, digest(secret), at, None)
        await record(tx, actor, "component.create", f"component:{name}")
        return Introduced(await _existing(tx, name), secret)

    async def _renew(
        self,
        tx: Transaction,
        actor: Actor,
        name: str,
        secret: str,
        expires: datetime | None,
    ) -> Introduced:
        await _existing(tx, name)
        await store.set_token(tx, name, digest(secret), now(self.clock), expires)
        await record(tx, actor, "component.renew_token", f"component:{name}")
        return Introduced(await _existing(tx, name), secret)


def _checked(urls: Urls) -> Urls:
    return Urls(check_url(urls.base, "the base URL"), check_url(urls.ui, "the UI URL"))


async def _existing(tx: Transaction, name: str, *, lock: bool = False) -> Component:
    found = await store.find(tx, name, lock=lock)
    if found is None:
        raise NotFound(f"there is no component {name!r}")
    return found


async def _modify(tx: Transaction, actor: Actor, name: str, wanted: Urls) -> Component:
    component = await _existing(tx, name, lock=True)
    if await store.has_builtin(tx, component.id):
        raise Conflict(f"the URLs of {name} are set in the configuration, in [urls]")
    base = component.base_url if wanted.base is None else wanted.base
    ui = component.ui_url if wanted.ui is None else wanted.ui
    urls = _checked(Urls(base, ui))
    await store.set_urls(tx, name, urls.base, urls.ui)
    await record(
        tx, actor, "component.modify", f"component:{name}", base=urls.base, ui=urls.ui
    )
    return await _existing(tx, name)


async def _purge(tx: Transaction, actor: Actor, name: str) -> Sequence[str]:
    component = await _existing(tx, name, lock=True)
    gone = await store.purge(tx, component.id)
    await record(
        tx, actor, "component.purge_services", f"component:{name}", services=gone
    )
    return gone


async def _remove(tx: Transaction, actor: Actor, name: str) -> None:
    await _existing(tx, name, lock=True)
    if pending := await store.pending(tx, name):
        raise Conflict(f"{pending} commission(s) of {name!r} are pending: resolve them")
    await store.remove(tx, name)
    await record(tx, actor, "component.remove", f"component:{name}")

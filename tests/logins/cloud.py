"""Logging in with a browser, in one test: pages, methods, and somebody surfing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import define, evolve, field, frozen
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource

from api import cookies
from api.addresses import Peers
from api.dispatch import build
from api.root import Root
from api.session import MethodsApi, SessionApi
from api.synnefo import identity as v2
from api.synnefo import oauth2, weblogin
from api.synnefo.account.names import AccountApi
from api.synnefo.faults import DIALECT
from api.ui.context import PageContext
from api.ui.login import LoginPages, LogoutPage
from api.ui.menu import MenuApi, ServicesApi
from api.ui.methods import MethodPages
from api.ui.newcomers import NewcomerPages
from api.ui.paper import PAGES, Forms, Paper
from api.ui.required import RequiredPage
from snfd.accounts.model import Rules
from snfd.catalog import KINDS, Catalog
from snfd.config import Urls
from snfd.errors import Unauthorized
from snfd.logins.handoff import OAuth2
from snfd.logins.model import HOST_MARK, SESSION_MARK, Claims, Method, Policies
from snfd.logins.opening import Opening
from snfd.logins.policies import LoginPolicies
from snfd.logins.port import Departure, Local, Way
from snfd.logins.redirects import Redirects
from snfd.logins.required import Required
from snfd.logins.service import Logins
from snfd.logins.sessions import Sessions
from snfd.logins.wired import WebLogin
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.accounts.cloud import AccountCloud
from tests.api.memory import Browser, Response
from tests.identity.cloud import IdentityCloud, identity_cloud

ORIGIN = "https://a.test"
URLS = Urls(ORIGIN, "https://c.test", "https://p.test", "https://x.test")
SESSION = cookies.named(cookies.SESSION, secure=True)
ALLOWED = ("pithos://", "pithosdev://", "https://app.example/cb")


def sessions(cloud: IdentityCloud, secure: bool = True) -> Sessions:
    """Sessions of twelve hours."""
    return Sessions(
        cloud.db,
        cloud.verifier,
        cloud.clock,
        cloud.random,
        timedelta(hours=12),
        mark=HOST_MARK if secure else SESSION_MARK,
    )


@frozen(eq=False)
class FakeForm:
    """A directory with the passwords of a few people; see `Form`."""

    method: Method
    people: Mapping[tuple[str, str], Claims]

    async def check(self, name: str, password: str) -> Claims:
        found = self.people.get((name, password))
        if found is None:
            raise Unauthorized("these credentials are not valid")
        return found


@define(eq=False)
class FakeJourney:
    """A provider whose page says at once who came; see `Journey`."""

    method: Method
    claims: Claims
    left: int = 0

    async def leave(self, back: str) -> Departure:
        self.left += 1
        state = f"state {self.left}"
        url = f"https://idp.test/?{urlencode({'back': back, 'state': state})}"
        return Departure(url, {"state": state})

    async def returned(
        self, back: str, kept: Mapping[str, str], answer: Mapping[str, str]
    ) -> Claims:
        if answer.get("state") != kept["state"] or "code" not in answer:
            raise Unauthorized("that login was not begun by this browser; once more")
        return self.claims


@frozen(eq=False)
class FakeHeaders:
    """Believes one header; see `Headers`."""

    method: Method

    def read(self, header: Callable[[str], Sequence[str]], peer: str) -> Claims:
        names = header("REMOTE_USER")
        if len(names) != 1:
            raise Unauthorized("nobody")
        return Claims(names[0])


ANNA = Claims(
    "anna-1",
    {"email": "Anna@Uni.example", "first_name": "Anna", "last_name": "Ampère"},
    verified=True,
)


def method(name: str, forced: Sequence[str] = (), **policies: Any) -> Method:
    """A method called ``name``."""
    return Method(name, name.title(), Policies(**policies), frozenset(forced))


@define(eq=False, slots=False)
class BrowsingCloud:
    """User ``demo``; methods ``local``, and what a test adds."""

    case: SynchronousTestCase
    allowed: Sequence[str] = ALLOWED
    cloud: IdentityCloud = field(init=False)
    accounts: AccountCloud = field(init=False)
    ways: dict[str, Way] = field(init=False, factory=dict)
    browsing: WebLogin = field(init=False)
    root: IResource = field(init=False)

    def __attrs_post_init__(self) -> None:
        cloud = self.cloud = identity_cloud(self.case)
        self.demo = cloud.user("demo")
        self.accounts = AccountCloud(cloud, Rules(moderation=False))
        self.ways["local"] = Local(method("local"))
        required = Required(self.ways, f"{ORIGIN}/ui/login")
        made = evolve(sessions(cloud), required=required)
        cloud.identity = evolve(cloud.identity, admit=required.admit)
        logins = Logins(
            cloud.db,
            made,
            cloud.verifier,
            lambda *given: Opening(self.accounts.parts)(*given),
            cloud.clock,
            cloud.random,
            self.ways,
            self.accounts.parts.letters.changed,
        )
        self.browsing = WebLogin(
            sessions=made,
            logins=logins,
            policies=LoginPolicies(cloud.db),
            oauth2=OAuth2(cloud.db, cloud.clock, cloud.random),
            redirects=Redirects(ORIGIN, self.allowed),
            sealer=cloud.keys,
            secure=True,
        )
        self.root = Root(self._mounts(), Metrics(), cloud.clock)

    def add(self, way: Any) -> Any:
        """Configure a method."""
        self.ways[way.method.name] = way
        return way

    def surfer(self) -> Surfer:
        """Somebody who is not logged in."""
        return Surfer(self.root)

    def logged_in(self, name: str = "demo") -> Surfer:
        """Somebody who is."""
        surfer = self.surfer()
        answer = surfer.post(
            "/account/v1.0/login", {"username": name, "password": "secret"}
        )
        self.case.assertEqual(200, answer.status, answer.body)
        return surfer

    def desk(self) -> PageContext:
        """What the pages work with."""
        cloud = self.cloud
        return PageContext(
            weblogin=self.browsing,
            authenticator=cloud.authenticator,
            forms=Forms(cloud.random, True),
            sealer=cloud.keys,
            clock=cloud.clock,
            peers=Peers(),
            origin=ORIGIN,
            service="Test Cloud",
        )

    def _mounts(self) -> Sequence[Mount]:
        cloud, who = self.cloud, self.cloud.authenticator
        desk = self.desk()
        terms = self.accounts.accounts.terms
        pages = (
            LoginPages(desk),
            RequiredPage(desk),
            MethodPages(desk),
            NewcomerPages(desk, terms),
        )
        account = (
            SessionApi(self.browsing.sessions, True),
            MethodsApi(self.browsing.logins),
            AccountApi(cloud.people, cloud.feedback, cloud.unknown_names),
        )
        catalog = Catalog(URLS, KINDS)
        whole = v2.resource(
            who,
            cloud.identity,
            cloud.projects,
            catalog,
            granted=self.browsing.oauth2.validate,
        )
        services = ServicesApi(URLS, KINDS)
        menu = MenuApi(desk, cloud.people)
        return [
            Mount("/ui/login", "", Paper(build(PAGES, who, *pages))),
            Mount("/ui/logout", "", Paper(build(PAGES, who, LogoutPage(desk)))),
            Mount("/ui/get_menu", "synnefo", build(DIALECT, who, menu)),
            Mount("/ui/get_services", "synnefo", build(DIALECT, who, services)),
            Mount("/weblogin", "synnefo", weblogin.resource(desk)),
            Mount("/oauth2", "synnefo", oauth2.resource(desk)),
            Mount("/account/v1.0", "synnefo", build(DIALECT, who, *account)),
            Mount("/identity/v2.0", "synnefo", whole),
        ]


@define(eq=False)
class Surfer:
    """A browser: it keeps cookies, and sends them where they belong."""

    resource: IResource
    cookies: dict[str, str] = field(factory=dict)
    csrf: str = ""
    _paths: dict[str, str] = field(init=False, factory=dict)
    _browser: Browser = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._browser = Browser(self.resource)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = {}, **more: Any
    ) -> Response:
        """One request with all cookies of its path; what is set is kept."""
        sent = dict(headers)
        pairs = [
            f"{name}={value}"
            for name, value in self.cookies.items()
            if path.startswith(self._paths.get(name, "/"))
        ]
        if pairs:
            sent.setdefault("Cookie", "; ".join(pairs))
        if self.csrf:
            sent.setdefault("X-CSRF-Token", self.csrf)
        answer = self._browser.request(method, path, headers=sent, follow=False, **more)
        for line in answer.set_cookies:
            self.keep(line)
        return answer

    def get(self, path: str, **more: Any) -> Response:
        """``GET path``."""
        return self.request("GET", path, **more)

    def post(self, path: str, json: object = None, **more: Any) -> Response:
        """``POST path``."""
        return self.request("POST", path, json=json, **more)

    def form(self, path: str, fields: Mapping[str, str], **more: Any) -> Response:
        """``POST path`` as a form does."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers.update(more.pop("headers", {}))
        data = urlencode(fields).encode()
        return self.request("POST", path, data=data, headers=headers, **more)

    def fill(self, path: str, **fields: str) -> Response:
        """Load a page, fill its form in and send it."""
        shown = hidden_fields(self.get(path))
        return self.form(path, {**shown, **fields})

    def keep(self, line: str) -> None:
        """Take a ``Set-Cookie`` header in."""
        pair, *rest = [part.strip() for part in line.split(";")]
        name, _, value = pair.partition("=")
        self._paths[name] = next(
            (one[5:] for one in rest if one.startswith("Path=")), "/"
        )
        if "Max-Age=0" in rest:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


def hidden_fields(answer: Response) -> dict[str, str]:
    """The fields of a page's form, as they are filled in already; no ticks."""
    return hidden_of(answer.body)


def hidden_of(page: bytes) -> dict[str, str]:
    """The same of a page itself."""
    found = re.findall(
        r'<input [^>]*?name="([^"]*)"([^>]*?) value="([^"]*)"', page.decode()
    )
    return {
        unescape(name): unescape(value)
        for name, more, value in found
        if "checkbox" not in more
    }


def query_of(answer: Response) -> dict[str, str]:
    """What the address that an answer leads to carries in its query."""
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[-1] for name, values in query.items()}

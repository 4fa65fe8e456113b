"""Plain pages: forms without scripts, and faults as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from http import HTTPStatus
from typing import Any

from attrs import frozen
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from api import cookies
from api.forms import form_of
from api.operations import Answer, Dialect, Fault
from api.synnefo.faults import FAULTS
from snfd.errors import Forbidden
from snfd.logins.model import csrf_of, same
from snfd.tokens import mint

FORM_COOKIE = "snfd_form"
HTML = "text/html; charset=utf-8"

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@frozen
class Field:
    """One line of a form.

    :ivar fixed: whether it is shown and cannot be changed.
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    fixed: bool = False
    complete: str = "off"
    needed: bool = True


@frozen
class Link:
    """Another way on."""

    url: str
    label: str


def page(
    title: str,
    *,
    text: str = "",
    problem: str = "",
    facts: Sequence[tuple[str, str]] = (),
    blocks: Sequence[tuple[str, str]] = (),
    fields: Sequence[Field] = (),
    hidden: Mapping[str, str] | None = None,
    button: str = "",
    links: Sequence[Link] = (),
    onward: str = "",
) -> bytes:
    """A page; with a form where there is a ``button``.

    :param facts: names and what they stand for.
    :param blocks: texts to be taken as they are, and what each is.
    :param onward: where the browser goes on at once.
    """
    parts = [
        "<!doctype html>\n<html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        '<meta name=color-scheme content="light dark">',
        f"<title>{escape(title)}</title>",
        '<link rel=stylesheet href="/ui/login/style.css">',
    ]
    if onward:
        parts.append(f'<meta http-equiv=refresh content="0;url={escape(onward)}">')
    parts.append(f"<main><h1>{escape(title)}</h1>")
    if problem:
        parts.append(f"<p role=alert>{escape(problem)}</p>")
    if text:
        parts.append(f"<p>{escape(text)}</p>")
    if facts:
        pairs = (f"<dt>{escape(a)}<dd>{escape(b)}" for a, b in facts)
        parts += ["<dl>", *pairs, "</dl>"]
    for name, body in blocks:
        # the first line break of a pre is none of its text
        parts += [f"<h2>{escape(name)}</h2>", f"<pre tabindex=0>\n{escape(body)}</pre>"]
    if button:
        parts += _form(fields, hidden or {}, button)
    parts += [
        f'<p><a href="{escape(one.url)}">{escape(one.label)}</a>' for one in links
    ]
    return "\n".join([*parts, "</main></html>\n"]).encode()


def _form(fields: Sequence[Field], hidden: Mapping[str, str], button: str) -> list[str]:
    parts = ["<form method=post>"]
    for name, value in hidden.items():
        parts.append(
            f'<input type=hidden name="{escape(name)}" value="{escape(value)}">'
        )
    for one in fields:
        flags = " readonly" if one.fixed else ""
        flags += " required" if one.needed else ""
        parts.append(
            f'<label for="{escape(one.name)}">{escape(one.label)}</label>'
            f'<input id="{escape(one.name)}" name="{escape(one.name)}"'
            f' type="{escape(one.kind)}" value="{escape(one.value)}"'
            f' autocomplete="{escape(one.complete)}"{flags}>'
        )
    return [*parts, f"<button>{escape(button)}</button></form>"]


def going(url: str) -> Answer[bytes]:
    """An answer that sends the browser on."""
    return Answer(b"", status=302, headers={"Location": url, "Content-Type": HTML})


def plain(title: str, *, status: int = 200, **more: Any) -> Answer[bytes]:
    """A page as an answer."""
    return Answer(page(title, **more), status=status, headers={"Content-Type": HTML})


@frozen(eq=False)
class Forms:
    """Makes forms that other sites cannot send for their visitors.

    A form carries what follows from a cookie that only we can read.

    :ivar secure: whether cookies go over TLS only.
    """

    random: Any
    secure: bool

    def answer(
        self,
        request: IRequest,
        title: str,
        *,
        status: int = 200,
        hidden: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer[bytes]:
        """A page with a form."""
        secret = self._secret(request) or mint(self.random)
        inside = {"form": csrf_of(secret), **(hidden or {})}
        cookies.put(request, cookies.made(FORM_COOKIE, secret, secure=self.secure))
        return plain(title, status=status, hidden=inside, **more)

    def read(self, request: IRequest) -> Mapping[str, str]:
        """The fields of a form of ours; each once.

        :raises Forbidden: another site may have sent it.
        :raises Invalid: it is no form, or too large.
        """
        # a neighbour below the same domain can set our cookies, the form's too
        if request.getHeader("sec-fetch-site") in ("cross-site", "same-site"):
            raise Forbidden("another site sent this form")
        given = form_of(request)
        secret = self._secret(request)
        if secret is None or not same(given.get("form", ""), csrf_of(secret)):
            raise Forbidden("this form is too old; load the page and try again")
        return given

    def _secret(self, request: IRequest) -> str | None:
        return cookies.cookie_of(request, cookies.named(FORM_COOKIE, self.secure))


def _render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    phrase = HTTPStatus(fault.status).phrase
    more = [Link("/ui/login", "Sign in")] if fault.status in (401, 403, 404) else []
    return page(phrase, problem=message, text=f"Request {request_id}", links=more)


PAGES = Dialect(
    name="pages",
    title="Pages",
    faults=FAULTS,
    render=_render,
    fault_body=bytes,
    content_type=HTML,
    fault_content_type=HTML,
    headers=HEADERS,
)
"""Pages for people; they are no API, and stand in no document."""


class Paper(Resource):
    """Serves pages without being an API."""

    isLeaf = True

    def __init__(self, served: IResource) -> None:
        Resource.__init__(self)
        self._served = served

    def render(self, request: IRequest) -> Any:
        """See `IResource.render`."""
        return self._served.render(request)

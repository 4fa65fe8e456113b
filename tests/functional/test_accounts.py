"""Accounts on a real daemon: letters arrive, links work, secrets stay secret."""

from __future__ import annotations

import re
import shutil
import tempfile
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import policy
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from tests.functional.daemon import PASSWORD, Client, eventually, running
from tests.functional.evidence import rows
from tests.functional.test_mail_kill import dsn
from tests.functional.test_operator import dump, log_files
from tests.lab.ports import free_port
from tests.lab.smtp import SmtpServer

A1 = "/account/v1.0"
FIRST, SECOND, THIRD = "first-Secret!1", "second-Secret!2", "third-Secret!3"
FORM = {"first_name": "Ann", "last_name": "Person", "password": FIRST}


@pytest.mark.rig("pocket")
@pytest.mark.timeout(300)
class AccountsTests(unittest.TestCase):
    """One daemon, one mail server, and people who come and go."""

    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="snfd-mail-"))
        self.addCleanup(shutil.rmtree, folder)
        self.server = SmtpServer(folder, free_port()).start()
        self.addCleanup(self.server.stop)
        self.daemon = self.enterContext(
            running(
                SNFD_MAIL_SERVER="127.0.0.1",
                SNFD_MAIL_PORT=str(self.server.port),
                SNFD_MAIL_SECURITY="none",
                SNFD_MAIL_HELPDESK="staff@example.org",
                SNFD_IDENTITY_ACCEPT=r".*@accepted\.example$",
                SNFD_LOG_LEVEL="debug",
            )
        )
        self.web = Client(self.daemon.port)
        self.secrets: dict[str, str] = {"1": FIRST, "2": SECOND, "3": THIRD}

    def letter(self, to: str, word: str) -> str:
        """The text of the letter to somebody that has ``word`` in it; waits for it."""

        def look() -> list[str]:
            texts = [
                text(one["data"]) for one in self.server.taken() if to in one["to"]
            ]
            return [one for one in texts if word in one]

        (found,) = eventually(look, 30)
        return found

    def key(self, to: str, page: str) -> str:
        """What the link in a letter carries."""
        found = re.search(rf"/ui/{page}\?(?:auth|key)=([\w-]+)", self.letter(to, page))
        assert found
        self.secrets[page] = found[1]
        return found[1]

    def ask(self, path: str, body: object, token: str = "") -> Any:
        client = Client(self.daemon.port, token)
        return client.post(A1 + path, body)

    def login(self, email: str, password: str) -> Any:
        user = {"name": email, "domain": {"id": "default"}, "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        return self.web.post(
            "/identity/v3/auth/tokens", {"auth": {"identity": identity}}
        )

    def token(self, email: str, password: str) -> str:
        answer = self.login(email, password)
        self.assertEqual(201, answer.status, answer.body)
        secret: str = answer.headers["x-subject-token"]
        self.secrets[f"token {len(self.secrets)}"] = secret
        return secret

    def good(self, token: str) -> bool:
        """Whether a token is."""
        return Client(self.daemon.port, token).get(A1 + "/profile").status == 200

    def sign_up(self, email: str) -> None:
        answer = self.ask("/signup", {**FORM, "email": email})
        self.assertEqual(202, answer.status, answer.body)

    def test_from_the_form_by_the_letter_to_the_first_login(self) -> None:
        """And all that came by then is in no dump and no log."""
        email = "ann@accepted.example"
        self.sign_up(email)
        self.assertEqual(401, self.login(email, FIRST).status)
        auth = self.key(email, "activate")
        self.assertIn(auth, self.page(f"/ui/activate?auth={auth}"))
        self.once(lambda: self.ask("/signup/verify", {"auth": auth}), 404)
        old = self.token(email, FIRST)
        made = self.ask("/tokens", {"label": "ci"}, old).json["secret"]
        self.secrets["personal"] = made
        self.changed(email, old, made)
        self.reset(email)
        self.moved(email)
        self.unreadable()

    def page(self, path: str) -> str:
        """A page that a letter leads to."""
        answer = self.web.get(path)
        self.assertEqual(200, answer.status)
        return answer.body.decode()

    def once(self, ask: Callable[[], Any], otherwise: int) -> None:
        """Ask the same many times at once: it is done only once."""
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask().status, range(8)))
        self.assertEqual([200, *[otherwise] * 7], sorted(answers))

    def changed(self, email: str, old: str, made: str) -> None:
        """A new password ends what the old one opened."""
        session = self.ask("/login", {"username": email, "password": FIRST})
        cookie = session.headers["set-cookie"].partition(";")[0]
        self.secrets["session"] = cookie.partition("=")[2]
        self.secrets["csrf"] = session.json["csrf"]
        browser = {"Cookie": cookie, "X-CSRF-Token": session.json["csrf"]}
        current = self.token(email, FIRST)
        with_cookie = self.web.get(A1 + "/profile", headers=browser)
        self.assertEqual(200, with_cookie.status)
        body = {"old": FIRST, "new": SECOND}
        self.assertEqual(204, self.ask("/password", body, current).status)
        self.assertEqual(
            [True, False, False], [self.good(one) for one in (current, old, made)]
        )
        with_cookie = self.web.get(A1 + "/profile", headers=browser)
        self.assertEqual(401, with_cookie.status)

    def reset(self, email: str) -> None:
        """A letter leads to a new password, and ends what there was."""
        token = self.token(email, SECOND)
        for one in (email, "nobody@accepted.example"):
            self.assertEqual(202, self.ask("/password/reset", {"email": one}).status)
        body = {"key": self.key(email, "password_reset"), "password": THIRD}
        self.assertEqual(204, self.ask("/password/reset/confirm", body).status)
        self.assertFalse(self.good(token))

    def moved(self, email: str) -> None:
        """A new address is proved by its letter."""
        token = self.token(email, THIRD)
        body = {"email": "new@accepted.example", "password": THIRD}
        self.assertEqual(202, self.ask("/email", body, token).status)
        key = self.key("new@accepted.example", "email_change")
        answer = self.ask("/email/confirm", {"key": key}, token)
        self.assertEqual({"email": "new@accepted.example"}, answer.json)
        self.token("new@accepted.example", THIRD)

    def unreadable(self) -> None:
        """No password, token or key is in a dump of the database or in a log."""
        texts = {"dump": dump(dsn(self.daemon)), "log": self.daemon.log.read_text()}
        for file in log_files(self.daemon.var):
            texts[file.name] = file.read_text(errors="replace")
        self.secrets["seed"] = PASSWORD
        found = [
            (name, where)
            for name, secret in self.secrets.items()
            for where, text in texts.items()
            if secret in text
        ]
        self.assertEqual([], found)
        self.assertGreater(len(self.secrets), 10)
        self.assertIn("ann", texts["dump"])

    def test_whoever_is_not_accepted_at_once_waits_and_is_told(self) -> None:
        email = "bob@example.org"
        self.sign_up(email)
        verified = self.ask("/signup/verify", {"auth": self.key(email, "activate")})
        self.assertEqual({"state": "pending moderation"}, verified.json)
        self.assertEqual(401, self.login(email, FIRST).status)
        self.letter("staff@example.org", email)
        [(uuid,)] = rows(
            self.daemon, "SELECT uuid FROM identity.app_user WHERE email = %s", email
        )
        root = self.daemon.client("admin")
        path = f"/admin/v1/users/{uuid}"
        self.once(lambda: root.post(f"{path}/accept", {}), 409)
        self.letter(email, "accept")
        token = self.token(email, FIRST)
        self.once(lambda: root.post(f"{path}/deactivate", {"reason": "unpaid"}), 409)
        self.assertFalse(self.good(token))
        self.letter(email, "unpaid")
        self.once(lambda: root.post(f"{path}/activate", {}), 409)
        self.assertEqual([], list(self.daemon.complaints()))

    def test_of_many_forms_at_once_one_opens_an_account(self) -> None:
        email = "eve@accepted.example"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: self.sign_up(email), range(8)))
        auth = self.key(email, "activate")
        self.assertEqual(200, self.ask("/signup/verify", {"auth": auth}).status)
        sql = "SELECT count(*) FROM identity.app_user WHERE email = %s"
        self.assertEqual([(1,)], rows(self.daemon, sql, email))
        self.assertEqual([], list(self.daemon.complaints()))


def text(message: str) -> str:
    """The words of a letter."""
    parsed = Parser(policy=policy.default).parsestr(message)
    body = parsed.get_body(("plain",))
    assert body is not None
    return str(body.get_content())

"""OAuth2: codes by way of the browser, tokens for them (spec §2.9)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.errors import Conflict, Invalid, NotFound
from snfd.logins.handoff import MAX_CODES
from snfd.logins.handoff_model import Client
from snfd.logins.model import challenge
from tests.api.memory import Response
from tests.logins.cloud import BrowsingCloud, Surfer, query_of

ROOT = Actor(None, "root")
VIEW = "https://view.example/cb"


class OAuth2Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.oauth2 = self.cloud.browsing.oauth2
        self.secret = self.register("view", True)
        self.surfer = self.cloud.logged_in()

    def register(self, name: str, trusted: bool = False, public: bool = False) -> str:
        client = Client(name, f"The {name}", [VIEW, VIEW + "/other"], trusted)
        return self.cloud.cloud.wait(self.oauth2.register(ROOT, client, public=public))

    def auth(self, surfer: Surfer | None = None, **more: str) -> Response:
        wish = {
            "response_type": "code",
            "client_id": "view",
            "redirect_uri": VIEW,
            "state": "s1",
            **more,
        }
        return (surfer or self.surfer).get(f"/oauth2/auth?{urlencode(wish)}")

    def code(self, **more: str) -> str:
        return query_of(self.auth(None, **more))["code"]

    def exchange(
        self, code: str, client: str = "view", secret: str | None = None, **more: str
    ) -> Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": VIEW,
            **more,
        }
        words = f"{client}:{self.secret if secret is None else secret}"
        basic = b64encode(words.encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        return self.cloud.surfer().form("/oauth2/token", form, headers=headers)

    def validate(self, token: str, query: str = "") -> int:
        path = f"/identity/v2.0/tokens/{token}{query}"
        return self.cloud.surfer().get(path).status


class OAuth2Tests(OAuth2Case):
    def test_a_trusted_program_gets_a_token(self) -> None:
        answer = self.auth()
        self.assertEqual(302, answer.status)
        self.assertTrue(answer.headers["location"].startswith(VIEW + "?code="))
        given = query_of(answer)
        self.assertEqual("s1", given["state"])
        self.assertEqual(60, len(given["code"]))
        answer = self.exchange(given["code"])
        self.assertEqual(200, answer.status, answer.body)
        self.assertEqual(
            ("Bearer", 20), (answer.json["token_type"], answer.json["expires_in"])
        )

    def test_astakos_11_its_token_is_good_for_its_scope_and_a_moment(self) -> None:
        scope = "https://view.example/files"
        token = self.exchange(self.code(scope=f"{scope} more")).json["access_token"]
        path = f"/identity/v2.0/tokens/{token}"
        answer = self.cloud.surfer().get(path)
        self.assertEqual(200, answer.status)
        self.assertEqual(str(self.cloud.demo), answer.json["access"]["user"]["id"])
        self.assertEqual({"token", "user"}, answer.json["access"].keys())
        for fits in (scope, scope + "/a/b", scope + "?x"):
            self.assertEqual(200, self.validate(token, f"?belongsTo={fits}"))
        for other in ("zzz", "https://view.example/", scope + "2", "x" + scope):
            self.assertEqual(404, self.validate(token, f"?belongsTo={other}"))
        self.cloud.cloud.clock.advance(20)
        self.assertEqual(404, self.validate(token))

    def test_the_scope_is_the_redirect_unless_given(self) -> None:
        token = self.exchange(self.code()).json["access_token"]
        self.assertEqual(200, self.validate(token, f"?belongsTo={VIEW}"))
        self.assertEqual(404, self.validate(token, "?belongsTo=https://view.example"))

    def test_it_is_no_token_of_the_api(self) -> None:
        token = self.exchange(self.code()).json["access_token"]
        answer = self.cloud.surfer().get("/account/v1.0/session", token=token)
        self.assertEqual(401, answer.status)
        self.assertEqual(404, self.validate(self.cloud.cloud.login("demo").secret))

    def test_nothing_of_it_can_be_read_in_the_database(self) -> None:
        code = self.code()
        token = self.exchange(code).json["access_token"]
        rows = self.cloud.cloud.sql(
            "SELECT c::text, t::text, k::text FROM identity.oauth2_client c,"
            " identity.oauth2_code t, identity.oauth2_token k"
        )
        for secret in (code, token, self.secret):
            self.assertNotIn(secret, repr(rows))
            self.assertNotIn(secret.encode().hex(), repr(rows))

    def test_a_code_works_once_and_a_second_time_ends_its_token(self) -> None:
        code = self.code()
        token = self.exchange(code).json["access_token"]
        answer = self.exchange(code)
        self.assertEqual((400, "invalid_grant"), (answer.status, answer.json["error"]))
        self.assertEqual(404, self.validate(token))

    def test_a_code_is_soon_too_old(self) -> None:
        code = self.code()
        self.cloud.cloud.clock.advance(60)
        self.assertEqual("invalid_grant", self.exchange(code).json["error"])

    def test_a_code_is_of_one_client_and_one_address(self) -> None:
        other = self.register("other")
        answer = self.exchange(self.code(), "other", other)
        self.assertEqual("invalid_grant", answer.json["error"])
        answer = self.exchange(self.code(), redirect_uri=VIEW + "/other")
        self.assertEqual("invalid_grant", answer.json["error"])

    def test_clients_prove_who_they_are(self) -> None:
        code = self.code()
        for client, secret in (("view", "wrong"), ("view", ""), ("nobody", "x")):
            answer = self.exchange(code, client, secret)
            self.assertEqual(
                (400, "invalid_client"), (answer.status, answer.json["error"])
            )
        form = {"grant_type": "authorization_code", "code": code, "client_id": "view"}
        answer = self.cloud.surfer().form("/oauth2/token", form)
        self.assertEqual("invalid_client", answer.json["error"])
        self.assertEqual(200, self.exchange(code).status)

    def test_only_exact_addresses(self) -> None:
        for wrong in (
            VIEW + "/",
            VIEW + "?x=1",
            VIEW + "/other/../..",
            "https://view.example.evil/cb",
            "https://evil.example/",
            "",
            VIEW + "x" * 6000,
        ):
            answer = self.auth(redirect_uri=wrong)
            self.assertEqual(400, answer.status, wrong)
            self.assertNotIn("location", answer.headers)
        answer = self.auth(client_id="nobody")
        self.assertEqual((400, "invalid_client"), (answer.status, answer.json["error"]))
        answer = self.auth(response_type="token")
        self.assertEqual("unsupported_response_type", answer.json["error"])

    def test_strangers_log_in_first(self) -> None:
        answer = self.auth(self.cloud.surfer())
        self.assertEqual(302, answer.status)
        self.assertTrue(answer.headers["location"].startswith("/ui/login?next="))
        self.assertIn("client_id=view", query_of(answer)["next"])

    def test_tokens_die_with_the_session(self) -> None:
        token = self.exchange(self.code()).json["access_token"]
        late = self.code()
        self.surfer.get("/ui/logout", headers={"Sec-Fetch-Site": "none"})
        self.assertEqual(404, self.validate(token))
        self.assertEqual("invalid_grant", self.exchange(late).json["error"])

    def test_codes_of_one_session_are_few(self) -> None:
        codes = []
        for _ in range(MAX_CODES + 2):
            self.cloud.cloud.clock.advance(0.001)
            codes.append(self.code())
        count = "SELECT count(*)::int FROM identity.oauth2_code"
        self.assertEqual([(MAX_CODES,)], self.cloud.cloud.sql(count))
        self.assertEqual("invalid_grant", self.exchange(codes[1]).json["error"])
        self.assertEqual(200, self.exchange(codes[2]).status)


class ConsentTests(OAuth2Case):
    def test_people_are_asked(self) -> None:
        self.register("app")
        wish = {"response_type": "code", "client_id": "app", "redirect_uri": VIEW}
        path = f"/oauth2/auth?{urlencode({**wish, 'state': 's&2'})}"
        answer = self.surfer.get(path)
        self.assertEqual(200, answer.status)
        self.assertIn(b"Let The app act for you?", answer.body)
        self.assertIn(b"error=access_denied", answer.body)
        self.assertIn(
            "frame-ancestors 'none'", answer.headers["content-security-policy"]
        )
        self.assertEqual(400, self.surfer.post(path, {}).status)
        self.assertEqual(400, self.surfer.form(path, {}).status)
        answer = self.surfer.fill(path)
        self.assertEqual(200, answer.status)
        self.assertIn(b'content="0;url=https://view.example/cb?code=', answer.body)
        self.assertIn(b"state=s%262", answer.body)

    def test_public_clients_need_pkce(self) -> None:
        self.assertEqual("", self.register("phone", True, public=True))
        self.assertEqual(400, self.auth(client_id="phone").status)
        verifier = "v" * 43
        more = {
            "client_id": "phone",
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        plain = {**more, "code_challenge_method": "plain"}
        self.assertEqual(400, self.auth(None, **plain).status)
        form = {
            "grant_type": "authorization_code",
            "client_id": "phone",
            "redirect_uri": VIEW,
        }
        wrong = {**form, "code": self.code(**more), "code_verifier": "w" * 43}
        answer = self.cloud.surfer().form("/oauth2/token", wrong)
        self.assertEqual("invalid_grant", answer.json["error"])
        right = {**form, "code": self.code(**more), "code_verifier": verifier}
        answer = self.cloud.surfer().form("/oauth2/token", right)
        self.assertEqual(200, answer.status, answer.body)


class ClientTests(OAuth2Case):
    def test_they_are_registered_and_forgotten(self) -> None:
        wait, fails = self.cloud.cloud.wait, self.cloud.cloud.fails
        token = self.exchange(self.code()).json["access_token"]
        self.assertEqual(["view"], [one.id for one in wait(self.oauth2.clients())])
        again = Client("view", "x", [VIEW], False)
        fails(self.oauth2.register(ROOT, again), Conflict)
        for wrong in (
            "",
            "javascript:x",
            "https://x/#f",
            "https://x\ny",
            "http://x/cb",
        ):
            client = Client("new", "x", [wrong], False)
            fails(self.oauth2.register(ROOT, client), Invalid)
        fails(self.oauth2.register(ROOT, Client("new", "x", [], False)), Invalid)
        wait(self.oauth2.remove(ROOT, "view"))
        fails(self.oauth2.remove(ROOT, "view"), NotFound)
        self.assertEqual(404, self.validate(token))

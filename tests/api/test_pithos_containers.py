"""Accounts, containers and paths in the Pithos dialect."""

from __future__ import annotations

from attrs import evolve

from tests.api.test_pithos_objects import PithosCase


class AccountTests(PithosCase):
    def test_pithos_01_and_02_tokens(self) -> None:
        self.wire.token = None
        self.fault(401, "unauthorized", self.wire.get(self.base))
        self.fault(401, "unauthorized", self.wire.get(self.base, x_auth_token="x"))

    def test_pithos_05_methods(self) -> None:
        for method, path in (("PUT", self.base), ("PATCH", f"{self.c}/o")):
            bad = self.wire.request(method, path)
            self.fault(405, "notAllowed", bad)
            self.assertIn("GET", bad.headers["allow"])

    def test_pithos_06_fresh_account(self) -> None:
        self.wire.token = "b"
        got = self.wire.request("HEAD", f"/object-store/v1/{self.b.user}")
        self.assertEqual(204, got.status)
        for name, value in (
            ("x-account-container-count", "0"),
            ("x-account-bytes-used", "0"),
            ("last-modified", "Sun, 22 Nov 2026 12:00:00 GMT"),
        ):
            self.assertEqual(value, got.headers[name])
        self.assertIn("x-account-policy-quota", got.headers)
        self.assertIn(f"x-account-policy-quota-{self.b.user}", got.headers)

    def test_pithos_07_to_09_metadata(self) -> None:
        made = self.wire.post(self.base, **{"X-Account-Meta-Foo_bar_": "1"})
        self.assertEqual(202, made.status)
        self.assertEqual("1", self.meta()["x-account-meta-foo-bar"])
        self.wire.post(f"{self.base}?update", x_account_meta_baz="2")
        self.wire.post(f"{self.base}?update", **{"X-Account-Meta-Foo-Bar_": ""})
        self.assertNotIn("x-account-meta-foo-bar", self.meta())
        self.assertEqual("2", self.meta()["x-account-meta-baz"])
        self.wire.post(self.base, x_account_meta_new="3")
        self.assertNotIn("x-account-meta-baz", self.meta())

    def test_pithos_10_too_much_metadata(self) -> None:
        many = {f"x_account_meta_k{number}": "v" for number in range(33)}
        self.fault(400, "badRequest", self.wire.post(self.base, **many))

    def test_pithos_13_and_14_listings(self) -> None:
        for name in ("b", "a"):
            self.wire.put(f"{self.base}/{name}")
        self.assertEqual("a\nb\n", self.wire.get(f"{self.base}?limit=2").text)
        self.assertEqual("c\n", self.wire.get(f"{self.base}?marker=b").text)
        entry = self.wire.get(f"{self.base}?format=json").json[0]
        self.assertEqual(("a", 0, 0), (entry["name"], entry["count"], entry["bytes"]))
        self.assertEqual("auto", entry["x_container_policy"]["versioning"])
        shown = self.wire.get(f"{self.base}?format=xml").text
        self.assertIn("<container><name>a</name>", shown)
        self.wire.token = "b"
        other = f"/object-store/v1/{self.b.user}"
        self.assertEqual(204, self.wire.get(other).status)
        empty = self.wire.get(f"{other}?format=json")
        self.assertEqual((200, []), (empty.status, empty.json))

    def test_pithos_85_accounts_of_others_that_one_may_read(self) -> None:
        self.tokens["member"] = evolve(self.b, projects=self.b.projects | {self.a.user})
        top = "/object-store/v1"
        for path in (top, f"{top}/"):
            got = self.wire.get(f"{path}?format=json", x_auth_token="member")
            self.assertEqual([str(self.a.user)], [one["name"] for one in got.json])
        self.assertEqual(204, self.wire.get(top).status)
        self.assertEqual([], self.wire.get(f"{top}?format=json").json)
        shown = self.wire.get(f"{top}?format=xml", x_auth_token="member").text
        self.assertIn(f"<account><name>{self.a.user}</name>", shown)
        self.fault(405, "notAllowed", self.wire.request("DELETE", top))

    def meta(self) -> dict[str, str]:
        return dict(self.wire.request("HEAD", self.base).headers)


class ContainerTests(PithosCase):
    def test_pithos_03_and_04(self) -> None:
        self.assertEqual(202, self.wire.put(self.c).status)
        self.assertEqual(202, self.wire.put(f"{self.c}/").status)
        long = self.wire.put(f"{self.base}/{'x' * 257}")
        self.fault(400, "badRequest", long)

    def test_pithos_15_and_16_policies(self) -> None:
        self.wire.put(
            self.c, x_container_policy_versioning="none", x_container_policy_quota="100"
        )
        shown = self.wire.request("HEAD", self.c).headers
        self.assertEqual("none", shown["x-container-policy-versioning"])
        self.assertEqual("100", shown["x-container-policy-quota"])
        self.assertEqual(str(self.a.user), shown["x-container-policy-project"])
        for name, value in (
            ("versioning", "manual"),
            ("quota", "-1"),
            ("quota", "9" * 30),
            ("foo", "x"),
            ("project", "x"),
        ):
            bad = self.wire.post(self.c, **{f"x_container_policy_{name}": value})
            self.fault(400, "badRequest", bad)
        foreign = self.wire.put(
            f"{self.base}/d", x_container_policy_project=str(self.b.user)
        )
        self.fault(403, "forbidden", foreign)

    def test_pithos_17_head(self) -> None:
        shown = self.wire.request("HEAD", self.c)
        self.assertEqual(204, shown.status)
        self.assertEqual("4194304", shown.headers["x-container-block-size"])
        self.assertEqual("sha256", shown.headers["x-container-block-hash"])
        self.assertEqual("0", shown.headers["x-container-object-count"])

    def test_pithos_73_and_74_rolled_listings(self) -> None:
        for name in ("a", "d/x", "d/y", "e/", "f"):
            self.upload(name, b"")
        for query, names in (
            ("delimiter=/", "a d/ e/ f"),
            ("path=/", "a e/ f"),
            ("path=", "a e/ f"),
            ("path=d", "d/x d/y"),
            ("prefix=d&delimiter=/", "d/x d/y"),
            ("prefix=d", "d/x d/y"),
            ("marker=d/x&limit=1", "d/y"),
            ("limit=0", "a d/x d/y e/ f"),
            ("limit=junk", "a d/x d/y e/ f"),
        ):
            found = self.wire.get(f"{self.c}?{query}").text.split()
            self.assertEqual(names.split(), found, query)
        entries = self.wire.get(f"{self.c}?delimiter=/&format=json").json
        self.assertEqual({"subdir": "d/"}, entries[1])
        shown = self.wire.get(f"{self.c}?delimiter=/&format=xml").text
        self.assertIn('<subdir name="d/">', shown)

    def test_pithos_96_and_97_delete(self) -> None:
        self.upload("o")
        self.fault(409, "conflict", self.wire.request("DELETE", self.c))
        now = self.clock.seconds()
        full = self.wire.request("DELETE", f"{self.c}?until={now:.2f}1")
        self.assertEqual(501, full.status)
        self.wire.request("DELETE", f"{self.c}/o")
        for until, status in (("junk", 400), ("5", 501), ("5.5", 501), ("nan", 501)):
            bad = self.wire.request("DELETE", f"{self.c}?until={until}")
            self.assertEqual(status, bad.status, until)
        gone = self.wire.request("DELETE", f"{self.c}?until={now:.2f}")
        self.assertEqual(204, gone.status)
        self.assertEqual(404, self.wire.request("HEAD", self.c).status)


class PathTests(PithosCase):
    def test_pithos_100_names_come_back_as_they_went(self) -> None:
        for raw, name in (
            ("with%20space", "with space"),
            ("percent%25", "percent%"),
            ("question%3F", "question?"),
            ("/leading", "/leading"),
            ("trailing%20", "trailing "),
            ("%CE%B5%CE%BB", "ελ"),
            ("a//b", "a//b"),
            ("..", ".."),
            ("../../etc/passwd", "../../etc/passwd"),
            ("a/../b", "a/../b"),
            ("enc%2Fslash", "enc/slash"),
            ("%2e%2e%2f", "../"),
            ("dir/", "dir/"),
            ("semi;colon=1", "semi;colon=1"),
            ("new%0Aline", "new\nline"),
        ):
            self.upload(raw, name.encode())
            listed = self.wire.get(f"{self.c}?format=json").json
            self.assertEqual([name], [one["name"] for one in listed])
            self.assertEqual(name.encode(), self.wire.get(f"{self.c}/{raw}").body)
            xml = self.wire.get(f"{self.c}?format=xml")
            self.assertEqual(200, xml.status)
            gone = self.wire.request("DELETE", f"{self.c}/{raw}")
            self.assertEqual(204, gone.status)

    def test_bad_paths(self) -> None:
        for path in (
            f"{self.c}/%00",
            f"{self.c}/a%00b",
            f"{self.c}/%FF",
            f"{self.c}/%C0%AF",
            f"{self.c}/%ED%A0%80",
            f"{self.base}/%2F/o",
            f"{self.base}/a%2Fb",
            f"{self.base}//o",
            f"{self.c}/{'x' * 1025}",
            f"{self.c}?marker=%FF",
            f"{self.c}?prefix=%00",
        ):
            for method in ("GET", "PUT", "DELETE"):
                if "?" in path and method != "GET":
                    continue
                bad = self.wire.request(method, path, content_type="a/b")
                self.fault(400, "badRequest", bad)

    def test_accounts_that_are_none(self) -> None:
        for account in ("x", "AUTH_" + str(self.a.user), str(self.a.user) + "x", "%20"):
            bad = self.wire.get(f"/object-store/v1/{account}/c")
            self.fault(403, "forbidden", bad)

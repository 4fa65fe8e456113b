"""Texts: one for each kind, values are data, headers cannot be injected."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid
from snfd.mail.compose import Composer
from snfd.mail.model import VALUES, Kind, Queued, checked_address, message_id
from snfd.mail.smtp import stuffed
from snfd.mail.texts import MAX_SUBJECT, OURS, Branding, load

BRANDING = Branding(
    "Wölkchen", "Acme", "https://acme.example.org", "help@example.org",
    "https://cloud.example.org", "A footer.",
)  # fmt: skip
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Type", "Content-Transfer-Encoding",
    "MIME-Version",
]  # fmt: skip


def letter(kind: str, to: str = "a@example.org", language: str = "en") -> Queued:
    when = datetime(2030, 1, 1, tzinfo=UTC)
    return Queued(1, "e:1", to, kind, language, b"", 1, when, None, 0, False)


def body(message: Any) -> str:
    """What is in it, with lines as they are here."""
    text: str = message.get_content()
    return text.replace("\r\n", "\n")


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.composer = Composer(load(None, BRANDING), "snfd@example.org")

    def message(self, kind: str, to: str = "a@example.org", **values: str) -> Any:
        data = self.composer(letter(kind, to), values).data
        return BytesParser(policy=policy.default).parsebytes(data)

    def folder(self, **texts: str) -> Path:
        made = Path(self.mktemp())
        made.mkdir()
        for name, text in texts.items():
            (made / f"{name.replace('__', '.')}.txt").write_text(text)
        return made


class TextsTests(Case):
    def test_every_kind_has_a_text_that_tells_all_its_values(self) -> None:
        self.assertEqual(set(Kind), set(VALUES))
        strangers = {Kind.VERIFY: {"name"}, Kind.EMAIL_CONFIRM: {"name"}}
        for kind in Kind:
            values = {name: f"<{name}-value>" for name in VALUES[kind]}
            message = self.message(kind, **values)
            told = message["Subject"] + body(message)
            for name in VALUES[kind] - strangers.get(kind, set()):
                self.assertIn(f"<{name}-value>", told, kind)
            self.assertNotIn("$", told)
            self.assertIn("help@example.org", told)
            self.assertIn("A footer.", told)

    def test_there_is_no_text_of_no_kind(self) -> None:
        names = {path.name for path in OURS.iterdir()}
        self.assertEqual({f"{kind}.txt" for kind in Kind} | {"signature.txt"}, names)

    def test_our_lines_are_short(self) -> None:
        for path in OURS.iterdir():
            self.assertLessEqual(max(map(len, path.read_text().split("\n"))), 80)

    def test_strangers_words_do_not_go_to_addresses_that_nobody_proved(self) -> None:
        """Or signing up with a name would send anything to anybody."""
        for kind in (Kind.VERIFY, Kind.EMAIL_CONFIRM):
            message = self.message(
                kind, name="Buy at http://evil.org", link="https://x"
            )
            self.assertNotIn("evil", message["Subject"] + body(message))

    def test_values_are_data(self) -> None:
        for evil in ("$link ${link} $$", "%(link)s {link} {{link}}"):
            message = self.message("reset", name=evil, link="https://secret")
            self.assertIn(f"Hello {evil},", body(message))

    def test_lines_of_empty_values_are_left_out(self) -> None:
        with_reason = self.message("rejected", name="A", reason="too\nbad")
        self.assertIn("\n> too\n> bad\n", body(with_reason))
        without = self.message("rejected", name="A", reason="")
        self.assertNotIn(">", body(without))
        self.assertNotIn("\n\n\n", body(without))

    def test_a_value_of_one_line_stays_one(self) -> None:
        message = self.message("reset", name="A,\r\n\r\nclick http://evil\n", link="x")
        self.assertIn("Hello A, click http://evil,", body(message))

    def test_a_folder_replaces_texts(self) -> None:
        folder = self.folder(
            reset="Subject: Reset $service\n\nGo: $link\n",
            reset__el="Subject: Νέος κωδικός\n\n$link\n",
            signature="bye $company",
        )
        texts = load(folder, BRANDING)
        self.assertEqual(
            ("Reset Wölkchen", "Go: l\n\nbye Acme\n"),
            texts.render("reset", "en", {"link": "l"}),
        )
        self.assertEqual("Νέος κωδικός", texts.render("reset", "el", {"link": "l"})[0])
        self.assertIn("deactivated", texts.render("deactivated", "el", {})[0])

    def test_a_bad_text_is_told_at_start(self) -> None:
        for texts, why in (
            ({"rest": "Subject: x\n\ny"}, "did you mean reset.txt?"),
            ({"reset": "y"}, "Subject:"),
            ({"reset": "Subject:\n\ny"}, "Subject:"),
            ({"reset": "Subject: x\n\n$nme"}, "3: no value $nme; there are:"),
            ({"reset": "Subject: x\n\n5 $ y"}, "3: a $ must"),
            ({"reset": "Subject: $reason\n"}, "no value $reason"),
        ):
            error = self.assertRaises(Invalid, load, self.folder(**texts), BRANDING)
            self.assertIn(why, error.message)
        self.assertRaises(Invalid, load, Path("/nonexistent"), BRANDING)


class MessageTests(Case):
    def test_the_headers(self) -> None:
        message = self.message("accepted", name="Jürgen")
        self.assertEqual(HEADERS, message.keys())
        self.assertEqual("Wölkchen <snfd@example.org>", message["From"])
        self.assertEqual("a@example.org", message["To"])
        self.assertEqual("auto-generated", message["Auto-Submitted"])
        self.assertEqual("Tue, 01 Jan 2030 00:00:00 +0000", message["Date"])
        self.assertEqual("text/plain", message.get_content_type())
        self.assertIn("Jürgen", body(message))

    def test_every_server_can_carry_it(self) -> None:
        values = {"subject": "ü" * 300, "text": "ü" * 5000 + "\n.\n" + "x" * 5000}
        data = self.composer(letter("contact"), values).data
        self.assertTrue(data.isascii())
        for line in data.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
            self.assertNotIn(b"\n", line)

    def test_a_link_is_not_broken(self) -> None:
        link = "https://cloud.example.org/ui/activate?auth=" + "x" * 90
        message = self.message("verify", link=link)
        self.assertIn(f"    {link}\n", body(message))

    def test_a_letter_is_the_same_whenever_it_is_written(self) -> None:
        first = self.composer(letter("reset"), {"link": "x"})
        self.assertEqual(first, self.composer(letter("reset"), {"link": "x"}))
        ids = {
            message_id(event, to, "example.org")
            for event in ("e:1", "e:2")
            for to in ("a@example.org", "b@example.org")
        }
        self.assertEqual(4, len(ids))

    def test_domains_go_in_ascii_and_names_as_they_are(self) -> None:
        parcel = self.composer(letter("reset", "a@exämple.org"), {})
        self.assertEqual("a@xn--exmple-cua.org", parcel.to)
        self.assertIn(b"To: a@xn--exmple-cua.org\r\n", parcel.data)
        parcel = self.composer(letter("reset", "jürgen@exämple.org"), {})
        self.assertEqual("jürgen@xn--exmple-cua.org", parcel.to)
        self.assertIn("To: jürgen@xn--exmple-cua.org\r\n".encode(), parcel.data)

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(list(Kind)), st.text(), st.text())
    def test_no_value_makes_a_header(self, kind: Kind, one: str, other: str) -> None:
        values = dict.fromkeys(
            VALUES[kind], one + "\r\nBcc: x@example.org\r\n\r\n" + other
        )
        data = self.composer(letter(kind), values).data
        head = data.partition(b"\r\n\r\n")[0]
        message = BytesParser(policy=policy.compat32).parsebytes(data)
        self.assertEqual(HEADERS, message.keys())
        self.assertTrue(head.isascii())
        self.assertNotIn(b"\nBcc", head)
        parsed = BytesParser(policy=policy.default).parsebytes(data)
        self.assertLessEqual(len(parsed["Subject"]), MAX_SUBJECT)

    @given(st.binary())
    def test_the_end_of_a_letter_is_never_in_it(self, data: bytes) -> None:
        sent = stuffed(data)
        self.assertTrue(sent.endswith(b"\r\n"))
        self.assertNotIn(b"\r\n.\r\n", b"\r\n" + sent)
        self.assertEqual(sent.count(b"\n"), sent.count(b"\r\n"))

    @given(st.text())
    def test_an_address_that_passes_is_harmless(self, text: str) -> None:
        try:
            checked_address(text)
        except Invalid:
            return
        self.assertNotIn(" ", text)
        self.assertFalse(set(text) & set("\r\n<>\0"))
        self.composer(letter("reset", text), {})

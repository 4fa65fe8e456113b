"""Configuration: order of authority, and errors that help."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from snfd.config import Urls
from snfd.errors import Invalid
from snfd.loading import load


class ConfigTests(SynchronousTestCase):
    def written(self, text: str) -> Path:
        path = Path(self.mktemp())
        path.write_text(text)
        return path

    def test_defaults_need_no_file(self) -> None:
        loaded = load(None, {}, {})
        self.assertEqual(8, loaded.config.database.pool)
        self.assertEqual("http://127.0.0.1:8080", Urls.of(loaded.config.urls).cyclades)

    def test_a_variable_outranks_the_file_and_its_origin_is_told(self) -> None:
        file = self.written('[database]\npool = 3\ndsn = "host=a password=b"\n')
        loaded = load(file, {"SNFD_DATABASE_POOL": "5"}, {})
        self.assertEqual(5, loaded.config.database.pool)
        shown = {name: (value, origin) for name, value, origin in loaded.shown()}
        self.assertEqual(("5", "SNFD_DATABASE_POOL"), shown["database.pool"])
        self.assertEqual(("(hidden)", str(file)), shown["database.dsn"])
        self.assertEqual(("file", "default"), shown["storage.driver"])

    def test_an_unknown_key_names_the_nearest_known_one(self) -> None:
        for text, near in (
            ("[databas]\n", "did you mean database?"),
            ("[database]\nmigrat = true\n", "did you mean database.migrate?"),
            ('[[bootstrap.cluster]]\nnam = "a"\n', "bootstrap.cluster.name?"),
        ):
            error = self.assertRaises(Invalid, load, self.written(text), {}, {})
            self.assertIn(near, str(error))

    def test_a_wrong_value_names_its_place(self) -> None:
        error = self.assertRaises(
            Invalid, load, self.written("[database]\npool = 0\n"), {}, {}
        )
        self.assertIn("$.database.pool", str(error))
        error = self.assertRaises(Invalid, load, None, {"SNFD_POCKET_PORT": "x"}, {})
        self.assertIn("SNFD_POCKET_PORT", str(error))

    def test_lists_in_variables_have_commas_or_are_json(self) -> None:
        for text, expected in (
            ("a@b.c, d@e.f", ["a@b.c", "d@e.f"]),
            ('["a@b.c"]', ["a@b.c"]),
            ("", []),
        ):
            loaded = load(None, {"SNFD_MAIL_HELPDESK": text}, {})
            self.assertEqual(expected, loaded.config.mail.helpdesk)
        error = self.assertRaises(Invalid, load, None, {"SNFD_MAIL_HELPDESK": "["}, {})
        self.assertIn("SNFD_MAIL_HELPDESK", str(error))

    def test_no_toml_and_no_file_are_told(self) -> None:
        self.assertRaises(Invalid, load, self.written("[["), {}, {})
        error = self.assertRaises(Invalid, load, Path("/nonexistent"), {}, {})
        self.assertIn("/nonexistent", str(error))

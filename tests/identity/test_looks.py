"""Names and addresses that could be taken for somebody else's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid
from snfd.identity.looks import check_address_looks, check_looks
from snfd.identity.names import check_username


class LooksTests(SynchronousTestCase):
    def test_lookalikes_are_refused(self) -> None:
        for name in (
            "аdmin",  # Cyrillic a
            "admіn",  # Ukrainian i
            "αdmin",  # Greek alpha
            "ɑdmin",  # Latin alpha, of phonetics
            "раусо",  # all Cyrillic, reads payco
            "ᏢᎪᎽᏢᎪᏞ".lower(),  # Cherokee
            "ａｄｍｉｎ",  # full width
            "𝐚dmin",  # mathematical
            "օսո",  # Armenian, reads oun
        ):
            self.assertRaises(Invalid, check_looks, name, "a username")
            self.assertRaises(Invalid, check_username, name, "x@example.org")
            for address in (f"{name}@example.org", f"x@{name}.example"):
                self.assertRaises(Invalid, check_address_looks, address)

    def test_names_of_people_are_not(self) -> None:
        for name in (
            "anna", "josé.garcía", "łukasz-2", "nguyễn", "işıl", "çelik_9", "admin",
            "мария", "иван.петров", "ελένη", "γιώργος", "յակոբ", "დავით", "דוד",
            "محمد", "अनिता", "สมชาย", "田中", "田中さん", "タナカ2", "김철수", "1234",
            "tanaka田中",
        ):  # fmt: skip
            check_looks(name, "a username")
            check_username(name, "x@example.org")
            check_address_looks(f"{name}@example.org")

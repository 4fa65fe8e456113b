"""Pure rules of names and projects."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid
from snfd.identity.model import UserRef, joined, roles
from snfd.identity.names import as_uuid, check_username, normalised
from snfd.projects.model import check_application_name, check_name


class NameTests(SynchronousTestCase):
    @given(st.text(max_size=300))
    def test_a_username_is_refused_or_in_its_stored_form(self, text: str) -> None:
        try:
            name = check_username(text, "a@b")
        except Invalid:
            return
        self.assertEqual(name, check_username(name, "a@b"))
        self.assertEqual(name, normalised(name))

    @given(st.uuids())
    def test_uuids_are_known_in_both_forms(self, uuid: UUID) -> None:
        for text in (str(uuid), uuid.hex, str(uuid).upper()):
            self.assertEqual(uuid, as_uuid(text))
        for text in (f"{{{uuid}}}", f"urn:uuid:{uuid}", f" {uuid}"):
            self.assertIsNone(as_uuid(text))

    @given(st.text())
    def test_any_text_may_name_a_user(self, text: str) -> None:
        UserRef(text).uuid, UserRef(text).name

    def test_roles(self) -> None:
        self.assertEqual({"reader"}, roles("reader", []))
        self.assertEqual({"reader", "member"}, roles("member", ["default"]))
        self.assertEqual({"reader", "member", "admin"}, roles("reader", ["admin"]))

    def test_methods_are_named_once(self) -> None:
        self.assertEqual(("password", "token"), joined(["password"], "token"))
        self.assertEqual(("token",), joined(["token"], "token"))


class ProjectNameTests(SynchronousTestCase):
    def test_astakos_41_applications_need_dotted_names(self) -> None:
        for name in ("a.bc", "My-project.example.org", "1.gr"):
            self.assertEqual(name, check_application_name(name))
        for name in ("nodots", ".ab", "a.", "a..bc", "a.b", "a.12", "-a.bc", "a.bc\n"):
            self.assertRaises(Invalid, check_application_name, name)
        self.assertRaises(Invalid, check_application_name, "a" * 78 + ".bc")

    def test_administrators_may_give_nearly_any(self) -> None:
        for name in ("demo", "Ένα", "a b", "x" * 80):
            self.assertEqual(name, check_name(name))

"""What a message says of a wrong value: which ones would be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, inspect
from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import Served
from api.operations import Operation
from snfd.loading import load
from snfd.wanted import explained
from tests.test_openapi import mounts

NEVER = "\N{SNOWMAN} never"
"""What no enum has among its values."""


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Inner(Struct):
    mood: Mood
    when: datetime | None = None


class Outer(Struct, rename="kebab"):
    a_mood: Mood | None = None
    one: Literal["x", 1] = 1
    few: Annotated[int, Meta(ge=1, le=5)] = 1
    many: Annotated[int, Meta(ge=1)] = 1
    share: Decimal = Decimal(1)
    ident: UUID | None = None
    word: Annotated[str, Meta(pattern="^a+$", max_length=3)] = "a"
    yes: bool = False
    deep: list[Inner] = []
    pair: tuple[Mood, int] | None = None
    by_name: dict[str, Inner] = {}
    by_mood: dict[Mood, int] = {}
    either: Inner | Literal["none"] | None = None
    plain: list[str] = []


class ExplainedTests(SynchronousTestCase):
    """Messages of wrong values at all kinds of places."""

    def said(self, text: str) -> str:
        with self.assertRaises(msgspec.ValidationError) as caught:
            msgspec.json.decode(text, type=Outer)
        return explained(caught.exception, Outer)

    def test_what_would_be_right_is_told(self) -> None:
        moods = "one of: good, bad"
        for text, wanted in (
            ('{"a-mood": "z"}', f"{moods} or null"),
            ('{"one": "z"}', "one of: 1, x"),
            ('{"few": 9}', "a whole number from 1 to 5"),
            ('{"many": "z"}', "a whole number of at least 1"),
            ('{"share": "z"}', "a number"),
            ('{"ident": "z"}', "a UUID such as .* or null"),
            ('{"word": "b"}', r"text of at most 3 characters that matches \^a\+\$"),
            ('{"yes": "z"}', "true or false"),
            ('{"deep": [{"mood": "good"}, {"mood": "z"}]}', moods),
            ('{"deep": [{"when": "z"}]}', "a date and time such as 2026-01-31T.* null"),
            ('{"pair": ["z", 1]}', moods),
            ('{"by-name": {"a.b": {"mood": "z"}}}', moods),
            ('{"by-mood": {"z": 1}}', moods),
            ('{"either": {"mood": "z"}}', moods),
        ):
            self.assertRegex(self.said(text), f"; it must be {wanted}$", text)

    def test_nothing_is_added_where_all_is_said(self) -> None:
        for text in ("[]", '{"deep": [{}]}', '{"deep": 1}'):
            self.assertNotIn("must be", self.said(text), text)
        self.assertTrue(self.said('{"plain": [1]}').endswith("; it must be text"))

    def test_settings_are_explained_too(self) -> None:
        for variable, text, wanted in (
            ("SNFD_STORAGE_DRIVER", "disk", "one of: file, memory, rados"),
            ("SNFD_DATABASE_POOL", "none", "a whole number of at least 1"),
        ):
            with self.assertRaisesRegex(Exception, f"^{variable}: .*{wanted}$"):
                load(None, {variable: text}, {})


class EveryEnumTests(SynchronousTestCase):
    """Every enum in what any operation of any dialect takes."""

    operations: ClassVar[Mapping[str, Operation]]

    @classmethod
    def setUpClass(cls) -> None:
        scratch = cls.enterClassContext(TemporaryDirectory())
        cls.operations = {
            f"{mount.path} {one.method} {one.path}": one
            for mount in mounts(Path(scratch))
            if isinstance(mount.resource, Served)
            for one in mount.resource.operations
        }

    def test_the_message_lists_its_values(self) -> None:
        seen = 0
        for name, operation in self.operations.items():
            for kind in (operation.body, operation.query):
                for given, values in enums(kind):
                    with self.assertRaises(msgspec.ValidationError) as caught:
                        msgspec.convert(given, kind, strict=kind is operation.body)
                    said = explained(caught.exception, kind)
                    for value in values:
                        self.assertIn(str(value), said, f"{name}: {given}")
                    seen += 1
        self.assertGreater(seen, 20)


def enums(kind: Any) -> Iterator[tuple[object, list[object]]]:
    """What is wrong in nothing but one enum, with what it may be; for each."""
    if kind is not None:
        for given, values in _enums(inspect.type_info(kind), 8):
            yield given, [one for one in values if one is not None]


def _enums(one: inspect.Type, depth: int) -> Iterator[tuple[object, list[object]]]:
    if depth == 0:
        return
    if isinstance(one, inspect.Metadata):
        yield from _enums(one.type, depth)
    elif isinstance(one, inspect.UnionType):
        for part in one.types:
            yield from _enums(part, depth - 1)
    elif isinstance(one, inspect.EnumType):
        members: list[Enum] = list(one.cls)
        yield NEVER, [member.value for member in members]
    elif isinstance(one, inspect.LiteralType):
        yield NEVER, list(one.values)
    elif isinstance(one, inspect.StructType):
        tag = {one.tag_field: one.tag} if one.tag_field else {}
        for field in one.fields:
            for given, values in _enums(field.type, depth - 1):
                yield {**tag, field.encode_name: given}, values
    elif isinstance(one, inspect.ListType):
        for given, values in _enums(one.item_type, depth - 1):
            yield [given], values
    elif isinstance(one, inspect.DictType):
        for given, values in _enums(one.value_type, depth - 1):
            yield {"key": given}, values

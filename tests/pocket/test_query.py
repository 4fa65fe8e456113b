"""Filters and fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from pocket.errors import Refusal
from pocket.query import Field, Unavailable, answer, compiled, named, table


def late(row: dict[str, Any]) -> Any:
    if row["late"] is None:
        raise Unavailable
    return row["late"]


FIELDS = table(
    Field[dict[str, Any]]("id", "number", lambda row: row["id"]),
    Field("name", "text", lambda row: row["name"]),
    Field("up", "bool", lambda row: row["up"]),
    Field("late", "timestamp", late),
    Field("tags", "other", lambda row: row["tags"]),
)
ROWS: list[dict[str, Any]] = [
    {"id": n, "name": f"n{n}", "up": n % 2 == 0, "late": None, "tags": [f"t{n}"]}
    for n in range(1, 6)
]


def ids(expression: Any) -> list[int]:
    test = compiled(FIELDS, expression)
    return [row["id"] for row in ROWS if test(row)]


class FilterTests(SynchronousTestCase):
    def test_comparisons(self) -> None:
        cases: list[tuple[Any, list[int]]] = [
            (None, [1, 2, 3, 4, 5]),
            (["=", "id", 3], [3]),
            (["!=", "id", 3], [1, 2, 4, 5]),
            ([">", "id", 3], [4, 5]),
            ([">=", "id", 3], [3, 4, 5]),
            (["<", "id", 2], [1]),
            (["<=", "id", 2], [1, 2]),
            (["=", "name", "n2"], [2]),
            (["?", "up"], [2, 4]),
            (["!", ["?", "up"]], [1, 3, 5]),
            (["=[]", "tags", "t4"], [4]),
            (["&", [">", "id", 1], ["<", "id", 4]], [2, 3]),
            (["|", [">", "id", 4], ["=", "id", 1], ["=", "id", 77]], [1, 5]),
            (["|", ["=", "name", "n1"], ["=", "id", 2]], [1, 2]),
        ]
        for expression, expected in cases:
            self.assertEqual(expected, ids(expression), expression)

    def test_what_makes_no_sense_is_refused(self) -> None:
        deep: Any = ["=", "id", 1]
        for _ in range(50):
            deep = ["!", deep]
        wrong: list[Any] = [
            [], {}, "id", 5, ["=>", "id", 3], ["=", "id"], ["=", "colour", 1],
            ["=", "id", None], ["=", "id", [1]], ["=", 1, 1], [["="], "id", 1], deep,
            ["?", "id"], [">", "id", "3"], ["=", "name", 3], [">", "tags", 1],
            ["|", ["=", "id", "1"], ["=", "id", 2]],
        ]  # fmt: skip
        for expression in wrong:
            refusal = self.assertRaises(Refusal, ids, expression)
            self.assertEqual(502, refusal.status)

    def test_a_row_without_the_value_passes(self) -> None:
        self.assertEqual([1, 2, 3, 4, 5], ids([">", "late", 7]))

    @given(
        some.recursive(
            some.none() | some.booleans() | some.integers() | some.text(max_size=3),
            lambda inner: some.lists(
                some.sampled_from(["|", "&", "=", ">", "!", "id", "name"]) | inner,
                max_size=4,
            ),
        )
    )
    def test_anything_else_is_refused_not_a_crash(self, expression: Any) -> None:
        try:
            ids(expression)
        except Refusal as refusal:
            self.assertEqual(502, refusal.status)

    def test_a_filter_that_only_names_rows_is_known(self) -> None:
        self.assertEqual([1], named(["=", "id", 1], "id"))
        both = ["|", ["=", "id", 1], ["|", ["=", "id", 2]]]
        self.assertEqual([1, 2], named(both, "id"))
        for other in (None, [">", "id", 1], ["|", ["=", "id", 1], [">", "id", 2]]):
            self.assertIsNone(named(other, "id"))

    def test_unknown_fields_and_missing_values_have_their_status(self) -> None:
        found = answer(FIELDS, ["id", "colour", "late"], ROWS[:1])
        self.assertEqual([[(0, 1), (1, None), (3, None)]], found["data"])
        kinds = [field["kind"] for field in found["fields"]]
        self.assertEqual(["number", "unknown", "timestamp"], kinds)

"""What ``snfctl`` prints, in each form."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from snfd.admin.ctl.output import Look
from snfd.admin.ctl.problems import USAGE, Problem
from snfd.quota.model import UNLIMITED

ITEMS: list[dict[str, Any]] = [
    {"name": "a, b", "unit": "bytes", "limit": 1 << 30, "on": True, "groups": ["x"]},
    {
        "name": "\x1b[2Jevil",
        "unit": None,
        "limit": UNLIMITED,
        "on": False,
        "groups": [],
    },
]
USUAL = ("name", "limit", "on")


class FormTests(SynchronousTestCase):
    def listed(self, **look: Any) -> str:
        return Look(**look).listed(ITEMS, USUAL)

    def test_tables_are_for_people(self) -> None:
        text = self.listed()
        self.assertEqual(["name", "limit", "on"], text.splitlines()[0].split())
        self.assertIn("1G", text)
        self.assertIn("inf", text)
        self.assertNotIn("\x1b", text)
        self.assertEqual(2, len(self.listed(headers=False).splitlines()))

    def test_numbers_that_name_something_have_no_unit(self) -> None:
        row = {"id": 2048, "serial": 9, "unit": "bytes", "delta": -2048, "usage": 0}
        text = Look(headers=False).listed([row], ("id", "serial", "delta", "usage"))
        self.assertEqual(["2048", "9", "-2K", "0B"], text.split())

    def test_json_and_yaml_hold_every_field_as_it_is(self) -> None:
        self.assertEqual(ITEMS, json.loads(self.listed(form="json")))
        self.assertEqual(ITEMS, yaml.safe_load(self.listed(form="yaml")))

    def test_csv_has_the_usual_columns_and_plain_numbers(self) -> None:
        rows = list(csv.reader(StringIO(self.listed(form="csv"))))
        self.assertEqual(list(USUAL), rows[0])
        self.assertEqual(["a, b", str(1 << 30), "true"], rows[1])
        bare = self.listed(form="csv", headers=False)
        self.assertEqual(2, len(list(csv.reader(StringIO(bare)))))

    def test_columns_are_chosen(self) -> None:
        self.assertEqual(
            [{"on": True}, {"on": False}],
            json.loads(self.listed(form="json", columns=["on"])),
        )
        self.assertIn("groups", self.listed(columns=["all"]))
        wrong = self.assertRaises(Problem, self.listed, columns=["of"])
        self.assertEqual(USAGE, wrong.status)
        self.assertIn("groups", wrong.message)

    def test_filters_must_all_hold(self) -> None:
        def names(*filters: str) -> list[str]:
            text = self.listed(form="json", filters=filters, columns=["name"])
            return [one["name"] for one in json.loads(text)]

        self.assertEqual(["a, b"], names("on=yes"))
        self.assertEqual(["a, b"], names("limit<=1G", "name~,"))
        self.assertEqual([], names("on=yes", "on=no"))
        self.assertEqual(["a, b"], names("groups=x"))
        self.assertEqual(USAGE, self.assertRaises(Problem, names, "on").status)
        self.assertEqual(USAGE, self.assertRaises(Problem, names, "x=1").status)
        self.assertEqual(USAGE, self.assertRaises(Problem, names, "limit<x").status)

    def test_one_thing_and_its_parts(self) -> None:
        thing = {"name": "p", "at": "2030-01-01T00:00:00.123456Z", "parts": ITEMS}
        text = Look().one(thing, {"parts": ("name",)})
        self.assertIn("2030-01-01T00:00:00Z", text)
        self.assertIn("\nparts:\nname\na, b\n", text)
        self.assertEqual(thing, json.loads(Look("json").one(thing, {})))
        self.assertEqual(
            "name,at\np,2030-01-01T00:00:00.123456Z\n",
            Look("csv").one(thing, {"parts": ("name",)}),
        )

    def test_nothing_is_an_empty_list(self) -> None:
        self.assertEqual([], json.loads(Look("json").listed([], USUAL)))
        self.assertEqual("name,limit,on\n", Look("csv").listed([], USUAL))

"""Listings in XML say exactly what the names are."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from twisted.trial.unittest import SynchronousTestCase

from api.objects.listing import xml

NAMES = ("a\r\nb", "a\nb", "a\rb", "<a>&'\"", "é", " a ", "]]>")


class XmlTests(SynchronousTestCase):
    def test_names_come_back_as_they_are(self) -> None:
        body = xml("container", "c\r", "object", [{"name": name} for name in NAMES])
        root = fromstring(body)
        self.assertEqual("c\r", root.get("name"))
        self.assertEqual(list(NAMES), [one.text for one in root.iter("name")])

    def test_so_do_those_that_stand_for_many(self) -> None:
        body = xml("container", "c", "object", [{"subdir": name} for name in NAMES])
        for name, found in zip(NAMES, fromstring(body), strict=True):
            self.assertEqual((name, name), (found.get("name"), found[0].text))

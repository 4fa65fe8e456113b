"""Moments as each dialect writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from api import times
from api.paging import moment
from snfd.errors import Invalid

AT = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


class TimesTests(SynchronousTestCase):
    def test_each_form(self) -> None:
        self.assertEqual("2026-01-02T03:04:05Z", times.whole_z(AT))
        self.assertEqual("2026-01-02T03:04:05.000006Z", times.micros_z(AT))
        self.assertEqual("2026-01-02T03:04:05.000006+00:00", times.micros_offset(AT))
        self.assertEqual("2026-01-02T03:04:05.000006", times.micros_bare(AT))
        self.assertEqual("1767323045.00001", times.epoch(AT, 5))
        self.assertEqual("Fri, 02 Jan 2026 03:04:05 GMT", times.http_date(AT))

    def test_other_zones_are_told_in_utc(self) -> None:
        there = AT.astimezone(timezone(timedelta(hours=5)))
        for form in (times.whole_z, times.micros_z, times.micros_offset):
            self.assertEqual(form(AT), form(there))
        self.assertEqual(times.micros_bare(AT), times.micros_bare(there))
        self.assertEqual(times.http_date(AT), times.http_date(there))

    def test_what_clients_write(self) -> None:
        start = datetime(2030, 1, 1, tzinfo=UTC)
        for text in ("2030-01-01", " 2030-01-01 00:00 ", "2030-01-01T02:00:00 02:00"):
            self.assertEqual(start, moment(text, "x"))
        for text in ("", "soon", "0001-01-01T00:00:00+23:59", "2030-13-01"):
            with self.assertRaises(Invalid):
                moment(text, "x")

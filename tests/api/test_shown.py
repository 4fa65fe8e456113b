"""What of an address may be logged."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from api.shown import shown


class ShownTests(SynchronousTestCase):
    def test_secrets_are_left_out_however_they_are_written(self) -> None:
        for uri in (
            b"/identity/v2.0/tokens/hush",
            b"/identity/v2.0/tokens/hush/endpoints?belongsTo=x",
            b"/identity/v2.0//tokens/hush",
            b"/identity/v2%2E0/tokens/hush/endpoints",
            b"//console/hush",
            b"/console/hush?x=hush",
            b"/vmapi/v1.0/server-params/hush",
            b"/vmapi/v1.0/image/hush",
            b"/public/hush",
            b"/os/image/v2/images?token=hush",
        ):
            self.assertNotIn("hush", shown(uri), uri)

    def test_all_else_is_shown_as_it_came(self) -> None:
        for uri in (b"/os/compute/v2.1/servers/1", b"/v1/AUTH_x/a%20b", b"/%ff"):
            self.assertEqual(uri.decode(), shown(uri))

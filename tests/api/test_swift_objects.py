"""Objects in the Swift dialect, through a whole site in memory."""

from __future__ import annotations

from hashlib import md5

from tests.api.objectcloud import ObjectCloudCase


class SwiftCase(ObjectCloudCase):
    """The container ``c`` of A."""

    def setUp(self) -> None:
        super().setUp()
        self.base = f"/v1/AUTH_{self.a.user}"
        self.c = f"{self.base}/c"
        self.assertEqual(201, self.wire.put(self.c).status)


class SliceTests(SwiftCase):
    def test_container_put_get(self) -> None:
        made = self.wire.put(f"{self.c}/o", b"hello", content_type="text/plain")
        self.assertEqual(201, made.status, made.body)
        self.assertEqual(md5(b"hello").hexdigest(), made.headers["etag"])
        got = self.wire.get(f"{self.c}/o")
        self.assertEqual((200, b"hello"), (got.status, got.body))
        self.assertEqual("text/plain", got.headers["content-type"])

"""What clients should not send, by where it stands in a request."""

from __future__ import annotations

from collections.abc import Mapping

from tests.functional.rawhttp import head

HUGE = b"9" * 30
NO_UUID = b"00000000-0000-4000-8000-000000000000"
LENGTH = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

NOT_JSON = (
    b"", b"{", b"junk", b"[]", b"1", b"null", b'"x"', b"\xff\xfe", b"{}", b'{"a":',
    b'{"server":null}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":1e999}',
    b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"\xef\xbb\xbf{}",
    b'{"a":' + b"9" * 10_000 + b"}",
)  # fmt: skip

QUERIES = (
    b"limit=%ff", b"%ff=1", b"limit=-1", b"limit=x", b"limit=1e3", b"limit=" + HUGE,
    b"marker=%ff", b"marker=%00", b"marker=" + HUGE, b"marker=-1", b"marker=x",
    b"changes-since=x", b"changes-since=9999-99-99T99:99:99Z", b"status=%ff",
    b"changes-since=0000-00-00", b"limit=0&limit=x", b"name=%ed%a0%80", b"a" * 12_000,
    b"sort_key=x;drop", b"sort_dir=up", b"id=" + HUGE, b"network_id=x", b"&&&=&=",
    b"fields=%00", b"device_id=" + HUGE, b"shared=maybe", b"size_min=-1", b"image=x",
    b"all_tenants=1", b"project_id=x", b"flavor=" + HUGE, b"format=%ff", b"path=%ff",
    b"delimiter=%00", b"end_marker=%fe", b"limit=%d9%a3",
)  # fmt: skip

TAILS = (
    b"/%ff", b"/%00", b"/%ed%a0%80", b"/%2e%2e/%2e%2e", b"/../..", b"//", b"/-1", b"/0",
    b"/" + HUGE, b"/" + b"a" * 5000, b"/" + NO_UUID, b"/%0d%0aX-Evil:%20yes", b"/*",
    b"/1;drop%20table", b"/1%20or%201=1", b"/'--", b"/%252e", b"/%", b"/%zz",
    b"/detail/x",
    b"/1/action", b"/9223372036854775808", b"/1e3", b"/0x1", b"/+1", b"/%d9%a3", b"/{}",
)  # fmt: skip

HEADERS = (
    b"Range: bytes=" + b"0-0," * 3000, b"Range: bytes=" + HUGE + b"-", b"Range: \xff",
    b"Range: bytes=--", b"If-Match: " + b'"a",' * 3000, b"If-Modified-Since: \xff",
    b"If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT", b"If-None-Match: *",
    b"Accept: " + b"a/b;q=9," * 1500, b"Accept: \xff", b"Content-Type: \xff",
    b"Content-Type: ;;;", b"OpenStack-API-Version: compute 99.99", b"Cookie: \xff=\xff",
    b"OpenStack-API-Version: \xff", b"X-OpenStack-Nova-API-Version: 2.999999999999999",
    b"OpenStack-API-Version: compute " + HUGE + b"." + HUGE, b"X-Forwarded-For: \xff",
    b"X-OpenStack-Nova-API-Version: latest.x", b"Forwarded: \xff", b"Host: \xff:x",
    b"Host: a:b:c", b"Expect: 999-later", b"Origin: \xff",
    b"Authorization: Bearer \xff",
    b"Authorization: " + b"x" * 9000, b"X-Auth-Token: a\r\nX-Auth-Token: b",
    b"Content-Encoding: gzip", b"Destination: \xff", b"X-Copy-From: %ff", b"ETag: \xff",
    b"X-Object-Meta-A: \xff", b"Accept-Encoding: \xff",
    b"X-Subject-Token: \xff", b"Transfer-Encoding: gzip", b"Upgrade: \xff",
)  # fmt: skip

BROKEN: Mapping[str, bytes] = {
    "a method with a strange byte": b"G\xffT / HTTP/1.1\r\n\r\n",
    "a path with a strange byte": b"GET /\xff HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a version of later": b"GET / HTTP/9.9\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 99 + b"\r\n\r\n",
    "a header without a colon": head(b"GET", b"/", b"X\r\n"),
    "a space before the colon": head(b"GET", b"/", b"X : a\r\n"),
    "a lone CR": head(b"GET", b"/", b"X: a\rY: b\r\n"),
    "a lone LF": head(b"GET", b"/", b"X: a\nY: b\r\n"),
    "a header named beyond ASCII": head(b"GET", b"/", b"X-\xc3\xa9: a\r\n"),
    "NUL in a header": head(b"GET", b"/", b"X: a\0b\r\n"),
    "too many headers": head(b"GET", b"/", b"X: a\r\n" * 600),
    "a huge header": head(b"GET", b"/", b"X: " + b"a" * 20_000 + b"\r\n"),
    "much in all headers": head(b"GET", b"/", (b"X: " + b"a" * 900 + b"\r\n") * 20),
    "a huge path": head(b"GET", b"/" + b"a" * 20_000),
    "two lengths": head(
        b"POST", b"/", b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"
    ),
    "two equal lengths": head(
        b"POST", b"/", b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"
    ),
    "a length and chunks": head(
        b"POST", b"/", LENGTH + CHUNKED, b"0\r\n\r\n"
    ),
    "chunks and a length": head(
        b"POST", b"/", CHUNKED + LENGTH, b"0\r\n\r\n"
    ),
    "two encodings": head(
        b"POST", b"/", b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"
    ),
    "an unknown encoding": head(b"POST", b"/", b"Transfer-Encoding: xchunked\r\n"),
    "encodings in a list": head(b"POST", b"/", b"Transfer-Encoding: chunked, gzip\r\n"),
    **{
        f"length {length[:9]!r}": head(
            b"POST", b"/", b"Content-Length: " + length + b"\r\n", b"hello"
        )
        for length in (b"-1", b"+5", b"0x5", b"5_0", b"5,5", b"", b"9" * 5000, b"\xb2")
    },
    **{
        f"chunk {chunk[:9]!r}": head(
            b"POST", b"/", b"Transfer-Encoding: chunked\r\n", chunk
        )
        for chunk in (b"zz\r\n", b"-5\r\nhello\r\n", b"2\r\n{}xx", b"2;a=\n\r\n{}\r\n",
                      b"0\r\nX: " + b"z" * 99_999 + b"\r\n", b"1" * 5000 + b"\r\n")
    },
}  # fmt: skip

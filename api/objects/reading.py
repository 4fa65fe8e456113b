"""Sending objects: conditions, ranges, and the headers that keep browsers safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from api.objects import headers as http
from api.objects.dispatch import Call, Result
from api.operations import STREAMED, Answer, Streamed
from snfd.objects.conditions import Verdict, matches, seconds
from snfd.objects.model import Content, ObjectInfo
from storage.download import Reader, Segment, Slice, body_length, whole
from storage.ranges import Map, Span, multipart, requested

SAFETY: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
}
"""A page that somebody stored must not act as one of ours."""

KEEP_FRESH = "private, no-cache"
"""A cache may keep an object, but must ask each time whether it changed."""


@frozen
class Plan:
    """What to send: status, body, and the headers that say which bytes it is."""

    status: int
    body: Sequence[Segment]
    headers: Mapping[str, str]


@frozen(eq=False)
class ObjectReader:
    """Answers HEAD and GET of objects in both dialects."""

    _reader: Reader

    def head(self, call: Call, info: ObjectInfo, headers: Mapping[str, str]) -> Result:
        """The answer without bytes.

        :raises PreconditionFailed: the request's conditions do not hold.
        """
        if http.conditions(call.headers).check_read(info) is Verdict.UNCHANGED:
            return unchanged(headers)
        shown = {
            "Content-Type": info.described.ctype,
            "Content-Length": str(info.size),
        }
        return Answer(None, 200, {**common(headers), **shown})

    async def get(
        self, call: Call, content: Content, headers: Mapping[str, str]
    ) -> Result:
        """Send the bytes that are asked for.

        :raises PreconditionFailed: the request's conditions do not hold.
        :raises RangeUnsatisfiable: no range lies in the object.
        """
        info = content.info
        if http.conditions(call.headers).check_read(info) is Verdict.UNCHANGED:
            return unchanged(headers)
        wanted = call.header("range") if range_holds(call, info) else None
        boundary = f"{info.root.hex()[:40]}{info.serial}"
        blocks = Map(content.digests, info.block_size, info.size)
        plan = planned(wanted, blocks, info.described.ctype, boundary)
        return await self.send(call.request, plan, headers)

    async def send(
        self, request: Any, plan: Plan, headers: Mapping[str, str]
    ) -> Streamed:
        """Send what ``plan`` says, and end the response.

        :raises Unavailable: the first block is away; nothing was sent.
        """
        length = {"Content-Length": str(body_length(plan.body))}
        request.setResponseCode(plan.status)
        shown = {**common(headers), **plan.headers, **length}
        for name, value in shown.items():
            request.setHeader(name.encode(), value.encode())
        if await self._reader.send(request, plan.body):
            request.finish()
        return STREAMED


def planned(wanted: str | None, blocks: Map, ctype: str, boundary: str) -> Plan:
    """What to send of ``blocks``.

    :param wanted: the ``Range`` header, if it counts.
    :param boundary: must not occur in the content; made of its root it cannot.
    :raises RangeUnsatisfiable: no range lies in the content.
    """
    size = blocks.size
    spans = requested(wanted, size) if wanted else None
    if spans is None:
        return Plan(200, whole(blocks), {"Content-Type": ctype})
    if len(spans) == 1:
        shown = {"Content-Range": spans[0].content_range(size)}
        return Plan(206, [Slice(blocks, spans[0])], {"Content-Type": ctype, **shown})

    def slices(span: Span) -> list[Segment]:
        return [Slice(blocks, span)]

    body = multipart(spans, size, ctype, boundary, slices)
    kind = f"multipart/byteranges; boundary={boundary}"
    return Plan(206, body, {"Content-Type": kind})


def common(headers: Mapping[str, str]) -> dict[str, str]:
    """What stands in every answer about an object."""
    fixed = {"Accept-Ranges": "bytes", "Cache-Control": KEEP_FRESH}
    return {**headers, **fixed, **SAFETY}


def range_holds(call: Call, info: ObjectInfo) -> bool:
    """Whether ``If-Range``, if it is there, names this very content."""
    wanted = call.header("if-range")
    if not wanted:
        return True
    moment = http.date(wanted)
    if moment is not None:
        return moment == seconds(info.mtime)
    return matches(frozenset({http.etag(wanted)}), info)


def unchanged(headers: Mapping[str, str]) -> Result:
    """The client has it already."""
    kept = {"etag", "last-modified", "x-object-hash"}
    return Answer(
        None,
        304,
        {name: value for name, value in headers.items() if name.lower() in kept},
    )

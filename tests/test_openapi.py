"""What every dialect's document must hold: schemas for all, and closed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import Served
from api.root import documents
from snfd import wiring
from snfd.loading import load
from snfd.observe import Metrics
from snfd.plugin import Mount
from snfd.secrets import load_or_create
from storage.blocks import MemoryBlocks

REF = "#/components/schemas/"
BODILESS = (201, 202, 204, 304)
IN_HEADERS = (
    "GET /auth/v1.0",
    "POST /account/v1.0/feedback",
    "POST /account/v1.0/commissions/{serial}/action",
)
"""What answers 200 with headers alone, as its clients expect."""


def mounts(scratch: Path) -> Sequence[Mount]:
    """Everything that a daemon serves; nothing behind it is started."""
    reactor: Any = MemoryReactorClock()
    config = load(None, {}, {"var": str(scratch)}).config
    keys = load_or_create(scratch / "keys")
    ground = wiring.Ground(reactor, config, "", keys, MemoryBlocks(), Metrics())
    return wiring.build(ground, wiring.database(reactor, config, "")).mounts


class DocumentsTests(SynchronousTestCase):
    """The documents of all dialects."""

    mounts: ClassVar[Sequence[Mount]]
    documents: ClassVar[Mapping[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        scratch = cls.enterClassContext(TemporaryDirectory())
        cls.mounts = mounts(Path(scratch))
        cls.documents = documents(cls.mounts)

    def answers(self) -> Iterator[tuple[str, int, Any, Mapping[str, Any]]]:
        """Every answer: whose, its status, its schema, the document's schemas."""
        for document in self.documents.values():
            known = document["components"]["schemas"]
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    name = f"{method.upper()} {path}"
                    for status, answer in operation["responses"].items():
                        content = answer.get("content", {"": {"schema": None}})
                        for kind in content.values():
                            code = 0 if status == "default" else int(status)
                            yield name, code, kind["schema"], known

    def test_every_dialect_has_one(self) -> None:
        self.assertEqual(
            {"openstack", "synnefo", "swift", "pithos", "admin"}, set(self.documents)
        )

    def test_every_mount_of_a_dialect_is_described(self) -> None:
        silent = [
            mount.path
            for mount in self.mounts
            if mount.dialect and not isinstance(mount.resource, Served)
        ]
        self.assertEqual([], silent)

    def test_no_operation_lacks_a_response_schema(self) -> None:
        lacking = [
            (name, status)
            for name, status, schema, _ in self.answers()
            if schema is None
            and status not in BODILESS
            and not name.startswith("HEAD ")
            and name not in IN_HEADERS
        ]
        self.assertEqual([], lacking)

    def test_every_operation_describes_its_faults(self) -> None:
        described = {name for name, status, schema, _ in self.answers() if not status}
        self.assertEqual({name for name, *_ in self.answers()}, described)

    def test_replies_are_closed(self) -> None:
        found = {
            f"{name} {status}: {place}"
            for name, status, schema, known in self.answers()
            if schema
            for place in open_places(schema, known, "$", frozenset())
        }
        self.assertEqual(set(), found)


def open_places(
    schema: Any, known: Mapping[str, Any], where: str, above: frozenset[str]
) -> Iterator[str]:
    """Where ``schema`` would let in what nobody described.

    An object is closed if it has no keys but those described, or is a map
    whose values are described.
    """
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        if name not in above:
            yield from open_places(known[name], known, name, above | {name})
        return
    if schema.get("type") == "object":
        more = schema.get("additionalProperties", True)
        if more is True or more == {}:
            yield where
        elif more:
            yield from open_places(more, known, f"{where}.*", above)
    elif not schema.keys() & {"type", "anyOf", "enum", "const"}:
        yield where
    for key, part in schema.get("properties", {}).items():
        yield from open_places(part, known, f"{where}.{key}", above)
    for part in (*schema.get("anyOf", ()), *schema.get("prefixItems", ())):
        yield from open_places(part, known, where, above)
    if isinstance(schema.get("items"), Mapping):
        yield from open_places(schema["items"], known, f"{where}[]", above)

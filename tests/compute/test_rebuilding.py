"""Servers get another system, or another password, inside."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.model import File, ImageFacts, Server, Status
from snfd.compute.rebuilding import Rebuild
from snfd.errors import (
    BuildInProgress,
    Busy,
    CloudError,
    Forbidden,
    Invalid,
    NotFound,
    NotImplementedHere,
    TooLarge,
)
from snfd.ganeti.model import Kind
from snfd.ganeti.requests import Request
from snfd.sealed import WAITING_PASSWORD
from tests.compute.kit import IMAGE, XorSealer, compute_cloud

OTHER, HUGE = UUID(int=8), UUID(int=9)
PASSWORD = "Correct1Horse"


class InsideCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        facts = ImageFacts(
            OTHER, "new", 1 << 20, os="debian", properties={"users": "u"}
        )
        self.cloud.images.known[OTHER] = facts
        self.cloud.images.known[HUGE] = ImageFacts(HUGE, "huge", 2 << 40)
        self.inside = self.cloud.compute.rebuilding

    def rebuild(self, server: int, **more: Any) -> tuple[Server, str]:
        made: tuple[Server, str] = self.cloud.wait(self._rebuild(server, **more))
        return made

    def _rebuild(self, server: int, who: str = "demo", **more: Any) -> Any:
        wanted = Rebuild(**{"image": OTHER, **more})
        caller, scope = self.cloud.caller(who), self.cloud.scope(who)
        return self.inside.rebuild(caller, scope, server, wanted)

    def change(self, server: int, password: str = PASSWORD) -> None:
        self.cloud.wait(self._change(server, password))

    def _change(self, server: int, password: str = PASSWORD, who: str = "demo") -> Any:
        caller, scope = self.cloud.caller(who), self.cloud.scope(who)
        return self.inside.change_password(caller, scope, server, password)

    def act(self, name: str, server: int, **more: Any) -> None:
        action = getattr(self.cloud.compute.actions, name)
        self.cloud.wait(action(self.cloud.caller(), self.cloud.scope(), server, **more))

    def stopped(self) -> Server:
        server = self.cloud.active()
        self.act("stop", server.id)
        self.cloud.work()
        return self.cloud.show(server.id)

    def handed(self) -> tuple[Request, Any]:
        """What the one job that waits will be asked for, and told by its URL."""
        [waiting] = self.cloud.intents()
        intent = waiting.intent
        handoffs = self.cloud.compute.handoffs
        request = self.cloud.wait(handoffs.enrich(Request.of(intent), intent))
        url = request.body["osparams"]["config_url"]
        token = urlsplit(url).path.rpartition("/")[2]
        told = self.cloud.wait(handoffs.document(token))
        self.cloud.fails(handoffs.document(token), NotFound)
        return request, told

    def kept(self, server: int) -> str:
        passwords = self.cloud.compute.passwords
        return str(self.cloud.wait(passwords.show(self.cloud.scope(), server)))


class RebuildTests(InsideCase):
    def test_cyclades_47_a_running_server_begins_anew_and_runs(self) -> None:
        server = self.cloud.active()
        before = self.cloud.usage()
        made, password = self.rebuild(
            server.id, name="fresh", metadata={"a": "b"}, files=[File("/x", "aGk=")]
        )
        self.assertEqual(
            (Status.REBUILD, OTHER, "debian", "fresh", {"a": "b"}),
            (made.status, made.image, made.os, made.name, made.metadata),
        )
        request, told = self.handed()
        self.assertEqual((Kind.REINSTALL, True), (request.kind, request.body["start"]))
        self.assertIn("/vmapi/v1.0/image/", request.body["osparams"]["img_id"])
        self.assertEqual(password, told["img_passwd"])
        self.assertEqual({"USERS": "u"}, json.loads(told["img_properties"]))
        self.assertIn("/x", told["img_personality"])
        self.cloud.work()
        shown = self.cloud.show(server.id)
        self.assertEqual((Status.ACTIVE, None), (shown.status, shown.task))
        self.assertEqual(server.attachments, shown.attachments)
        self.assertEqual(
            [one.id for one in server.volumes], [one.id for one in shown.volumes]
        )
        self.assertEqual(before, self.cloud.usage())
        self.assertEqual(password, self.kept(server.id))
        self.assertEqual([(0,)], self.handoffs())

    def handoffs(self) -> object:
        return self.cloud.people.sql("SELECT count(*) FROM compute.handoff")

    def test_cyclades_47_a_stopped_server_stays_stopped(self) -> None:
        server = self.stopped()
        _, password = self.rebuild(server.id, password=PASSWORD)
        self.assertEqual(PASSWORD, password)
        self.assertFalse(self.handed()[0].body["start"])
        self.cloud.work()
        self.assertEqual(Status.STOPPED, self.cloud.show(server.id).status)
        self.assertEqual(0, self.cloud.pending())

    def test_no_secret_waits_in_the_outbox(self) -> None:
        server = self.cloud.active()
        self.rebuild(server.id, password=PASSWORD)
        self.act("delete", server.id)
        told = str(self.cloud.people.sql("SELECT request, result FROM ops.outbox"))
        self.assertNotIn(PASSWORD, told)
        self.assertNotIn("vmapi", told)

    def test_one_that_fails_after_it_was_stopped(self) -> None:
        server = self.cloud.active()
        self.rebuild(server.id)
        name = f"snf-{server.id}"
        world = self.cloud.ganeti.world
        world.change(world.the(name), admin_state="down", oper_state=False)
        self.cloud.work(fail="OS script failed")
        shown = self.cloud.show(server.id)
        self.assertEqual((Status.STOPPED, None), (shown.status, shown.task))
        self.assertNotIn("cyclades.cpu", self.cloud.usage())
        assert shown.diagnostic is not None
        self.assertIn("OS script", shown.diagnostic.message)

    def test_one_that_fails_at_once(self) -> None:
        server = self.cloud.active()
        self.rebuild(server.id)
        self.cloud.work(fail="no")
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)

    def test_deleting_meanwhile(self) -> None:
        server = self.cloud.active()
        self.rebuild(server.id)
        self.act("delete", server.id)
        self.cloud.work()
        self.assertTrue(self.cloud.show(server.id).deleted)
        self.assertEqual({}, self.cloud.usage())

    def test_what_is_refused(self) -> None:
        server = self.cloud.create()
        self.refused(BuildInProgress, server.id)
        self.cloud.work()
        self.refused(NotFound, server.id, image=UUID(int=77))
        self.refused(NotFound, 999)
        self.refused(NotFound, server.id, who="other")
        self.refused(Invalid, server.id, image=HUGE)
        self.refused(Invalid, server.id, password="short")
        self.refused(Invalid, server.id, user_data="!")
        self.refused(Invalid, server.id, name="n" * 256)
        self.refused(Invalid, server.id, metadata={"k" * 51: ""})
        big = b64encode(b"x" * 10241).decode()
        self.refused(TooLarge, server.id, files=[File("/x", big)])
        self.cloud.people.execute("UPDATE compute.cluster SET os_name = 'noop'")
        self.refused(NotImplementedHere, server.id)
        self.assertEqual(IMAGE, self.cloud.show(server.id).image)
        self.act("stop", server.id)
        self.refused(Busy, server.id)

    def refused(self, error: type[CloudError], server: int, **more: Any) -> None:
        self.cloud.fails(self._rebuild(server, **more), error)


class PasswordTests(InsideCase):
    def test_cyclades_47_a_running_server_gets_it_at_its_next_start(self) -> None:
        server = self.cloud.active()
        before = self.cloud.usage()
        self.change(server.id)
        self.assertEqual([], list(self.cloud.intents()))
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)
        self.assertEqual(PASSWORD, self.kept(server.id))
        self.act("reboot", server.id, hard=False)
        self.assertEqual(Status.REBOOT, self.cloud.show(server.id).status)
        request, told = self.handed()
        self.assertEqual((Kind.REINSTALL, True), (request.kind, request.body["start"]))
        self.assertEqual("null", request.body["osparams"]["img_id"])
        self.assertEqual(PASSWORD, told["img_passwd"])
        self.cloud.work()
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)
        self.assertEqual(before, self.cloud.usage())
        self.act("reboot", server.id, hard=False)
        self.assertEqual(Kind.REBOOT, self.cloud.intents()[0].intent.kind)

    def test_cyclades_47_a_stopped_server_too(self) -> None:
        server = self.stopped()
        self.change(server.id, "Another1Horse")
        self.change(server.id)
        self.act("start", server.id)
        self.assertEqual(PASSWORD, self.handed()[1]["img_passwd"])
        self.cloud.work()
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)
        self.assertEqual(0, self.cloud.pending())

    def test_one_that_cannot_be_applied_bars_no_later_start(self) -> None:
        server = self.stopped()
        self.change(server.id)
        self.act("start", server.id)
        self.cloud.work(fail="the image has no partition table")
        shown = self.cloud.show(server.id)
        self.assertEqual(Status.STOPPED, shown.status)
        assert shown.diagnostic is not None
        self.assertIn("partition", shown.diagnostic.message)
        self.act("start", server.id)
        self.assertEqual(Kind.START, self.cloud.intents()[0].intent.kind)

    def test_a_rebuild_makes_it_needless(self) -> None:
        server = self.stopped()
        self.change(server.id)
        self.rebuild(server.id)
        self.cloud.work()
        self.act("start", server.id)
        self.assertEqual(Kind.START, self.cloud.intents()[0].intent.kind)

    def test_without_its_image(self) -> None:
        server = self.stopped()
        self.cloud.images.known.clear()
        self.change(server.id)
        self.act("start", server.id)
        self.assertEqual("{}", self.handed()[1]["img_properties"])

    def test_what_is_refused(self) -> None:
        server = self.cloud.create()
        self.cloud.fails(self._change(server.id), BuildInProgress)
        self.cloud.work()
        self.cloud.fails(self._change(server.id, "short"), Invalid)
        self.cloud.fails(self._change(999), NotFound)
        self.cloud.fails(self._change(server.id, who="watcher"), NotFound, Forbidden)
        self.cloud.people.execute("UPDATE compute.cluster SET os_name = 'noop'")
        self.cloud.fails(self._change(server.id), NotImplementedHere)

    def test_it_is_stored_sealed(self) -> None:
        server = self.cloud.active()
        self.change(server.id)
        told = self.cloud.people.sql("SELECT new_password FROM compute.server")
        self.assertNotIn(PASSWORD.encode(), bytes(told[0][0]))  # type: ignore[call-overload]
        self.assertIn("img_passwd", self._opened(bytes(told[0][0]), server.id))  # type: ignore[call-overload]

    def _opened(self, sealed: bytes, server: int) -> str:
        """What is sealed where a rotation of keys finds it."""
        return XorSealer().open(sealed, *WAITING_PASSWORD.at(server)).decode()

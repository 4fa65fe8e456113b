"""Servers start from rescue images, and from their disks again."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.compute.model import RescueImage, Server, Status
from snfd.compute.rescuing import choose
from snfd.errors import (
    Busy,
    CloudError,
    Conflict,
    Invalid,
    NotFound,
    NotImplementedHere,
    OverQuota,
)
from tests.compute.kit import compute_cloud
from tests.identity.cloud import SPACE

DEBIAN = RescueImage(1, "debian", "/r/debian.iso", "linux", "debian")
LINUX = RescueImage(2, "linux", "/r/linux.iso", "Linux")
WINDOWS = RescueImage(3, "windows", "/r/windows.iso", "windows")
ANY = RescueImage(4, "any", "/r/any.iso", is_default=True)
ALL = (DEBIAN, LINUX, WINDOWS, ANY)


class ChoiceTests(SynchronousTestCase):
    def test_system_then_family_then_default(self) -> None:
        for family, os, wanted in (
            ("linux", "debian", DEBIAN),
            ("LINUX", "Debian", DEBIAN),
            ("linux", "arch", LINUX),
            ("linux", "", LINUX),
            ("windows", "debian", WINDOWS),
            ("bsd", "debian", ANY),
            ("", "", ANY),
        ):
            self.assertEqual(wanted, choose(ALL, family, os), (family, os))

    def test_some_of_the_family_is_better_than_none(self) -> None:
        self.assertEqual(DEBIAN, choose([DEBIAN, ANY], "linux", "arch"))

    def test_none_without_a_default(self) -> None:
        self.assertIsNone(choose([DEBIAN, WINDOWS], "bsd", ""))
        self.assertIsNone(choose([], "linux", "debian"))


class RescueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        self.cloud.people.execute("UPDATE compute.cluster SET hypervisor = 'kvm'")
        self.actor = Actor(uuid5(SPACE, "boss"), "boss")
        self.images = self.cloud.compute.rescue_images
        for one in (LINUX, ANY):
            self.cloud.wait(self.images.add(self.actor, one))

    def ask(self, name: str, server: int, *args: Any, **more: Any) -> Any:
        do = getattr(self.cloud.compute.rescuing, name)
        return do(self.cloud.caller(), self.cloud.scope(), server, *args, **more)

    def do(self, name: str, server: int, *args: Any, **more: Any) -> None:
        self.cloud.wait(self.ask(name, server, *args, **more))

    def refused(self, error: type[CloudError], name: str, server: int, *args: Any,
                running: bool = False) -> None:  # fmt: skip
        self.cloud.fails(self.ask(name, server, *args, running=running), error)
        self.assertEqual([], list(self.cloud.intents()))

    def stopped(self) -> Server:
        server = self.cloud.active()
        actions = self.cloud.compute.actions
        self.cloud.wait(
            actions.stop(self.cloud.caller(), self.cloud.scope(), server.id)
        )
        self.cloud.work()
        return self.cloud.show(server.id)

    def boots(self, server: int) -> tuple[object, object]:
        hv = self.cloud.ganeti.world.instances[f"snf-{server}"].hvparams
        return hv.get("boot_order"), hv.get("cdrom_image_path")

    def shows(self, server: int, status: Status, rescue: bool) -> None:
        shown = self.cloud.show(server)
        self.assertEqual(
            (status, rescue, None), (shown.status, shown.rescue, shown.task)
        )
        self.assertEqual(0, self.cloud.pending())

    def test_a_stopped_server_there_and_back(self) -> None:
        server = self.stopped()
        self.refused(Busy, "unrescue", server.id)
        self.do("rescue", server.id, running=False)
        self.cloud.work()
        self.assertEqual(("cdrom", "/r/linux.iso"), self.boots(server.id))
        self.shows(server.id, Status.STOPPED, rescue=True)
        self.refused(Busy, "rescue", server.id)
        self.do("unrescue", server.id, running=False)
        self.cloud.work()
        self.assertEqual(("disk", ""), self.boots(server.id))
        self.shows(server.id, Status.STOPPED, rescue=False)

    def test_a_running_server_there_and_back(self) -> None:
        server = self.cloud.active()
        before = self.cloud.usage()
        self.refused(Busy, "rescue", server.id)
        self.do("rescue", server.id, running=True)
        self.cloud.work()
        self.shows(server.id, Status.ACTIVE, rescue=True)
        self.do("unrescue", server.id, running=True)
        self.assertEqual(3, len(self.cloud.intents()))
        self.cloud.work()
        self.shows(server.id, Status.ACTIVE, rescue=False)
        self.assertEqual(before, self.cloud.usage())

    def test_a_stopped_server_that_is_to_run_needs_room(self) -> None:
        server = self.stopped()
        caps = "UPDATE quota.holding SET cap = %s WHERE resource = 'cyclades.cpu'"
        self.cloud.people.execute(caps, 0)
        self.refused(OverQuota, "rescue", server.id, running=True)
        self.cloud.people.execute(caps, 5)
        self.do("rescue", server.id, running=True)
        self.cloud.work()
        self.shows(server.id, Status.ACTIVE, rescue=True)

    def test_one_that_fails(self) -> None:
        server = self.stopped()
        self.do("rescue", server.id, running=False)
        self.cloud.work(fail="no such file")
        self.shows(server.id, Status.STOPPED, rescue=False)

    def test_which_image(self) -> None:
        server = self.stopped()
        self.refused(NotFound, "rescue", server.id, 99)
        chosen = next(
            one for one in self.cloud.wait(self.images.list()) if one.name == "any"
        )
        self.do("rescue", server.id, chosen.id, running=False)
        self.cloud.fails(self.images.remove(self.actor, "any"), Conflict)
        self.cloud.work()
        self.assertEqual(("cdrom", "/r/any.iso"), self.boots(server.id))
        self.cloud.fails(self.images.remove(self.actor, "any"), Conflict)
        self.do("unrescue", server.id, running=False)
        self.cloud.work()
        self.cloud.wait(self.images.remove(self.actor, "any"))
        self.refused(NotFound, "rescue", server.id, chosen.id)

    def test_not_without_images_or_kvm(self) -> None:
        server = self.stopped()
        self.cloud.people.execute("UPDATE compute.cluster SET hypervisor = 'fake'")
        self.refused(NotImplementedHere, "rescue", server.id)
        for name in ("linux", "any"):
            self.cloud.wait(self.images.remove(self.actor, name))
        self.refused(NotFound, "rescue", server.id)
        self.refused(NotFound, "rescue", 999)

    def test_images_are_kept_in_order(self) -> None:
        other = RescueImage(0, "other", "/r/other.iso", is_default=True)
        self.cloud.wait(self.images.add(self.actor, other))
        defaults = [
            one.name for one in self.cloud.wait(self.images.list()) if one.is_default
        ]
        self.assertEqual(["other"], defaults)
        self.cloud.fails(self.images.add(self.actor, other), Conflict)
        for wrong in (
            RescueImage(0, "", "/x"),
            RescueImage(0, "x", "x"),
            RescueImage(0, "x", "/" + "x" * 1024),
        ):
            self.cloud.fails(self.images.add(self.actor, wrong), Invalid)
        self.cloud.wait(self.images.remove(self.actor, "other"))
        self.cloud.fails(self.images.remove(self.actor, "other"), NotFound)
        again = self.cloud.wait(self.images.add(self.actor, other))
        self.assertIn(again, self.cloud.wait(self.images.list()))

"""The console page in Chromium, against the console on real sockets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.static import Data

from api.ui import resource
from tests.vnc import qemu
from tests.vnc.rig import Rig, pause, reactor
from tests.web.browser import ROOT, BrowserError, Visit, missing, visit
from tests.web.screen import BLUE, GREEN, RED, WHITE, ScreenFactory

WIDE = "document.querySelector('#screen canvas').getBoundingClientRect().width"
SHIFT, ENTER = 0xFFE1, 0xFF0D
CONTROL, ALT, DELETE = 0xFFE3, 0xFFE9, 0xFFFF


class Pages(Resource):
    """The built pages, and a menu for those who are not signed in."""

    def __init__(self) -> None:
        super().__init__()
        self.built = resource(ROOT / "web" / "dist")
        self.putChild(b"get_menu", Data(b"[]", "application/json"))

    def getChild(self, path: bytes, request: Any) -> Any:
        request.postpath.insert(0, request.prepath.pop())
        return self.built


class PageCase(TestCase):
    timeout = 200
    skip = missing()

    async def setUp(self) -> None:  # type: ignore[override]
        self.rig = Rig()
        await self.rig.start(more={b"ui": Pages()})
        self.screens = ScreenFactory()
        self.port = reactor.listenTCP(0, self.screens, interface="127.0.0.1")
        self.addCleanup(self.finish)

    async def finish(self) -> None:
        await self.rig.stop()
        await self.port.stopListening()
        for screen in self.screens.made:
            await screen.gone

    def url(self, ticket: str) -> str:
        """The address of the console's page."""
        return f"http://127.0.0.1:{self.rig.port}/ui/console.html#ticket={ticket}"

    async def console(self, *commands: str, **target: Any) -> Visit:
        """Visit the page with a good ticket and without any problem."""
        port = target.pop("port", None) or self.port.getHost().port
        seen = await visit(self.url(self.rig.ticket(port, **target)), *commands)
        self.assertEqual([], seen.problems)
        return seen


class ScreenTests(PageCase):
    async def test_the_picture_arrives(self) -> None:
        seen = await self.console(
            "wait-for-state=connected",
            "wait-for-picture",
            "pixel=10,10",
            "pixel=310,10",
            "pixel=10,190",
            "pixel=310,190",
            "value=document.title",
            "value=location.href",
            "value=document.activeElement.tagName",
        )
        self.assertEqual({"width": 320, "height": 200, "colours": 4}, seen.values[1])
        self.assertEqual([*map(list, (RED, GREEN, BLUE, WHITE))], seen.values[2:6])
        self.assertIn("web1", seen.values[6])
        self.assertNotIn("ticket", seen.values[7])
        self.assertEqual("CANVAS", seen.values[8])

    async def test_keys_arrive(self) -> None:
        await self.console(
            "wait-for-picture",
            "type=aB!\\n",
            "press=Tab",
            "value=new Promise(r => setTimeout(r, 200))",
        )
        pressed = [key for down, key in self.screens.made[0].keys if down]
        wanted = [ord("a"), SHIFT, ord("B"), SHIFT, ord("!"), ENTER, 0xFF09]
        self.assertEqual(wanted, pressed)
        released = {key for down, key in self.screens.made[0].keys if not down}
        self.assertLessEqual(set(pressed), released)

    async def test_the_toolbar(self) -> None:
        seen = await self.console(
            "wait-for-picture",
            "click=#cad",
            "paste=Hi, {you}\\n",
            "value=new Promise(r => setTimeout(r, 800))",
            f"value={WIDE} > 320",
            "click=#scale",
            f"value={WIDE}",
            "value=document.querySelector('#scale').ariaPressed",
            "click=#leave",
            "wait-for-state=ended",
            "page",
        )
        keys = self.screens.made[0].keys
        cad = [(True, CONTROL), (True, ALT), (True, DELETE)]
        cad += [(False, DELETE), (False, ALT), (False, CONTROL)]
        self.assertEqual(cad, keys[:6])
        self.assertEqual([(True, SHIFT), (True, ord("H"))], keys[6:8])
        self.assertEqual([(False, ord("H")), (False, SHIFT)], keys[8:10])
        typed = "".join(
            chr(k) for down, k in keys[6:] if down and k not in (SHIFT, ENTER)
        )
        self.assertEqual("Hi, {you}", typed)
        self.assertEqual((True, ENTER), keys[-2])
        self.assertEqual([True, None, 320, "false"], seen.values[4:8])
        self.assertIn("You closed this console", seen.values[-1])

    async def test_a_way_out_of_the_keyboard_trap(self) -> None:
        seen = await self.console(
            "wait-for-picture",
            "value=document.activeElement.tagName",
            "press=Control+Alt+Shift",
            "value=document.activeElement.id",
        )
        self.assertEqual(["CANVAS", None, "cad"], seen.values[1:])

    async def test_a_one_time_password(self) -> None:
        seen = await self.console(
            "wait-for-state=password",
            "password=x9Kq2LmA",
            "wait-for-picture",
            client_password="x9Kq2LmA",
        )
        self.assertEqual(4, seen.values[-1]["colours"])

    async def test_accessible_in_light_and_dark(self) -> None:
        seen = await self.console(
            "wait-for-picture",
            "axe",
            "theme=dark",
            "axe",
            "click=#type",
            "axe",
            "click=#typing-cancel",
            "click=#leave",
            "wait-for-state=ended",
            "axe",
            "theme=light",
            "axe",
        )
        self.assertEqual(
            [[]] * 5, [one for one in seen.values if isinstance(one, list)]
        )


class EndTests(PageCase):
    async def ended(self, url: str, *more: str) -> str:
        seen = await visit(url, *more, "wait-for-state=ended", "page", "axe")
        self.assertEqual([], seen.problems + seen.values[-1])
        said: str = seen.values[-2]
        return said

    async def test_a_used_ticket(self) -> None:
        ticket = self.rig.ticket(self.port.getHost().port)
        del self.rig.tickets[ticket]
        said = await self.ended(self.url(ticket))
        self.assertIn("not valid any more", said)
        self.assertIn("Ask for a new console", said)

    async def test_no_ticket(self) -> None:
        said = await self.ended(self.url(""))
        self.assertIn("Ask for a new console", said)

    async def test_an_unreachable_screen(self) -> None:
        said = await self.ended(self.url(self.rig.ticket(1)))
        self.assertIn("cannot be reached", said)

    async def test_a_wrong_password(self) -> None:
        port = self.port.getHost().port
        ticket = self.rig.ticket(port, client_password="right")
        waiting = "wait-for-state=password"
        said = await self.ended(self.url(ticket), waiting, "password=wrong")
        self.assertIn("password was wrong", said)

    async def when_connected(self, act: str, says: str) -> None:
        """The page says ``says`` once ``act`` was done to its session."""
        port = self.port.getHost().port

        async def watch() -> None:
            while not self.screens.made or not self.screens.made[0].total:
                await pause(0.05)
            await pause(0.2)
            if act == "server":
                self.rig.consoles.close_server(42)
            elif act == "user":
                self.rig.consoles.close_user("ann")
            else:
                self.screens.made[0].wire.loseConnection()

        self.rig.tasks.start(watch(), "ending the session")
        said = await self.ended(self.url(self.rig.ticket(port)))
        self.assertIn(says, said)

    async def test_the_server_stops(self) -> None:
        await self.when_connected("server", "no longer active")

    async def test_access_is_withdrawn(self) -> None:
        await self.when_connected("user", "Your access to this console has ended")

    async def test_the_screen_goes(self) -> None:
        await self.when_connected("screen", "The screen was closed")

    async def test_a_second_link_in_the_same_tab(self) -> None:
        port = self.port.getHost().port
        second = self.url(self.rig.ticket(port))
        said = await visit(
            self.url(""), "wait-for-state=ended", f"open={second}", "wait-for-picture"
        )
        self.assertEqual([], said.problems)

    async def test_the_plain_page(self) -> None:
        url = f"http://127.0.0.1:{self.rig.port}/ui/"
        seen = await visit(url, "page", "axe", "theme=dark", "axe")
        self.assertIn("openstack console url show", seen.values[0])
        self.assertEqual([[], []], [seen.values[1], seen.values[3]])
        self.assertEqual([], seen.problems)

    async def test_a_failed_command_is_told(self) -> None:
        try:
            await visit(self.url(""), "wait-for-state=connected", wait=1)
        except BrowserError as error:
            self.assertIn("waited 1 s for state connected", str(error))
        else:
            self.fail("no error")


class QemuTests(PageCase):
    """Real machines."""

    skip = missing() or qemu.MISSING

    async def test_the_bios_can_be_read(self) -> None:
        machine = qemu.started(self.addCleanup, paused=False, password="sesame")
        seen = await self.console(
            "wait-for-state=connected",
            "wait-for-text=SeaBIOS",
            "screenshot=" + str(Path(self.mktemp()).absolute()) + ".png",
            port=machine.port,
            password="sesame",
        )
        self.assertIn("SeaBIOS (version ", seen.values[1])

    async def test_somebody_logs_in(self) -> None:
        """A Linux guest boots and is used by typing into the page."""
        disk = Path(self.mktemp()).absolute()
        script = ROOT / "tests" / "lab" / "make-guest.sh"
        out, errors, status = await getProcessOutputAndValue(
            shutil.which("bash") or "bash", [str(script), str(disk)], None
        )
        self.assertEqual(0, status, out + errors)
        machine = qemu.Qemu(
            *("-drive", f"file={disk},if=virtio,format=raw", "-serial", "null"),
            paused=False,
        )
        self.addCleanup(machine.stop)
        self.addCleanup(disk.unlink)
        shot = disk.with_suffix(".png")
        seen = await self.console(
            "wait-for-text=GUEST-READY",
            "wait-for-text=login:",
            "type=root\\n",
            "wait-for-text=Password:",
            "type=test\\n",
            "wait-for-text=# ",
            "type=echo $((6*7)) \\\\| Done_\\n",
            "wait-for-text=\n42 | Done_",
            "paste=echo 'PASTED: {~!@#$%^&*()_+}' | tr a-z A-Z; uname -s\\n",
            "wait-for-text=\nPASTED: {~!@#$%^&*()_+}\nLinux",
            f"screenshot={shot}",
            port=machine.port,
        )
        self.assertIn("GUEST-READY boots=1", seen.values[0])
        self.assertGreater(shot.stat().st_size, 1000)

"""What was done to servers, from what their clusters were asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.history import Step, actions
from snfd.ganeti import requests
from snfd.ganeti.requests import NewNic, Request
from snfd.intent import State

AT = datetime(2026, 1, 1, tzinfo=UTC)


def step(request: Request, state: State = State.SUCCESS, req: str = "r") -> Step:
    return Step(req, request.kind, request.body, state, "", None, AT, AT)


class NameTests(SynchronousTestCase):
    def test_each_step_has_novas_word(self) -> None:
        cases: list[tuple[Any, str]] = [
            (requests.start(1), "start"),
            (requests.stop(1), "stop"),
            (requests.reboot(1, hard=True), "reboot"),
            (requests.remove(1), "delete"),
            (requests.resize(1, 2, 3), "resize"),
            (requests.rescue(1, "/r"), "rescue"),
            (requests.unrescue(1), "unrescue"),
            (requests.add_nic(1, NewNic(2, 3), hotplug=False), "attach_interface"),
            (requests.remove_nic(1, 2, hotplug=False), "detach_interface"),
            (requests.reinstall(1, "snfd+default", start=True), "rebuild"),
            (
                requests.reinstall(
                    1, "snfd+default", start=True, osparams={"img_id": "null"}
                ),
                "changePassword",
            ),
            (requests.modify(1, disks=[["add", "-1", {}]]), "attach_volume"),
            (requests.modify(1, osparams={}), "update"),
            (requests.add_tags(1, ["a"]), "tag"),
            (Request("OP_NEW", "snf-1"), "op_new"),
        ]
        for request, name in cases:
            self.assertEqual(name, step(request).name)

    def test_a_chain_is_one_action(self) -> None:
        chain = [requests.stop(1), requests.resize(1, 2, 3), requests.start(1)]
        told = [step(requests.stop(1), req="later")]
        told += [step(one) for one in reversed(chain)]
        found = actions(told)
        self.assertEqual(["stop", "resize"], [one.name for one in found])
        self.assertEqual(["later", "r"], [one.request for one in found])
        self.assertEqual(
            ["stop", "resize", "start"], [one.name for one in found[1].steps]
        )

    def test_one_that_failed_in_part_has_failed(self) -> None:
        told = [step(requests.start(1)), step(requests.resize(1, 2, 3), State.ERROR)]
        self.assertTrue(actions(told)[0].failed)
        self.assertFalse(actions([step(requests.start(1), State.RUNNING)])[0].failed)

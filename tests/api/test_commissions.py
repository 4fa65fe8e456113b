"""Commissions over HTTP, as astakosclient makes them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from api.synnefo import account
from api.synnefo.account.commissions import CommissionsApi
from api.synnefo.account.quotas import QuotasApi
from snfd.quota.commissions import Commissions
from snfd.quota.reports import Reports
from tests.api.account_cloud import R1, R2, R3, S1, S2, AccountApis, part
from tests.api.identity_cloud import fault
from tests.api.memory import Browser, Response

UNKNOWN = "there-is-no-such-thing"


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)

    def refused(self, answer: Response, name: str, code: int) -> dict[str, Any]:
        """The ``data`` of a refusal."""
        self.assertEqual((name, code), fault(answer))
        body = answer.json[name]
        self.assertEqual({"code", "message", "data"}, set(body))
        data: dict[str, Any] = body["data"]
        return data


class IssueTests(Base):
    def test_astakos_17_components_and_people_have_tokens_of_their_own(self) -> None:
        user = self.apis.personal("demo")
        for token in (user, "wrong", None):
            for answer in (
                self.apis.account.get("/commissions", token=token),
                self.apis.account.post("/commissions", {"provisions": []}, token=token),
            ):
                self.assertEqual(("unauthorized", 401), fault(answer))
        answer = self.apis.account.get("/quotas", token=S1)
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_astakos_17_an_expired_component_token_is_refused(self) -> None:
        self.apis.cloud.execute(
            "UPDATE identity.component SET token_expires_at = '2030-01-01T00:00:10Z'"
        )
        self.assertEqual([], self.apis.pending())
        self.apis.cloud.clock.advance(10)
        answer = self.apis.account.get("/commissions", token=S1)
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_a_component_is_found_in_one_statement(self) -> None:
        before = self.apis.cloud.db.statements
        self.apis.pending()
        first = self.apis.cloud.db.statements - before
        before = self.apis.cloud.db.statements
        self.apis.pending()
        self.assertEqual(2, self.apis.cloud.db.statements - before, first)

    def test_astakos_21_a_commission_is_pending_for_both(self) -> None:
        answer = self.apis.issue(*self.apis.pair(3))
        self.assertEqual(201, answer.status)
        self.assertEqual({"serial"}, set(answer.json))
        self.assertEqual((3, 3, 3, 3), self.apis.numbers())

    def test_astakos_22_a_component_sees_only_its_own(self) -> None:
        asked = [*self.apis.pair(3, R2), *self.apis.pair(2)]
        serial = self.apis.issue(*asked, name="boot").json["serial"]
        self.assertEqual([serial], self.apis.pending())
        self.assertEqual([], self.apis.pending(S2))
        path = f"/commissions/{serial}"
        foreign = self.apis.account.get(path, token=S2)
        self.assertEqual(("itemNotFound", 404), fault(foreign))
        shown = self.apis.account.get(path, token=S1).json
        self.assertEqual(asked, shown.pop("provisions"))
        time = shown.pop("issue_time")
        self.assertRegex(time, r"^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}\+00:00$")
        self.assertEqual({"serial": serial, "name": "boot"}, shown)
        self.assertEqual(404, self.apis.act(serial, "accept", S2).status)

    def test_astakos_23_accepting_settles_it_once(self) -> None:
        serial = self.apis.issue(*self.apis.pair(3)).json["serial"]
        answer = self.apis.act(serial, "accept")
        self.assertEqual((200, b""), (answer.status, answer.body))
        self.assertEqual(("itemNotFound", 404), fault(self.apis.act(serial, "accept")))
        self.assertEqual((3, 0, 3, 0), self.apis.numbers())

    def test_astakos_24_rejecting_leaves_nothing(self) -> None:
        serial = self.apis.issue(*self.apis.pair(3)).json["serial"]
        self.assertEqual(200, self.apis.act(serial, "reject").status)
        self.assertEqual((0, 0, 0, 0), self.apis.numbers())

    def test_astakos_25_over_the_limit(self) -> None:
        self.apis.settled(8)
        asked = self.apis.pair(3)
        data = self.refused(self.apis.issue(*asked), "overLimit", 413)
        self.assertEqual(
            {
                "name": "NoCapacityError",
                "limit": 10,
                "usage": 8,
                "provision": asked[0],
            },
            data,
        )
        self.assertEqual([], self.apis.pending())
        self.assertEqual((8, 0, 8, 0), self.apis.numbers())

    def test_astakos_26_one_key_over_leaves_all_untouched(self) -> None:
        asked = [*self.apis.pair(1, R2), *self.apis.pair(11)]
        data = self.refused(self.apis.issue(*asked), "overLimit", 413)
        self.assertEqual(asked[2], data["provision"])
        self.assertEqual((0, 0, 0, 0), self.apis.numbers(R2))
        self.assertEqual((0, 0, 0, 0), self.apis.numbers())

    def test_astakos_27_force_passes_the_limit(self) -> None:
        self.apis.settled(8)
        self.assertEqual(201, self.apis.issue(*self.apis.pair(3), force=True).status)
        self.assertEqual(11, self.apis.numbers()[0])
        self.assertEqual(413, self.apis.issue(*self.apis.pair(1)).status)
        self.assertEqual(201, self.apis.issue(*self.apis.pair(-1)).status)

    def test_astakos_28_nothing_goes_below_zero(self) -> None:
        asked = self.apis.pair(-1)
        for force in (False, True):
            answer = self.apis.issue(*asked, force=force)
            self.assertEqual(
                {
                    "name": "NoQuantityError",
                    "limit": 0,
                    "usage": 0,
                    "provision": asked[0],
                },
                self.refused(answer, "overLimit", 413),
            )

    def test_astakos_29_a_pending_release_frees_nothing(self) -> None:
        self.apis.settled(5)
        serial = self.apis.issue(*self.apis.pair(-2)).json["serial"]
        self.assertEqual((5, 2, 5, 2), self.apis.numbers())
        self.assertEqual(413, self.apis.issue(*self.apis.pair(6)).status)
        self.apis.act(serial, "accept")
        self.assertEqual(201, self.apis.issue(*self.apis.pair(6)).status)

    def test_astakos_30_no_such_holding(self) -> None:
        own, nil = self.apis.demo, "00000000-0000-0000-0000-000000000000"
        cases = [
            part(1, f"user:{own}", f"project:{own}", UNKNOWN),
            part(1, f"user:{uuid4()}", f"project:{own}"),
            part(1, f"user:{own}", f"project:{uuid4()}"),
            part(1, f"project:{uuid4()}", None),
            part(1, f"user:{self.apis.alt}", f"project:{self.apis.project}"),
            part(1, f"user:{own}", None),
            part(1, f"project:{own}", f"project:{own}"),
            part(1, f"user:{nil}", f"project:{own}"),
            part(1, "", ""),
            part(1, str(own), "system"),
        ]
        for bad in cases:
            answer = self.apis.issue(*self.apis.pair(1, R2), bad)
            data = self.refused(answer, "itemNotFound", 404)
            self.assertEqual({"name": "NoHoldingError", "provision": bad}, data)
        self.assertEqual((0, 0, 0, 0), self.apis.numbers(R2))

    def test_astakos_31_accepted_at_once(self) -> None:
        answer = self.apis.issue(*self.apis.pair(3), auto_accept=True, name="x")
        serial = answer.json["serial"]
        self.assertEqual(201, answer.status)
        gone = self.apis.account.get(f"/commissions/{serial}", token=S1)
        self.assertEqual(("itemNotFound", 404), fault(gone))
        self.assertEqual((3, 0, 3, 0), self.apis.numbers())
        later = self.apis.issue().json["serial"]
        self.assertLess(serial, later)
        self.assertEqual(
            [(3, "ACCEPT:x", "one")] * 2,
            self.apis.cloud.sql(
                "SELECT delta, reason, clientkey FROM quota.provision_log"
                " WHERE serial = %s",
                serial,
            ),
        )

    def test_astakos_32_wrong_types(self) -> None:
        good = self.apis.pair(1)
        own = f"user:{self.apis.demo}"
        bodies: list[object] = [
            {},
            [],
            {"provisions": "x"},
            {"provisions": [good]},
            {"provisions": [part("1", own, None)]},
            {"provisions": [part(1.5, own, None)]},
            {"provisions": [part(True, own, None)]},
            {"provisions": [part(None, own, None)]},
            {"provisions": [part(2**63, own, None)]},
            {"provisions": [part(-(2**70), own, None)]},
            {"provisions": [part(1, 5, None)]},
            {"provisions": [part(1, own, 5)]},
            {"provisions": [part(1, own, None, None)]},
            {"provisions": [{"holder": own, "resource": R1, "quantity": 1}]},
            {"provisions": good, "force": "yes"},
            {"provisions": good, "auto_accept": 1},
            {"provisions": good, "name": 3},
            {"provisions": good * 501},
        ]
        for body in bodies:
            answer = self.apis.account.post("/commissions", body, token=S1)
            self.assertEqual(("badRequest", 400), fault(answer), body)
        empty = self.apis.issue()
        self.assertEqual(201, empty.status)
        self.assertEqual(200, self.apis.act(empty.json["serial"], "accept").status)
        self.assertEqual(201, self.apis.issue(auto_accept=True).status)

    def test_astakos_33_one_key_twice_is_summed(self) -> None:
        twice = [*self.apis.pair(2), *self.apis.pair(3)]
        serial = self.apis.issue(*twice).json["serial"]
        self.assertEqual((5, 5, 5, 5), self.apis.numbers())
        shown = self.apis.account.get(f"/commissions/{serial}", token=S1).json
        self.assertEqual(self.apis.pair(5), shown["provisions"])
        self.apis.act(serial, "accept")
        self.apis.settled(20, force=True)
        answer = self.apis.issue(*self.apis.pair(1), *self.apis.pair(-1))
        self.assertEqual(201, answer.status)
        self.assertEqual((25, 0, 25, 0), self.apis.numbers())
        self.apis.act(answer.json["serial"], "accept")
        self.assertEqual((25, 0, 25, 0), self.apis.numbers())

    def test_one_key_in_two_spellings_is_summed(self) -> None:
        text = str(self.apis.demo).upper()
        asked = [*self.apis.pair(6), part(6, f"project:{text}", None)]
        data = self.refused(self.apis.issue(*asked), "overLimit", 413)
        self.assertEqual(12, data["provision"]["quantity"])

    def test_the_first_in_the_request_is_told(self) -> None:
        over, missing = self.apis.pair(11), part(1, f"user:{uuid4()}", "project:x")
        later = part(1, f"user:{uuid4()}", f"project:{self.apis.demo}")
        told = self.refused(self.apis.issue(*over[::-1], later), "overLimit", 413)
        self.assertEqual(over[1], told["provision"])
        told = self.refused(self.apis.issue(missing, *over), "itemNotFound", 404)
        self.assertEqual(missing, told["provision"])
        told = self.refused(self.apis.issue(later, *over), "itemNotFound", 404)
        self.assertEqual(later, told["provision"])

    def test_a_component_charges_and_releases_its_own_resources_only(self) -> None:
        self.apis.settled(3)
        mixed = [*self.apis.pair(1, R3), *self.apis.pair(1)]
        for asked in (self.apis.pair(1), self.apis.pair(-1), mixed):
            for more in ({}, {"force": True}, {"auto_accept": True}):
                answer = self.apis.issue(*asked, token=S2, **more)
                self.assertEqual(("forbidden", 403), fault(answer))
                self.assertIn(R1, answer.json["forbidden"]["message"])
        self.assertEqual((3, 0, 3, 0), self.apis.numbers())
        unknown = part(1, f"project:{self.apis.demo}", None, "two.unknown")
        self.refused(self.apis.issue(unknown, token=S2), "itemNotFound", 404)
        self.assertEqual(201, self.apis.issue(*self.apis.pair(1, R3), token=S2).status)
        # nobody's, once the service is gone
        self.apis.cloud.execute("DELETE FROM identity.service WHERE type = 'two'")
        self.assertEqual(403, self.apis.issue(*self.apis.pair(1, R3), token=S2).status)

    def test_halves_of_a_pair_are_allowed(self) -> None:
        user, project = self.apis.pair(2)
        self.assertEqual(201, self.apis.issue(user).status)
        self.assertEqual((2, 2, 0, 0), self.apis.numbers())
        self.assertEqual(201, self.apis.issue(project).status)
        self.assertEqual((2, 2, 2, 2), self.apis.numbers())

    def test_halves_are_refused_where_the_configuration_says_so(self) -> None:
        apis = self.apis
        strict = Commissions(apis.cloud.db, balanced=True)
        components = apis.cloud.components
        apis.account = Browser(
            account.resource(
                apis.cloud.authenticator,
                CommissionsApi(strict),
                QuotasApi(apis.cloud.quota, Reports(apis.cloud.db)),
                components=components,
            )
        )
        user, project = apis.pair(2)
        other = {**user, "quantity": 1}
        for odd in ([user], [project], [other, project], [*apis.pair(-1), user]):
            answer = apis.issue(*odd, force=True)
            self.assertEqual(("badRequest", 400), fault(answer))
            self.assertIn(R1, answer.json["badRequest"]["message"])
        self.assertEqual((0, 0, 0, 0), apis.numbers())
        for even in ([user, project], [other, other, project], []):
            self.assertEqual(201, apis.issue(*even).status)
        self.assertEqual((4, 4, 4, 4), apis.numbers())
        # from one member to another, the project's is none
        self.assertEqual(201, apis.issue(user, {**user, "quantity": -2}).status)
        unknown = {**user, "holder": "nobody"}
        self.refused(apis.issue(unknown), "itemNotFound", 404)

    def test_what_was_charged_moves_to_another_project(self) -> None:
        self.apis.settled(3)
        limits = "UPDATE quota.holding SET cap = 5 WHERE project_id = %s"
        self.apis.cloud.execute(limits, self.apis.project)
        asked = [
            *self.apis.pair(-3),
            *self.apis.pair(3, project=self.apis.project),
        ]
        answer = self.apis.issue(*asked, auto_accept=True)
        self.assertEqual(201, answer.status)
        self.assertEqual((0, 0, 0, 0), self.apis.numbers())
        self.assertEqual((3, 0, 3, 0), self.apis.numbers(project=self.apis.project))

    def test_no_sum_passes_64_bits(self) -> None:
        most = 2**63 - 1
        for parts in ([most, most], [most, 1]):
            asked = [part(q, f"project:{self.apis.demo}", None) for q in parts]
            answer = self.apis.issue(*asked, force=True)
            self.refused(answer, "overLimit", 413)
        asked = [part(-most, f"project:{self.apis.demo}", None)] * 3
        self.refused(self.apis.issue(*asked), "overLimit", 413)


class ResolveTests(Base):
    def one(self) -> int:
        serial: int = self.apis.issue(*self.apis.pair(1)).json["serial"]
        return serial

    def many(self, body: object, token: str = S1) -> Response:
        return self.apis.account.post("/commissions/action", body, token=token)

    def test_astakos_34_the_good_ones_are_resolved(self) -> None:
        a, b, c = self.one(), self.one(), self.one()
        answer = self.many({"accept": [a, c, a], "reject": [b, c, 999999]})
        self.assertEqual(200, answer.status)
        failed = answer.json.pop("failed")
        self.assertEqual({"accepted": [a], "rejected": [b]}, _but(answer, "failed"))
        (missing, first), (conflict, second) = failed
        self.assertEqual((999999, c), (missing, conflict))
        self.assertEqual(404, first["itemNotFound"]["code"])
        self.assertEqual({"code", "message"}, set(first["itemNotFound"]))
        self.assertEqual(400, second["badRequest"]["code"])
        self.assertEqual([c], self.apis.pending())
        self.assertEqual((2, 1, 2, 1), self.apis.numbers())

    def test_nobody_resolves_anothers(self) -> None:
        serial = self.one()
        answer = self.many({"accept": [serial]}, S2)
        self.assertEqual([serial], [one for one, _ in answer.json["failed"]])
        self.assertEqual([serial], self.apis.pending())
        self.assertEqual([], self.many({"reject": [serial]}).json["failed"])

    def test_an_empty_request_resolves_nothing(self) -> None:
        nothing: dict[str, list[object]] = {
            "accepted": [],
            "rejected": [],
            "failed": [],
        }
        self.assertEqual(nothing, self.many({}).json)

    def test_astakos_35_wrong_actions(self) -> None:
        serial = self.one()
        wrong: list[object] = [
            {"accept": ["1"]}, {"reject": "x"}, {"accept": [None]}, {"accept": 1},
            {"accept": [2**64]}, {"accept": [True]}, [], {"accept": [1] * 1001},
        ]  # fmt: skip
        for body in wrong:
            self.assertEqual(("badRequest", 400), fault(self.many(body)), body)
        path = f"/commissions/{serial}/action"
        wrong = [{}, {"accept": "", "reject": ""}, [], "accept", {"x": 1}]
        for body in wrong:
            answer = self.apis.account.post(path, body, token=S1)
            self.assertEqual(("badRequest", 400), fault(answer), body)
        values: list[object] = [None, 0, [], {"a": 1}, "reject"]
        for value in values:
            answer = self.apis.account.post(
                f"/commissions/{self.one()}/action", {"accept": value}, token=S1
            )
            self.assertEqual(200, answer.status, value)

    def test_astakos_36_other_methods_and_serials(self) -> None:
        for path, allow in (
            ("/commissions", "GET, POST"),
            (f"/commissions/{self.one()}", "GET"),
        ):
            answer = self.apis.account.request("HEAD", path, token=S1)
            self.assertEqual(405, answer.status)
            self.assertEqual(allow, answer.headers["allow"])
        wrong = self.apis.account.request("PUT", "/commissions", json={}, token=S1)
        self.assertEqual(("notAllowed", 405), fault(wrong))
        self.assertEqual("GET, POST", wrong.headers["allow"])
        for serial in ("x", "1.5", "-1", str(2**63)):
            answer = self.apis.account.get(f"/commissions/{serial}", token=S1)
            self.assertEqual(("badRequest", 400), fault(answer), serial)
        self.assertEqual(
            404, self.apis.account.get("/commissions/9999999", token=S1).status
        )

    def test_the_list_has_pages(self) -> None:
        serials = [self.one() for _ in range(5)]
        get = self.apis.account.get
        self.assertEqual(serials, self.apis.pending())
        self.assertEqual(serials[:2], get("/commissions?limit=2", token=S1).json)
        after = f"/commissions?limit=2&marker={serials[1]}"
        self.assertEqual(serials[2:4], get(after, token=S1).json)
        self.assertEqual(400, get("/commissions?limit=x", token=S1).status)


def _but(answer: Response, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in answer.json.items() if key not in keys}

"""RAPI over HTTP: errors, surprises, faults, networks, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
import treq
from twisted.internet import reactor
from twisted.internet.defer import TimeoutError as Late
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.web.client import Agent, ResponseNeverReceived
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from tests.pocket.rig import NAME, PASSWORD, PocketCase, new_instance


@pytest.mark.rig("pocket")
class RapiTests(PocketCase):
    async def setUp(self) -> None:  # type: ignore[override]
        await self.start(control=True)

    async def refused(self, code: int, method: str, path: str, body: Any = None) -> str:
        status, error = await self.call(method, path, body)
        self.assertEqual(code, status, error)
        self.assertEqual({"code", "message", "explain"}, set(error))
        self.assertEqual(code, error["code"])
        return str(error["explain"])

    async def test_errors_at_the_door(self) -> None:
        create = new_instance("snf-1")
        for code, method, path, body in (
            (404, "GET", "/nothing", None),
            (404, "GET", "/2/instances/snf-1", None),
            (404, "GET", "/2/networks/n", None),
            (404, "GET", "/pocket/nothing", None),
            (501, "PUT", "/2/instances", {}),
            (400, "POST", "/2/instances", None),
            (400, "POST", "/2/instances", []),
            (400, "POST", "/2/instances", {**create, "__version__": 0}),
            (400, "POST", "/2/instances", {**create, "memory": 7}),
            (400, "POST", "/2/instances", {**create, "os_type": "both"}),
            (400, "POST", "/2/instances", {**create, "disks": "x"}),
            (400, "POST", "/2/instances?dry-run=x", create),
            (400, "PUT", "/2/query/job", {"fields": 5}),
            (400, "GET", "/2/jobs/x", None),
            (502, "PUT", "/2/query/job", {"fields": [], "qfilter": ["=>", "id", 1]}),
            (502, "PUT", "/2/query/job", {"fields": [], "qfilter": [">", "end_ts", 1]}),
            (502, "PUT", "/2/query/lock", {"fields": ["id"]}),
            (500, "DELETE", "/2/jobs/99", None),
            (500, "GET", "/2/instances/snf-1/console", None),
        ):  # fmt: skip
            if path.startswith("/2/query") and body and "end_ts" in str(body):
                await self.good("POST", "/2/instances", create)
                await self.good("DELETE", "/2/instances/snf-1")
            await self.refused(code, method, path, body)
        text = await self.refused(400, "POST", "/2/instances", {**create, "x": 1})
        self.assertIn("doesn&#x27;t support the parameter &#x27;x&#x27;", text)

    async def test_who_may_do_what(self) -> None:
        status, _ = await self.call("GET", "/2/info", user="reader")
        self.assertEqual(200, status)
        query = {"fields": ["id"]}
        status, _ = await self.call("PUT", "/2/query/job", query, user="reader")
        self.assertEqual(200, status)
        body = new_instance("a")
        status, _ = await self.call("POST", "/2/instances", body, user="reader")
        self.assertEqual(403, status)
        response = await treq.get(self.url + "/version")
        self.assertEqual(401, response.code)
        [realm] = response.headers.getRawHeaders("www-authenticate")
        self.assertEqual('Basic realm="Ganeti Remote API"', realm)
        await response.content()

    async def test_a_broken_or_endless_body(self) -> None:
        for data, code in ((b"{", 400), (b"\xff", 400), (b"x" * (3 << 20), 413)):
            response = await treq.post(
                self.url + "/2/instances", data=data, auth=(NAME, PASSWORD)
            )
            self.assertEqual(code, response.code)
            await response.content()

    async def test_an_unknown_job_is_all_nulls(self) -> None:
        status, job = await self.call("GET", "/2/jobs/999999")
        self.assertEqual((200, {None}), (status, set(job.values())))

    async def test_an_unknown_instance_is_a_failed_job(self) -> None:
        body = {"beparams": {"vcpus": 2}}
        job = await self.job("PUT", "/2/instances/none/modify", body)
        error = ["OpPrereqError", ["Instance 'none' not known", "unknown_entity"]]
        self.assertEqual([error], job["opresult"])

    async def test_the_reason_is_in_the_trail(self) -> None:
        job = await self.good(
            "POST", "/2/instances?reason=snfd:17%2Fx", new_instance("snf-1")
        )
        trail = [part[:2] for part in job["ops"][0]["reason"]]
        self.assertEqual(["gnt:user", "snfd:17/x"], trail[0])
        self.assertEqual(["gnt:library:rlib2:instances", ""], trail[1])

    async def test_a_dry_run_changes_nothing(self) -> None:
        job = await self.good("POST", "/2/instances?dry-run=1", new_instance("snf-1"))
        self.assertIn("dry-run", job["oplog"][0][-1][3])
        await self.refused(404, "GET", "/2/instances/snf-1")
        await self.good("POST", "/2/instances", new_instance("snf-1"))

    async def test_secrets_are_not_shown(self) -> None:
        body = new_instance("snf-1", osparams_private={"pw": "s3cret"}, tags=["a:b"])
        job = await self.good("POST", "/2/instances", body)
        self.assertEqual({"pw": None}, job["ops"][0]["osparams_private"])
        _, shown = await self.call("GET", "/2/instances?bulk=1")
        self.assertNotIn("s3cret", str(job) + str(shown))

    async def test_archived_jobs_are_found_by_number_or_by_asking_for_them(
        self,
    ) -> None:
        first = await self.good("POST", "/2/instances", new_instance("snf-1"))
        await self.call("POST", "/pocket/archive", 0)
        self.assertEqual((200, []), await self.call("GET", "/2/jobs"))

        async def found(expression: Any, *fields: str) -> list[Any]:
            query = {"fields": ["id", *fields], "qfilter": expression}
            _, answer = await self.call("PUT", "/2/query/job", query)
            return [row[0][1] for row in answer["data"]]

        number = first["id"]
        self.assertEqual([number], await found(["=", "id", number]))
        self.assertEqual([], await found([">", "id", 0]))
        mixed = ["|", [">", "id", 0], ["=", "id", number]]
        self.assertEqual([], await found(mixed))
        self.assertEqual([number], await found(mixed, "archived"))
        _, job = await self.call("GET", f"/2/jobs/{number}")
        self.assertEqual("success", job["status"])

    async def test_a_network_gives_addresses_and_macs(self) -> None:
        net = {
            "network_name": "n",
            "network": "10.9.0.0/29",
            "gateway": "10.9.0.1",
            "mac_prefix": "aa:00:13",
            "tags": ["private-filtered"],
        }
        await self.good("POST", "/2/networks", net)
        nics = [{"network": "n", "ip": "pool", "name": "snf-nic-1"}]
        early = await self.job("POST", "/2/instances", new_instance("a", nics=nics))
        self.assertEqual("wrong_state", early["opresult"][0][1][1])
        to = {
            "group_name": "default",
            "network_mode": "bridged",
            "network_link": "prv0",
        }
        await self.good("PUT", "/2/networks/n/connect", to)
        await self.good("POST", "/2/instances", new_instance("a", nics=nics))
        _, shown = await self.call("GET", "/2/instances/a")
        self.assertEqual(["10.9.0.2"], shown["nic.ips"])
        self.assertEqual(["prv0"], shown["nic.links"])
        self.assertTrue(shown["nic.macs"][0].startswith("aa:00:13:"))
        self.assertEqual(["n"], shown["nic.networks.names"])
        taken = new_instance("b", nics=[{"network": "n", "ip": "10.9.0.2"}])
        job = await self.job("POST", "/2/instances", taken)
        self.assertEqual("resource_not_unique", job["opresult"][0][1][1])
        _, found = await self.call("GET", "/2/networks/n")
        self.assertEqual("XXX....X", found["map"])
        self.assertEqual((4, 4), (found["free_count"], found["reserved_count"]))
        self.assertEqual(["a"], found["inst_list"])
        used = await self.job(
            "PUT", "/2/networks/n/disconnect", {"group_name": "default"}
        )
        self.assertEqual("wrong_state", used["opresult"][0][1][1])
        await self.good("DELETE", "/2/instances/a")
        still = await self.job("DELETE", "/2/networks/n")
        self.assertEqual("wrong_state", still["opresult"][0][1][1])
        await self.good("PUT", "/2/networks/n/disconnect", {"group_name": "default"})
        await self.good("DELETE", "/2/networks/n")

    async def test_nics_and_disks_are_added_and_removed(self) -> None:
        await self.good("POST", "/2/instances", new_instance("a"))
        add = {
            "nics": [["add", "-1", {"name": "n1"}]],
            "disks": [["add", "-1", {"size": 8, "name": "d1"}]],
        }
        job = await self.good("PUT", "/2/instances/a/modify", add)
        self.assertEqual("disk/1", job["opresult"][0][1][0])
        _, shown = await self.call("GET", "/2/instances/a")
        self.assertEqual((["n1"], [16, 8]), (shown["nic.names"], shown["disk.sizes"]))
        drop = {"nics": [["remove", "n1", {}]]}
        await self.good("PUT", "/2/instances/a/modify", drop)
        drop = {"disks": [["remove", "d1", {}]]}
        job = await self.job("PUT", "/2/instances/a/modify", drop)
        self.assertEqual("wrong_state", job["opresult"][0][1][1])
        await self.good("PUT", "/2/instances/a/shutdown", {"timeout": 0})
        await self.good("PUT", "/2/instances/a/modify", drop)
        _, shown = await self.call("GET", "/2/instances/a")
        self.assertEqual(([], [16]), (shown["nic.names"], shown["disk.sizes"]))
        job = await self.job(
            "PUT", "/2/instances/a/modify", {"nics": [["remove", "n9", {}]]}
        )
        self.assertEqual("unknown_entity", job["opresult"][0][1][1])

    async def test_hotplug_as_ganetis_fake_hypervisor_does_it(self) -> None:
        await self.good("POST", "/2/instances", new_instance("a"))
        add = {"nics": [["add", "-1", {"name": "n1"}]]}
        path = "/2/instances/a/modify"
        job = await self.job("PUT", path, {**add, "hotplug": True})
        self.assertEqual("wrong_state", job["opresult"][0][1][1])
        job = await self.good("PUT", path, {**add, "hotplug_if_possible": True})
        self.assertIn("WARNING", job["oplog"][0][0][3])

    async def test_tags(self) -> None:
        await self.good("POST", "/2/instances", new_instance("a", tags=["x"]))
        await self.good("PUT", "/2/instances/a/tags?tag=y&tag=z")
        await self.good("DELETE", "/2/instances/a/tags?tag=x")
        self.assertEqual(
            (200, ["y", "z"]), await self.call("GET", "/2/instances/a/tags")
        )
        job = await self.job("DELETE", "/2/instances/a/tags?tag=x")
        self.assertEqual("error", job["status"])
        await self.good("PUT", "/2/tags?tag=cluster:tag")
        self.assertEqual((200, ["cluster:tag"]), await self.call("GET", "/2/tags"))

    async def test_capacity(self) -> None:
        _, [before] = await self.call("GET", "/2/nodes?bulk=1")
        big = new_instance("big", beparams={"memory": 100_000})
        job = await self.job("POST", "/2/instances", big)
        self.assertEqual("insufficient_resources", job["opresult"][0][1][1])
        await self.good("POST", "/2/instances", new_instance("a"))
        _, [after] = await self.call("GET", "/2/nodes?bulk=1")
        self.assertEqual(64, before["mfree"] - after["mfree"])
        self.assertEqual(16, before["dfree"] - after["dfree"])
        self.assertEqual(1, after["pinst_cnt"])
        for key in ("mtotal", "dtotal", "ctotal"):
            self.assertGreater(after[key], 0)

    # -- faults

    async def test_a_lost_answer_still_makes_a_job(self) -> None:
        fault = {"kind": "lose", "match": "POST /2/instances"}
        await self.call("POST", "/pocket/faults", fault)
        with self.assertRaises(ResponseNeverReceived):
            await self.call("POST", "/2/instances", new_instance("a"))
        _, [job] = await self.call("GET", "/2/jobs")
        self.assertEqual("success", (await self.ended(job["id"]))["status"])
        _, hits = await self.call("GET", "/pocket/faults")
        self.assertEqual([["lose", "POST /2/instances"]], hits)

    async def test_a_reset_takes_nothing(self) -> None:
        self.pocket.faults.add("reset", "POST *")
        with self.assertRaises(ResponseNeverReceived):
            await self.call("POST", "/2/instances", new_instance("a"))
        self.assertEqual((200, []), await self.call("GET", "/2/jobs"))

    async def test_errors_on_demand(self) -> None:
        self.pocket.faults.add("error", "GET /2/info", status=502)
        await self.refused(502, "GET", "/2/info")
        status, _ = await self.call("GET", "/2/info")
        self.assertEqual(200, status)

    async def test_a_hanging_request_hangs_until_the_client_leaves(self) -> None:
        self.pocket.faults.add("hang", "GET /2/info")
        asked = treq.get(self.url + "/2/info", auth=(NAME, PASSWORD), timeout=0.2)
        with self.assertRaises((Late, ResponseNeverReceived)):
            await asked

    async def test_an_operation_fails_on_demand_and_leaves_nothing(self) -> None:
        self.pocket.faults.add("fail", "OP_INSTANCE_CREATE")
        job = await self.job("POST", "/2/instances", new_instance("a"))
        self.assertEqual(["OpExecError", ["Failure on demand"]], job["opresult"][0])
        await self.refused(404, "GET", "/2/instances/a")
        await self.good("POST", "/2/instances", new_instance("a"))

    async def test_a_drained_queue_is_503(self) -> None:
        await self.call("PUT", "/pocket/drained", True)
        text = await self.refused(503, "POST", "/2/instances", new_instance("a"))
        self.assertIn("drained", text)

    async def test_wrong_faults_are_refused(self) -> None:
        for body in (None, {}, {"kind": "x"}, {"kind": "hang", "times": "x"}):
            await self.refused(400, "POST", "/pocket/faults", body)
        await self.refused(400, "PUT", "/pocket/latency", -1)


@pytest.mark.rig("pocket")
class DoorTests(PocketCase):
    async def test_without_the_option_there_is_no_control(self) -> None:
        await self.start()
        status, _ = await self.call("GET", "/pocket/faults")
        self.assertEqual(404, status)

    async def test_tls_with_a_certificate_that_is_kept(self) -> None:
        data = self.directory()
        for _ in range(2):
            pocket = await self.start(data=data, tls=True)
            pem = (data / "rapi-cert.pem").read_bytes()
            agent = Agent(reactor, Trust(pem))
            response = await treq.get(
                pocket.url + "/version", auth=(NAME, PASSWORD), agent=agent
            )
            self.assertEqual(2, await response.json())
            await pocket.stopService()
        self.assertEqual(0o600, (data / "rapi.pem").stat().st_mode & 0o777)


@implementer(IPolicyForHTTPS)
class Trust:
    """Trusts one certificate, and checks the name."""

    def __init__(self, pem: bytes) -> None:
        self.root = Certificate.loadPEM(pem)

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        return optionsForClientTLS(hostname.decode(), trustRoot=self.root)


@pytest.mark.rig("pocket")
class RestartTests(PocketCase):
    """A pocket of its own, killed with SIGKILL."""

    async def test_nothing_promised_is_forgotten(self) -> None:
        data = self.directory()
        child = await self.spawn(data, "--hypervisor=fake")
        net = {"network_name": "n", "network": "10.9.0.0/24"}
        await self.good("POST", "/2/networks", net)
        await self.good("PUT", "/2/networks/n/connect", {"group_name": "default"})
        nics = [{"network": "n", "ip": "pool"}]
        await self.good("POST", "/2/instances", new_instance("a", nics=nics))
        await self.good("POST", "/2/instances", new_instance("b", start=False))
        await self.good("PUT", "/2/tags?tag=x")
        _, before = await self.call("GET", "/2/instances?bulk=1")
        await child.stop("KILL")
        await self.spawn(data, "--hypervisor=fake")
        _, after = await self.call("GET", "/2/instances?bulk=1")
        self.assertEqual(before, after)
        self.assertEqual((200, ["x"]), await self.call("GET", "/2/tags"))
        _, number = await self.call(
            "POST", "/2/instances", new_instance("c", nics=nics)
        )
        self.assertEqual(6, number)
        await self.ended(number)
        _, shown = await self.call("GET", "/2/instances/c")
        self.assertEqual(["10.9.0.2"], shown["nic.ips"])

    async def test_what_ran_is_an_error_and_what_was_queued_goes_on(self) -> None:
        data = self.directory()
        child = await self.spawn(data, "--hypervisor=fake", "--latency=2")
        _, first = await self.call("POST", "/2/instances", new_instance("a"))
        body = new_instance("b", depends=[[first, ["success", "error"]]])
        _, second = await self.call("POST", "/2/instances", body)
        while True:
            _, job = await self.call("GET", f"/2/jobs/{first}")
            if job["status"] == "running":
                break
            await deferLater(reactor, 0.02)
        await child.stop("KILL")
        await self.spawn(data, "--hypervisor=fake")
        job = await self.ended(first)
        self.assertEqual("error", job["status"])
        self.assertEqual("OpExecError", job["opresult"][0][0])
        job = await self.ended(second)
        self.assertEqual("success", job["status"])
        _, names = await self.call("GET", "/2/instances")
        self.assertEqual(["b"], [each["id"] for each in names])

"""What `Ganeti` promises, for the fake, the pocket cluster and the real one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from snfd.ganeti import jobs, names, network_requests, requests
from snfd.ganeti.model import Event, Instance, Job, Status
from snfd.ganeti.port import Ganeti, Refused
from snfd.ganeti.requests import NewDisk, NewInstance, NewNic, Request

PAUSES_MAX = 400


OWN = {"10.78.0.0", "10.78.0.1", "10.78.0.255"}
"""What a cluster keeps of that range: its ends and the gateway, or nothing."""


class GanetiContract(TestCase):
    """Subclasses set the attributes below in `setUp`; import the module, not this.

    :ivar ganeti: a cluster on which snf-<n> from ``first`` on are free; tests
        remove what they made.
    :ivar pause: waits until jobs may have come further.
    :ivar first: of a thousand numbers for servers, networks, ports.
    :ivar template: disk template of new instances.
    """

    ganeti: Ganeti
    pause: Callable[[], Awaitable[None]]
    first: int
    template = "file"
    os_name = "snf-image+default"
    hypervisor = "fake"

    async def ended(self, ident: int) -> Job:
        """The job, once it has ended."""
        for _ in range(PAUSES_MAX):
            found = await self.ganeti.statuses(ident, [ident])
            if found and found[0].id == ident and found[0].status.final:
                [job] = await self.ganeti.jobs([ident])
                return job
            await self.pause()
        raise AssertionError(f"job {ident} does not end")

    async def done(self, request: Request, reason: str = "snfd:test") -> Job:
        """The job of the request, which must have succeeded."""
        job = await self.ended(await self.ganeti.submit(request, reason))
        self.assertEqual(Status.SUCCESS, job.status, jobs.error(job))
        return job

    async def created(self, server: int, *nics: NewNic) -> Instance:
        """A running instance, removed at the end of the test."""
        new = self.new(server, *nics)
        self.addCleanup(self.gone, server)
        await self.done(requests.create(new))
        [instance] = await self.ganeti.instances([names.instance(server)])
        return instance

    def new(self, server: int, *nics: NewNic) -> NewInstance:
        """A small one."""
        return NewInstance(
            server,
            self.hypervisor,
            self.os_name,
            self.template,
            1,
            64,
            [NewDisk(server, 16)],
            nics,
            tags=["snfd:contract"],
        )

    def gone(self, server: int) -> Deferred[None]:
        """Have an instance removed, if it is there."""

        async def remove() -> None:
            if await self.ganeti.instances([names.instance(server)]):
                request = requests.remove(server)
                await self.ended(await self.ganeti.submit(request, "snfd:cleanup"))

        return Deferred.fromCoroutine(remove())

    async def test_an_instance_lives_and_dies(self) -> None:
        server = self.first
        instance = await self.created(server)
        self.assertEqual(
            ("snf-" + str(server), "up", True, "running", 1, 64, self.template),
            (
                instance.name,
                instance.admin_state,
                instance.oper_state,
                instance.status,
                instance.vcpus,
                instance.memory,
                instance.disk_template,
            ),
        )
        [disk] = instance.disks
        self.assertEqual((names.volume(server), 16), (disk.name, disk.size))
        self.assertIn("snfd:contract", instance.tags)
        before = instance.serial
        await self.done(requests.stop(server, timeout=0))
        [instance] = await self.ganeti.instances([instance.name])
        self.assertEqual(("down", False), (instance.admin_state, instance.oper_state))
        self.assertEqual("ADMIN_down", instance.status)
        self.assertGreater(instance.serial, before)
        await self.done(requests.start(server))
        await self.done(requests.reboot(server, hard=True))
        seen = {each.name: each for each in await self.ganeti.sightings()}
        self.assertEqual(True, seen[instance.name].oper_state)
        self.assertIn("snfd:contract", seen[instance.name].tags)
        await self.done(requests.remove(server))
        self.assertEqual([], await self.ganeti.instances([instance.name]))

    async def test_a_job_tells_its_reason_subject_and_event(self) -> None:
        reason = f"snfd:{uuid4()}"
        request = requests.create(self.new(self.first + 1))
        self.addCleanup(self.gone, self.first + 1)
        job = await self.done(request, reason)
        self.assertTrue(jobs.carries(job, reason))
        self.assertFalse(jobs.carries(job, reason[:-1]))
        found = list(jobs.changes(job))
        self.assertEqual([(f"server:{self.first + 1}", Event.CREATED)], found)
        self.assertEqual(("", ""), jobs.error(job))
        assert job.received is not None
        assert job.ended is not None
        self.assertLessEqual(job.received, job.ended)

    async def test_ids_rise_and_newer_jobs_are_listed(self) -> None:
        before = await self.ganeti.newest()
        first = await self.ganeti.submit(requests.start(self.first + 2), "snfd:a")
        second = await self.ganeti.submit(requests.start(self.first + 2), "snfd:b")
        self.assertTrue(before < first < second)
        listed = [each.id for each in await self.ganeti.statuses(before, [])]
        self.assertEqual([first, second], listed)
        await self.ended(first)
        await self.ended(second)
        self.assertEqual(second, await self.ganeti.newest())

    async def test_unknown_jobs_and_names_are_left_out(self) -> None:
        newest = await self.ganeti.newest()
        self.assertEqual([], await self.ganeti.statuses(newest, [newest + 1000]))
        self.assertEqual([], await self.ganeti.jobs([newest + 1000]))
        self.assertEqual([], await self.ganeti.instances(["snf-999999"]))

    async def test_known_names_are_found_beside_unknown_ones(self) -> None:
        await self.created(self.first + 3)
        name = names.instance(self.first + 3)
        found = await self.ganeti.instances([name, "snf-999999"])
        self.assertEqual([name], [each.name for each in found])

    async def test_what_is_unknown_fails_as_a_job(self) -> None:
        job = await self.ended(
            await self.ganeti.submit(requests.stop(self.first + 4, 0), "snfd:x")
        )
        self.assertEqual(Status.ERROR, job.status)
        text, code = jobs.error(job)
        self.assertIn(names.instance(self.first + 4), text)
        self.assertEqual("unknown_entity", code)
        self.assertEqual([], list(jobs.changes(job)))

    async def test_a_second_instance_of_the_name_fails(self) -> None:
        await self.created(self.first + 5)
        request = requests.create(self.new(self.first + 5))
        job = await self.ended(await self.ganeti.submit(request, "snfd:x"))
        self.assertEqual("already_exists", jobs.error(job)[1])

    async def test_unknown_parameters_are_refused(self) -> None:
        request = requests.modify(self.first + 6, memory=7)
        with self.assertRaises(Refused) as caught:
            await self.ganeti.submit(request, "snfd:x")
        self.assertNotIn("&#x27;", caught.exception.message)
        self.assertEqual(400, caught.exception.code)

    async def test_a_job_waits_for_those_it_depends_on(self) -> None:
        server = self.first + 7
        self.addCleanup(self.gone, server)
        create = await self.ganeti.submit(requests.create(self.new(server)), "snfd:1")
        removal = requests.remove(server).after([create])
        last = await self.ended(await self.ganeti.submit(removal, "snfd:2"))
        self.assertEqual(Status.SUCCESS, last.status, jobs.error(last))
        [first] = await self.ganeti.jobs([create])
        self.assertEqual(Status.SUCCESS, first.status)

    async def test_a_failed_dependency_is_no_obstacle(self) -> None:
        missing = requests.stop(self.first + 8, 0)
        first = await self.ganeti.submit(missing, "snfd:1")
        server = self.first + 9
        self.addCleanup(self.gone, server)
        request = requests.create(self.new(server)).after([first])
        await self.done(request)

    async def test_networks_and_nics(self) -> None:
        ident = self.first
        name = names.network(ident)
        new = network_requests.NewNetwork(
            ident,
            "aa:00:0a",
            "10.77.0.0/24",
            "10.77.0.1",
            tags=["private"],
        )
        self.addCleanup(self.network_gone, ident)
        await self.done(network_requests.network_add(new))
        job = await self.done(
            network_requests.network_connect(ident, "default", "routed", "main")
        )
        self.assertEqual(
            [(f"network:{ident}", Event.NETWORK_CONNECTED)], list(jobs.changes(job))
        )
        network = {each.name: each for each in await self.ganeti.networks()}[name]
        self.assertEqual(
            ("10.77.0.0/24", "10.77.0.1", "aa:00:0a", ("default",)),
            (network.network, network.gateway, network.mac_prefix, network.groups),
        )
        self.assertIn("private", network.tags)
        nic = NewNic(ident, ident, "10.77.0.9")
        instance = await self.created(self.first + 10, nic)
        [card] = instance.nics
        self.assertEqual(
            (names.nic(ident), name, "10.77.0.9"), (card.name, card.network, card.ip)
        )
        await self.done(requests.stop(self.first + 10, 0))
        another = NewNic(ident + 1, ident, "10.77.0.10")
        await self.done(requests.add_nic(self.first + 10, another, hotplug=False))
        await self.done(requests.remove_nic(self.first + 10, ident, hotplug=False))
        [instance] = await self.ganeti.instances([names.instance(self.first + 10)])
        self.assertEqual([names.nic(ident + 1)], [each.name for each in instance.nics])
        await self.done(requests.remove(self.first + 10))

    async def test_all_that_is_told_of_a_network(self) -> None:
        """IPv6, what guests shall get in tags, and what the cluster keeps."""
        ident = self.first + 1
        name = names.network(ident)
        tags = ["nfdhcpd", "snfd:dns:2001:db8::53", "snfd:route:10.0.0.0/8@10.78.0.9"]
        new = network_requests.NewNetwork(
            ident, "aa:00:0b", "10.78.0.0/24", "10.78.0.1", "fd00:78::/64",
            "fd00:78::1", tags, public=True,
        )  # fmt: skip
        self.addCleanup(self.network_gone, ident)
        await self.done(network_requests.network_add(new))
        network = {each.name: each for each in await self.ganeti.networks()}[name]
        self.assertLessEqual(set(tags), network.tags)
        self.assertLessEqual(set(network.reserved), OWN)
        await self.done(network_requests.network_tag(ident, ["snfd:dns:10.78.0.53"]))
        await self.done(network_requests.network_untag(ident, tags[1:2]))
        network = {each.name: each for each in await self.ganeti.networks()}[name]
        self.assertLessEqual({"nfdhcpd", "snfd:dns:10.78.0.53"}, network.tags)
        self.assertNotIn(tags[1], network.tags)

    def network_gone(self, ident: int) -> Deferred[None]:
        """Have a network removed."""

        async def remove() -> None:
            for request in (
                network_requests.network_disconnect(ident, "default"),
                network_requests.network_remove(ident),
            ):
                await self.ended(await self.ganeti.submit(request, "snfd:cleanup"))

        return Deferred.fromCoroutine(remove())

    async def test_cpus_and_memory_change(self) -> None:
        server = self.first + 11
        await self.created(server)
        await self.done(requests.stop(server, 0))
        await self.done(requests.resize(server, 2, 96))
        [instance] = await self.ganeti.instances([names.instance(server)])
        self.assertEqual((2, 96), (instance.vcpus, instance.memory))

    async def test_tags_come_and_go(self) -> None:
        server = self.first + 12
        await self.created(server)
        await self.done(requests.add_tags(server, ["a:b", "c:d"]))
        job = await self.done(requests.remove_tags(server, ["a:b"]))
        self.assertEqual(
            [(f"server:{server}", Event.UNTAGGED)], list(jobs.changes(job))
        )
        [instance] = await self.ganeti.instances([names.instance(server)])
        self.assertEqual({"c:d", "snfd:contract"}, instance.tags)

    async def test_the_cluster_describes_itself(self) -> None:
        told = await self.ganeti.describe()
        self.assertTrue(told.version.startswith("3."), told.version)
        self.assertIn(self.template, told.templates)
        self.assertIn(self.hypervisor, told.hypervisors)
        self.assertIn("default", told.groups)
        self.assertTrue(0 < told.mfree <= told.mtotal)
        self.assertTrue(0 < told.dfree <= told.dtotal)
        self.assertGreater(told.ctotal, 0)

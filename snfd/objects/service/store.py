"""All of object storage in one value."""

from __future__ import annotations

from attrs import frozen

from snfd.clock import Seconds
from snfd.db.port import Database
from snfd.objects.service.accounting import Charge
from snfd.objects.service.accounts import Accounts
from snfd.objects.service.checksums import Checksums
from snfd.objects.service.containers import Containers
from snfd.objects.service.copies import Copies
from snfd.objects.service.objects import Objects
from snfd.objects.service.uploads import Uploads
from snfd.quota.service import Quota
from snfd.tasks import Tasks
from storage.blocks import Blocks
from storage.workers import Workers


@frozen(eq=False)
class ObjectStore:
    """The use cases of object storage."""

    accounts: Accounts
    containers: Containers
    objects: Objects
    copies: Copies
    uploads: Uploads
    checksums: Checksums

    @classmethod
    def build(
        cls,
        db: Database,
        clock: Seconds,
        tasks: Tasks,
        charge: Charge,
        quota: Quota,
        blocks: Blocks,
        workers: Workers,
    ) -> ObjectStore:
        """Object storage over ``db``.

        :param charge: quota's ``charge``.
        :param workers: compute MD5 sums.
        """
        containers = Containers(db, clock)
        return cls(
            accounts=Accounts(db, clock),
            containers=containers,
            objects=Objects(db, clock, charge, containers),
            copies=Copies(db, clock, charge),
            uploads=Uploads(db, clock, charge, quota),
            checksums=Checksums(db, tasks, blocks, workers),
        )

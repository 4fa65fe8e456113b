"""All of object storage in one value."""

from __future__ import annotations

from attrs import frozen

from snfd.clock import Seconds
from snfd.db.port import Database
from snfd.objects.service.accounts import Accounts
from snfd.objects.service.checksums import Checksums, Md5
from snfd.objects.service.containers import Containers
from snfd.objects.service.objects import Objects
from snfd.objects.service.uploads import Uploads
from snfd.objects.service.versions import Charge
from snfd.quota.service import Quota
from snfd.tasks import Tasks


@frozen(eq=False)
class ObjectStore:
    """The use cases of object storage."""

    accounts: Accounts
    containers: Containers
    objects: Objects
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
        md5: Md5,
    ) -> ObjectStore:
        """Object storage over ``db``.

        :param charge: quota's ``charge``.
        :param md5: computes the MD5 sum of stored content.
        """
        containers = Containers(db, clock)
        return cls(
            accounts=Accounts(db, clock),
            containers=containers,
            objects=Objects(db, clock, charge, containers),
            uploads=Uploads(db, clock, charge, quota),
            checksums=Checksums(db, tasks, md5),
        )

"""Use cases of object storage."""

from snfd.objects.service.accounting import Charge
from snfd.objects.service.accounts import Accounts
from snfd.objects.service.checksums import Checksums
from snfd.objects.service.containers import ContainerChange, Containers, put
from snfd.objects.service.copies import Copies, Copy
from snfd.objects.service.objects import Objects, Revision
from snfd.objects.service.pins import Pinned, discard_by_id, pin, pinned, unpin
from snfd.objects.service.store import ObjectStore
from snfd.objects.service.uploads import Upload, Uploads, as_content
from snfd.objects.service.versions import Wanted, commit, discard

__all__ = [
    "Accounts",
    "Charge",
    "Checksums",
    "ContainerChange",
    "Containers",
    "Copies",
    "Copy",
    "ObjectStore",
    "Objects",
    "Pinned",
    "Revision",
    "Upload",
    "Uploads",
    "Wanted",
    "as_content",
    "commit",
    "discard",
    "discard_by_id",
    "pin",
    "pinned",
    "put",
    "unpin",
]

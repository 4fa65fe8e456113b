"""Use cases of object storage."""

from snfd.objects.service.accounts import Accounts
from snfd.objects.service.checksums import Checksums
from snfd.objects.service.containers import ContainerChange, Containers
from snfd.objects.service.objects import Objects, Revision
from snfd.objects.service.store import ObjectStore
from snfd.objects.service.uploads import Upload, Uploads
from snfd.objects.service.versions import Charge, commit, discard

__all__ = [
    "Accounts",
    "Charge",
    "Checksums",
    "ContainerChange",
    "Containers",
    "ObjectStore",
    "Objects",
    "Revision",
    "Upload",
    "Uploads",
    "commit",
    "discard",
]

"""Images as OpenStack's image service (glance) v2 has them: ``/os/image``."""

from api.openstack.image.resource import MOUNT, build

__all__ = ["MOUNT", "build"]

"""Configurations of clients, ready to be saved.

Clients log in with the token in place of the password, so that they do so again by
themselves. Source: ``spec/astakos.md`` §5.9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from shlex import quote

from attrs import field, frozen

from snfd.catalog import Catalog


@frozen
class Recipe:
    """What a client needs to know.

    :ivar name: what the cloud is called in its configuration.
    :ivar project: the uuid of where it works.
    """

    catalog: Catalog
    name: str
    username: str
    project: str
    secret: str = field(repr=False)

    def files(self) -> Sequence[tuple[str, str]]:
        """Where each client looks, and what it must find there."""
        return [
            ("~/.config/openstack/clouds.yaml", self.clouds_yaml()),
            ("openrc.sh, for programs that read OS_… variables", self.openrc()),
            ("~/.kamakirc", self.kamakirc()),
            ("~/.config/rclone/rclone.conf", self.rclone()),
        ]

    def clouds_yaml(self) -> str:
        """For openstackclient, its SDK and what is built on that."""
        # a JSON string is a YAML scalar
        quoted = json.dumps
        return (
            "clouds:\n"
            f"  {self.name}:\n"
            f"    region_name: {quoted(self.catalog.region)}\n"
            "    identity_api_version: 3\n"
            "    auth:\n"
            f"      auth_url: {quoted(self.catalog.identity('v3'))}\n"
            f"      username: {quoted(self.username)}\n"
            f"      password: {quoted(self.secret)}\n"
            f"      project_id: {self.project}\n"
            "      user_domain_name: Default\n"
        )

    def openrc(self) -> str:
        """For shells."""
        values = {
            "OS_AUTH_URL": self.catalog.identity("v3"),
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": self.catalog.region,
            "OS_USERNAME": self.username,
            "OS_PASSWORD": self.secret,
            "OS_PROJECT_ID": self.project,
            "OS_USER_DOMAIN_NAME": "Default",
        }
        return "".join(f"export {k}={quote(v)}\n" for k, v in values.items())

    def kamakirc(self) -> str:
        """For kamaki and the sync clients."""
        return (
            "[global]\n"
            f"default_cloud = {self.name}\n\n"
            f'[cloud "{self.name}"]\n'
            f"url = {self.catalog.identity('v2.0')}\n"
            f"token = {self.secret}\n"
        )

    def rclone(self) -> str:
        """For rclone, and what reads its configuration."""
        return (
            f"[{self.name}]\n"
            "type = swift\n"
            f"auth = {self.catalog.identity('v3')}\n"
            "auth_version = 3\n"
            f"user = {self.username}\n"
            f"key = {self.secret}\n"
            "domain = Default\n"
            f"tenant_id = {self.project}\n"
            f"region = {self.catalog.region}\n"
        )


def cloud_name(service: str) -> str:
    """What a cloud of that name is called in configurations: plain and lower case."""
    return re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-") or "cloud"

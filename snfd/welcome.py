"""What a person finds after ``make run``: ready-made client configurations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

import msgspec
from msgspec import Struct

from snfd import private

ACCOUNTS = "accounts.json"
FIRST_SERVER = "openstack server create --image hello --flavor {flavor} --wait hi"


class Account(Struct, frozen=True):
    """A seeded user, as his clients log in."""

    password: str
    project: str


def remembered(var: Path) -> dict[str, Account]:
    """The accounts that earlier starts made, by username."""
    file = var / ACCOUNTS
    if not file.exists():
        return {}
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Account])


def remember(var: Path, accounts: Mapping[str, Account]) -> None:
    """Keep ``accounts`` for later starts, readable by the owner only."""
    private.write(var / ACCOUNTS, json.dumps(msgspec.to_builtins(accounts), indent=1))


def clouds_yaml(auth_url: str, region: str, accounts: Mapping[str, Account]) -> str:
    """A ``clouds.yaml`` with one cloud for each account."""
    # a JSON string is a YAML scalar: no account can break out of its line
    quoted = json.dumps
    lines = ["clouds:"]
    for name, account in accounts.items():
        lines += [
            f"  {name}:",
            f"    region_name: {quoted(region)}",
            "    identity_api_version: 3",
            "    auth:",
            f"      auth_url: {quoted(auth_url)}",
            f"      username: {quoted(name)}",
            f"      password: {quoted(account.password)}",
            f"      project_name: {quoted(account.project)}",
            "      user_domain_name: Default",
            "      project_domain_name: Default",
        ]
    return "\n".join(lines) + "\n"


def kamakirc(auth_url: str, token: str) -> str:
    """A configuration of kamaki with one cloud, ``demo``."""
    return (
        "[global]\n"
        "default_cloud = demo\n"
        "ignore_ssl = on\n"
        "\n"
        '[cloud "demo"]\n'
        f"url = {auth_url}\n"
        f"token = {token}\n"
    )


def greeting(
    url: str,
    var: Path,
    accounts: Mapping[str, Account],
    flavor: str,
    snfctl: str = "snfctl",
) -> Sequence[str]:
    """The lines to print once the cloud is ready.

    :param flavor: name of the one that a first server may have.
    :param snfctl: what to type for it.
    """
    clouds, kamaki = (quote(str(var / name)) for name in ("clouds.yaml", "kamakirc"))
    lines = [f"snfd: a cloud at {url}/", ""]
    if "admin" in accounts:
        lines.append(f"  admin's password   {accounts['admin'].password}")
    if "demo" in accounts:
        lines.append(f"  demo's password    {accounts['demo'].password}")
    if others := [name for name in accounts if name not in ("admin", "demo")]:
        lines.append(f"  also               {', '.join(others)}: see {clouds}")
    if "demo" in accounts:
        lines += [
            f"  openstackclient    export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=demo",
            f"{'':21}{FIRST_SERVER.format(flavor=flavor)}",
            f"  kamaki             kamaki --config {kamaki} server list",
        ]
    if accounts:
        administer = f"SNFD_VAR={quote(str(var))} {quote(snfctl)} user list"
        lines += [
            f"  administrators     {administer}",
            f"  browser            {url}/ui/login",
            f"  data               {var}",
            "",
        ]
    lines.append(f"ready: {url}/ (Ctrl-C stops everything)")
    return lines

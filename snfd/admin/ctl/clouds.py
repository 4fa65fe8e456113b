"""Logs in to a cloud of ``clouds.yaml``, as openstackclient does."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import yaml

from snfd.admin.ctl.client import Client, over_http, web
from snfd.admin.ctl.problems import NO_DAEMON, NOT_ALLOWED, REFUSED, Problem

VERSION = "/identity/v3"


def places(var: Path) -> Sequence[Path]:
    """Where ``clouds.yaml`` is looked for, the most particular place first.

    :param var: a daemon's data directory, which has one of its own.
    """
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    found = [Path(named)] if named else []
    home = Path.home() / ".config" / "openstack"
    folders = (Path(), home, Path("/etc/openstack"), var)
    return [*found, *(folder / "clouds.yaml" for folder in folders)]


def log_in(name: str, files: Sequence[Path]) -> Client:
    """A client with a fresh token of the cloud called ``name``.

    :raises Problem: there is no such cloud, or it lets us not in.
    """
    cloud = _cloud(name, files)
    auth = cloud.get("auth") or {}
    url = str(auth.get("auth_url", "")).rstrip("/")
    if not url.endswith(VERSION):
        raise Problem(REFUSED, f"cloud {name}: auth_url must end in {VERSION}")
    context = _context(cloud)
    base = url.removesuffix(VERSION)
    token = auth.get("token") or _token(url, auth, context)
    return over_http(base, str(token), context)


def _cloud(name: str, files: Sequence[Path]) -> Mapping[str, Any]:
    looked = []
    for file in files:
        try:
            known = yaml.safe_load(file.read_text()) or {}
        except FileNotFoundError:
            continue
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            why = " ".join(str(error).split())
            raise Problem(REFUSED, f"cannot read {file}: {why}") from None
        looked.append(str(file))
        found = known.get("clouds", {}) if isinstance(known, Mapping) else {}
        if isinstance(found.get(name), Mapping):
            cloud: Mapping[str, Any] = found[name]
            return cloud
    where = ", ".join(looked or map(str, files))
    raise Problem(REFUSED, f"no cloud {name!r} in {where}")


def _context(cloud: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cloud.get("cacert"))
    if cloud.get("verify") is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _token(url: str, auth: Mapping[str, Any], context: ssl.SSLContext) -> str:
    body = json.dumps({"auth": _request(auth)}).encode()
    target = url.partition("://")[2].partition("/")[2]
    try:
        connection = web(url, context)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/{target}/auth/tokens", body, headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
    except (OSError, HTTPException) as error:
        raise Problem(NO_DAEMON, f"no answer from {url}: {error}") from None
    token = answer.headers.get("X-Subject-Token")
    if answer.status != 201 or not token:
        raise Problem(NOT_ALLOWED, f"{url} does not let us in: HTTP {answer.status}")
    return token


def _request(auth: Mapping[str, Any]) -> dict[str, Any]:
    if auth.get("application_credential_secret"):
        credential = {
            "id": auth.get("application_credential_id"),
            "secret": auth["application_credential_secret"],
        }
        return {
            "identity": {
                "methods": ["application_credential"],
                "application_credential": credential,
            }
        }
    user: dict[str, Any] = {"password": auth.get("password", "")}
    if auth.get("user_id"):
        user["id"] = auth["user_id"]
    else:
        user["name"] = auth.get("username", "")
        user["domain"] = {"name": auth.get("user_domain_name", "Default")}
    identity = {"methods": ["password"], "password": {"user": user}}
    if auth.get("project_id"):
        return {
            "identity": identity,
            "scope": {"project": {"id": auth["project_id"]}},
        }
    if not auth.get("project_name"):
        return {"identity": identity}
    domain = {"name": auth.get("project_domain_name", "Default")}
    project = {"name": auth["project_name"], "domain": domain}
    return {"identity": identity, "scope": {"project": project}}

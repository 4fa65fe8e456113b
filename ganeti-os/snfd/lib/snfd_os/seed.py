"""What cloud-init's NoCloud finds on a small disk labelled ``CIDATA``.

The document's secrets are in memory only, until they are on the server's own disk:
no file of the node and no command line ever has them.
"""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping, Sequence
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

from snfd_os import Trouble
from snfd_os.programs import name, run
from snfd_os.table import SEED_SIZE

Files = Mapping[str, bytes]
_READABLE = 0o440
_CONFIG = b"#cloud-config"
_APPEND = "list(append)+dict(no_replace,recurse_list)+str()"


def files(told: Mapping[str, str], hashed: Callable[[str], str], new: bool) -> Files:
    """The seed of a document.

    :param hashed: of a password, as in ``/etc/shadow``.
    :param new: whether the disk was written anew, with an image that has no host
        keys of its own.
    :raises Trouble: the document is not well formed.
    """
    host = hostname(told.get("hostname", ""))
    keys = [line for line in told.get("auth_keys", "").splitlines() if line.strip()]
    meta = {
        "instance-id": f"iid-{os.urandom(8).hex()}",
        "local-hostname": host,
        **({"public-keys": keys} if keys else {}),
    }
    config = _config(told, hashed, keys)
    if not new:
        config["ssh_deletekeys"] = False
    try:
        user = b64decode(told.get("cloud_userdata", ""), validate=True)
    except Error:
        raise Trouble("the user data is not base64", "") from None
    if b"write_files" in user and user.startswith(_CONFIG) and "write_files" in config:
        user = _joined({"write_files": config.pop("write_files")}, user)
    return {
        "meta-data": json.dumps(meta).encode(),
        "user-data": user or _written({}),
        "vendor-data": _written(config),
    }


def _written(config: Mapping[str, Any]) -> bytes:
    return _CONFIG + b"\n" + json.dumps(config).encode() + b"\n"


def _joined(config: Mapping[str, Any], user: bytes) -> bytes:
    """A cloud-config and the user's, whose lists are added to those of ours.

    Elsewhere the user's come instead of ours, as those of vendors.
    """
    whole = MIMEMultipart()
    for part, more in ((_written(config), {}), (user, {"X-Merge-Type": _APPEND})):
        one = MIMEText(part.decode(errors="replace"), "cloud-config", "utf-8")
        for name_, value in more.items():
            one[name_] = value
        whole.attach(one)
    return whole.as_bytes()


def hostname(text: str) -> str:
    """A host name that is as like ``text`` as can be."""
    label = "".join(c if c.isalnum() and c.isascii() else "-" for c in text.lower())
    return label.strip("-")[:63].strip("-") or "server"


def _config(
    told: Mapping[str, str], hashed: Callable[[str], str], keys: Sequence[str]
) -> dict[str, Any]:
    config: dict[str, Any] = {"disable_root": False}
    if told.get("img_passwd"):
        config.update(_login(hashed(told["img_passwd"]), _users(told)))
        if not keys:
            config["ssh_pwauth"] = True
    wanted = [_file(one) for one in _parsed(told, "img_personality", list)]
    if wanted:
        config["write_files"] = wanted
    return config


def _users(told: Mapping[str, str]) -> list[str]:
    """Who gets the password, as the image's property says; none: its own user."""
    return str(properties(told).get("USERS") or "").split()


def properties(told: Mapping[str, str]) -> Mapping[str, Any]:
    """The image's properties.

    :raises Trouble: they are not well formed.
    """
    found: Mapping[str, Any] = _parsed(told, "img_properties", dict)
    return found


def _login(secret: str, users: Sequence[str]) -> dict[str, Any]:
    """The password of these users, or else of the image's own."""
    each = [{"name": user, "password": secret, "type": "hash"} for user in users]
    named = {"users": each} if each else {}
    return {"password": secret, "chpasswd": {"expire": False, **named}}


def _file(one: Mapping[str, Any]) -> dict[str, Any]:
    owner, group = one.get("owner") or "root", one.get("group") or "root"
    made = {
        "path": "/" + str(one["path"]).lstrip("/"),
        "encoding": "b64",
        "content": one["contents"],
        "owner": f"{owner}:{group}",
        "permissions": f"0{int(one.get('mode', _READABLE)) & 0o7777:o}",
    }
    return made if owner == "root" else {**made, "defer": True}


def _parsed(told: Mapping[str, str], key: str, kind: type) -> Any:
    try:
        found = json.loads(told.get(key) or ("[]" if kind is list else "{}"))
    except ValueError:
        found = None
    if not isinstance(found, kind):
        raise Trouble(f"{key} is not well formed", "")
    return found


def hashed(password: str) -> str:
    """``password`` for ``/etc/shadow``: SHA-512 with a salt.

    :raises Trouble: openssl does not do it.
    """
    command = ["openssl", "passwd", "-6", "-stdin"]
    try:
        done = subprocess.run(
            command, input=password.encode(), capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise Trouble("openssl makes no hash of the password", "") from None
    return done.stdout.decode().strip()


def image(wanted: Files) -> bytes:
    """A FAT file system with these files, `SEED_SIZE` bytes.

    :raises Trouble: mtools do not make it, or there is too much.
    """
    file = os.memfd_create("seed")
    try:
        os.ftruncate(file, SEED_SIZE)
        path, sectors = name(file), str(SEED_SIZE // 512)
        geometry = ["-T", sectors, "-h", "16", "-s", "32"]
        command = ["mformat", "-i", path, "-v", "CIDATA", *geometry, "::"]
        run(file, command, trusted=True)
        for called, content in wanted.items():
            command = ["mcopy", "-i", path, "-", f"::{called}"]
            run(file, command, content, trusted=True)
        return os.pread(file, SEED_SIZE, 0)
    finally:
        os.close(file)

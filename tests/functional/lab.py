"""A whole daemon on parts that are not its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.functional.daemon import Daemon, running
from tests.lab import ganeti

_CONFIG = """
[seed]
demo = true
template = "{template}"

[[bootstrap.cluster]]
name = "real"
url = "{url}"
username = "{user}"
password = "{password}"
tls_ca = "{ca}"
hypervisor = "{hypervisor}"
os_name = "{os_name}"
disk_templates = ["{template}"]
"""


@contextmanager
def on_ganeti(
    lab: ganeti.Lab,
    hypervisor: str = "fake",
    template: str = "file",
    os_name: str = "snf-image+default",
    **environment: str,
) -> Iterator[Daemon]:
    """A fresh daemon whose only cluster is the first of ``lab``."""

    def configured(var: Path) -> Path:
        ca = var / "ganeti.pem"
        ca.write_text(lab.ca)
        config = var / "snfd.toml"
        config.write_text(
            _CONFIG.format(
                template=template,
                url=lab.url,
                user=lab.user,
                password=lab.password,
                ca=ca,
                hypervisor=hypervisor,
                os_name=os_name,
            )
        )
        return config

    with running(configured, **environment) as daemon:
        yield daemon

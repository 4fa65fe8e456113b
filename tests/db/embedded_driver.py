"""Runs an `EmbeddedPostgres` like a daemon does: ``VAR ELSEWHERE WHICH UID``.

Prints one line of JSON once it answers, and stops in order on SIGTERM. Run as
a program of its own, since the tests need other users and sudden deaths.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from snfd.db.embedded import EmbeddedPostgres
from snfd.db.place import Binaries, installed
from snfd.db.wire import Line, open_wire, rows_of

_FACTS = """
SELECT current_setting('fsync'), current_setting('synchronous_commit'),
    current_setting('full_page_writes'), current_setting('listen_addresses'),
    current_setting('data_directory'), current_setting('server_version_num'),
    current_setting('server_encoding'), pg_postmaster_start_time()::text
"""


def _binaries(which: str) -> tuple[Binaries, ...]:
    found = installed()
    if which == "":
        return found
    if which == "wheel":
        return tuple(one for one in found if not one.label.endswith("-system"))
    return (Binaries(18, Path(which), "copied"),)


async def _main(service: EmbeddedPostgres) -> None:
    try:
        dsn = await service.started()
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
        reactor.stop()
        return
    wire = await open_wire(reactor, Line(dsn))
    facts = rows_of(await wire.send(_FACTS))[0]
    count = "CREATE TABLE IF NOT EXISTS public.run (at timestamptz);"
    await wire.send(f"{count} INSERT INTO public.run VALUES (now())")
    runs = rows_of(await wire.send("SELECT count(*) FROM public.run"))[0][0]
    wire.close()
    print(json.dumps({"dsn": dsn, "facts": facts, "runs": runs}), flush=True)


def main(var: str, elsewhere: str, which: str, uid: str) -> None:
    """Run until told to stop.

    :param uid: whom to become, once all is imported: Python itself may be
        where that user cannot read; or "".
    """
    os.umask(0o022)
    binaries = _binaries(which)
    if uid:
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    service: Any = EmbeddedPostgres(reactor, Path(var), binaries, Path(elsewhere))
    core: Any = reactor
    core.addSystemEventTrigger("before", "shutdown", service.stopService)
    core.callWhenRunning(service.startService)
    core.callWhenRunning(lambda: Deferred.fromCoroutine(_main(service)))
    core.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

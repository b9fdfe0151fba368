"""A PostgreSQL server that is stopped, and so answers nobody, with all of its processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from children import children_of
from postgres_server import Server

#: Seconds after which a server goes on by itself, and a test has failed.
PATIENCE = 20


def tell(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it was about to end
            os.kill(pid, number)


@contextmanager
def hung(server: Server) -> Iterator[None]:
    """The server answers nobody; it goes on by itself after PATIENCE, lest a test never end."""
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGSTOP)  # first, lest it start another
    pids = [server._process.pid, *children_of(server._process.pid)]
    tell(pids, signal.SIGSTOP)
    # Not a thread: where the lock of the interpreter is held, none of ours runs.
    going_on = f"sleep {PATIENCE}; kill -CONT {' '.join(map(str, pids))}"
    rescue = subprocess.Popen(["sh", "-c", going_on])
    try:
        yield
        assert rescue.poll() is None, "it was held up until the server went on"
    finally:
        rescue.kill()
        rescue.wait()
        tell(pids, signal.SIGCONT)

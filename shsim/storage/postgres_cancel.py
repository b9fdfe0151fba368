"""Asking PostgreSQL to end a query that another thread waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg2

from shsim.storage.statements import statements

_SQL = statements("postgres")

#: Seconds within which a server that does not hang refuses a connection.
_PROMPT = 2.0


def end_query(connection: Any, connect: Callable[[], Any], *, pooled: bool) -> None:
    """Ask by a connection of its own, and wait for the server's answer.

    psycopg2's own `cancel` waits with the interpreter's lock: while a server hangs, no thread of
    the process would run any more. It is asked where a server that refuses the connection, for want
    of a free one, has shown that it answers.
    """
    with suppress(psycopg2.Error):
        # The process that a pooler names is none of the server's.
        if pooled or _refuses(connect, connection.info.backend_pid):
            connection.cancel()


def _refuses(connect: Callable[[], Any], pid: int) -> bool:
    """Ask by another connection; whether that was refused, and at once."""
    begun = time.monotonic()
    try:
        with closing(connect()) as other, other.cursor() as cursor:
            cursor.execute(_SQL["end_query"], {"pid": pid})
    except psycopg2.Error:
        return time.monotonic() - begun < _PROMPT
    return False


def end_query_soon(connection: Any, connect: Callable[[], Any], *, pooled: bool) -> None:
    """The same, without waiting."""
    threading.Thread(
        target=end_query,
        args=(connection, connect),
        kwargs={"pooled": pooled},
        daemon=True,
        name="shsim-cancel",
    ).start()

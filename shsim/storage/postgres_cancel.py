"""Asking PostgreSQL to end a query that another thread waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg2

from shsim.storage.statements import statements

_SQL = statements("postgres")


def end_query(connection: Any, connect: Callable[[], Any], *, pooled: bool) -> None:
    """Ask by a connection of its own, and wait for the server's answer.

    psycopg2's own `cancel` waits with the interpreter's lock: while a server hangs, no thread of
    the process would run any more.
    """
    with suppress(psycopg2.Error):
        if pooled:
            connection.cancel()  # the process that a pooler names is none of the server's
            return
        pid = connection.info.backend_pid
        with closing(connect()) as other, other.cursor() as cursor:
            cursor.execute(_SQL["end_query"], {"pid": pid})


def end_query_soon(connection: Any, connect: Callable[[], Any], *, pooled: bool) -> None:
    """The same, without waiting."""
    threading.Thread(
        target=end_query,
        args=(connection, connect),
        kwargs={"pooled": pooled},
        daemon=True,
        name="shsim-cancel",
    ).start()

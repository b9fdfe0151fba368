"""Asking PostgreSQL to end a query that another thread waits for."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from typing import Any

import psycopg2
from psycopg2 import _psycopg

from shsim.storage.statements import statements

_SQL = statements("postgres")

#: Seconds within which a server that does not hang refuses a connection.
_PROMPT = 2.0


#: Of what libpq says of a cancel that failed, which nobody reads.
_ROOM = 256


def end_query(connection: Any, connect: Callable[[], Any], *, pooled: bool) -> None:
    """Ask by a connection of its own, and wait for the server's answer.

    Where a server refuses the connection, for want of a free one, libpq's own `PQcancel` takes
    its place, which asks for none.
    """
    with suppress(psycopg2.Error):
        # The process that a pooler names is none of the server's.
        if pooled or _refuses(connect, connection.info.backend_pid):
            _cancel(connection)


def _cancel(connection: Any) -> None:
    """psycopg2's own `cancel`, which waits with the interpreter's lock, and here without it.

    While a server hangs, or a pooler before one, no thread of the process would run any more.
    """
    libpq = _libpq()
    if libpq is None:
        connection.cancel()
        return
    asked = libpq.PQgetCancel(connection.pgconn_ptr)
    if asked:
        libpq.PQcancel(asked, ctypes.create_string_buffer(_ROOM), _ROOM)
        libpq.PQfreeCancel(asked)


@cache
def _libpq() -> Any:
    """The libpq that psycopg2 has loaded, called without the lock; None where it is walled in."""
    libpq = ctypes.CDLL(_psycopg.__file__)
    try:
        libpq.PQgetCancel.argtypes = [ctypes.c_void_p]
        libpq.PQgetCancel.restype = ctypes.c_void_p
        libpq.PQcancel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        libpq.PQfreeCancel.argtypes = [ctypes.c_void_p]
        libpq.PQfreeCancel.restype = None
    except AttributeError:
        return None
    return libpq


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

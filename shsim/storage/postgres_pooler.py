"""Whether a pooler such as PgBouncer stands before PostgreSQL, and one that is of no use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2

from shsim.errors import DatabaseError
from shsim.storage.dsn import Dsn


def is_pooled(connection: Any, pid: int) -> bool:
    """Whether the server's own process, `pid`, is another than the client was told at first.

    A pooler makes a number up for each of its clients, whatever its mode.
    """
    return bool(connection.info.backend_pid != pid)


def require_transactions(connection: Any, connect: Callable[[], Any], dsn: Dsn) -> None:
    """Refuse a pooler in statement mode, which ends a connection that begins a transaction.

    Its reason does not get through psycopg2, and any server may go at any moment. So a second
    connection is asked, on which a single statement must succeed and a transaction must not.

    Raises
    ------
    DatabaseError
        It is in statement mode.
    """
    try:
        _begin(connection)
    except psycopg2.OperationalError:
        again = connect()
        try:
            again.autocommit = True
            _begin(again)
            again.autocommit = False
            _begin(again)
        except psycopg2.OperationalError:
            if again.autocommit:
                raise
        else:
            raise
        finally:
            again.close()
        raise DatabaseError(
            f"{dsn.label} is behind a pooler in statement mode, which has no transactions. Set"
            " pool_mode = transaction or session in PgBouncer, or give the server's own address."
        ) from None


def _begin(connection: Any) -> None:
    """Do nothing, in a transaction unless `connection` commits by itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.rollback()

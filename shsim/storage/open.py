"""From a spelling to a Store."""

from __future__ import annotations

from shsim.storage.base import Store
from shsim.storage.dsn import Dsn


def open_store(
    dsn_text: str,
    *,
    read_only: bool = False,
    application_name: str = "shsim",
    patience: float | None = None,
    within: float | None = None,
) -> Store:
    """The Store that a `--dsn` names; it is connected to on first use.

    Parameters
    ----------
    dsn_text
        Any spelling of :meth:`shsim.storage.dsn.Dsn.parse`.
    read_only
        Nothing can be written through it.
    application_name
        What PostgreSQL shows of us, unless the DSN or PGAPPNAME says otherwise.
    patience
        Seconds for which a PostgreSQL that drops the connection is tried again; None: a
        minute, which a run's hour is worth.
    within
        Seconds that a transaction on PostgreSQL may take; None: any, as what computes and saves
        must know how it ends.

    Raises
    ------
    UsageError
        The spelling is not understood.
    """
    dsn = Dsn.parse(dsn_text)
    # Either driver takes its time to load, and a run needs one.
    if dsn.kind == "sqlite":
        from shsim.storage.sqlite import SqliteStore

        return SqliteStore(dsn, read_only=read_only)
    from shsim.storage.postgres import PostgresStore
    from shsim.storage.postgres_session import PATIENCE

    return PostgresStore(
        dsn,
        read_only=read_only,
        application_name=application_name,
        patience=PATIENCE if patience is None else patience,
        within=within,
    )

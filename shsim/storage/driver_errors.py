"""What a database driver says, put into one line that an operator can act on."""

from __future__ import annotations

import os
import re
import sqlite3
from typing import Any

from shsim.errors import BrokenFileError, DamagedError, DatabaseError, NotFoundError, ShsimError
from shsim.storage.dsn import Dsn
from shsim.storage.postgres_encoding import is_unwritable

#: What libpq says before there is a connection (it gives no code then), and what we say.
_CONNECTING = (
    (
        r"unsupported startup parameter",
        (
            "is behind PgBouncer, which passes no options on. Leave them out of the DSN and"
            " PGOPTIONS; limits can be set for the user: ALTER ROLE ... SET lock_timeout = ..."
        ),
    ),
    (
        r"password authentication failed|no password supplied|authentication failed",
        "refuses the user or the password. Set PGPASSFILE or PGPASSWORD, or correct the user.",
    ),
    (r"role .* does not exist", "knows no such user. Correct the user in --dsn."),
    (r"database .* does not exist", "has no such database. Create it, or correct its name."),
    (
        r"no pg_hba\.conf entry",
        "does not admit this user from here. Ask its administrator for a line in pg_hba.conf.",
    ),
    (r"could not translate host name", "has a host name that is unknown. Correct the host."),
    (
        r"[Cc]onnection refused|No such file or directory|[Nn]o route|[Uu]nreachable",
        "does not answer: no server is listening there. Start it, or correct host and port.",
    ),
    (r"timeout expired|timed out", "does not answer in time. Check host, port and firewall."),
    (
        r"too many clients|connection slots|too many connections",
        "has no connection free. Try again when others have ended theirs.",
    ),
    (r"starting up|shutting down|in recovery", "is starting or stopping. Try again."),
    (r"definition of service", "is named by a service that the service file does not define."),
    (
        r"permission denied for database",
        "does not let this user connect. Ask for CONNECT on it{grant}",
    ),
    (
        r"SSL(?! SYSCALL| connection has been closed)|certificate",
        "does not agree on SSL. Check sslmode and the certificates.",
    ),
    (r"^connection to server|^could not|^invalid|^missing", "cannot be connected to: {said}."),
)

_READ_ONLY = "is read-only (a replica?). Nothing was written. Give the primary's address."

#: By SQLSTATE, or by its class (two characters).
_REFUSED = {
    "25006": _READ_ONLY,
    "42501": "does not permit it: {said}. Ask for {privilege}, or take another user.",
    "53100": "has a full disk. Nothing was written. Make room there.",
    "53": "has no resources left: {said}. Nothing was written. Try again later.",
    "55P03": "is busy: another session holds rows of the exam locked. Nothing was written."
    " Try again when it has ended.",
    "57014": "cancelled the query: {said}. Nothing was written. Raise statement_timeout if that is"
    " what ended it, or run when the server has less to do.",
    "40": "is busy: other sessions kept changing the same rows. Nothing was written. Try again.",
    "recovery": "is a standby, and cancelled what was in the way of its replay: {said}. Try again,"
    " give the primary's address, or have max_standby_streaming_delay raised on the standby"
    " (hot_standby_feedback = on keeps vacuum out of the way).",
    "23": "refuses a row: {said}. Nothing was written.",
    "22": "holds a value that shsim cannot read: {said}. Run `shsim db check`.",
    "42": "has tables of another shape than shsim expects: {said}. Run `shsim db check`.",
}

#: SQLSTATEs after which the same transaction, begun anew, may well succeed.
TRANSIENT = frozenset({"40001", "40P01"})

_DROPPED = re.compile(r"57P0[1235]|08...")
_SQLITE = (
    (
        "no such table",
        "lacks a table: {said}. Make the tables with `shsim db init`.",
    ),
    ("no such column", "has tables of another shape: {said}. Run `shsim db check`."),
    ("not a database", "is not a SQLite database. Correct the path in --dsn."),
    ("malformed", "is damaged: {said}. Restore it from a backup."),
    ("UTF-8", "holds text that is not UTF-8: {said}. Correct it, or restore a backup."),
    (
        "disk I/O error",
        "cannot be read or written: {said}. Check the disk and the room on it, and run again.",
    ),
    (
        "locked",
        "is locked by another program. Nothing was written. Try again when it has ended.",
    ),
    (
        "readonly database (rollback)",
        "is read-only, and was being saved to when a run was killed. Make it writable once.",
    ),
    (
        "readonly database (moved)",
        "was replaced or renamed under the run. Nothing was written. Run again on what is there.",
    ),
    ("readonly", "is read-only. Nothing was written. Check the permissions of file and folder."),
    ("full", "is on a full disk. Nothing was written. Make room and run again."),
    (
        "unable to open",
        "cannot be opened. Its folder must be there, and writable; `shsim db init` makes the file.",
    ),
)


#: What the code says, and the words do not.
_MORE = {
    sqlite3.SQLITE_READONLY_ROLLBACK: " (rollback)",
    sqlite3.SQLITE_READONLY_DBMOVED: " (moved)",
}

#: Of those, what says that the file is no longer whole, or that a value in it is none.
_DAMAGE = {
    "not a database": BrokenFileError,
    "malformed": BrokenFileError,
    "UTF-8": DamagedError,
}


def translate(error: Any, dsn: Dsn, privilege: str | None = None) -> ShsimError:
    """psycopg2's error as one line without a secret.

    Parameters
    ----------
    error
        A `psycopg2.Error`.
    dsn
        The database, for its label and the secrets to blot out.
    privilege
        What the role lacks, where that is known.
    """
    said = _first_line(error, dsn)
    if is_unwritable(error):  # of all that is sent, exam codes alone are not made to fit
        return NotFoundError(f"{dsn.label} can hold no such exam: {said}. Correct --exam.")
    # It has the code of a row that others change, which is not so.
    code: str | None = "recovery" if "conflict with recovery" in said else error.pgcode
    if code == "42P01" and privilege is not None:
        code = "42501"
    if code == "42P01":
        return DatabaseError(
            f"{dsn.label} lacks a table: {said}. Make the tables with `shsim db init`."
        )
    if code is None or _DROPPED.fullmatch(code):
        whole = str(error)
        for pattern, sentence in _CONNECTING:
            if re.search(pattern, whole):
                told = sentence.format(said=said, grant=_grant_of_connecting(whole, dsn))
                return DatabaseError(f"{dsn.label} {told}")
    if is_dropped(error) and code != "recovery":  # a new connection is cancelled so too
        return DatabaseError(
            f"{dsn.label} dropped the connection: {said}. Check the server and run again."
        )
    sentence = _REFUSED.get(code or "") or _REFUSED.get((code or "")[:2]) or "says: {said}."
    asked = privilege or "the privilege"
    return DatabaseError(f"{dsn.label} {sentence.format(said=said, privilege=asked)}")


def read_only(dsn: Dsn) -> DatabaseError:
    """The refusal to begin what could not be saved."""
    if dsn.kind == "sqlite":
        return translate_sqlite(sqlite3.OperationalError("readonly"), dsn)
    return DatabaseError(f"{dsn.label} {_READ_ONLY}")


def is_dropped(error: Any) -> bool:
    """Whether psycopg2's error means that the connection is gone."""
    if error.pgcode is not None:
        return bool(_DROPPED.fullmatch(error.pgcode))
    import psycopg2

    # What libpq says of a broken wire or an immediate shutdown has the class of no special fault.
    return isinstance(error, psycopg2.InterfaceError | psycopg2.OperationalError) or (
        type(error) is psycopg2.DatabaseError
    )


def translate_sqlite(error: sqlite3.Error, dsn: Dsn) -> DatabaseError:
    """sqlite3's error as one line."""
    said = " ".join(str(error).split())
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:  # whose words are its author's
        return DatabaseError(
            f"{dsn.label} refuses a row, by a trigger: {said}. Nothing was written."
        )
    said += _MORE.get(code, "")
    for part, sentence in _SQLITE:
        if part in said:
            return _DAMAGE.get(part, DatabaseError)(f"{dsn.label} {sentence.format(said=said)}")
    return DatabaseError(f"{dsn.label} says: {said}. Nothing was written.")


def _grant_of_connecting(said: str, dsn: Dsn) -> str:
    """The statement that lets the user in, where it is known who that is; a full stop elsewhere."""
    user = dsn.parameters.get("user")
    if user is None and not ("service" in dsn.parameters or os.environ.get("PGSERVICE")):
        user = os.environ.get("PGUSER")
    database = re.search(r'permission denied for database "(.+)"$', said, re.MULTILINE)
    if user is None or database is None:
        return "."
    names = [name.replace('"', '""') for name in (database[1], user)]
    return ': GRANT CONNECT ON DATABASE "{}" TO "{}";'.format(*names)


def _first_line(error: Any, dsn: Dsn) -> str:
    """The driver's own words: one line, no severity, no full stop, no secret."""
    primary = error.diag.message_primary or next(iter(str(error).strip().splitlines()), "")
    said = re.sub(r"^(FATAL|ERROR|PANIC):\s*", "", primary or type(error).__name__)
    return dsn.scrub(" ".join(said.split())).rstrip(".")

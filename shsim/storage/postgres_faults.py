"""What an operator is told where a transaction in PostgreSQL came to nothing, or may have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shsim.errors import DatabaseError, ExamBusyError, ShsimError, UnsettledError

SEE_WHICH = "all of that stands or nothing. See which with: shsim history, or shsim export"

#: What is added where nobody can say whether a COMMIT stands.
_UNSETTLED = f" It went while it was saving: {SEE_WHICH}"

_IDLE = re.compile(r"(?:DEBUG|LOG|INFO|NOTICE):")


def told(
    said: ShsimError, waited: float | None, *, out_of_pool: bool, unknown: bool, saving: bool
) -> ShsimError:
    """A fault of the server's or the connection's.

    Parameters
    ----------
    said
        The driver's fault in a line.
    waited
        For so many seconds a connection that had dropped was tried again; None: none had.
    out_of_pool
        The connection dropped, and a pooler stands before the server.
    unknown
        Nobody can say whether a COMMIT stands.
    saving
        The transaction was to save something.
    """
    if not isinstance(said, DatabaseError):
        return said
    words = str(said)
    if unknown:
        words = words.replace(" Nothing was written.", "")
    if waited is not None and waited >= 1:
        words += f" It had answered before, and was waited for in vain for {waited:.0f} s."
    if waited is not None and saving and not unknown:
        words += " Nothing was saved."
    if out_of_pool:
        words += (
            " A pooler stands before it, which may have had no connection free: a run that"
            " saves takes two (pool_size in PgBouncer)."
        )
    return UnsettledError(words + _UNSETTLED) if unknown else DatabaseError(words)


def kept_out(busy: ExamBusyError, label: str, *, unknown: bool) -> DatabaseError:
    """Another session took the exam while the connection was gone; `unknown` as in `told`."""
    if not unknown:
        return busy
    return UnsettledError(f"{label} dropped the connection.{_UNSETTLED}")


def unended(label: str) -> UnsettledError:
    """The server has not ended a transaction whose COMMIT it was sent, and whose answer is lost."""
    return UnsettledError(
        f"{label} dropped the connection, and has not ended yet what it was told by it: it may"
        f" wait for a standby.{_UNSETTLED}"
    )


def overtaken(label: str, hidden: str | None) -> DatabaseError:
    """Rows that were not there a moment ago are, each time; `hidden`: why, if not for others."""
    if hidden is not None:
        return DatabaseError(f"{label} {hidden}")
    return DatabaseError(
        f"{label} is busy: other sessions kept changing the same rows. Nothing was written."
        " Try again."
    )


def worth_telling(notices: Iterable[str]) -> list[str]:
    """What the server said that is a warning at least.

    One that is told to (`client_min_messages`) repeats what it logs, statement by statement. Its
    words are its own language's, those of a warning too: so what is none is known by its name.
    """
    return [each for each in notices if not _IDLE.match(each)]

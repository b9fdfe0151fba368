"""Connections: a request arrives in time, or its connection is closed; there are never too many.

uvicorn bounds neither how long a request may take to arrive, nor how long an answer may
wait to be read. Without a bound a few hundred clients, who need no token to connect, have every
descriptor that the process may open.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Seconds that a request may take to arrive whole, from its first byte or from connecting.
ARRIVAL = 20.0

#: Seconds that an answer may wait for its reader.
READING = 60.0

#: Connections at a time; more than an admin API has use for.
MOST = 2_000

#: Descriptors beside those of connections: databases, files, the log, what libraries open, and
#: connections that are accepted in one go before there is a look at their number.
_OTHERS = 192

#: So many connections there are however few descriptors.
_LEAST = 16


class Connections:
    """The connections of one server.

    Where there are too many, the one that has been owed no answer for longest is closed: half a
    request is worth less than a whole one, and a client that is answered is never cut off.

    Parameters
    ----------
    most
        Connections at a time.
    arrival, reading
        Seconds that a request may take to arrive, and an answer may wait to be read.
    """

    def __init__(
        self, most: int = MOST, *, arrival: float = ARRIVAL, reading: float = READING
    ) -> None:
        self._most = most
        self.arrival = arrival
        self.reading = reading
        self._all: set[Connection] = set()
        self._owed_nothing: dict[Connection, None] = {}

    def protocol(self, **uvicorns: Any) -> asyncio.Protocol:
        """What uvicorn calls for each connection (`http=`)."""
        return Connection(self, **uvicorns)

    def add(self, one: Connection) -> None:
        """A client has connected."""
        self._all.add(one)
        self.owes(one, nothing=True)
        if len(self._all) > self._most:
            next(iter(self._owed_nothing)).cut()

    def owes(self, one: Connection, *, nothing: bool) -> None:
        """Whether the server owes it an answer, from now on."""
        self._owed_nothing.pop(one, None)
        if nothing:
            self._owed_nothing[one] = None

    def remove(self, one: Connection) -> None:
        """It is closed."""
        self._all.discard(one)
        self._owed_nothing.pop(one, None)


class Connection(AutoHTTPProtocol):  # type: ignore[misc,valid-type] # whichever uvicorn has
    """uvicorn's protocol, with bounds."""

    def __init__(self, connections: Connections, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._its = connections
        self._arriving: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected, and is to say what it wants."""
        super().connection_made(transport)
        self._its.add(self)
        self._bound_arrival(arriving=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whomever."""
        self._bound_arrival(arriving=False)
        self._unread = _ended(self._unread)
        self._its.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something arrives; bytes that trickle in don't begin the time anew."""
        super().data_received(data)
        if not self.transport.is_closing():
            # After an answer this is the beginning of another request.
            whole = self.cycle is not None and not (
                self.cycle.more_body or self.cycle.response_complete
            )
            self._its.owes(self, nothing=not whole)
            self._bound_arrival(arriving=not whole)

    def on_response_complete(self) -> None:
        """An answer is written; uvicorn has a bound of its own for what is idle from then on."""
        super().on_response_complete()
        if not self.transport.is_closing():
            idle = self.cycle.response_complete
            self._its.owes(self, nothing=idle or self.cycle.more_body)
            # Another request may have begun to arrive behind the one that is answered.
            self._bound_arrival(arriving=not idle and self.cycle.more_body)

    def pause_writing(self) -> None:
        """The client doesn't read what it is sent."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(self._its.reading, self.cut)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._unread = _ended(self._unread)

    def cut(self) -> None:
        """Close it at once, whatever is unsent."""
        self._its.remove(self)
        self.transport.abort()

    def _bound_arrival(self, *, arriving: bool) -> None:
        if not arriving:
            self._arriving = _ended(self._arriving)
        elif self._arriving is None:
            self._arriving = self.loop.call_later(self._its.arrival, self.cut)


def _ended(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Nothing, in place of a timer that is cancelled."""
    if timer is not None:
        timer.cancel()
    return None


def room() -> int:
    """How many connections this process can have, once it may open as many files as it can.

    The limit that processes begin with, often 1,024, is for those that use select().
    """
    if sys.platform == "win32":
        return MOST
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MOST
    return max(min(MOST, soft - _OTHERS), _LEAST)

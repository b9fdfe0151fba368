"""What talking to a server may cost a caller in all: redis-py bounds each wait alone."""

from __future__ import annotations

import math
import socket
import threading
import time
from typing import Any


class Allowance(threading.local):
    """The time and the bytes of answers that a thread still has; without end until it is set."""

    def __init__(self) -> None:
        self._until = math.inf
        self._bytes = math.inf

    def set(self, seconds: float, most_bytes: int) -> None:
        """From now on, in this thread."""
        self._until = time.monotonic() + seconds
        self._bytes = most_bytes

    def wait(self, most: float | None) -> float | None:
        """Seconds that the next wait may take, at most so many (None: any number).

        Raises
        ------
        TimeoutError
            None are left.
        """
        left = self._until - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("its answers take too long")
        if left == math.inf:
            return most
        return left if most is None else min(left, most)

    def take(self, received: int) -> None:
        """Pay for what was received.

        Raises
        ------
        OSError
            It was more than is left.
        """
        self._bytes -= received
        if self._bytes < 0:
            raise OSError("its answers are too long")


class BoundedSocket:
    """A socket whose reading and sending end when the allowance does; else as the socket."""

    def __init__(self, inner: socket.socket, allowance: Allowance) -> None:
        self._inner = inner
        self._allowance = allowance
        self._seconds = inner.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def settimeout(self, seconds: float | None) -> None:
        """For each wait, as far as the allowance goes."""
        self._seconds = seconds

    def sendall(self, data: bytes) -> None:
        """Send."""
        self._prepare()
        self._inner.sendall(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive; a look ahead costs nothing."""
        self._prepare()
        data = self._inner.recv(size, flags)
        if not flags & socket.MSG_PEEK:
            self._allowance.take(len(data))
        return data

    def recv_into(self, buffer: bytearray) -> int:
        """Receive into a buffer."""
        self._prepare()
        received = self._inner.recv_into(buffer)
        self._allowance.take(received)
        return received

    def _prepare(self) -> None:
        self._inner.settimeout(self._allowance.wait(self._seconds))


def bounded(kind: Any, allowance: Allowance) -> Any:
    """A class of redis-py's connections, with sockets that keep to the allowance."""

    def connect(self: Any) -> BoundedSocket:
        # Each kind of connection of redis-py's own overrides this one, too.
        return BoundedSocket(kind._connect(self), allowance)  # noqa: SLF001

    return type(kind.__name__, (kind,), {"_connect": connect})

"""Redis servers that keep a caller waiting: one whose answers drip, one that never stops."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from listening import listening

#: Between two bytes of an answer: far less than any wait of ours.
_A_DROP = 0.015

#: What the endless answer ends at after all, that a caller who takes it harms no machine.
ENOUGH = 200_000_000


@dataclass(slots=True)
class Drip:
    """A port in front of a real Redis, which passes answers on a byte at a time."""

    port: int
    dripping: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Flood:
    """A port that answers whatever it is asked with a value of two gigabytes."""

    port: int
    sent: int = 0
    left: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def dripping_in_front_of(port: int) -> Iterator[Drip]:
    """A Redis whose answers take their time while `dripping` is set."""

    def talk(outer: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as inner:
            while True:
                for source in select.select([outer, inner], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is outer:
                        inner.sendall(data)
                        continue
                    while data and drip.dripping.is_set():
                        outer.sendall(data[:1])
                        data = data[1:]
                        time.sleep(_A_DROP)
                    outer.sendall(data)

    with listening(talk) as own:
        drip = Drip(own)
        drip.dripping.set()
        yield drip


@contextlib.contextmanager
def flooding() -> Iterator[Flood]:
    """What announces much, and sends it."""

    def talk(outer: socket.socket) -> None:
        piece = b"x" * 65536
        try:
            outer.recv(65536)
            outer.sendall(b"$2000000000\r\n")
            while flood.sent < ENOUGH:
                outer.sendall(piece)
                flood.sent += len(piece)
        finally:
            flood.left.set()

    with listening(talk) as own:
        flood = Flood(own)
        yield flood

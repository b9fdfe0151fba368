"""A wire between client and PostgreSQL that breaks at the COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg2.extensions import make_dsn, parse_dsn


class CuttingProxy:
    """Forwards bytes; cuts the next connections that send COMMIT.

    `lose_answer` lets the server have the COMMIT and keeps its answer back; else the
    COMMIT itself is lost. `cuts` counts down.
    """

    def __init__(self, host: str, port: str) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self.lose_answer = False
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []
        self._start(self._accept)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """Break every connection, at both ends."""
        _hang_up(*self._ends)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            self._ends += client, server
            silenced = threading.Event()
            self._start(self._forward, client, server, silenced)
            self._start(self._answer, client, server, silenced)

    def _connect(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _forward(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if b"COMMIT\0" in data and self.cuts:
                    self.cuts -= 1
                    cut.set()
                    if not self.lose_answer:
                        break
                server.sendall(data)
        if not (cut.is_set() and self.lose_answer):
            _hang_up(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if cut.is_set():
                    break
                client.sendall(data)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def cutting_proxy(dsn: str) -> Iterator[tuple[CuttingProxy, str]]:
    """A proxy before the server of `dsn`, and the DSN that leads through it."""
    known = parse_dsn(dsn)
    proxy = CuttingProxy(known.get("host", "127.0.0.1"), known.get("port", "5432"))
    try:
        yield proxy, make_dsn(dsn, host="127.0.0.1", port=proxy.port, sslmode="disable")
    finally:
        proxy.close()

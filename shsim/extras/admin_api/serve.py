"""Running the application under uvicorn, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from shsim.errors import DatabaseError, UsageError
from shsim.extras.admin_api.app import create_app
from shsim.extras.admin_api.connections import Connections, room
from shsim.extras.admin_api.log import Log
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.settings import ServerSettings

#: Seconds that requests are given to end once the server is told to stop.
GRACE = 10

#: Connections that wait to be accepted, and those accepted in one go: asyncio tries them all where
#: descriptors have run out, and logs each.
_BACKLOG, _AT_ONCE = 2048, 16

#: Seconds between two lines of the log that a library repeats: clients cause some of them.
_QUIET = 10.0

#: Kinds of such lines that are remembered.
_KINDS = 100

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(settings: ServerSettings, log: Log) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; then end runs and requests, and return.

    Raises
    ------
    UsageError
        Host and port cannot be listened at.
    DatabaseError
        Runs or changes had to be left that would not end.
    """
    app = create_app(settings, log)
    listening = listening_socket(settings)
    _pass_on_logs(log)
    config = uvicorn.Config(
        app,
        http=Connections(room()).protocol,  # type: ignore[arg-type] # called, and no more
        backlog=_AT_ONCE,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config, app.state.services)
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
    log("info", "stopped", "the server has stopped")
    cut_short = app.state.services.cut_short
    if cut_short:
        what = "1 run or change" if cut_short == 1 else f"{cut_short} runs and changes"
        raise DatabaseError(
            f"{what} had not ended when the server did; the log names what. The database did not"
            " answer, or held a save up. See what stands with: shsim history, or shsim export"
        )


class _Server(uvicorn.Server):
    """uvicorn's server, that ends what runs long at once, and returns after a signal."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say where."""
        await super().startup(sockets)
        if self.started:
            for each in sockets or ():
                each.listen(_BACKLOG)
                self._tell(*each.getsockname()[:2])

    def _tell(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self._services.log(
            "info",
            "listening",
            f"listening at http://{shown}:{port}, database {self._services.stores.label}",
            {"host": host, "port": port},
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while it serves; being told to stop is no fault to be raised again."""
        loop = asyncio.get_running_loop()

        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)
            loop.call_soon_threadsafe(self._services.stop)

        heeded = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        before = {each: signal.signal(each, stop) for each in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listening_socket(settings: ServerSettings) -> socket.socket:
    """A socket that listens at the host and the port of the settings.

    Raises
    ------
    UsageError
        They cannot be listened at.
    """
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"--host {settings.host} --port {settings.port} cannot be listened at:"
            f" {error.strerror}. Choose another."
        ) from error
    # Connections have it from here: else a body waits for the receipt of its head, which
    # clients put off by 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class _Bridge(logging.Handler):
    """What libraries log, as lines of ours; what they repeat is counted for a while."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._said: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        message = record.getMessage().strip()
        kind, now = message.partition("\n")[0][:80], time.monotonic()
        until, kept_back = self._said.get(kind, (0.0, 0))
        if now < until:
            self._said[kind] = (until, kept_back + 1)
            return
        if len(self._said) >= _KINDS:
            self._said.clear()
        self._said[kind] = (now + _QUIET, 0)
        if kept_back:
            message = f"{message} ({kept_back:,} more before)"
        self._log(level, "server", message, {"logger": record.name})  # type: ignore[arg-type]


def _pass_on_logs(log: Log) -> None:
    for name in ("uvicorn", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [_Bridge(log)]
        logger.propagate = False

"""Requests that don't arrive, and answers that nobody reads, against uvicorn in a thread."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn

from shsim.extras.admin_api.connections import Connections
from shsim.extras.admin_api.serve import _Bridge

#: Seconds after which a test has failed.
PATIENCE = 30.0

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"

Connect = Callable[[bytes], socket.socket]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers once the body is there; to `/long` by more than a socket takes unread."""
    while (await receive()).get("more_body"):
        pass
    body = b"x" * (50_000_000 if scope["path"] == "/long" else 2)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Connects to a server with the bounds that the test asks for, and sends."""
    bounds = {"arrival": PATIENCE, "reading": PATIENCE, **request.param}
    config = uvicorn.Config(
        application,
        http=Connections(**bounds).protocol,
        log_config=None,
        lifespan="off",
        timeout_keep_alive=1,
    )
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    opened: list[socket.socket] = []

    def connect(sent: bytes) -> socket.socket:
        opened.append(socket.create_connection(address, timeout=PATIENCE))
        opened[-1].sendall(sent)
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
    server.should_exit = True
    thread.join()


def answer(connection: socket.socket) -> bytes:
    """An answer of `ok`'s length, whole."""
    got = b""
    while not got.endswith(b"xx"):
        more = connection.recv(1000)
        assert more, got
        got += more
    return got


def is_cut(connection: socket.socket) -> bool:
    """Whether the server closes it, for all that is sent."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("connect", [{"arrival": 0.3}], indirect=True)
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b""),
        (HEAD, b""),
        (HEAD + b"\r\nbod", b""),
        (WHOLE, HEAD),
        (WHOLE + HEAD, b""),
        (WHOLE + HEAD + b"\r\nbo", b""),
    ],
)
def test_a_request_that_never_arrives_is_not_waited_for(
    connect: Connect, first: bytes, then: bytes
) -> None:
    connection = connect(first)
    if first.startswith(WHOLE):
        answer(connection)
    connection.sendall(then)
    assert is_cut(connection)


@pytest.mark.parametrize("connect", [{"arrival": 0.3}], indirect=True)
@pytest.mark.parametrize("begun", [HEAD, HEAD.replace(b"5", b"999") + b"\r\n"])
def test_bytes_that_trickle_in_win_no_time(connect: Connect, begun: bytes) -> None:
    connection = connect(begun)
    over = threading.Event()

    def trickle() -> None:
        while not over.wait(0.05):
            try:
                connection.sendall(b"a")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    assert is_cut(connection)
    over.set()
    thread.join()


@pytest.mark.parametrize("connect", [{"most": 3}], indirect=True)
def test_of_too_many_the_oldest_that_is_owed_nothing_goes(connect: Connect) -> None:
    half = [connect(HEAD) for _ in range(3)]
    assert answer(connect(WHOLE)).startswith(b"HTTP/1.1 200")
    assert is_cut(half[0])
    half[1].sendall(b"\r\nhello")
    assert answer(half[1]).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("connect", [{"reading": 0.3}], indirect=True)
def test_an_answer_that_nobody_reads_is_not_kept(connect: Connect) -> None:
    connection = connect(LONG)
    assert connection.recv(1) == b"H"
    assert answer(connect(WHOLE))
    connection.settimeout(0)
    while True:
        try:
            connection.send(b" ")
        except BlockingIOError:
            pytest.fail("it is still waited for")
        except OSError:
            return
        threading.Event().wait(0.02)


def test_what_a_library_repeats_is_logged_once() -> None:
    lines: list[str] = []
    bridge = _Bridge(lambda _level, _event, message, *_fields: lines.append(message))
    for number in range(50):
        bridge.emit(_warning(f"no more files\nsocket {number}"))
    bridge.emit(_warning("another"))
    assert lines == ["no more files\nsocket 0", "another"]


def _warning(message: str) -> logging.LogRecord:
    return logging.LogRecord("asyncio", logging.WARNING, "", 0, message, None, None)

"""`shsim serve` as a process on a free port of loopback, and how tests ask it."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from front_door import command

SECRET = "a secret of more than the 64 bytes that HS512 wants, and for tests alone"  # noqa: S105

#: Seconds that anything here may take on a machine that is busy.
PATIENCE = 120.0


def token(role: str | None = "admin", secret: Any = SECRET, **claims: Any) -> str:
    """A token as an issuer would sign it; a claim of None is left out."""
    algorithm = claims.pop("algorithm", "HS256")
    headers = claims.pop("headers", None)
    all_claims = {"sub": "tester", "exp": int(time.time()) + 600, "role": role, **claims}
    payload = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(payload, secret, algorithm=algorithm, headers=headers)


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@dataclass
class Served:
    """A server that runs: its address, the lines of its log so far, and where told its database."""

    process: subprocess.Popen[str]
    url: str
    lines: list[dict[str, Any]]
    _more: queue.Queue[dict[str, Any] | None] = field(repr=False)
    dsn: str = ""

    def ask(self, role: str | None = "admin") -> httpx.Client:
        """A client with a token of that role, or with none."""
        headers = {} if role is None else bearing(token(role))
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def wait_for(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of the log, from its beginning, that is of that event and says that."""
        seen = 0
        deadline = time.monotonic() + PATIENCE
        while True:
            for line in self.lines[seen:]:
                seen += 1
                if line["event"] == event and fields.items() <= line.items():
                    return line
            line = self._more.get(timeout=max(0.1, deadline - time.monotonic()))
            assert line is not None, f"the server ended: {self.lines[-3:]}"
            self.lines.append(line)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        while (line := self._more.get(timeout=PATIENCE)) is not None:
            self.lines.append(line)
        return code


@contextmanager
def serving(*options: str, ready: bool = False) -> Iterator[Served]:
    """Run `shsim serve` with these options; its log is in JSON lines. `ready`: kernels too."""
    process = subprocess.Popen(
        command("serve", "--port", "0", "--log-format", "json", *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    more: queue.Queue[dict[str, Any] | None] = queue.Queue()
    assert process.stderr is not None
    reader = threading.Thread(target=_read, args=(process.stderr, more.put))
    reader.start()
    served = Served(process, "", [], more)
    try:
        listening = served.wait_for("listening")
        served.url = f"http://{listening['host']}:{listening['port']}"
        if ready:
            served.wait_for("kernels")
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


def _read(stream: Any, put: Callable[[dict[str, Any] | None], None]) -> None:
    for line in stream:
        put(json.loads(line))
    put(None)

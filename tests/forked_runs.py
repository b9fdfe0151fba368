"""Runs as processes of their own, without each paying for Python's start.

One process loads everything, by a run of its own that saves nothing, and forks the others.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from front_door import Ended

#: Reads a line, answers with one: [[[arguments, out, err], ...]] starts runs, which wait at a gate
#: until all of them are there, and tells their processes; a number asks how that process ended.
_STARTER = """
import json, os, sys
from shsim.cli.app import invoke
from shsim.cli.process import exit_code, run_process

def start(runs):
    wait_here, gate = os.pipe()
    children = []
    for arguments, *files in runs:
        child = os.fork()
        if not child:
            os.close(gate)
            os.close(kept)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for descriptor, path in enumerate(files, 1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
            os.read(wait_here, 1)
            run_process(lambda: invoke(arguments))
        children.append(child)
    os.close(gate)
    os.close(wait_here)
    return children

def ending(child):
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None

warm_up, log = json.loads(input())
kept = os.dup(1)
os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 1)
os.dup2(1, 2)
if code := exit_code(lambda: invoke(warm_up)):
    sys.exit(code)
while request := sys.stdin.readline():
    asked = json.loads(request)
    answer = ending(asked) if isinstance(asked, int) else start(asked)
    os.write(kept, json.dumps(answer).encode() + b"\\n")
os._exit(0)
"""


@dataclass(slots=True)
class ForkedRun:
    """A run in a process of its own."""

    starter: Starter
    pid: int
    out: Path
    err: Path
    code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that killed it; None while it lives."""
        if self.code is None:
            self.code = self.starter.ask(self.pid)
        return self.code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def said(self) -> str:
        """What it has written to stderr so far."""
        return self.err.read_text() if self.err.exists() else ""

    def ended(self, timeout: float = 600) -> Ended:
        """Wait for it."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.002)
        assert self.code is not None
        return Ended(self.code, self.out.read_text(), self.said())


class Starter:
    """Starts runs, once `warm_up` is done: a run like them that saves nothing."""

    def __init__(self, warm_up: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._started = 0
        self._log = folder / "warm-up"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _STARTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell([list(warm_up), str(self._log)])

    def start(self, commands: Sequence[Sequence[str]]) -> list[ForkedRun]:
        """Start runs at once."""
        numbers = range(self._started, self._started + len(commands))
        self._started += len(commands)
        files = [[self._folder / f"{n}.{kind}" for kind in ("out", "err")] for n in numbers]
        asked = zip(commands, files, strict=True)
        pids = self.ask([[list(command), *map(str, paths)] for command, paths in asked])
        return [ForkedRun(self, pid, *paths) for pid, paths in zip(pids, files, strict=True)]

    def ask(self, request: object) -> Any:
        """The answer to a request."""
        self._tell(request)
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer, self._log.read_text()
        return json.loads(answer)

    def _tell(self, request: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()


@contextmanager
def starter(warm_up: Sequence[str], folder: Path) -> Iterator[Starter]:
    """What starts runs, until the block ends; its files are in `folder`."""
    made = Starter(warm_up, folder)
    with made.process:
        yield made

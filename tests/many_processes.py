"""Many runs as processes that begin at once, without each paying for Python's start.

One process loads everything, by a run of its own that saves nothing, and forks the others, which
wait at a gate until all of them are there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from front_door import Ended

_STARTER = """
import json, os, sys
from shsim.cli.app import invoke
from shsim.cli.process import exit_code, run_process

commands, warm_up, folder = json.load(sys.stdin)
log = os.open(os.path.join(folder, "warm-up"), os.O_WRONLY | os.O_CREAT)
kept = os.dup(1)
os.dup2(log, 1)
os.dup2(log, 2)
if code := exit_code(lambda: invoke(warm_up)):
    sys.exit(code)
wait_here, gate = os.pipe()
children = []
for number, arguments in enumerate(commands):
    child = os.fork()
    if not child:
        os.close(gate)
        for descriptor, name in ((1, "out"), (2, "err")):
            path = os.path.join(folder, f"{number}.{name}")
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
        os.read(wait_here, 1)
        run_process(lambda: invoke(arguments))
    children.append(child)
os.close(gate)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
os.write(kept, json.dumps(codes).encode())
os._exit(0)
"""


class ManyRuns:
    """The runs of `commands`, started at once; `warm_up` is one like them that saves nothing."""

    def __init__(
        self, commands: Sequence[Sequence[str]], warm_up: Sequence[str], folder: Path
    ) -> None:
        self._count = len(commands)
        self._folder = folder
        self._starter = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _STARTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._starter.stdin is not None
        message = json.dumps([list(map(list, commands)), list(warm_up), str(folder)])
        self._starter.stdin.write(message.encode())
        self._starter.stdin.close()

    def said(self) -> list[str]:
        """What each has written to stderr so far."""
        files = [self._folder / f"{number}.err" for number in range(self._count)]
        return [file.read_text() if file.exists() else "" for file in files]

    def ended(self) -> list[Ended]:
        """Wait for all of them."""
        assert self._starter.stdout is not None
        codes = self._starter.stdout.read()
        assert self._starter.wait(60) == 0, (self._folder / "warm-up").read_text()
        self._starter.stdout.close()
        return [
            Ended(code, (self._folder / f"{number}.out").read_text(), said)
            for number, (code, said) in enumerate(zip(json.loads(codes), self.said(), strict=True))
        ]

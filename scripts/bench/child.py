"""One process of our own, and what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: `ru_maxrss` is in KiB but on macOS.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """Elapsed and processor seconds, the largest resident memory in bytes, and stdout."""

    seconds: float
    processor: float
    peak: int
    out: str


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end; a failing one ends the benchmark with what it said."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            sys.exit(f"{command} ended with {process.returncode}:\n{err.read()}")
        return Ended(
            elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT, out.read()
        )

"""Passwords blotted out of our own line in the process list."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from shsim.report.blotted import blotted

_OURSELVES = Path("/proc/self")
#: Where proc(5) has `arg_start` in `stat`, counted from the field after the program's name.
_ARG_START = 45


def hide_passwords() -> None:
    """Overwrite passwords among the arguments that this process was started with.

    What stands there was visible from the start to this call: a tenth of a second, in which
    whoever looks may see it. Only Linux tells a process where its arguments lie.
    """
    with suppress(OSError, ValueError, IndexError):
        shown = (_OURSELVES / "cmdline").read_bytes()
        hidden = b"\0".join(_blotted(argument) for argument in shown.split(b"\0"))
        if hidden != shown:
            _overwrite(hidden)


def _blotted(argument: bytes) -> bytes:
    """The argument without passwords, and as long as before."""
    text = argument.decode(errors="surrogateescape")
    if blotted(text) == text:
        return argument
    kept = blotted(text).encode(errors="surrogateescape")
    return kept[: len(argument)].ljust(len(argument))


def _overwrite(hidden: bytes) -> None:
    """Write over the arguments in our own memory, which is where the kernel reads them."""
    import ctypes

    # The name may hold spaces and parentheses: what follows the last one is numbers.
    stat = (_OURSELVES / "stat").read_bytes().rpartition(b") ")[2].split()
    start = int(stat[_ARG_START])
    if start:
        ctypes.memmove(start, hidden, len(hidden))

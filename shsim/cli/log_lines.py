"""What stderr says as JSON lines, one object a message, for programs that watch a run."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from shsim.cli.foreign_lines import ForeignLines
from shsim.report.blotted import blotted
from shsim.report.plain_text import shortened, visible

Level = Literal["info", "warning", "error"]

FORMATS = ("text", "json")
_OPTION = "--log-format"
_VARIABLE = "SHSIM_LOG_FORMAT"


@dataclass(slots=True)
class _Log:
    """How this process speaks, since when, and what every line of it says beside its own."""

    json: bool = False
    began: float = field(default_factory=time.monotonic)
    bound: dict[str, Any] = field(default_factory=dict)
    whole_process: bool = False
    foreign: ForeignLines | None = None


#: One a process, as stderr is: a fault is reported where no command's options are at hand.
_log = _Log()


def begin(*, whole_process: bool) -> None:
    """Begin anew, in plain text; seconds are counted from here.

    Where we are the `whole_process`, what others write to stderr is made lines of ours too.
    """
    _log.json, _log.began, _log.bound = False, time.monotonic(), {}
    _log.whole_process = whole_process


def choose_early(arguments: Sequence[str]) -> None:
    """Choose the format before the command line is parsed, so that its faults are told in it."""
    said = os.environ.get(_VARIABLE, "")
    for place, word in enumerate(arguments):
        if word == "--":
            break
        name, _, value = word.partition("=")
        if name.replace("_", "-") == _OPTION:
            said = value or (arguments[place + 1] if place + 1 < len(arguments) else "")
    choose(said)


def choose(form: str | None) -> None:
    """Speak JSON or plain text from here on; what is no format is the parser's to refuse."""
    if form not in FORMATS:
        return
    _log.json = form == "json"
    if _log.json:
        warnings.showwarning = _python_warning
        # A stderr that the shell has closed is elsewhere: nobody reads it.
        if _log.whole_process and _log.foreign is None and sys.stderr.fileno() == 2:
            _log.foreign = ForeignLines(lambda line: log("warning", "foreign", line))
    elif _log.foreign is not None:
        _give_back()


def speaks_json() -> bool:
    """Whether stderr gets JSON lines."""
    return _log.json


def bind(**fields: Any) -> None:
    """Say this in every line to come: the exam, once it is known (None says nothing)."""
    _log.bound.update({name: value for name, value in fields.items() if value is not None})


def log(level: Level, event: str, message: str, fields: Mapping[str, Any] | None = None) -> None:
    """Write one line; a stderr that is closed or full ends no run."""
    # It costs a few milliseconds, which plain text need not pay.
    import json

    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {
        "time": now,
        "level": level,
        "event": event,
        "message": "\n".join(map(shortened, message.split("\n"))),
        **_log.bound,
        **(fields or {}),
    }
    text = json.dumps({name: _plain(value) for name, value in line.items()}, allow_nan=False)
    if _log.foreign is not None:
        _log.foreign.write(text + "\n")
        return
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def log_end(exit_code: int) -> None:
    """The last line of a process that speaks JSON."""
    if _log.json:
        _give_back()
        seconds = round(time.monotonic() - _log.began, 3)
        level: Level = "info" if exit_code == 0 else "error"
        said = f"ended with exit code {exit_code} after {seconds:g} s"
        log(level, "end", said, {"exit_code": exit_code, "seconds": seconds})


def _give_back() -> None:
    if _log.foreign is not None:
        _log.foreign.stop()
        _log.foreign = None


def _plain(value: Any) -> Any:
    """What JSON can hold, and a terminal can show: a name from outside may be hostile."""
    if isinstance(value, str):
        return visible(blotted(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _python_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - the two are Python's
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Take the place of `warnings.showwarning`, which writes text."""
    where = {"category": category.__name__, "where": f"{filename}:{lineno}"}
    log("warning", "python-warning", str(message), where)

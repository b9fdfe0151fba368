"""What `shsim doctor` finds out: each line ok, warn or fail, with the remedy."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from shsim import __version__
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.sources import DatabaseRequest, named_database, open_database
from shsim.errors import DatabaseError, ShsimError
from shsim.report.document import json_text
from shsim.report.plain_text import visible_line
from shsim.storage.embedded import embedded_path

Status = Literal["ok", "warn", "fail"]

_PACKAGES = ("numpy", "numba", "click", "rich")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `remedy` is None where all is well."""

    name: str
    status: Status
    detail: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(DatabaseRequest):
    """The options of `doctor`."""

    form: str


def run(request: Request) -> None:
    """Look, and print.

    Raises
    ------
    DatabaseError
        The database is out of reach, or a run would fail on it.
    """
    checks = [*_programs(), _threads(), _compiler(), _cache(), *_database(request)]
    if request.form == "json":
        emit(json_text({"command": "doctor", "checks": [asdict(check) for check in checks]}))
    else:
        width = max(len(check.name) for check in checks)
        emit("".join(_lines(check, width) for check in checks))
    if any(check.status == "fail" for check in checks):
        raise DatabaseError("a run would fail; the remedy stands above.")


def _lines(check: Check, width: int) -> str:
    mark = "FAIL" if check.status == "fail" else check.status
    line = f"{mark:<4}  {check.name:<{width}}  {visible_line(check.detail)}\n"
    if check.remedy:
        line += f"{'':{width + 8}}{visible_line(check.remedy)}\n"
    return line


def _programs() -> Iterator[Check]:
    yield Check("shsim", "ok", __version__)
    yield Check("python", "ok", f"{platform.python_version()} ({platform.system()})")
    for package in _PACKAGES:
        yield Check(package, "ok", version(package))
    try:
        driver = version("psycopg2-binary")
    except PackageNotFoundError:
        driver = version("psycopg2")
    yield Check("psycopg2", "ok", driver)


def _threads() -> Check:
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    if count == 1:
        return Check("threads", "warn", "1", "More processors make a run as many times faster.")
    return Check("threads", "ok", str(count))


def _compiler() -> Check:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}:
        return Check(
            "compiler",
            "warn",
            "switched off by NUMBA_DISABLE_JIT",
            "A run takes hundreds of times longer. Unset the variable.",
        )
    return Check("compiler", "ok", "on")


def _cache() -> Check:
    try:
        # Numba refuses to load beside a NumPy it does not know, which is for us to say.
        from shsim.kernels.jit import cache_status, is_cached
    except ImportError as error:
        return Check(
            "kernels", "fail", str(error), "Install shsim anew, into an environment of its own."
        )
    folder, fault = cache_status()
    if fault is not None:
        return Check(
            "kernel cache",
            "warn",
            f"{folder}: {fault}",
            "Every run compiles anew. Set SHSIM_CACHE_DIR to a folder that can be written.",
        )
    state = "filled" if is_cached() else "empty; the first run fills it"
    return Check("kernel cache", "ok", f"{folder} ({state})")


def _database(request: DatabaseRequest) -> Iterator[Check]:
    if named_database(request) is None and not embedded_path().exists():
        yield Check("database", "ok", f"none yet; the first run makes {embedded_path()}")
        return
    try:
        with open_database(request, Narrator(quiet=True), read_only=True) as store:
            findings = store.check()
            yield Check("database", "ok", store.label)
            exams: dict[str, int] = {}
            with suppress(ShsimError):  # what hinders it is among the findings
                exams = store.exams()
    except ShsimError as error:
        yield Check("database", "fail", str(error), "Mend that, or give another --dsn.")
        return
    for finding in findings:
        yield Check("tables", "fail" if finding.blocking else "warn", finding.sentence)
    if exams:
        named = ", ".join(f"{exam} ({count:,})" for exam, count in list(exams.items())[:5])
        yield Check("exams", "ok", f"{named}{', ...' if len(exams) > 5 else ''}")

"""The main job of the installed package, on the interpreter that runs this file.

Called by tox where nothing but shsim and its five dependencies is installed::

    python tests/house/smoke.py FOLDER

The tables that it calculates are kept in FOLDER, one file an interpreter, and compared
with those that are there: the same seed gives the same bytes. Between two versions of
Numba or NumPy the counts must agree and the last digits may not.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path

CALIBRATE = ("calibrate", "--exam", "DEMO-EXAM", "--dry-run", "--format", "csv")
SMALL = ("--seed", "1", "--n", "1024", "--iters", "4", "--verify-n", "20000")
COUNTS = ("question_id", "version", "topic_id", "seen", "proposed")


def shsim(*arguments: str, home: Path) -> str:
    """Run the installed program in an empty home; return its stdout or end here."""
    program = Path(sysconfig.get_path("scripts")) / "shsim"
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if name == "SHSIM_CACHE_DIR" or not name.startswith(("SHSIM_", "PG", "DATABASE_URL"))
    }
    surroundings |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
    done = subprocess.run(
        [program, *arguments], env=surroundings, cwd=home, capture_output=True, check=False
    )
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    if done.returncode:
        sys.exit(f"shsim {' '.join(arguments)} ended with {done.returncode}:\n{stdout}{stderr}")
    return stdout


def counts(table: str) -> list[tuple[str, ...]]:
    """Read the integer columns of a table, row by row."""
    rows = csv.DictReader(io.StringIO(table))
    return [tuple(row[name] for name in COUNTS) for row in rows]


def main(folder: Path) -> None:
    """Run the commands, compare with the other interpreters' tables, keep ours."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        said = shsim("--version", home=home)
        if version("shsim") not in said:
            sys.exit(f"shsim --version says {said!r}, its metadata {version('shsim')}")
        shsim("doctor", home=home)
        table = shsim(*CALIBRATE, *SMALL, home=home)
    rows = counts(table)
    if len(rows) < 100 or not any(int(row[COUNTS.index("seen")]) for row in rows):
        sys.exit(f"the table of the demo exam is too small or empty:\n{table[:500]}")

    ours = f"py3.{sys.version_info.minor} numba-{version('numba')} numpy-{version('numpy')}.csv"
    libraries = ours.split(" ", 1)[1]
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted(folder.glob("*.csv"))
    for other in others:
        theirs = other.read_bytes().decode()
        same_libraries = other.name.split(" ", 1)[1] == libraries
        if table != theirs if same_libraries else rows != counts(theirs):
            (folder / f"{ours}.differs").write_bytes(table.encode())
            sys.exit(f"the same seed gave another table than {other.name}: see {folder}")
    (folder / ours).write_bytes(table.encode())
    equal = ", ".join(path.stem for path in others) or "none before it"
    sys.stdout.write(f"{len(rows)} items; the same table as {equal}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

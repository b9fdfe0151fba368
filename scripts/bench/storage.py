r"""Loading and saving 100,000 items against psql's \copy of the same rows.

Usage: python scripts/bench/storage.py [--quick] [DSN]

Without a DSN it starts a PostgreSQL of its own (tests/postgres_server.py). The tables
are made in a fresh database of that server and removed again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from postgres_server import Server, _binaries, running_server  # noqa: E402  the path comes first
from stopwatch import announce, arguments, compare, in_turn, seconds, show  # noqa: E402

from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.storage.open import open_store  # noqa: E402

ITEMS, RUNS = 100_000, 5
EXAM = "BENCH"

JOIN = (
    "SELECT p.question_id, p.live_version, v.topic_id, i.a, i.b, i.c, e.sh_p"  # noqa: S608
    " FROM question_publications p"
    " JOIN question_versions v ON v.question_id = p.question_id AND v.version = p.live_version"
    " AND v.state = 'published'"
    " LEFT JOIN item_calibration i ON i.question_id = p.question_id"
    " AND i.version = p.live_version AND i.model = '3pl'"
    " LEFT JOIN item_exposure_control e ON e.question_id = p.question_id"
    f" AND e.version = p.live_version WHERE p.exam_code = '{EXAM}'"
)
UPSERT = (
    "INSERT INTO item_exposure_control (question_id, version, sh_p, updated_at)"
    " SELECT question_id, version, sh_p, now() FROM fresh"
    " ON CONFLICT (question_id, version) DO UPDATE"
    " SET sh_p = excluded.sh_p, updated_at = excluded.updated_at"
)


def made_up_pool(size: int = ITEMS) -> ItemPool:
    """A pool of `size` items."""
    rng = np.random.default_rng(1)
    return ItemPool.build(
        EXAM,
        {
            "question_id": np.arange(1, size + 1),
            "version": np.ones(size),
            "topic_id": np.arange(size) % 50,
            "a": rng.lognormal(0, 0.3, size),
            "b": rng.normal(0, 1, size),
            "c": rng.beta(9, 41, size),
            "k": rng.random(size),
        },
    )


def psql(dsn: str, *commands: str) -> None:
    """Run commands in one psql session and one transaction."""
    program = shutil.which("psql") or _binaries() / "psql"
    subprocess.run(
        [program, "-qXv", "ON_ERROR_STOP=1", "-1", dsn, *(f"--command={c}" for c in commands)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def measure(server: Server, folder: Path, size: int, runs: int) -> None:
    """Print both comparisons, on a database that is removed again."""
    dsn = server.create_database()
    store = open_store(dsn)
    store.create_tables()
    store.import_pool(made_up_pool(size))
    server.execute("CHECKPOINT")
    psql(dsn, "ANALYZE")
    rng = np.random.default_rng(2)
    table = folder / "k.csv"

    def save_by_psql() -> float:
        rows = (f"{i},1,{value!r}\n" for i, value in enumerate(rng.random(size).tolist(), start=1))
        table.write_text("".join(rows))
        statements = (
            "CREATE TEMP TABLE fresh (question_id bigint, version bigint, sh_p float8)",
            f"\\copy fresh FROM '{table}' CSV",
            UPSERT,
        )
        return seconds(lambda: psql(dsn, *statements))

    def save() -> float:
        pool, fresh = store.load_pool(EXAM), rng.random(size)
        return seconds(lambda: store.save_k(pool, fresh))

    copy = f"\\copy ({JOIN}) TO '{folder / 'pool.csv'}' CSV"
    costs = in_turn(
        {
            "load, psql": lambda: seconds(lambda: psql(dsn, copy)),
            "load, shsim": lambda: seconds(lambda: store.load_pool(EXAM)),
            "save, psql": save_by_psql,
            "save, shsim": save,
        },
        runs,
    )
    store.close()
    server.drop_database(dsn)
    show(costs, "seconds")
    load_psql, load_shsim, save_psql, save_shsim = costs
    compare("loading over \\copy of the same join", load_shsim, load_psql, "at most 3")
    compare("saving over \\copy and one upsert", save_shsim, save_psql, "at most 3")


def main() -> None:
    """Measure on the server of the command line, or on one of our own."""
    parser = arguments(__doc__ or "")
    parser.add_argument("dsn", nargs="?", help="a PostgreSQL in which databases can be made")
    chosen = parser.parse_args()
    size, runs = (2000, 2) if chosen.quick else (ITEMS, RUNS)
    announce(f"{size:,} items on PostgreSQL.")
    given = nullcontext(Server(chosen.dsn)) if chosen.dsn else running_server()
    with given as server, tempfile.TemporaryDirectory() as folder:
        measure(server, Path(folder), size, runs)


if __name__ == "__main__":
    main()

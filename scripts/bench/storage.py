r"""Loading and saving 100,000 items against psql's \copy of the same rows.

Usage: python scripts/bench/storage.py [DSN]

Without a DSN it starts a PostgreSQL of its own (tests/postgres_server.py). The tables
are made in a fresh database of that server and removed again. Both sides alternate in
one run; the minima count, since a busy machine only ever adds to a time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from postgres_server import Server, running_server  # noqa: E402  the path comes first

from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.storage.open import open_store  # noqa: E402

ITEMS = 100_000
RUNS = 5
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


def made_up_pool() -> ItemPool:
    """A pool of `ITEMS` items."""
    rng = np.random.default_rng(1)
    return ItemPool.build(
        EXAM,
        {
            "question_id": np.arange(1, ITEMS + 1),
            "version": np.ones(ITEMS),
            "topic_id": np.arange(ITEMS) % 50,
            "a": rng.lognormal(0, 0.3, ITEMS),
            "b": rng.normal(0, 1, ITEMS),
            "c": rng.beta(9, 41, ITEMS),
            "k": rng.random(ITEMS),
        },
    )


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def psql(dsn: str, *commands: str) -> None:
    """Run commands in one psql session and one transaction."""
    subprocess.run(
        ["psql", "-qXv", "ON_ERROR_STOP=1", "-1", dsn, *(f"--command={c}" for c in commands)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def measure(server: Server, folder: Path) -> None:
    """Print both comparisons, on a database that is removed again."""
    dsn = server.create_database()
    store = open_store(dsn)
    store.create_tables()
    store.import_pool(made_up_pool())
    server.execute("CHECKPOINT")
    psql(dsn, "ANALYZE")
    rng = np.random.default_rng(2)
    table = folder / "k.csv"
    times: dict[str, list[float]] = {"load": [], "load \\copy": [], "save": [], "save \\copy": []}
    for _ in range(RUNS):
        times["load \\copy"].append(
            seconds(lambda: psql(dsn, f"\\copy ({JOIN}) TO '{folder / 'pool.csv'}' CSV"))
        )
        times["load"].append(seconds(lambda: store.load_pool(EXAM)))
        k = rng.random(ITEMS)
        rows = (f"{i},1,{value!r}\n" for i, value in enumerate(k.tolist(), start=1))
        table.write_text("".join(rows))
        times["save \\copy"].append(
            seconds(
                lambda: psql(
                    dsn,
                    "CREATE TEMP TABLE fresh (question_id bigint, version bigint, sh_p float8)",
                    f"\\copy fresh FROM '{table}' CSV",
                    UPSERT,
                )
            )
        )
        pool, fresh = store.load_pool(EXAM), rng.random(ITEMS)
        times["save"].append(seconds(lambda p=pool, f=fresh: store.save_k(p, f)))  # type: ignore[misc]
    store.close()
    server.drop_database(dsn)
    print(f"{ITEMS:,} items, minima of {RUNS} runs, seconds")
    for what in ("load", "save"):
        ours, theirs = min(times[what]), min(times[f"{what} \\copy"])
        print(f"{what}  shsim {ours:.3f}  psql \\copy {theirs:.3f}  ratio {ours / theirs:.2f}")


def main() -> None:
    """Measure on the server of the command line, or on one of our own."""
    given = nullcontext(Server(sys.argv[1])) if len(sys.argv) > 1 else running_server()
    with given as server, tempfile.TemporaryDirectory() as folder:
        measure(server, Path(folder))


if __name__ == "__main__":
    main()

r"""A million items and a ledger of 10,000 runs against plain SQL over the same rows.

Usage: python scripts/bench/size.py [--quick] [--items N] [postgresql] [sqlite]

Loads, saves (recorded), lists and rolls back, on a PostgreSQL of its own and on a SQLite
file; beside each, what one would write by hand: psql's \copy and one statement a table,
or Python's sqlite3. A process apart loads the pool, and the system tells its peak memory.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from child import run as run_child  # noqa: E402  the path comes first
from postgres_server import running_server  # noqa: E402
from stopwatch import (  # noqa: E402
    announce,
    arguments,
    compare,
    conclude,
    in_turn,
    seconds,
    show,
)
from storage import EXAM, JOIN, UPSERT, made_up_pool, psql  # noqa: E402

from shsim.model.run_record import RunRecord  # noqa: E402
from shsim.storage.base import Store  # noqa: E402
from shsim.storage.open import open_store  # noqa: E402
from shsim.workflow.past_runs import rollback  # noqa: E402

ITEMS, LEDGER, ITEMS_EACH, TURNS = 1_000_000, 10_000, 200, 5
#: Looks into the ledger a turn: one takes milliseconds, and another program's doings are seconds.
LOOKS = 10
GIB, MIB = 2**30, 2**20

NOW = datetime.now(UTC)
RECORD = RunRecord(
    command="calibrate", exam=EXAM, started=NOW, finished=NOW, os_user="u", host="h", version="0",
    settings={}, outcome="saved",
)  # fmt: skip

RUN = (
    "INSERT INTO shsim_run (command, exam, started, finished, os_user, host, version, settings,"  # noqa: S608
    f" history, measures, outcome, message) VALUES ('calibrate', '{EXAM}', '{NOW.isoformat(' ')}',"
    f" '{NOW.isoformat(' ')}', 'u', 'h', '0', '{{}}', '[]', '{{}}', 'saved', '')"
)
RECORDED_ITEMS = (
    "INSERT INTO shsim_run_item SELECT (SELECT max(id) FROM shsim_run), n.question_id, n.version,"
    " e.sh_p, n.sh_p FROM fresh n LEFT JOIN item_exposure_control e"
    " ON e.question_id = n.question_id AND e.version = n.version"
)
FRESH = "CREATE TEMP TABLE fresh (question_id bigint, version bigint, sh_p float8)"
BEFORE = (
    "INSERT INTO fresh SELECT question_id, version, coalesce(k_before, 1) FROM shsim_run_item"
    " WHERE run = (SELECT max(id) FROM shsim_run)"
)
HISTORY = "SELECT * FROM shsim_run ORDER BY id DESC LIMIT 20"
COUNT = "SELECT count(*) FROM shsim_run"

By = dict[str, Callable[[], float]]


def fill_ledger(dsn: str, runs: int) -> None:
    """Saved runs of another exam than the one that is measured, each with its items."""
    # Figures as large as those of a real run.
    measures = json.dumps({"verification": {"max_exposure": 0.2, "rest": "x" * 2000}})
    head, values = RUN.split(" VALUES ")
    values = values.strip("()").replace(EXAM, "OTHER").replace("'{}', 's", f"'{measures}', 's")
    runs_and_items = (
        "WITH RECURSIVE runs(run) AS (SELECT 1 UNION ALL SELECT run + 1 FROM runs"  # noqa: S608
        f" WHERE run < {runs}), items(item) AS (SELECT 1 UNION ALL SELECT item + 1 FROM items"
        f" WHERE item < {ITEMS_EACH})"
    )
    statements = [
        f"{runs_and_items} {insert}"
        for insert in (
            f"{head} SELECT {values} FROM runs",  # noqa: S608
            "INSERT INTO shsim_run_item SELECT run, item, 2, 0.5, 0.25 FROM items CROSS JOIN runs",
        )
    ]
    if not dsn.startswith("sqlite:"):
        psql(dsn, *statements)
        return
    with closing(sqlite3.connect(dsn.removeprefix("sqlite:///"))) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def quickest(work: Callable[[], object]) -> float:
    """The least of several times, for what is soon over."""
    return min(seconds(work) for _ in range(LOOKS))


def by_shsim(store: Store, size: int) -> By:
    """What the commands do, without the reading of their options."""
    rng = np.random.default_rng(4)

    def save() -> float:
        pool, fresh = store.load_pool(EXAM), rng.random(size)
        return seconds(lambda: store.save_k(pool, fresh, record=RECORD))

    def roll_back() -> float:
        newest = store.ledger.newest_saved(EXAM)
        return seconds(lambda: rollback(store, 0 if newest is None else newest.run))

    return {
        "load": lambda: seconds(lambda: store.load_pool(EXAM)),
        "save": save,
        "history": lambda: quickest(lambda: store.ledger.history(None, 20)),
        "rollback": roll_back,
    }


def by_psql(dsn: str, folder: Path, size: int) -> By:
    """The same by hand."""
    rng, table = np.random.default_rng(5), folder / "k.csv"

    def save() -> float:
        values = rng.random(size).tolist()
        table.write_text("".join(f"{i},1,{k!r}\n" for i, k in enumerate(values, start=1)))
        copy = f"\\copy fresh FROM '{table}' CSV"
        return seconds(lambda: psql(dsn, FRESH, copy, RUN, RECORDED_ITEMS, UPSERT))

    return {
        "load": lambda: seconds(
            lambda: psql(dsn, f"\\copy ({JOIN}) TO '{folder / 'pool.csv'}' CSV")
        ),
        "save": save,
        "history": lambda: quickest(lambda: psql(dsn, HISTORY, COUNT)),
        "rollback": lambda: seconds(lambda: psql(dsn, FRESH, BEFORE, RUN, RECORDED_ITEMS, UPSERT)),
    }


def by_sqlite3(path: Path, size: int) -> By:
    """The same by hand."""
    rng = np.random.default_rng(5)
    upsert = UPSERT.replace("now()", "CURRENT_TIMESTAMP").replace(" ON CONF", " WHERE 1 ON CONF")
    upserting = (RUN, RECORDED_ITEMS, upsert, "DROP TABLE fresh", "COMMIT")

    def do(*statements: str, rows: list[tuple[int, int, float]] | None = None) -> float:
        def work() -> None:
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                for statement in statements:
                    db.execute(statement).fetchall()
                    if statement == FRESH and rows is not None:
                        db.executemany("INSERT INTO fresh VALUES (?, ?, ?)", rows)

        return seconds(work)

    def save() -> float:
        rows = [(i, 1, k) for i, k in enumerate(rng.random(size).tolist(), start=1)]
        return do("BEGIN IMMEDIATE", FRESH, *upserting, rows=rows)

    return {
        "load": lambda: do(JOIN),
        "save": save,
        "history": lambda: quickest(lambda: do(HISTORY, COUNT)),
        "rollback": lambda: do("BEGIN IMMEDIATE", FRESH, BEFORE, *upserting),
    }


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """A database of the kind, gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'size.sqlite'}"
        return
    with running_server() as server:
        dsn = server.create_database()
        yield dsn
        server.drop_database(dsn)


def measure(kind: str, folder: Path, size: int, runs: int, turns: int) -> list[Callable[[], None]]:
    """Print what every side took; what prints the ratios."""
    with a_database(kind, folder) as dsn, closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(made_up_pool(size))
        fill_ledger(dsn, runs)
        if kind == "postgresql":
            psql(dsn, "ANALYZE")
            hand = by_psql(dsn, folder, size)
        else:
            hand = by_sqlite3(folder / "size.sqlite", size)
        ours = by_shsim(store, size)
        sides = {f"{what}, {who}": by[what] for what in ours for who, by in
                 (("by hand", hand), ("shsim", ours))}  # fmt: skip
        ours["save"]()  # what a rollback undoes
        costs = in_turn(sides, turns)
        store.close()
        loading = run_child([sys.executable, __file__, "load", dsn])
    print(f"\n{kind}: {size:,} items, {runs:,} runs of {ITEMS_EACH} items beside them")
    show(costs, "seconds")
    pairs = list(zip(costs[::2], costs[1::2], strict=True))
    ratios = [
        lambda h=h, s=s: compare(f"{s.name} over {h.name}, on {kind}", s, h, "at most 3")
        for h, s in pairs
    ]
    words = f"peak memory of loading, {loading.peak / MIB:.0f} MiB, over 1 GiB, on {kind}"
    return [*ratios, lambda: conclude(words, loading.peak / GIB, "under 1")]


def main() -> None:
    """Be the parent, or do the one job that a child was started for."""
    if sys.argv[1:2] == ["load"]:
        open_store(sys.argv[2]).load_pool(EXAM)
        return
    parser = arguments(__doc__ or "")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("kinds", nargs="*", choices=("postgresql", "sqlite", []))
    chosen = parser.parse_args()
    size, runs, turns = (2000, 20, 2) if chosen.quick else (chosen.items, LEDGER, TURNS)
    announce(f"{size:,} items and {runs:,} runs.")
    ratios: list[Callable[[], None]] = []
    for kind in chosen.kinds or ("postgresql", "sqlite"):
        folder = Path(tempfile.mkdtemp())
        try:
            ratios += measure(kind, folder, size, runs, turns)
        finally:
            shutil.rmtree(folder)
    for ratio in ratios:
        ratio()


if __name__ == "__main__":
    main()

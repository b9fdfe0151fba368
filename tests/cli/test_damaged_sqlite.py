"""A SQLite file that is damaged, or none: every command says so in a line and leaves it alone."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Ended, Run
from storage.databases import overwrite_first_page

from shsim.storage.embedded import embedded_dsn, make_embedded

#: Every command that opens a database; `rollback` and `calibrate` write to it.
COMMANDS = {
    "calibrate": ("calibrate", "--exam", "DEMO-EXAM", *QUICK_CALIBRATION),
    "calibrate --dry-run": ("calibrate", "--exam", "DEMO-EXAM", "--dry-run", *QUICK_CALIBRATION),
    "calibrate --from-run": ("calibrate", "--from-run", "2", "--dry-run"),
    "simulate": ("simulate", "--exam", "DEMO-EXAM", *QUICK),
    "sweep": ("sweep", "--exam", "DEMO-EXAM", "--tau", "0.2"),
    "trace": ("trace", "--exam", "DEMO-EXAM", "--tests", "2", "--seed", "1"),
    "audit": ("audit", "--exam", "DEMO-EXAM", "--since", "2020-01-01"),
    "audit --since-run": ("audit", "--exam", "DEMO-EXAM", "--since-run", "2"),
    "export": ("export", "--exam", "DEMO-EXAM"),
    "history": ("history",),
    "history --format json": ("history", "--exam", "DEMO-EXAM", "--format", "json"),
    "show": ("show", "2"),
    "show --format csv": ("show", "2", "--format", "csv"),
    "diff": ("diff", "1", "2"),
    "rollback": ("rollback", "2"),
    "rollback --dry-run": ("rollback", "2", "--dry-run"),
    "db check": ("db", "check"),
    "db init": ("db", "init"),
    "doctor": ("doctor",),
}
TABLES = (
    "question_publications", "question_versions", "item_calibration", "item_exposure_control",
    "user_responses", "shsim_schema", "shsim_run", "shsim_run_item",
)  # fmt: skip
#: What may alter more than the list of runs, where it succeeds.
WRITES = {"calibrate", "rollback", "db init"}
LOOKS_INTO_THE_LEDGER = (
    "show", "diff", "rollback", "rollback --dry-run", "calibrate --from-run", "audit --since-run",
)  # fmt: skip


@pytest.fixture(scope="session")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """DEMO-EXAM with two saved runs and few responses: little that damage could miss."""
    from shsim.cli.app import invoke

    path = tmp_path_factory.mktemp("whole") / "whole.sqlite"
    make_embedded(path)
    for ceiling in ("1", "0.9"):
        invoke([*COMMANDS["calibrate"], "--dsn", embedded_dsn(path), "--ceil", ceiling, "--quiet"])
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM user_responses WHERE rowid % 50")
        db.commit()
        db.execute("VACUUM")
    return path.read_bytes()


#: Rows that a refusal names, and what their list is cut off with.
ROW = re.compile(r"  |shsim: item \d")

Attack = Callable[[str, bytes], Ended]


def readable(content: bytes, table: str, columns: str, path: Path) -> list[tuple[object, ...]]:
    """What SQLite gets out of a table before it comes upon damage."""
    path.write_bytes(content)
    rows: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        try:
            rows.extend(db.execute(f"SELECT {columns} FROM {table}"))  # noqa: S608
        except sqlite3.DatabaseError as damage:
            rows.append((type(damage).__name__,))
    return rows


def recorded(before: bytes, after: bytes, folder: Path) -> str:
    """The outcome of the run that a command put on record, where it did nothing else."""
    path = folder / "looked at.sqlite"
    for table in TABLES:
        if table != "shsim_run":
            then, now = (readable(content, table, "*", path) for content in (before, after))
            assert then == now, f"{table} is not as it was"
    # From the newest on: an older one may be beyond reading.
    newest = "shsim_run ORDER BY id DESC"
    then, now = (readable(content, newest, "*", path) for content in (before, after))
    assert now[1:] == then, "a record is gone or altered"
    return str(readable(after, newest, "outcome", path)[0][0], "utf-8")


@pytest.fixture
def attacked(here: Run, tmp_path: Path) -> Attack:
    """Run a command on a file of these bytes, and hold it to what every command must keep."""
    path = tmp_path / "files" / "damaged.sqlite"
    path.parent.mkdir()

    def run(name: str, content: bytes) -> Ended:
        path.write_bytes(content)
        ended = here(*COMMANDS[name], "--dsn", embedded_dsn(path))
        assert ended.code in {0, 3, 4}, ended.err
        assert "Traceback" not in ended.err
        assert [left.name for left in path.parent.iterdir()] == [path.name]
        now = path.read_bytes()
        if now != content and (ended.code or name not in WRITES):
            outcome = recorded(content, now, tmp_path)
            assert outcome in ({"refused", "failed"} if ended.code else {"dry"})
        if ended.code == 4:
            lines = [line for line in ended.err.splitlines() if not ROW.match(line)]
            assert len(lines) <= 4, ended.err  # of the database, notes, and one that says what
        return ended

    return run


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The file as a failing disk may leave it."""
    made = bytearray(whole)
    page = 4096 * rng.randrange(len(made) // 4096)
    match rng.randrange(7):
        case 0:
            for _ in range(rng.randint(1, 8)):
                made[rng.randrange(100)] = rng.randrange(256)
        case 1:
            for _ in range(rng.randint(1, 30)):
                made[rng.randrange(len(made))] = rng.randrange(256)
        case 2:
            for _ in range(rng.randint(1, 500)):
                made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
        case 3:
            made[page : page + 4096] = rng.randbytes(4096)
        case 4:
            made[page : page + 4096] = bytes(4096)
        case 5:
            start = rng.randrange(len(made))
            made[start : start + 3000] = rng.randbytes(len(made[start : start + 3000]))
        case _:
            del made[rng.randrange(len(made)) :]
    return bytes(made)


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_a_line_at_most(attacked: Attack, whole_file: bytes, seed: int) -> None:
    content = damaged(whole_file, random.Random(seed))  # noqa: S311 - nothing here is secret
    for name in COMMANDS:
        attacked(name, content)


@pytest.mark.long
@pytest.mark.parametrize("part", range(6))
def test_hundreds_of_random_damages(attacked: Attack, whole_file: bytes, part: int) -> None:
    first = random.SystemRandom().randrange(10**9)  # others each time
    for seed in range(first, first + 50):
        content = damaged(whole_file, random.Random(seed))  # noqa: S311
        for name in COMMANDS:
            try:
                attacked(name, content)
            except BaseException as error:
                error.add_note(f"part {part}: {name} on the file of seed {seed}")
                raise


def test_a_file_whose_ledger_is_damaged_is_not_written_to(
    here: Run, whole_file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(whole_file)
    content = overwrite_first_page(path, "shsim_run")
    for name in ("simulate", "calibrate", "calibrate --dry-run", "rollback"):
        path.write_bytes(content)
        ended = here(*COMMANDS[name], "--dsn", embedded_dsn(path))
        assert ended.code == (0 if name == "simulate" else 4), ended.err
        assert (
            "is damaged: database disk image is malformed. Restore it from a backup." in ended.err
        )
        assert ("this run is not recorded: " in ended.err) == (name == "simulate")
        assert path.read_bytes() == content, name


@pytest.mark.parametrize("kind", ["text", "piece of a header", "pieces of pages"])
def test_what_is_no_database_ends_with_4(attacked: Attack, whole_file: bytes, kind: str) -> None:
    content = {
        "text": b"question_id,a,b,c\n" * 100,
        "piece of a header": whole_file[:50],
        "pieces of pages": whole_file[:5000],
    }[kind]
    for name in COMMANDS:
        ended = attacked(name, content)
        assert ended.code == 4
        told = ended.out + ended.err
        assert "is not a SQLite database" in told or "is damaged" in told, told


def test_an_empty_file_lacks_its_tables(attacked: Attack) -> None:
    for name in COMMANDS.keys() - {"db init"}:
        ended = attacked(name, b"")
        assert ended.code == 4
        assert "db init" in ended.out + ended.err, name


def test_a_folder_is_no_database(here: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder.sqlite"
    folder.mkdir()
    for name, command in COMMANDS.items():
        ended = here(*command, "--dsn", embedded_dsn(folder))
        assert ended.code == 4
        assert "is a folder, and no database. Correct the path" in ended.out + ended.err, name
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "edit",
    [
        "started = 'yesterday'",
        "started = 5",
        "settings = '{'",
        "settings = '[]'",
        "measures = '7'",
        "measures = '{\"verdict\": 1}'",
        "measures = '{\"verdict\": []}'",
        "measures = '{\"verification\": null}'",
        'measures = \'{"verification": {"max_exposure": "x"}}\'',
        'measures = \'{"verification": {"accuracy": {"rmse": [1]}}}\'',
        'measures = \'{"before": {"gini": NaN}}\'',
        'settings = \'{"blueprint": {"1": 2}}\'',
        "finished = '0044-01-01 00:00:00+00 BC'",
        "tau = 'a fifth'",
        "outcome = x'ff'",
        "seed = 'one'",
    ],
)
def test_a_record_that_is_not_what_was_written_is_named(
    here: Run, whole_file: bytes, tmp_path: Path, edit: str
) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(whole_file)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE shsim_run SET {edit} WHERE id = 2")  # noqa: S608
        db.commit()
    before = path.read_bytes()
    for name in LOOKS_INTO_THE_LEDGER:
        ended = here(*COMMANDS[name], "--dsn", embedded_dsn(path), "--quiet")
        assert ended.code == 4, ended
        column = edit.partition(" ")[0]
        assert f"run 2 of the ledger cannot be read: {column} in shsim_run is not" in ended.err
        assert len([line for line in ended.err.splitlines() if "warning: " not in line]) == 1
    listed = here("history", "--dsn", embedded_dsn(path), "--quiet")
    assert listed.code == 0
    assert "warning: run 2 of the ledger cannot be read: " in listed.err
    assert [line.split()[0] for line in listed.out.splitlines()[1:3]] == ["2", "1"]
    assert "unreadable" in listed.out.splitlines()[1]
    plain = json.loads(here("history", "--dsn", embedded_dsn(path), "--format", "json").out)
    assert [run["outcome"] for run in plain["runs"]] == ["unreadable", "saved"]
    assert path.read_bytes() == before
    assert here("show", "1", "--dsn", embedded_dsn(path)).code == 0


def test_a_k_on_record_that_is_none_is_never_put_back(
    here: Run, whole_file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(whole_file)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE shsim_run_item SET k_before = 7 WHERE run = 2 AND question_id = 900009")
        assert db.execute("SELECT changes()").fetchone() == (1,)
        db.commit()
    before = path.read_bytes()
    for more in ((), ("--dry-run",), ("--force",)):
        ended = here("rollback", "2", "--dsn", embedded_dsn(path), *more, "--quiet")
        assert ended.code == 3
        assert "sh_p before run 2 is on record as 7, outside [0, 1]" in ended.err
    assert path.read_bytes() == before


def test_another_programs_lock_is_waited_for_and_then_told(
    here: Run, whole_file: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.sqlite_session._BUSY_TIMEOUT", 0.05)
    path = tmp_path / "q.sqlite"
    path.write_bytes(whole_file)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for name, command in COMMANDS.items():
            ended = here(*command, "--dsn", embedded_dsn(path))
            assert ended.code == 4, ended
            assert "is locked by another program" in ended.out + ended.err, name
        other.execute("ROLLBACK")
    assert path.read_bytes() == whole_file


def test_a_log_that_a_killed_writer_left_is_read(
    here: Run, whole_file: bytes, tmp_path: Path
) -> None:
    path, left = tmp_path / "q.sqlite", tmp_path / "left"
    path.write_bytes(whole_file)
    left.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE item_exposure_control SET sh_p = 0.625 WHERE question_id = 900009")
        for file in tmp_path.glob("q.sqlite*"):  # as they stand while the writer lives
            (left / file.name).write_bytes(file.read_bytes())
    (left / "q.sqlite-shm").unlink()
    for number, (name, command) in enumerate(COMMANDS.items()):
        copy = shutil.copytree(left, tmp_path / str(number))
        ended = here(*command, "--dsn", embedded_dsn(copy / "q.sqlite"))
        if name.startswith("rollback"):
            assert ended.code == 4
            assert "item 900009/2: run 2 left sh_p at" in ended.err
            assert "and it is 0.625" in ended.err
        else:
            assert ended.code == 0, ended.err
        if name == "export":
            assert ",0.625\n" in ended.out

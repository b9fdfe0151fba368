"""What can go wrong with a PostgreSQL server, with a real one going wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from postgres_server import Server
from psycopg2.extensions import make_dsn, parse_dsn
from storage.cutting_proxy import cutting_proxy
from storage.databases import connect, execute, item_rows, pool_of, query

from shsim.errors import DatabaseError
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.open import open_store

K = np.array([0.1, 0.2, 0.3])
SAVED = [(0.1,), (0.2,), (0.3,)]
ALL_K = "SELECT sh_p FROM item_exposure_control ORDER BY question_id"
PASSWORD = "s3c ret@/:%'\\ö"  # noqa: S105


@pytest.fixture
def filled_dsn(postgres_dsn: str) -> str:
    """Exam E with three items."""
    with closing(open_store(postgres_dsn)) as store:
        store.import_pool(pool_of("E"))
    return postgres_dsn


@pytest.fixture
def filled(filled_dsn: str) -> Iterator[Store]:
    with closing(open_store(filled_dsn, application_name="first")) as store:
        yield store


@pytest.fixture
def role(postgres_server: Server, filled_dsn: str) -> Iterator[str]:
    """A DSN of a role that may connect, and nothing else."""
    name = f"shsim_role_{os.getpid()}"
    quoted = PASSWORD.replace("'", "''")
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'")
    yield make_dsn(filled_dsn, user=name, password=PASSWORD)
    execute(filled_dsn, f"DROP OWNED BY {name}")
    postgres_server.execute(f"DROP ROLE {name}")


def kill_sessions(dsn: str, application: str) -> int:
    killed = query(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608
        f" WHERE application_name = '{application}' AND datname = current_database()",
    )
    return len(killed)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another process or thread; the test fails if it never gets there."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("what was waited for never happened")


def waiting(dsn: str, application: str) -> bool:
    """Whether a session of that name waits for a row lock."""
    return bool(
        query(
            dsn,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"  # noqa: S608
            f" AND application_name = '{application}' AND datname = current_database()",
        )
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"port": "1", "host": "127.0.0.1"}, "does not answer: no server is listening there"),
        ({"host": "/nowhere"}, "does not answer: no server is listening there"),
        ({"host": "nowhere.invalid"}, "has a host name that is unknown"),
        ({"dbname": "nowhere"}, "has no such database"),
        ({"user": "nobody_at_all"}, "refuses the user or the password"),
        ({"user": "nobody_at_all", "password": PASSWORD}, "refuses the user or the password"),
    ],
)
def test_a_server_out_of_reach_is_one_line_without_a_password(
    filled_dsn: str, changes: dict[str, str], sentence: str
) -> None:
    dsn = make_dsn(filled_dsn, **{"password": PASSWORD, **changes})
    with closing(open_store(dsn)) as store, pytest.raises(DatabaseError) as caught:
        store.load_pool("E")
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert PASSWORD not in str(caught.value)


def test_a_refused_password_is_not_repeated(role: str) -> None:
    dsn = make_dsn(role, password="wrong" + PASSWORD)
    with closing(open_store(dsn)) as store, pytest.raises(DatabaseError) as caught:
        store.exams()
    assert "refuses the user or the password" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_role_without_privileges_is_told_which_table(role: str) -> None:
    with closing(open_store(role)) as store, pytest.raises(DatabaseError) as caught:
        store.load_pool("E")
    assert "permission denied for table question_publications" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_role_that_may_only_read_loads_and_cannot_save(
    role: str, filled_dsn: str, postgres_server: Server
) -> None:
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {parse_dsn(role)['user']}")
    before = item_rows(filled_dsn)
    with closing(open_store(role, read_only=True)) as reader:
        assert len(reader.load_pool("E")) == 3
    with closing(open_store(role)) as store:
        pool = store.load_pool("E")
        assert [finding.sentence for finding in store.check()] == [
            (
                "Table item_exposure_control may not be written, so that no k can be saved."
                " Ask for INSERT and UPDATE on it."
            )
        ]
        with pytest.raises(DatabaseError, match="permission denied for table item_exposure_contr"):
            store.save_k(pool, K)
    assert item_rows(filled_dsn) == before


def test_a_role_needs_to_write_one_table_only(role: str, filled_dsn: str) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    execute(filled_dsn, f"GRANT INSERT, UPDATE ON item_exposure_control TO {user}")
    with closing(open_store(role)) as store:
        assert store.check() == []
        assert store.save_k(store.load_pool("E"), K) == SaveOutcome(3, 0)
    assert query(filled_dsn, ALL_K) == SAVED


def test_check_names_tables_that_may_not_be_read(role: str) -> None:
    with closing(open_store(role)) as store:
        sentences = [finding.sentence for finding in store.check()]
    assert "Table question_versions may not be read. Ask for SELECT on it." in sentences


def test_a_password_file_is_libpqs_to_read(
    role: str, filled_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = parse_dsn(role)
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:{known['user']}:{escaped}\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    without = make_dsn(**{name: value for name, value in known.items() if name != "password"})
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {known['user']}")
    with closing(open_store(without)) as store:
        assert store.exams() == {"E": 3}


def test_a_database_that_turned_read_only_says_so(filled_dsn: str) -> None:
    name = parse_dsn(filled_dsn)["dbname"]
    with closing(open_store(filled_dsn)) as store:
        pool = store.load_pool("E")
    execute(filled_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(open_store(filled_dsn, read_only=True)) as store:
        assert len(store.load_pool("E")) == 3
    with closing(open_store(filled_dsn)) as store:
        assert len(store.load_pool("E")) == 3
        with pytest.raises(DatabaseError, match="is read-only"):
            store.save_k(pool, K)


def test_column_types_of_another_database_are_borne(postgres_empty_dsn: str) -> None:
    for statement in (
        (
            "CREATE TABLE question_publications (exam_code varchar(40), question_id int,"
            " live_version smallint, published_by text, PRIMARY KEY (exam_code, question_id))"
        ),
        (
            "CREATE TABLE question_versions (question_id int, version smallint, topic_id int,"
            " state varchar(20), body text DEFAULT '', PRIMARY KEY (question_id, version))"
        ),
        (
            "CREATE TABLE item_calibration (question_id int, version smallint, model varchar(8),"
            " a numeric(8,4), b real, c numeric, PRIMARY KEY (question_id, version, model))"
        ),
        (
            "CREATE TABLE item_exposure_control (id serial, question_id int, version smallint,"
            " sh_p numeric(5,4), updated_at timestamp, PRIMARY KEY (question_id, version))"
        ),
    ):
        execute(postgres_empty_dsn, statement)
    with closing(open_store(postgres_empty_dsn)) as store:
        store.import_pool(pool_of("E"))
        pool = store.load_pool("E")
        assert store.save_k(pool, np.array([1 / 3, 0.5, 0.25])) == SaveOutcome(2, 1)
        again = store.load_pool("E")
        assert again.k.tolist() == [0.3333, 0.5, 0.25]
        assert store.save_k(again, np.array([1 / 3, 0.5, 0.25])) == SaveOutcome(0, 3)


def test_a_session_killed_between_load_and_save_is_made_anew(
    filled: Store, filled_dsn: str
) -> None:
    with filled.exam_lock("E"):
        pool = filled.load_pool("E")
        assert kill_sessions(filled_dsn, "first") == 1
        assert filled.save_k(pool, K) == SaveOutcome(3, 0)
        with closing(open_store(filled_dsn)) as other, pytest.raises(DatabaseError):
            other.save_k(pool, K)
    assert query(filled_dsn, ALL_K) == SAVED


def test_an_edit_while_the_session_was_gone_is_seen(filled: Store, filled_dsn: str) -> None:
    with filled.exam_lock("E"):
        pool = filled.load_pool("E")
        kill_sessions(filled_dsn, "first")
        execute(filled_dsn, "UPDATE item_calibration SET a = 1.5 WHERE question_id = 11")
        with pytest.raises(DatabaseError, match=r"a was 1\.2 and is 1\.5"):
            filled.save_k(pool, K)


def test_a_run_that_took_the_lock_while_the_session_was_gone_is_named(
    filled: Store, filled_dsn: str
) -> None:
    with filled.exam_lock("E"):
        pool = filled.load_pool("E")
        kill_sessions(filled_dsn, "first")
        with closing(open_store(filled_dsn, application_name="second")) as other:
            wait_until(lambda: not query(filled_dsn, "SELECT 1 FROM pg_locks"
                                         " WHERE locktype = 'advisory'"))  # fmt: skip
            with (
                other.exam_lock("E"),
                pytest.raises(DatabaseError, match=r"is held by second \(process"),
            ):
                filled.save_k(pool, K)


def test_a_session_killed_during_the_save_begins_anew(filled: Store, filled_dsn: str) -> None:
    pool = filled.load_pool("E")
    outcomes: list[SaveOutcome] = []
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        saving = threading.Thread(target=lambda: outcomes.append(filled.save_k(pool, K)))
        saving.start()
        wait_until(lambda: waiting(filled_dsn, "first"))
        kill_sessions(filled_dsn, "first")
        blocker.rollback()
    saving.join(30)
    assert outcomes == [SaveOutcome(3, 0)]
    assert query(filled_dsn, ALL_K) == SAVED


@pytest.mark.parametrize("lose_answer", [True, False])
def test_a_commit_cut_off_is_settled(filled_dsn: str, *, lose_answer: bool) -> None:
    with cutting_proxy(filled_dsn) as (proxy, through), closing(open_store(through)) as store:
        pool = store.load_pool("E")
        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, lose_answer
            assert store.save_k(pool, K) == SaveOutcome(3, 0)
        assert proxy.cuts == 0
        store.close()
    assert query(filled_dsn, ALL_K) == SAVED


@pytest.mark.parametrize("lose_answer", [True, False])
def test_an_import_cut_off_is_settled(postgres_dsn: str, *, lose_answer: bool) -> None:
    with cutting_proxy(postgres_dsn) as (proxy, through), closing(open_store(through)) as store:
        store.exams()
        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, lose_answer
            assert store.import_pool(pool_of("E")) == SaveOutcome(3, 0)
            proxy.cuts = 1
            assert store.add_demo()
        store.close()
    with closing(open_store(postgres_dsn)) as store:
        assert store.exams() == {"DEMO-EXAM": 480, "E": 3}


def test_a_connection_that_drops_for_good_is_an_error(
    filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_session.BACKOFF", (0.01, 0.02))
    with cutting_proxy(filled_dsn) as (proxy, through), closing(open_store(through)) as store:
        pool = store.load_pool("E")
        proxy.cuts = 99
        with pytest.raises(DatabaseError, match="dropped the connection"):
            store.save_k(pool, K)
        store.close()
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.25,)]


def test_two_exams_that_share_items_lose_no_update(filled: Store, filled_dsn: str) -> None:
    """Both loaded the same k; the one whose save comes second must find it changed."""
    filled.import_pool(pool_of("F"))
    execute(filled_dsn, "DELETE FROM item_exposure_control WHERE question_id = 11")
    stores = [open_store(filled_dsn, application_name=f"exam {exam}") for exam in "EF"]
    pools = [store.load_pool(exam) for store, exam in zip(stores, "EF", strict=True)]
    results: dict[int, SaveOutcome | DatabaseError] = {}

    def save(i: int) -> None:
        try:
            results[i] = stores[i].save_k(pools[i], K * (i + 1))
        except DatabaseError as error:
            results[i] = error

    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        threads = [threading.Thread(target=save, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(waiting(filled_dsn, f"exam {exam}") for exam in "EF"))
        blocker.rollback()
    for thread in threads:
        thread.join(30)
    for store in stores:
        store.close()
    (winner,) = [i for i, result in results.items() if isinstance(result, SaveOutcome)]
    assert "sh_p was absent and is" in str(results[1 - winner])
    assert query(filled_dsn, ALL_K) == [(value,) for value in (K * (winner + 1)).tolist()]


def test_a_row_that_another_program_is_inserting_is_never_overwritten(
    filled: Store, filled_dsn: str
) -> None:
    """It was absent when the save compared, and could not be locked."""
    pool = filled.load_pool("E")
    errors: list[DatabaseError] = []

    def save() -> None:
        try:
            filled.save_k(pool, K)
        except DatabaseError as error:
            errors.append(error)

    with closing(connect(filled_dsn)) as other:
        other.cursor().execute(
            "INSERT INTO item_exposure_control (question_id, version, sh_p) VALUES (12, 2, 0.9)"
        )
        saving = threading.Thread(target=save)
        saving.start()
        wait_until(lambda: waiting(filled_dsn, "first"))
        other.commit()
    saving.join(30)
    assert "item 12/2: sh_p was absent and is 0.9." in str(errors[0])
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.9,), (0.25,)]


SAVER = """
import sys
import numpy as np
from shsim.errors import DatabaseError
from shsim.storage.open import open_store
store = open_store(sys.argv[1], application_name="saver")
with store.exam_lock("E"):
    pool = store.load_pool("E")
    print("loaded", flush=True)
    sys.stdin.readline()
    store.save_k(pool, np.array([.1, .2, .3]))
"""


def saver(dsn: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_on_the_exam_is_told_who_holds_it(dsn: str) -> None:
    with closing(open_store(dsn)) as store:
        store.import_pool(pool_of("E"))
        with saver(dsn) as first:
            assert first.stdout is not None
            assert first.stdin is not None
            first.stdout.readline()
            with pytest.raises(DatabaseError) as caught, store.exam_lock("E"):
                pass
            assert f"process {first.pid} " in str(caught.value) or "saver" in str(caught.value)
            assert "since 20" in str(caught.value)
            first.communicate("go\n", timeout=30)
        assert first.returncode == 0
        assert store.load_pool("E").k.tolist() == K.tolist()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_process_ended_while_its_save_waits_leaves_nothing(
    filled_dsn: str, ending: signal.Signals
) -> None:
    before = item_rows(filled_dsn)
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        with saver(filled_dsn) as process:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            wait_until(lambda: waiting(filled_dsn, "saver"))
            process.send_signal(ending)
            _, said = process.communicate(timeout=10)
        # The blocker still holds its rows: the process has not waited for them.
        assert process.returncode != 0
        assert ("KeyboardInterrupt" in said) == (ending == signal.SIGINT)
    wait_until(lambda: not query(
        filled_dsn, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'saver'"
    ))  # fmt: skip
    assert item_rows(filled_dsn) == before


def test_a_stuck_holder_of_rows_is_waited_for_and_then_named(
    filled: Store, filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres._LOCK_TIMEOUT", "100ms")
    pool = filled.load_pool("E")
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        with pytest.raises(DatabaseError, match="another session holds rows of the exam locked"):
            filled.save_k(pool, K)
    assert filled.save_k(pool, K) == SaveOutcome(3, 0)

"""Servers out of reach, roles that may do little, tables of other types."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from postgres_server import Server
from psycopg2.extensions import make_dsn, parse_dsn
from storage.databases import PASSWORD, execute, item_rows, pool_of, query
from storage.records import record

from shsim.errors import DatabaseError
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.open import open_store

K = np.array([0.1, 0.2, 0.3])
SAVED = [(0.1,), (0.2,), (0.3,)]
ALL_K = "SELECT sh_p FROM item_exposure_control ORDER BY question_id"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"port": "1", "host": "127.0.0.1"}, "does not answer: no server is listening there"),
        ({"host": "/nowhere"}, "does not answer: no server is listening there"),
        ({"host": "nowhere.invalid"}, "has a host name that is unknown"),
        ({"service": "nowhere"}, "is named by a service that the service file does not define"),
        ({"host": "127.0.0.1", "sslmode": "require"}, "does not agree on SSL"),
        ({"sslmode": "sometimes"}, "cannot be connected to: invalid sslmode value"),
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


def test_a_role_that_may_not_connect_is_told_so(
    role: str, filled_dsn: str, postgres_server: Server
) -> None:
    known = parse_dsn(role)
    postgres_server.execute(f"ALTER ROLE {known['user']} CONNECTION LIMIT 0")
    with closing(open_store(role)) as store, pytest.raises(DatabaseError, match="no connection fr"):
        store.exams()
    postgres_server.execute(f"ALTER ROLE {known['user']} CONNECTION LIMIT -1")
    postgres_server.execute(f"REVOKE CONNECT ON DATABASE {known['dbname']} FROM PUBLIC")
    with closing(open_store(role)) as store, pytest.raises(DatabaseError) as caught:
        store.exams()
    said, grant = str(caught.value).split(" Ask for CONNECT on it: ")
    assert said.endswith("does not let this user connect.")
    execute(filled_dsn, grant)
    with closing(open_store(role)) as store, pytest.raises(DatabaseError, match="denied for table"):
        store.exams()


def test_a_role_that_may_only_read_loads_and_cannot_save(
    role: str, filled_dsn: str, postgres_server: Server
) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    before = item_rows(filled_dsn)
    with closing(open_store(role, read_only=True)) as reader:
        assert len(reader.load_pool("E")) == 3
    with closing(open_store(role)) as store:
        pool = store.load_pool("E")
        assert [finding.sentence for finding in store.check()] == [
            (
                "This user may not save. Ask for INSERT, UPDATE on item_exposure_control:"
                f" GRANT INSERT, UPDATE ON item_exposure_control TO {user};"
            ),
            (
                "Runs are not recorded: its ledger may not be written; ask for INSERT on shsim_run,"
                f" shsim_run_item (GRANT INSERT ON shsim_run, shsim_run_item TO {user};)."
            ),
        ]
        with pytest.raises(DatabaseError, match="Ask for INSERT, UPDATE on item_exposure_con"):
            store.save_k(pool, K)
    assert item_rows(filled_dsn) == before


def test_a_role_needs_to_write_k_and_to_add_to_the_ledger(role: str, filled_dsn: str) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    execute(filled_dsn, f"GRANT INSERT, UPDATE ON item_exposure_control TO {user}")
    with closing(open_store(role)) as store:
        (finding,) = store.check()
        assert not finding.blocking
        assert "may not be written; ask for INSERT on shsim_run" in finding.sentence
        execute(filled_dsn, f"GRANT INSERT ON shsim_run, shsim_run_item TO {user}")
        assert store.check() == []
        assert store.save_k(store.load_pool("E"), K, record=record()) == SaveOutcome(3, 0, 1)
        run = store.ledger.run(1)
        assert run is not None
        assert run.database_user == user
        assert store.restore_k(run, record=record(command="rollback")) == SaveOutcome(3, 0, 2)
        store.restore_k(run, force=True)
        store.save_k(store.load_pool("E"), K)
    assert query(filled_dsn, ALL_K) == SAVED


@pytest.mark.parametrize(
    ("taken", "asked"),
    [
        (
            "EXECUTE ON FUNCTION pg_try_advisory_lock(bigint)",
            "EXECUTE on function pg_try_advisory_lock",
        ),
        ("SELECT ON pg_stat_activity", "SELECT on pg_stat_activity"),
    ],
)
def test_what_everybody_may_as_a_rule_is_named_where_it_was_taken(
    role: str, filled_dsn: str, taken: str, asked: str
) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {user}")
    execute(filled_dsn, f"REVOKE {taken} FROM PUBLIC")
    with (
        closing(open_store(role)) as store,
        pytest.raises(DatabaseError, match=rf"Ask for {asked}, or"),
        store.exam_lock("E"),
    ):
        pass


def test_rows_that_a_policy_hides_are_no_race(
    role: str, filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    execute(filled_dsn, f"GRANT INSERT, UPDATE ON item_exposure_control TO {user}")
    execute(filled_dsn, "ALTER TABLE item_exposure_control ENABLE ROW LEVEL SECURITY")
    execute(
        filled_dsn,
        "CREATE POLICY ours ON item_exposure_control USING (question_id > 11) WITH CHECK (true)",
    )
    before = item_rows(filled_dsn)
    monkeypatch.setattr("shsim.storage.postgres_session._RACES", 0)
    with (
        closing(open_store(role)) as store,
        pytest.raises(DatabaseError, match="row-level security is active there"),
    ):
        store.save_k(store.load_pool("E"), K)
    assert item_rows(filled_dsn) == before


def test_a_privilege_on_a_view_in_a_table_s_place_is_named(role: str, filled_dsn: str) -> None:
    user = parse_dsn(role)["user"]
    execute(filled_dsn, "ALTER TABLE item_exposure_control RENAME TO every_k")
    execute(filled_dsn, "CREATE VIEW item_exposure_control AS SELECT * FROM every_k")
    execute(
        filled_dsn,
        "GRANT SELECT ON question_publications, question_versions, item_calibration"
        f" TO {user}; GRANT INSERT, UPDATE ON item_exposure_control TO {user}",
    )
    with (
        closing(open_store(role)) as store,
        pytest.raises(DatabaseError, match="Ask for SELECT on item_exposure_control, or"),
    ):
        store.load_pool("E")


def test_rows_that_a_view_leaves_out_are_no_race(
    filled_postgres: Store, filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(filled_dsn, "ALTER TABLE item_exposure_control RENAME TO every_k")
    execute(
        filled_dsn,
        "CREATE VIEW item_exposure_control AS SELECT * FROM every_k WHERE question_id > 11",
    )
    monkeypatch.setattr("shsim.storage.postgres_session._RACES", 0)
    before = item_rows(filled_dsn)
    with pytest.raises(DatabaseError, match="it is a view that leaves rows out"):
        filled_postgres.save_k(filled_postgres.load_pool("E"), K)
    assert item_rows(filled_dsn) == before


def test_check_names_tables_that_may_not_be_read(role: str) -> None:
    with closing(open_store(role)) as store:
        sentences = [finding.sentence for finding in store.check()]
    reading = "question_publications, question_versions, item_calibration"
    user = parse_dsn(role)["user"]
    asked = f"This user may not save. Ask for SELECT on {reading}: GRANT SELECT ON {reading} TO"
    assert sentences[0] == f"{asked} {user};"
    asked = "Ask for SELECT on user_responses: GRANT SELECT ON user_responses TO"
    assert f"Table user_responses may not be read. {asked} {user};" in sentences


@pytest.mark.parametrize(
    ("schema", "path", "hidden"),
    [
        ("Odd, one", 'nowhere, "Odd, one"', True),
        ("plain", "PLAIN", True),
        ("plain", "nowhere", False),
    ],
)
def test_a_schema_out_of_sight_is_told_from_one_that_is_not_searched(
    role: str, filled_dsn: str, schema: str, path: str, *, hidden: bool
) -> None:
    execute(filled_dsn, f'ALTER SCHEMA public RENAME TO "{schema}"')
    user = parse_dsn(role)["user"]
    execute(filled_dsn, f'REVOKE USAGE ON SCHEMA "{schema}" FROM PUBLIC')
    execute(filled_dsn, f"ALTER ROLE {user} SET search_path TO {path}")
    with closing(open_store(role)) as store:
        first = store.check()[0].sentence
        with pytest.raises(DatabaseError) as caught:
            store.ledger.history("E", 1)
    named = f'"{schema}"' if " " in schema else schema
    asked = f"sk for USAGE on schema {named}"
    assert (asked in first, asked in str(caught.value)) == (hidden, hidden)
    assert (f"GRANT USAGE ON SCHEMA {named} TO {user};" in first) == hidden
    assert ("is missing" in first, "keeps no ledger" in str(caught.value)) != (hidden, hidden)


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

"""Databases in another encoding than UTF-8: names that they cannot hold, bytes that are no text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pytest
from postgres_server import Server
from storage.databases import execute, pool_of, query
from storage.records import record

from shsim.errors import NotFoundError
from shsim.model.run_record import UnreadableRun
from shsim.storage.base import Store
from shsim.storage.open import open_store

K = np.array([0.1, 0.2, 0.3])
KANJI = "\u6570\u5b66"
ACCENTED = "M\u00c4TH"
EVERY = f"{ACCENTED} {KANJI} \U0001f600"


def filled_in(server: Server, encoding: str) -> Iterator[tuple[Store, str]]:
    dsn = server.create_database(f"template0 ENCODING '{encoding}' LOCALE 'C'")
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        yield store, dsn
    server.drop_database(dsn)


@pytest.fixture
def latin(postgres_server: Server) -> Iterator[tuple[Store, str]]:
    """Exam E in a database of Latin letters alone."""
    yield from filled_in(postgres_server, "LATIN1")


@pytest.fixture
def unchecked(postgres_server: Server) -> Iterator[tuple[Store, str]]:
    """Exam E in a database that takes any bytes."""
    yield from filled_in(postgres_server, "SQL_ASCII")


ASKED: dict[str, Callable[[Store], object]] = {
    "pool": lambda store: store.load_pool(KANJI),
    "import": lambda store: store.import_pool(pool_of(KANJI)),
    "plan": lambda store: store.plan_import(pool_of(KANJI)),
    "history": lambda store: store.ledger.history(KANJI, 5),
    "audit": lambda store: store.live_counts(
        KANJI, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("asked", ASKED)
def test_an_exam_that_cannot_be_there_is_unknown(latin: tuple[Store, str], asked: str) -> None:
    with pytest.raises(NotFoundError, match=r"no such exam: .*LATIN1.*Correct --exam"):
        ASKED[asked](latin[0])


@pytest.mark.parametrize(
    ("encoding", "kept"),
    [
        ("LATIN1", f"{ACCENTED} \\u6570\\u5b66 \\U0001f600"),
        ("EUC_JP", f"{ACCENTED} {KANJI} \\U0001f600"),
        ("SQL_ASCII", EVERY),
        ("UTF8", EVERY),
    ],
)
def test_a_name_that_does_not_fit_loses_no_save(
    postgres_server: Server, encoding: str, kept: str
) -> None:
    entry = record(os_user=EVERY, host=EVERY, message=EVERY)
    for store, dsn in filled_in(postgres_server, encoding):
        assert store.save_k(store.load_pool("E"), K, record=entry).run == 1
        run = store.ledger.run(1)
        assert run is not None
        assert (run.os_user, run.host, run.message) == (kept,) * 3
        assert query(dsn, "SELECT count(*) FROM shsim_run_item") == [(3,)]


def test_a_name_that_is_no_text_loses_no_save(filled: Store) -> None:
    entry = record(os_user="anna\udcff")  # as Python has LOGNAME with a byte ff
    assert filled.save_k(filled.load_pool("E"), K, record=entry).run == 1
    run = filled.ledger.run(1)
    assert run is not None
    assert run.os_user == "anna\\udcff"


def test_an_exam_in_the_database_s_own_letters_is_served(latin: tuple[Store, str]) -> None:
    store, _ = latin
    store.import_pool(pool_of(ACCENTED))
    assert store.save_k(store.load_pool(ACCENTED), K, record=record(exam=ACCENTED)).run == 1
    runs, count = store.ledger.history(ACCENTED, 5)
    assert (len(runs), count) == (1, 1)


def test_another_exam_whose_code_is_no_text_is_in_nobody_s_way(
    unchecked: tuple[Store, str],
) -> None:
    store, dsn = unchecked
    store.import_pool(pool_of("F"))
    execute(dsn, "UPDATE question_publications SET exam_code = E'M\\xc4TH' WHERE exam_code = 'F'")
    assert store.shared_exams("E") == {"M\\xc4TH": 3}
    store.save_k(store.load_pool("E"), K, record=record(exam=f"E {KANJI}"))
    assert [run.exam for run in store.ledger.history(None, 5)[0]] == [f"E {KANJI}"]
    with pytest.raises(NotFoundError, match=r"The exams there are: E, M\\xc4TH\."):
        store.load_pool("G")
    shared, odd = (finding.sentence for finding in store.check() if "xc4TH" in finding.sentence)
    assert "E and M\\xc4TH share 3 items" in shared
    assert "is not written in UTF-8. Correct it there." in odd


def test_bytes_that_are_no_text_in_the_ledger_leave_the_other_runs(
    unchecked: tuple[Store, str],
) -> None:
    store, dsn = unchecked
    pool = store.load_pool("E")
    for k in (K, K / 2):
        store.save_k(pool, k, force=True, record=record())
    execute(dsn, "UPDATE shsim_run SET host = E'\\xe9', settings = E'\\xe9' WHERE id = 1")
    second, first = store.ledger.history(None, 5)[0]
    assert second.run == 2
    assert isinstance(first, UnreadableRun)
    assert "settings in shsim_run is not what was written there" in first.message

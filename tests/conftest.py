"""What the whole suite shares: one PostgreSQL server, and a fresh database a test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Server, running_server
from psycopg2.extensions import parse_dsn

from shsim.storage.base import Store
from shsim.storage.open import open_store


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> None:
    """What a suite that runs in the background was told to ignore, its programs would too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running PostgreSQL; where there is none, every test that asks for it fails."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def _templates(postgres_server: Server) -> Iterator[dict[str, str]]:
    """Databases to copy fresh ones from, by what stands in them."""
    made: dict[str, str] = {}
    for content in ("empty", "tables", "demo"):
        dsn = postgres_server.create_database()
        store = open_store(dsn)
        if content != "empty":
            store.create_tables()
        if content == "demo":
            store.add_demo()
        store.close()
        made[content] = dsn
    yield made
    for dsn in made.values():
        postgres_server.drop_database(dsn)


def _copy(server: Server, template: str) -> Iterator[str]:
    dsn = server.create_database(parse_dsn(template)["dbname"])
    yield dsn
    server.drop_database(dsn)


@pytest.fixture
def postgres_empty_dsn(postgres_server: Server, _templates: dict[str, str]) -> Iterator[str]:
    """A PostgreSQL database with nothing in it."""
    yield from _copy(postgres_server, _templates["empty"])


@pytest.fixture
def postgres_dsn(postgres_server: Server, _templates: dict[str, str]) -> Iterator[str]:
    """A PostgreSQL database with empty QBank tables."""
    yield from _copy(postgres_server, _templates["tables"])


@pytest.fixture
def postgres_demo_dsn(postgres_server: Server, _templates: dict[str, str]) -> Iterator[str]:
    """A PostgreSQL database with DEMO-EXAM in it."""
    yield from _copy(postgres_server, _templates["demo"])


@pytest.fixture(params=["sqlite", "postgresql"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with empty QBank tables, of either kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_dsn"))
    spelling = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    store = open_store(spelling)
    store.create_tables()
    store.close()
    return spelling


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    """An open store on `dsn`."""
    opened = open_store(dsn)
    yield opened
    opened.close()

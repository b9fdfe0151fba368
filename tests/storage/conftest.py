"""A filled PostgreSQL database, and a role that may do little in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from postgres_server import Server
from psycopg2.extensions import make_dsn
from storage.databases import PASSWORD, execute, pool_of

from shsim.storage.base import Store
from shsim.storage.open import open_store


@pytest.fixture
def filled_dsn(postgres_dsn: str) -> str:
    """Exam E with three items."""
    with closing(open_store(postgres_dsn)) as store:
        store.import_pool(pool_of("E"))
    return postgres_dsn


@pytest.fixture
def filled_postgres(filled_dsn: str) -> Iterator[Store]:
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


@pytest.fixture
def filled(store: Store) -> Store:
    """Exam E with the three items of POOL."""
    store.import_pool(pool_of("E"))
    return store

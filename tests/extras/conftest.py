"""Real servers: ours, as a process, with somebody who asks it; and a Redis."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from extras.served import SECRET, Served, serving
from redis_server import RedisServer, running_redis

from shsim.storage.embedded import make_embedded
from shsim.workflow.warm_up import warm_up

Start = Callable[..., Served]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, and a data folder of the test's own."""
    for name in os.environ:
        if name.startswith(("SHSIM_", "PG")) and name not in {"SHSIM_CACHE_DIR", "SHSIM_TEST_DSN"}:
            monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SHSIM_JWT_SECRET", SECRET)


@pytest.fixture(scope="session")
def compiled() -> None:
    """The kernels stand in the cache: else every server of the tests would compile them."""
    warm_up(threading.Event())


@pytest.fixture
def start(compiled: None) -> Iterator[Start]:
    """Starts servers, which end with the test."""
    with ExitStack() as stack:
        yield lambda *options, **settings: stack.enter_context(serving(*options, **settings))


@pytest.fixture(scope="session")
def served(compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for tests that need none of their own, with DEMO-EXAM in SQLite."""
    file = tmp_path_factory.mktemp("served") / "demo.sqlite"
    make_embedded(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHSIM_JWT_SECRET", SECRET)
        with serving("--dsn", f"sqlite:///{file}", "--most-bytes", "10000") as server:
            yield server


@pytest.fixture
def sqlite_demo_dsn(tmp_path: Path) -> str:
    """A SQLite file with DEMO-EXAM in it."""
    make_embedded(tmp_path / "demo.sqlite")
    return f"sqlite:///{tmp_path / 'demo.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def demo_dsn(request: pytest.FixtureRequest) -> str:
    """DEMO-EXAM in a database of either kind."""
    kind = "postgres" if request.param == "postgresql" else "sqlite"
    return str(request.getfixturevalue(f"{kind}_demo_dsn"))


@pytest.fixture(scope="module")
def _redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_server(_redis: RedisServer) -> RedisServer:
    """A running Redis with nothing in it."""
    _redis.client().flushall()
    return _redis

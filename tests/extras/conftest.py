"""Real servers: ours, as a process, with somebody who asks it; and a Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from extras.browser import Browser, browsing
from extras.served import SECRET, Served, serving
from front_door import own_surroundings
from postgres_server import Server
from psycopg2.extensions import parse_dsn
from redis_server import RedisServer, running_redis

from shsim.extras.admin_api.jobs import ENDINGS
from shsim.extras.admin_api.paths import PREFIX
from shsim.storage.embedded import make_embedded
from shsim.workflow.warm_up import warm_up

CALIBRATIONS = f"{PREFIX}/calibrations"

Start = Callable[..., Served]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, and a data folder of the test's own."""
    own_surroundings(monkeypatch, tmp_path)
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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real one, without a window; where there is none, tests that ask for it are skipped."""
    with browsing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="session")
def paged(postgres_server: Server, _templates: dict[str, str]) -> Iterator[Served]:
    """A server on PostgreSQL for tests that look at the page; any of them may write to it."""
    dsn = postgres_server.create_database(parse_dsn(_templates["demo"])["dbname"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHSIM_JWT_SECRET", SECRET)
        with serving("--dsn", dsn, ready=True) as server:
            server.dsn = dsn
            yield server
    postgres_server.drop_database(dsn)


@pytest.fixture
def page(browser: Browser, paged: Served) -> Iterator[Browser]:
    """The browser, which must have nothing to complain of and ask nobody but the server."""
    browser.complaints(), browser.requests()  # those of whoever had it before
    yield browser
    with paged.ask() as admin:
        for one in admin.get(CALIBRATIONS).json():
            if one["state"] not in ENDINGS:
                admin.delete(f"{CALIBRATIONS}/{one['id']}")
    assert browser.complaints() == []
    asked = [url for url in browser.requests() if not url.startswith(("data:", "about:"))]
    assert {url[: len(paged.url) + 1] for url in asked} == {f"{paged.url}/"}

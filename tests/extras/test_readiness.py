"""Readers and `/ready` while the database hangs or is slow to fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from extras.test_board import SETTINGS, Lines

from shsim.errors import DatabaseError, NotFoundError
from shsim.extras.admin_api import health, stores
from shsim.extras.admin_api.health import Readiness
from shsim.extras.admin_api.kernels import WarmKernels
from shsim.extras.admin_api.metrics import Metrics
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.stores import StorePool


def test_ready_answers_while_the_database_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_ANSWER", 0.1)
    monkeypatch.setattr(health, "_FRESH", 0.0)
    lines = Lines()
    services = Services(
        settings=SETTINGS, stores=StorePool(SETTINGS.dsn), metrics=Metrics(), log=lines
    )
    readiness = Readiness(services, WarmKernels(lines))
    looks, goes_on = [], threading.Event()

    class Hanging:
        def require_tables(self) -> None:
            looks.append(self)
            assert goes_on.wait(30)
            raise DatabaseError("it was hanging")

    @contextmanager
    def reading() -> Iterator[Any]:
        yield Hanging()

    monkeypatch.setattr(readiness._stores, "reading", reading)

    async def ask() -> list[str]:
        told = [(await readiness.look())[0]["database"] for _ in range(3)]
        assert len(looks) == 1  # whoever asks meanwhile begins no second look
        goes_on.set()
        while (last := (await readiness.look())[0]["database"]) in told:
            await anyio.sleep(0.01)
        return [*told, last]

    told = anyio.run(ask)
    assert set(told[:3]) == {"It does not answer within 3 seconds."}
    assert told[3].startswith("It is out of reach")
    assert lines[0] == ("warning", "readiness", "not ready: it was hanging")


def test_a_failure_that_took_long_is_not_waited_for_by_everybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stores, "_LONG", 0.0)
    opened = []

    class Store:
        def close(self) -> None:
            """Nothing is open."""

    def open_store(*_words: Any, **_settings: Any) -> Any:
        opened.append(Store())
        return opened[-1]

    monkeypatch.setattr(stores, "open_store", open_store)
    pool = StorePool(SETTINGS.dsn)

    def read(fault: Exception | None) -> None:
        with pool.reading():
            if fault is not None:
                raise fault

    with pytest.raises(NotFoundError):
        read(NotFoundError("no such item"))  # an answer, and the store is kept
    with pytest.raises(DatabaseError, match="hangs"):
        read(DatabaseError("it hangs"))
    with pytest.raises(DatabaseError, match="it hangs"):
        read(None)
    assert len(opened) == 1
    while len(opened) == 1:
        try:
            read(None)
        except DatabaseError:
            threading.Event().wait(0.05)
    read(None)
    assert len(opened) == 2

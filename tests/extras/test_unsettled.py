"""A change on its way when the database or the server goes: nobody says that it did not stand."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import anyio
import httpx
import pytest
from extras.served import SECRET, bearing, token
from extras.test_board import SETTINGS, Lines
from storage.cutting_proxy import CuttingProxy, cutting_proxy
from storage.databases import query

from shsim.extras.admin_api.app import create_app
from shsim.extras.admin_api.keys import secret_key
from shsim.extras.admin_api.metrics import Metrics
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.settings import ServerSettings
from shsim.extras.admin_api.stores import StorePool
from shsim.extras.admin_api.traffic import Traffic
from shsim.storage import postgres_save, postgres_session
from shsim.storage.open import open_store

SET = f"{PREFIX}/set"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "BACKOFF", (0.01,))


async def ask(app: Any, method: str, body: Any = None) -> httpx.Response:
    """The answer of an application in this process."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, SET, json=body, headers=bearing(token()))


def cut_at_the_save(monkeypatch: pytest.MonkeyPatch, proxy: CuttingProxy) -> None:
    """The database has the COMMIT of the save, and is never heard of again."""

    def last_check(*_: object) -> None:
        proxy.cuts, proxy.lose_answer = 99, True

    monkeypatch.setattr(postgres_save, "refuse_unsaved", last_check)


def test_a_change_that_may_stand_is_not_said_to_be_none(
    postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    (item,) = query(
        postgres_demo_dsn, "SELECT question_id, live_version FROM question_publications LIMIT 1"
    )
    lines = Lines()
    with cutting_proxy(postgres_demo_dsn) as (proxy, through):
        settings = ServerSettings(dsn=through, port=0, keys=secret_key(SECRET, "SECRET"))
        app = create_app(settings, lines)
        cut_at_the_save(monkeypatch, proxy)
        body = {"question_id": item[0], "version": item[1], "sh_p": 0.123}
        answer = anyio.run(ask, app, "POST", body)
    assert answer.status_code == 503
    assert "all of it stands, or nothing" in answer.json()["detail"]
    assert f"GET {PREFIX}/runs" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers
    assert any("while it was saving" in message for _, event, message in lines)
    with closing(open_store(postgres_demo_dsn)) as store:
        (stands,) = [run for run in store.ledger.history(None, 9)[0] if run.outcome == "saved"]
    assert stands.command == "set"


@pytest.mark.parametrize(("method", "may_stand"), [("GET", False), ("POST", True)])
def test_what_the_server_does_not_wait_for_is_answered(method: str, *, may_stand: bool) -> None:
    lines = Lines()
    services = Services(
        settings=SETTINGS, stores=StorePool(SETTINGS.dsn), metrics=Metrics(), log=lines
    )

    async def cancelled() -> httpx.Response:
        begun = asyncio.Event()

        async def hanging(*_: Any) -> None:
            begun.set()
            await asyncio.Event().wait()

        asked = asyncio.create_task(ask(Traffic(hanging, services), method))
        await begun.wait()
        asked.cancel()  # as uvicorn does after its patience
        return await asked

    answer = anyio.run(cancelled)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("The server is stopping, and this had not ended.")
    assert ("all of it stands, or nothing" in answer.json()["detail"]) is may_stand
    assert [event for _, event, _ in lines] == ["request"]

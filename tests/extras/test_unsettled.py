"""A change whose COMMIT is on its way when the database goes: nobody says that it did not stand."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import anyio
import httpx
import pytest
from extras.served import SECRET, bearing, token
from extras.test_board import Lines
from storage.cutting_proxy import CuttingProxy, cutting_proxy
from storage.databases import query

from shsim.extras.admin_api.app import create_app
from shsim.extras.admin_api.keys import secret_key
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.settings import ServerSettings
from shsim.storage import postgres_save, postgres_session
from shsim.storage.open import open_store

SET = f"{PREFIX}/set"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "BACKOFF", (0.01,))


async def ask(app: Any, path: str, body: Any) -> httpx.Response:
    """The answer of an application in this process."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.post(path, json=body, headers=bearing(token()))


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
        answer = anyio.run(ask, app, SET, body)
    assert answer.status_code == 503
    assert "all of it stands, or nothing" in answer.json()["detail"]
    assert f"GET {PREFIX}/runs" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers
    assert any("while it was saving" in message for _, event, message in lines)
    with closing(open_store(postgres_demo_dsn)) as store:
        (stands,) = [run for run in store.ledger.history(None, 9)[0] if run.outcome == "saved"]
    assert stands.command == "set"

"""Items and their k over HTTP, on both databases."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from extras.conftest import Start
from extras.served import Served
from front_door import command
from live_tests import respond
from storage.databases import query

from shsim.storage.open import open_store

PREFIX = "/v1/admin/exposure"

#: The first item of DEMO-EXAM.
FIRST = 900_001


def test_items_and_pages(start: Start, demo_dsn: str) -> None:
    with start("--dsn", demo_dsn).ask("viewer") as viewer:
        assert viewer.get(f"{PREFIX}/exams").json() == [{"exam_code": "DEMO-EXAM", "items": 480}]
        first = viewer.get(f"{PREFIX}/items")
        items = first.json()
        assert (first.status_code, len(items)) == (200, 100)
        assert set(items[0]) == {"question_id", "version", "topic_id", "sh_p", "recent_attempts"}
        attempts = [each["recent_attempts"] for each in items]
        assert attempts == sorted(attempts, reverse=True)
        assert attempts[0] > 0
        assert first.headers["x-total-count"] == "480"
        followed = first
        while "next" in followed.links:
            followed = viewer.get(followed.links["next"]["url"])
            items += followed.json()
        assert len({(each["question_id"], each["version"]) for each in items}) == 480
        last = (items[-1]["question_id"], items[-1]["version"])
        respond(demo_dsn, {last: 30_000})
        (first,) = viewer.get(f"{PREFIX}/items", params={"limit": 1, "exam": "DEMO-EXAM"}).json()
        assert (first["question_id"], first["version"]) == last
        assert first["recent_attempts"] == items[-1]["recent_attempts"] + 30_000


@pytest.mark.parametrize(
    ("parameters", "status", "pointer"),
    [
        ({"limit": 0}, 422, "query/limit"),
        ({"limit": "many"}, 422, "query/limit"),
        ({"limit": 10**6}, 422, "query/limit"),
        ({"offset": -1}, 422, "query/offset"),
        ({"exam": ""}, 422, "query/exam"),
        ({"exam": "NO-EXAM"}, 404, None),
        ({"exam": "\0"}, 422, "query/exam"),
        ({"limt": 1}, 422, "query/limt"),
    ],
)
def test_items_that_are_not_to_be_had(
    served: Served, parameters: dict[str, Any], status: int, pointer: str | None
) -> None:
    with served.ask("viewer") as viewer:
        answer = viewer.get(f"{PREFIX}/items", params=parameters)
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["pointer"] for each in said.get("errors", [])] == ([pointer] if pointer else [])
    assert ("Did you mean limit?" in said["detail"]) is ("limt" in parameters)
    assert "sqlite" not in answer.text


def test_setting_one_k_and_rolling_it_back(start: Start, demo_dsn: str) -> None:
    (item,) = query(demo_dsn, "SELECT min(question_id), 1 FROM question_publications")
    before = query(demo_dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")
    body = {"question_id": item[0], "version": item[1], "sh_p": 0.125}
    served = start("--dsn", demo_dsn)
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/set", json=body)
        assert answer.json() == {"ok": True, **body, "changed": True, "run": 1, "warning": None}
        stands = admin.get(f"{PREFIX}/in_force", params={"exam": "DEMO-EXAM"}).json()
        assert (stands["made_by"], stands["last_written_by"]["run"]) == (None, 1)
        assert stands["last_written_by"]["ended"] == "saved"
        assert 'shsim_runs_total{command="set",outcome="saved"} 1.0' in admin.get("/metrics").text
    after = query(demo_dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")
    assert dict(after) == {**dict(before), item[0]: 0.125}
    line = served.wait_for("request", path=f"{PREFIX}/set")
    assert (line["method"], line["status"], line["subject"]) == ("POST", 200, "tester")

    def shsim(*words: str) -> str:
        done = subprocess.run(
            command(*words, "--dsn", demo_dsn), capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "by tester (api) on" in shsim("show", "1")
    assert " set " in shsim("history")
    assert shsim("show", "1", "--format", "csv").splitlines()[1].endswith(",0.125")
    shsim("rollback", "1")
    after = query(demo_dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")
    assert dict(after) == {item[0]: 1.0, **dict(before)}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"sh_p": 1.5}, 400),
        ({"sh_p": -1e-9}, 400),
        ({"sh_p": 0}, 200),
        ({"sh_p": True}, 422),
        ({"sh_p": "0.5"}, 422),
        ({"sh_p": None}, 422),
        ({"question_id": float(FIRST)}, 200),
        ({"question_id": FIRST + 0.5}, 422),
        ({"question_id": False}, 422),
        ({"question_id": 2**63}, 422),
        ({"version": 999}, 404),
        ({"question_id": -9 * 10**18}, 404),
        ({"exam": "DEMO-EXAM"}, 422),
    ],
)  # fmt: skip
def test_what_can_be_set(served: Served, changed: dict[str, Any], status: int) -> None:
    with served.ask() as admin:
        body = {"question_id": FIRST, "version": 1, "sh_p": 0.5, **changed}
        answer = admin.post(f"{PREFIX}/set", json=body)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_run_that_has_the_exam_is_in_the_way(start: Start, sqlite_demo_dsn: str) -> None:
    body = {"question_id": FIRST, "version": 1, "sh_p": 0.25}
    served = start("--dsn", sqlite_demo_dsn)
    with served.ask() as admin, closing(open_store(sqlite_demo_dsn)) as store:
        with store.exam_lock("DEMO-EXAM"):
            answer = admin.post(f"{PREFIX}/set", json=body)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("DEMO-EXAM is in use: another run, or change")
        # Which process of which user holds it is nobody's business here.
        assert "process" not in answer.text
        assert admin.post(f"{PREFIX}/set", json=body).status_code == 200


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (None, b"{}", "body: It is read as JSON alone. Send the header Content-Type: application"),
        ("application/x-www-form-urlencoded", b"{}", "Send the header Content-Type: application"),
        ("application/json", b"null", "body: It should be a JSON object."),
        ("Application/JSON; charset=utf-8", b'{"sh_p"', "body: It is no JSON: Expecting ':'"),
        ("application/json", b"[" * 9000, "cannot be read as JSON"),
    ],
)
def test_a_body_that_is_none(served: Served, kind: str | None, content: bytes, said: str) -> None:
    with served.ask() as admin:
        headers = {} if kind is None else {"content-type": kind}
        answer = admin.post(f"{PREFIX}/set", content=content, headers=headers)
    assert (answer.status_code in (400, 422), said in answer.json()["detail"]) == (True, True), (
        answer.text
    )


def test_k_is_written_as_it_is(served: Served) -> None:
    with served.ask() as admin:
        body = {"question_id": FIRST, "version": 1}
        minus = admin.post(f"{PREFIX}/set", json={**body, "sh_p": -0.0})
        over = admin.post(f"{PREFIX}/set", json={**body, "sh_p": 1 + 2**-52})
    assert '"sh_p":0.0,' in minus.text
    assert over.json()["detail"] == "sh_p = 1.0000000000000002 is outside [0, 1]."


def test_changes_at_once_wait_for_one_another(start: Start, demo_dsn: str) -> None:
    served = start("--dsn", demo_dsn)

    def change(number: int) -> int:
        body = {"question_id": FIRST + number, "version": 1, "sh_p": 0.25}
        with served.ask() as admin:
            return admin.post(f"{PREFIX}/set", json=body).status_code

    with ThreadPoolExecutor(6) as several:
        assert set(several.map(change, range(6))) == {200}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN"])
def test_what_is_beyond_all_numbers_is_outside_too(served: Served, number: str) -> None:
    with served.ask() as admin:
        answer = admin.post(
            f"{PREFIX}/set",
            content=f'{{"question_id": {FIRST}, "version": 1, "sh_p": {number}}}',
            headers={"content-type": "application/json"},
        )
    assert answer.status_code == 400

"""What whoever watches the server sees: alive, ready, figures, log lines, and its end."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from extras.conftest import Start
from extras.served import PATIENCE, Served, bearing, token
from postgres_server import own_server
from storage.databases import execute, query

from shsim.storage.open import open_store

ITEMS = "/v1/admin/exposure/items"

#: What no server of this version is ready for, and its undoing.
SPOILED = (
    (
        "ALTER TABLE question_versions RENAME TO away",
        "ALTER TABLE away RENAME TO question_versions",
    ),
    (
        "INSERT INTO shsim_schema (version) VALUES (99)",
        "DELETE FROM shsim_schema WHERE version = 99",
    ),
)


def wait_until(true: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def until(client: httpx.Client, path: str, status: int) -> httpx.Response:
    """Ask until the answer has that status."""
    deadline = time.monotonic() + PATIENCE
    while (answer := client.get(path)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


def test_ready_once_the_kernels_are(start: Start, sqlite_demo_dsn: str) -> None:
    served = start("--dsn", sqlite_demo_dsn)
    with served.ask(None) as anybody:
        answer = until(anybody, "/ready", 200)
        assert answer.json()["status"] == "ready"
        assert answer.json()["recording"] is True
    assert served.wait_for("kernels")["level"] == "info"


def test_a_database_that_stops_and_comes_back(start: Start) -> None:
    with own_server() as postgres:
        dsn = postgres.create_database()
        store = open_store(dsn)
        store.create_tables()
        store.add_demo()
        store.close()
        served = start("--dsn", dsn, ready=True)
        with served.ask("viewer") as viewer:
            until(viewer, "/ready", 200)
            for spoil, mend in SPOILED:
                execute(dsn, spoil)
                lacking = until(viewer, "/ready", 503).json()["errors"]
                assert [each["pointer"] for each in lacking] == ["database"]
                execute(dsn, mend)
                until(viewer, "/ready", 200)
            assert len(viewer.get(ITEMS).json()) == 100
            postgres.stop()
            until(viewer, "/ready", 503)
            answer = viewer.get(ITEMS)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "5"
            said = answer.json()
            assert "out of reach" in said["detail"]
            # Who, where and why is for the log, which has the same number.
            assert "host=" not in answer.text
            assert "shsim_test" not in answer.text
            logged = served.wait_for("incident", incident=said["incident"])
            assert "does not answer" in logged["message"]
            assert viewer.get("/health").status_code == 200
            body = {"question_id": 900_001, "version": 1, "sh_p": 0.5}
            with served.ask() as admin:
                assert admin.post("/v1/admin/exposure/set", json=body).status_code == 503
            postgres.start()
            until(viewer, "/ready", 200)
            assert len(viewer.get(ITEMS).json()) == 100
        assert served.wait_for("readiness", level="warning")


def test_many_readers_share_few_connections(start: Start, postgres_demo_dsn: str) -> None:
    served = start("--dsn", postgres_demo_dsn)
    answers: list[int] = []
    begin = threading.Barrier(24)

    def read() -> None:
        with served.ask("viewer") as viewer:
            begin.wait()
            answers.extend(viewer.get(ITEMS).status_code for _ in range(3))

    readers = [threading.Thread(target=read) for _ in range(24)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert answers == [200] * 72
    ((count,),) = query(
        postgres_demo_dsn,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shsim-api'"
        " AND datname = current_database()",
    )
    assert 1 <= count <= 4


def test_headers_of_safety_on_every_answer(served: Served) -> None:
    for path in ("/health", "/v1/nothing", "/openapi.json"):
        headers = httpx.get(served.url + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/admin/exposure/nothing", 404),
        ("GET", "/v1/admin/exposure/items/", 404),
        ("DELETE", "/v1/admin/exposure/items", 405),
        ("GET", "/v1/admin/exposure/set", 405),
        ("POST", "/health", 405),
    ],
)
def test_what_is_not_there(served: Served, method: str, path: str, status: int) -> None:
    with served.ask() as admin:
        answer = admin.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    if status == 405:
        assert method not in answer.headers["allow"]


def test_a_body_that_is_too_long(served: Served) -> None:
    def chunks() -> Any:
        for _ in range(30):
            yield b" " * 1000

    with served.ask() as admin:
        path = "/v1/admin/exposure/set"
        announced = admin.post(path, content=b" " * 30_000)
        assert (announced.status_code, announced.json()["status"]) == (413, 413)
        unannounced = admin.post(
            path, content=chunks(), headers={"content-type": "application/json"}
        )
        assert (unannounced.status_code, unannounced.json()["status"]) == (413, 413)
        assert admin.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[1]", "application/json"),
        (b"a=1", "application/x-www-form-urlencoded"),
        (b"{}", "text/plain"),
        (b"[" * 9_000, "application/json"),
    ],
)
def test_a_body_that_is_no_object(served: Served, content: bytes, type_: str) -> None:
    with served.ask() as admin:
        answer = admin.post(
            "/v1/admin/exposure/set", content=content, headers={"content-type": type_}
        )
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_log_names_the_subject_and_no_secret(start: Start, sqlite_demo_dsn: str) -> None:
    served = start("--dsn", sqlite_demo_dsn)
    text = token("viewer", sub="alice\nshsim: a forged line")
    answer = httpx.get(f"{served.url}{ITEMS}?secret=hush", headers=bearing(text))
    assert "hush" not in answer.text
    line = served.wait_for("request", path=ITEMS)
    assert line["status"] == answer.status_code == 422  # it is no parameter of items
    assert line["subject"] == "alice\\nshsim: a forged line"
    assert line["ms"] > 0
    assert line["client"] == "127.0.0.1"
    assert served.stop() == 0
    everything = str(served.lines)
    assert "hush" not in everything
    assert text not in everything
    assert text.split(".")[2] not in everything


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_that_want_no_body(served: Served, path: str) -> None:
    with served.ask(None) as anybody:
        answer = until(anybody, path, 200)
        head = anybody.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


def test_figures(served: Served) -> None:
    with served.ask("viewer") as viewer:
        viewer.get(ITEMS)
        viewer.get("/v1/" + "x" * 50)
        text = viewer.get("/metrics").text
    assert f'shsim_http_requests_total{{method="GET",route="{ITEMS}",status="200"}}' in text
    assert 'route="unmatched",status="404"' in text
    assert "xxx" not in text
    assert f'shsim_http_request_seconds_bucket{{le="0.05",method="GET",route="{ITEMS}"}}' in text
    assert "process_cpu_seconds_total" in text


def test_other_origins_are_shut_out_unless_named(
    served: Served, start: Start, sqlite_demo_dsn: str
) -> None:
    asking = {
        "Origin": "https://qbank.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert (
        "access-control-allow-origin"
        not in httpx.options(served.url + ITEMS, headers=asking).headers
    )
    named = start(
        "--dsn", sqlite_demo_dsn, "--origins", "https://QBank.example:443", "--metrics-open"
    )
    answer = httpx.options(named.url + ITEMS, headers=asking)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://qbank.example"
    other = httpx.options(named.url + ITEMS, headers={**asking, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    # A refusal can be read by the page that it is meant for.
    refused = httpx.get(named.url + ITEMS, headers={"Origin": "https://qbank.example"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://qbank.example"
    assert httpx.get(named.url + "/metrics").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(start: Start, sqlite_demo_dsn: str, number: signal.Signals) -> None:
    served = start("--dsn", sqlite_demo_dsn)
    assert served.stop(number) == 0
    events = [line["event"] for line in served.lines]
    assert events[-2:] == ["stopped", "end"]
    assert not {"error", "incident"} & set(events)


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_what_compiles_for_it_dies_with_it(
    start: Start, sqlite_demo_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHSIM_CACHE_DIR", str(tmp_path / "cache"))
    served = start("--dsn", sqlite_demo_dsn)
    parent = served.process.pid
    children = Path(f"/proc/{parent}/task/")

    def offspring() -> list[int]:
        found = [(task / "children").read_text().split() for task in children.iterdir()]
        return [int(pid) for pids in found for pid in pids]

    wait_until(lambda: bool(offspring()))
    (child,) = offspring()
    served.process.kill()
    wait_until(lambda: not Path(f"/proc/{child}").exists())


def test_it_ends_well_while_it_compiles(
    start: Start, sqlite_demo_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cache it compiles in a thread of its own, which nothing can stop."""
    monkeypatch.setenv("SHSIM_CACHE_DIR", "/proc/nowhere")
    served = start("--dsn", sqlite_demo_dsn)
    assert httpx.get(f"{served.url}/ready").status_code == 503
    assert served.stop() == 0

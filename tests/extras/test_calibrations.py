"""Calibrations over HTTP: started, followed, cancelled; against real servers and databases."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from extras.computing import (
    ENDLESS,
    PREFIX,
    QUICK,
    QUICK_OPTIONS,
    begin,
    events,
    outcome,
    wait_for,
)
from extras.conftest import Start
from extras.served import Served, bearing, token
from front_door import command
from pools import golden_pool
from storage.databases import query

from shsim.storage.open import open_store

pytestmark = pytest.mark.compiled

K = "SELECT question_id, version, sh_p FROM item_exposure_control ORDER BY 1, 2"
LEDGER = "SELECT command, exam, outcome, message, os_user FROM shsim_run ORDER BY id"


def publish(dsn: str, *exams: str) -> None:
    """Further exams, of items that the demo has not."""
    store = open_store(dsn)
    for exam in exams:
        store.import_pool(replace(golden_pool(100), name=exam))
    store.close()


@contextmanager
def saves_held(dsn: str) -> Iterator[None]:
    """Nobody can write a k meanwhile, though everybody can read them."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE item_exposure_control IN EXCLUSIVE MODE")
            yield
    finally:
        connection.close()


def printed(dsn: str, *options: str) -> dict[str, Any]:
    """The JSON that the command line prints."""
    done = subprocess.run(
        command(*options, "--dsn", dsn, "--exam", "DEMO-EXAM", "--format", "json"),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    """A result without what differs from run to run."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    found.pop("seconds")
    for record in found.get("history", []):
        record.pop("seconds")
    return found


def send(served: Served, path: str, body: dict[str, Any]) -> socket.socket:
    """A request whose answer is not waited for."""
    host, port = served.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    text = json.dumps(body)
    authorization = bearing(token())["Authorization"]
    connection.sendall(
        f"POST {PREFIX}/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
    )
    return connection


def test_a_calibration_from_start_to_end(start: Start, demo_dsn: str) -> None:
    expected = printed(demo_dsn, "calibrate", *QUICK_OPTIONS, "--dry-run")
    served = start("--dsn", demo_dsn)
    with served.ask() as admin, served.ask("viewer") as viewer:
        assert admin.get(f"{PREFIX}/calibrations").json() == []
        dry = outcome(viewer, begin(admin, **QUICK, dry_run=True))
        assert (dry["state"], dry["run"], dry["saved"]) == ("done", None, False)
        assert timeless(dry["result"]) == timeless(expected)
        assert dry["result"]["changed"] == 480  # what the save below says
        assert query(demo_dsn, LEDGER) == []
        location = begin(admin, **QUICK)
        told = outcome(viewer, location)
        assert (told["state"], told["run"], told["saved"]) == ("done", 1, True)
        assert told["held"] is told["result"]["verdict"]["held"]
        assert told["stdout"].startswith("The cap of 0.4 is held")
        assert "Saved to the database: 480 k changed" in told["stdout"]
        items = sorted(told["result"]["items"], key=lambda each: each["question_id"])
        saved = [(each["question_id"], each["version"], each["sh_p"]) for each in items]
        assert saved == query(demo_dsn, K)
        assert [each["sh_p"] for each in told["result"]["items"]] == [
            each["sh_p"] for each in expected["items"]
        ]
        assert query(demo_dsn, LEDGER) == [("calibrate", "DEMO-EXAM", "saved", "", "tester (api)")]
        every = list(events(viewer, location))
        names = [name for _, name, _ in every]
        assert (names[0], names[1], names[-2], names[-1]) == ("queued", "running", "saving", "end")
        assert names.count("iteration") == 3
        stages = [data["stage"] for _, name, data in every if name == "stage"]
        assert [each for each in stages if each != "compiling"][:3] == [
            "before", "calibrating", "verifying",
        ]  # fmt: skip
        numbers = [number for number, _, _ in every]
        assert numbers == sorted(set(numbers))
        again = list(events(viewer, location, after=numbers[-3]))
        assert again == every[-2:]
        listed = admin.get(f"{PREFIX}/calibrations").json()
        assert [each["dry_run"] for each in listed] == [False, True]
        late = admin.delete(location)
        assert (late.status_code, late.json()["detail"]) == (
            409, "It is too late: the calibration has ended.",
        )  # fmt: skip
        metrics = viewer.get("/metrics").text
        assert 'shsim_runs_total{command="calibrate",outcome="done"} 2.0' in metrics
    assert served.wait_for("run", run=1)["subject"] == "tester"


def test_cancelled_while_it_runs_and_while_it_waits(start: Start, demo_dsn: str) -> None:
    publish(demo_dsn, "OTHER", "THIRD")
    before = query(demo_dsn, K)
    served = start("--dsn", demo_dsn, "--concurrency", "1", "--queue", "1")
    with served.ask() as admin:
        running = begin(admin, **ENDLESS)
        wait_for(admin, running, "iteration")
        assert admin.get(running).json()["state"] == "running"
        same = admin.post(f"{PREFIX}/calibrations", json={**QUICK, "dry_run": True})
        assert same.status_code == 409
        assert same.json()["calibration"] == running.rsplit("/", 1)[1]
        waiting = begin(admin, **{**QUICK, "exam_code": "OTHER"})
        assert admin.get(waiting).json()["waiting_for"] == 0
        full = admin.post(f"{PREFIX}/calibrations", json={**QUICK, "exam_code": "THIRD"})
        assert (full.status_code, full.headers["retry-after"]) == (503, "10")
        assert 'shsim_jobs{state="queued"} 1.0' in admin.get("/metrics").text
        answer = admin.post(f"{waiting}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
        assert [name for _, name, _ in events(admin, waiting)] == ["queued", "end"]
        assert admin.delete(running).status_code == 202
        ended = outcome(admin, running)
        assert (ended["state"], ended["result"], ended["run"]) == ("cancelled", None, None)
        # The exam is free, and so is its place.
        assert outcome(admin, begin(admin, **QUICK, dry_run=True))["state"] == "done"
    assert query(demo_dsn, K) == before
    assert query(demo_dsn, LEDGER) == [
        ("calibrate", "DEMO-EXAM", "interrupted", "cancelled by tester", "tester (api)")
    ]


def test_two_at_once_of_two_exams_and_too_late_to_cancel(
    start: Start, postgres_demo_dsn: str
) -> None:
    dsn = postgres_demo_dsn
    publish(dsn, "OTHER")
    expected = printed(dsn, "calibrate", *QUICK_OPTIONS, "--dry-run")
    served = start("--dsn", dsn, "--concurrency", "2")
    with served.ask() as admin:
        with saves_held(dsn):
            both = [begin(admin, **{**QUICK, "exam_code": e}) for e in ("DEMO-EXAM", "OTHER")]
            for each in both:
                wait_for(admin, each, "saving")
            for each in both:
                late = admin.delete(each)
                assert late.status_code == 409
                assert "is saving" in late.json()["detail"]
        ended = [outcome(admin, each) for each in both]
    assert [each["state"] for each in ended] == ["done", "done"]
    assert [each["sh_p"] for each in ended[0]["result"]["items"]] == [
        each["sh_p"] for each in expected["items"]
    ]
    assert sorted(row[1:3] for row in query(dsn, LEDGER)) == [
        ("DEMO-EXAM", "saved"), ("OTHER", "saved"),
    ]  # fmt: skip


def test_a_server_that_is_stopped_interrupts_and_records(start: Start, demo_dsn: str) -> None:
    publish(demo_dsn, "OTHER")
    before = query(demo_dsn, K)
    served = start("--dsn", demo_dsn)
    with served.ask() as admin:
        wait_for(admin, begin(admin, **ENDLESS), "iteration")
        begin(admin, **{**QUICK, "exam_code": "OTHER"})
    assert served.stop() == 0
    assert query(demo_dsn, K) == before
    assert query(demo_dsn, LEDGER) == [
        ("calibrate", "DEMO-EXAM", "interrupted", "the server was stopping", "tester (api)")
    ]
    assert [line["event"] for line in served.lines if line["level"] != "info"] == []


def test_calibrate_sh_goes_on_without_its_client(start: Start, postgres_demo_dsn: str) -> None:
    served = start("--dsn", postgres_demo_dsn)
    with served.ask() as admin:
        with saves_held(postgres_demo_dsn):
            client = send(served, "calibrate_sh", QUICK)
            (only,) = _listed(admin)
            location = f"{PREFIX}/calibrations/{only['id']}"
            wait_for(admin, location, "saving")
            client.close()
            served.wait_for("request", path=f"{PREFIX}/calibrate_sh", status=499)
        assert outcome(admin, location)["state"] == "done"
    assert [row[2] for row in query(postgres_demo_dsn, LEDGER)] == ["saved"]


def _listed(admin: Any) -> list[dict[str, Any]]:
    """The calibrations, once there is one: a request without an answer tells of nothing."""
    while not (found := admin.get(f"{PREFIX}/calibrations").json()):
        pass
    listed: list[dict[str, Any]] = found
    return listed


def test_a_simulation_is_cancelled_with_its_client(start: Start, demo_dsn: str) -> None:
    served = start("--dsn", demo_dsn)
    send(served, "simulate", {"exam_code": "DEMO-EXAM", "n": 10**7, "ability": "eap"}).close()
    assert served.wait_for("run", command="simulate")["state"] == "cancelled"


def test_a_pool_that_changes_meanwhile_is_refused(start: Start, postgres_demo_dsn: str) -> None:
    dsn = postgres_demo_dsn
    with start("--dsn", dsn).ask() as admin:
        connection = psycopg2.connect(dsn)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE item_exposure_control IN EXCLUSIVE MODE")
            location = begin(admin, **QUICK)
            wait_for(admin, location, "saving")
            cursor.execute("UPDATE item_calibration SET a = a + 0.1 WHERE question_id = 900001")
        connection.commit()
        connection.close()
        told = outcome(admin, location)
        assert (told["state"], told["problem"]["status"]) == ("refused", 409)
        assert "900001" in told["problem"]["detail"]
        assert "--" not in told["problem"]["detail"]

"""`shsim proposals`, and what `shsim audit` makes of the counters, with a real Redis."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from front_door import SHORT_CALIBRATION, Run
from live_tests import respond
from redis_server import RedisServer, running_redis
from storage.databases import execute, query


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        client = server.client()
        client.mset(
            {
                "proposed:20260130:17:2": 4,
                "proposed:20260131:17:2": 6,
                "proposed:20260131:18:1": 1,
                "proposed:20260201:17:2": 100,
            }
        )
        yield server


@pytest.fixture
def counted(redis_server: RedisServer) -> Sequence[str]:
    return ("--redis", redis_server.url, "--since", "2026-01-30", "--until", "2026-01-31")


def test_as_a_table(here: Run, counted: Sequence[str], redis_server: RedisServer) -> None:
    ended = here("proposals", *counted)
    assert ended.code == 0, ended.err
    assert f"Redis redis://127.0.0.1:{redis_server.port}/0" in ended.err
    lines = ended.out.splitlines()
    assert lines[0].startswith("11 proposals of 2 items were counted from 2026-01-30 to 2026-01-31")
    assert lines[3].split() == ["17/2", "10", "90.9%", "2026-01-30", "2026-01-31"]
    assert max(map(len, lines)) <= 80


def test_as_csv_and_json_and_a_file(here: Run, counted: Sequence[str], tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    ended = here("proposals", *counted, "--format", "json", "--output", str(file), "--quiet")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert (found["total"], found["since"], found["skipped"]) == (11, "2026-01-30", [])
    assert found["items"][0] == {
        "question_id": 17, "version": 2, "proposals": 10, "first_day": "2026-01-30",
        "last_day": "2026-01-31",
    }  # fmt: skip
    assert file.read_text() == here("proposals", *counted, "--format", "csv").out
    daily = here("proposals", *counted, "--daily", "--format", "csv").out
    assert daily.splitlines() == [
        "day,question_id,version,proposals",
        "2026-01-30,17,2,4",
        "2026-01-31,17,2,6",
        "2026-01-31,18,1,1",
    ]


def test_what_is_no_counter_is_named_and_skipped(
    here: Run, counted: Sequence[str], redis_server: RedisServer
) -> None:
    client = redis_server.client()
    bad = {
        "proposed:20260131:1": "5",
        "proposed:20261331:1:1": "5",
        "proposed:20260131:99999999999999999999:1": "5",
        "proposed:20260131:2:1": "many",
        "proposed:20260131:3:1": "-4",
        "proposed:20260131:17:02": "5",
        "proposed:20260131:-0:1": "5",
        "proposed:20260131:\x1b[31m:1": "5",
    }
    client.mset(bad)
    client.rpush("proposed:20260131:4:1", "theirs")
    try:
        ended = here("proposals", *counted)
        assert ended.code == 0
        assert ended.out.startswith("11 proposals of 2 items")
        warned = [line for line in ended.err.splitlines() if "warning: skipped" in line]
        assert len(warned) == 9
        assert "'proposed:20260131:2:1': 'many' is not a count." in ended.err
        assert "'proposed:20260131:4:1': it holds a list, not a count." in ended.err
        assert "\x1b" not in ended.err
    finally:
        client.delete(*bad, "proposed:20260131:4:1")


def test_of_an_exam(
    here: Run, counted: Sequence[str], demo: Sequence[str], redis_server: RedisServer
) -> None:
    items = query(demo[1], "SELECT question_id, live_version FROM question_publications")
    question, version = items[0]
    redis_server.client().set(f"proposed:20260130:{question}:{version}", 3)
    ended = here("proposals", *counted, *demo, "--format", "csv")
    assert ended.code == 0, ended.err
    table = list(csv.DictReader(io.StringIO(ended.out)))
    assert {(int(r["question_id"]), int(r["version"])) for r in table} == set(items)
    found = [tuple(row.values()) for row in table if row["proposals"] != "0"]
    assert found == [(f"{question}", f"{version}", "3", "2026-01-30", "2026-01-30")]
    words = " ".join(here("proposals", *counted, *demo).out.split())
    assert words.startswith("3 proposals of 1 item of DEMO-EXAM were counted")
    assert f"{len(items) - 1:,} were never proposed" in words
    redis_server.client().delete(f"proposed:20260130:{question}:{version}")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "no Redis is named. Set SHSIM_REDIS_URL"),
        (("--redis", "http://h"), 2, "names no Redis"),
        (("--redis", "redis://h", "--since", "x"), 2, "--since 'x' is no day"),
        (("--redis", "redis://h", "--since", "2026-01-31T06:00"), 2, "is no day"),
        (("--redis", "redis://h", "--since", "2026-02-01", "--until", "2026-01-01"), 2, "is after"),
        (("--redis", "redis://h", "--daily"), 2, "--daily is for"),
        (("--redis", "redis://h", "--output", "x.txt"), 2, "must end in .csv or .json"),
        (("--redis", "redis://h", "--exam", "E"), 3, "there is no database yet"),
        (("--redis", "redis://:s3cret@127.0.0.1:1"), 4, "Redis at redis://127.0.0.1:1/0: "),
    ],
)
def test_what_cannot_be_read_is_refused(
    here: Run, options: tuple[str, ...], code: int, said: str
) -> None:
    ended = here("proposals", *options)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "s3cret" not in ended.err


def test_without_the_extra_it_ends_with_6(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    ended = here("proposals", "--redis", "redis://h")
    assert (ended.code, ended.out) == (6, "")
    assert "-m pip install 'redis[hiredis]>=" in ended.err


def test_audit_holds_acceptance_against_k(
    here: Run, demo: Sequence[str], redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here("calibrate", *demo, *SHORT_CALIBRATION).code == 0
    # The k are in force since two days ago, for which there are attempts and proposals.
    then = datetime.now(UTC) - timedelta(days=2)
    execute(demo[1], f"UPDATE shsim_run SET finished = '{then.isoformat()}'")  # noqa: S608
    simulated = here(
        "simulate", *demo, "--len", "10", "--n", "2000", "--seed", "9", "--dry-run", "--format",
        "csv",
    )  # fmt: skip
    table = list(csv.DictReader(io.StringIO(simulated.out)))
    items = [(int(row["question_id"]), int(row["version"])) for row in table]
    seen = np.array([int(row["seen"]) for row in table])
    proposed = np.array([int(row["proposed"]) for row in table])
    whole_day = then + timedelta(days=1)
    execute(demo[1], "DELETE FROM user_responses")
    respond(
        demo[1],
        dict(zip(items, seen.tolist(), strict=True)),
        f"{whole_day:%Y-%m-%d} 12:00:00",
    )
    counts = dict(zip(items, proposed.tolist(), strict=True))
    worst = items[int(np.argmax(proposed * (seen > 100)))]
    counts[worst] *= 3
    client = redis_server.client()
    client.mset({f"proposed:{whole_day:%Y%m%d}:{q}:{v}": n for (q, v), n in counts.items()})
    monkeypatch.setenv("SHSIM_REDIS_URL", redis_server.url)
    ended = here("audit", *demo, "--format", "json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["proposals"]["total"] == sum(counts.values())
    flags = {(r["question_id"], r["version"]): r["flag"] for r in found["items"]}
    assert [item for item, flag in flags.items() if "accepts" in flag] == [worst]
    assert flags[worst].endswith("accepts_less")
    assert found["verdict"]["held"] is True
    words = " ".join(here("audit", *demo).out.split())
    assert f"Live selectors counted {sum(counts.values()):,} proposals" in words
    assert "Acceptance off k by more than a tenth beyond noise: above it 0 items, below 1" in words


def test_audit_goes_on_where_redis_is_down(here: Run, demo: Sequence[str]) -> None:
    here("calibrate", *demo, *SHORT_CALIBRATION)
    ended = here("audit", *demo, "--since", "2026-01-31", "--redis", "redis://:s3cret@127.0.0.1:1")
    assert ended.code == 0
    assert "the audit goes on without live proposals. Redis at redis://127.0.0.1:1/0" in ended.err
    assert "s3cret" not in ended.err

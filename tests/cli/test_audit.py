"""Auditing made-up live tests on both databases, from the front door."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from front_door import QUICK, SHORT_CALIBRATION, Run
from live_tests import drawn, respond
from storage.databases import execute, item_rows, query, seed

from shsim.arrays import FloatArray, IntArray
from shsim.storage.open import open_store
from shsim.workflow.past_runs import rollback
from shsim.workflow.single_item import set_exposure

TESTS = 2000


@dataclass(frozen=True)
class Live:
    """DEMO-EXAM, calibrated by run 1, and what its k give."""

    options: Sequence[str]
    items: Sequence[tuple[int, int]]
    rates: FloatArray

    @property
    def dsn(self) -> str:
        return self.options[1]

    def take(self, counts: IntArray) -> None:
        respond(self.dsn, dict(zip(self.items, counts.tolist(), strict=True)))


@pytest.fixture(params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest, here: Run) -> Live:
    if request.param == "sqlite":
        options = tuple(request.getfixturevalue("demo"))
    else:
        options = ("--dsn", request.getfixturevalue("postgres_demo_dsn"), "--exam", "DEMO-EXAM")
    assert here("calibrate", *options, *SHORT_CALIBRATION).code == 0
    simulated = here(
        "simulate", *options, "--len", "10", "--n", "400000", "--seed", "9", "--dry-run",
        "--format", "csv",
    )  # fmt: skip
    table = rows(simulated.out)
    return Live(
        options,
        [(int(row["question_id"]), int(row["version"])) for row in table],
        np.array([float(row["exposure_rate"]) for row in table]),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def audited(here: Run, live: Live, *extra: str) -> Mapping[str, Any]:
    ended = here("audit", *live.options, *extra, "--format", "json", "--quiet")
    assert ended.code == 0, ended.err
    found: Mapping[str, Any] = json.loads(ended.out)
    return found


def flags(found: Mapping[str, Any]) -> dict[int, str]:
    return {row["question_id"]: row["flag"] for row in found["items"] if row["flag"]}


def test_live_tests_as_predicted_hold_the_cap(here: Run, live: Live, tmp_path: Path) -> None:
    live.take(drawn(live.rates, TESTS))
    before = item_rows(live.dsn), query(live.dsn, "SELECT count(*) FROM shsim_run")
    found = audited(here, live)
    assert found["verdict"]["held"] is True
    assert (found["since_run"], found["made_by"]) == (1, 1)
    assert found["settings"]["length"] == 10
    assert found["tests"] == {
        "n": TESTS, "low": TESTS, "high": TESTS, "attempts": 10 * TESTS, "per_test": 10.0,
        "given": False,
    }  # fmt: skip
    assert flags(found) == {}
    table = here("audit", *live.options, "--require-cap")
    assert table.code == 0, table.err
    assert max(map(len, table.out.splitlines())) <= 80
    words = " ".join(table.out.split())
    assert "The cap of 0.2 is held live: no item is over it beyond noise in 2,000 tests" in words
    assert "The number of tests, 2,000, is an estimate: 20,000 attempts" in words
    assert "with the settings of run 1, which made them" in words
    assert "Drift: none" in words
    file = tmp_path / "live.csv"
    ended = here("audit", *live.options, "--format", "csv", "--output", str(file), "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert file.read_text() == ended.out
    assert ended.out.splitlines()[0] == (
        "question_id,version,topic_id,attempts,live_rate,live_low,live_high,predicted_rate,sh_p,"
        "shared,flag"
    )
    for row in rows(ended.out):
        assert float(row["live_low"]) <= float(row["live_rate"]) <= float(row["live_high"])
    assert before == (item_rows(live.dsn), query(live.dsn, "SELECT count(*) FROM shsim_run"))


def test_drift_is_found_and_named(here: Run, live: Live) -> None:
    counts = drawn(live.rates, TESTS)
    middling = np.flatnonzero((live.rates > 0.05) & (live.rates < 0.07))[:2]
    counts[middling] = counts[middling] * np.array([2, 0])
    live.take(counts)
    found = audited(here, live)
    up, down = (live.items[i][0] for i in middling)
    assert flags(found) == {up: "drift_up", down: "drift_down"}
    assert found["verdict"]["held"] is True
    assert here("audit", *live.options, "--require-cap").code == 0


def test_an_item_over_the_cap_ends_with_5_where_that_is_asked(here: Run, live: Live) -> None:
    counts = drawn(live.rates, TESTS)
    worst = int(np.argmax(live.rates))
    counts[worst] = round(0.3 * TESTS)
    live.take(counts)
    assert flags(audited(here, live)) == {live.items[worst][0]: "over|drift_up"}
    ended = here("audit", *live.options, "--require-cap")
    assert ended.code == 5
    question, version = live.items[worst]
    assert "The cap of 0.2 is not held live: 1 item is over it beyond noise" in ended.err
    assert f"{question}/{version}" in " ".join(ended.out.split())
    assert audited(here, live, "--tau", "0.35")["verdict"]["held"] is True


def test_the_number_of_tests_can_be_given(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, TESTS))
    half = audited(here, live, "--tests", str(TESTS // 2))
    assert half["tests"]["given"] is True
    assert half["verdict"]["held"] is False
    assert half["over"] > 5
    ended = here("audit", *live.options, "--tests", "20")
    assert ended.code == 3
    assert "--tests 20 is fewer than the" in ended.err
    assert audited(here, live, "--len", "20")["tests"]["n"] == TESTS // 2


def test_shared_items_are_named_and_left_out(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, TESTS))
    used = np.argsort(-live.rates)[:7]
    shared = sorted(live.items[i] for i in used)
    seed(live.dsn, "question_publications", [("OTHER", q, v) for q, v in shared])
    seed(live.dsn, "question_publications", [("OTHER", 5, 1)])
    seed(live.dsn, "question_versions", [(5, 1, None, "published")])
    respond(live.dsn, {**dict.fromkeys(shared, 900), (5, 1): 321})
    found = audited(here, live)
    assert found["verdict"]["held"] is True
    assert flags(found) == {}
    assert (found["shared"], found["other_exams_attempts"]) == (7, 321)
    assert found["tests"]["low"] < TESTS < found["tests"]["high"]
    assert abs(found["tests"]["n"] / TESTS - 1) < 0.02
    left = {(row["question_id"], row["version"]) for row in found["items"] if row["shared"]}
    assert left == set(shared)
    assert {row["live_rate"] for row in found["items"] if row["shared"]} == {None}
    words = " ".join(here("audit", *live.options).out.split())
    first = f"{shared[0][0]}/{shared[0][1]}"
    assert f"since other exams publish them too: 7 items ({first}, " in words
    assert "321 attempts were on items that only other exams publish" in words


def test_an_exam_all_of_whose_items_are_shared_is_not_judged(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, 50))
    seed(live.dsn, "question_publications", [("OTHER", q, v) for q, v in live.items])
    ended = here("audit", *live.options, "--require-cap")
    assert ended.code == 3
    assert "other exams share every item" in ended.err
    given = here("audit", *live.options, "--tests", "40")
    assert given.code == 0
    assert "The number of tests, 40, is as given. The prediction" in " ".join(given.out.split())


def test_items_used_unpublished_are_counted_and_named(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, TESTS))
    question = live.items[0][0]
    respond(live.dsn, {(question, 99): 30, (7, 1): 12, (8, 1): 1})
    found = audited(here, live)
    assert flags(found) == {question: "unpublished", 7: "unpublished", 8: "unpublished"}
    assert (found["unpublished"], found["unpublished_attempts"]) == (3, 43)
    assert found["tests"]["n"] == TESTS + 3  # another version of the exam's own was in its tests
    words = " ".join(here("audit", *live.options).out.split())
    assert f"published by no exam: 3 items ({question}/99, 7/1, 8/1); 43 attempts." in words
    listed = rows(here("audit", *live.options, "--format", "csv").out)
    assert [row["flag"] for row in listed[-3:]] == ["unpublished"] * 3
    assert listed[-1]["live_rate"] == ""


def test_without_attempts_nothing_is_judged(here: Run, live: Live) -> None:
    ended = here("audit", *live.options, "--require-cap", "--quiet")
    assert ended.code == 3
    assert "can't be told: there are no attempts to judge" in ended.err
    assert ended.err.count("can't be told") == 1
    assert here("audit", *live.options, "--quiet").code == 0
    assert audited(here, live)["verdict"]["held"] is None
    assert here("audit", *live.options, "--tests", "100").code == 0


def test_attempts_dated_in_the_future_are_left_out(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, 100))
    respond(live.dsn, {live.items[0]: 500}, "2999-01-01 00:00:00")
    found = audited(here, live)
    assert found["tests"]["n"] == 100
    assert found["attempts_after_now"] == 500
    words = " ".join(here("audit", *live.options).out.split())
    assert "500 attempts are dated in the future and were left out." in words


def test_attempts_of_no_moment_are_left_out_and_said(here: Run, demo: Sequence[str]) -> None:
    assert here("calibrate", *demo, *SHORT_CALIBRATION).code == 0
    execute(demo[1], "INSERT INTO user_responses VALUES (900001, 1, 'soon')")
    ended = here("audit", *demo, "--quiet", "--format", "json")
    assert "warning: 1 attempt in user_responses was left out, since its created_at" in ended.err
    assert json.loads(ended.out)["attempts_undated"] == 1


def test_since_a_date_counts_from_then(here: Run, live: Live) -> None:
    ended = here("audit", *live.options, "--since", "2020-01-01T12:00+02:00", "--format", "json")
    assert ended.code == 0
    assert "run 1 changed the k of DEMO-EXAM" in ended.err
    found = json.loads(ended.out)
    assert found["since"] == "2020-01-01T10:00:00+00:00"
    assert found["since_run"] is None
    assert sum(row["attempts"] for row in found["items"]) == 60_000


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--since", "2999-01-01"), 2, "is in the future"),
        (("--since", "yesterday"), 2, "--since 'yesterday' is no date"),
        (("--since", "0001-01-01T00:00+05:00"), 2, "is no date"),
        (("--since", "2026-01-01", "--since-run", "1"), 2, "Give one of them"),
        (("--since-run", "99"), 3, "run 99 is unknown"),
        (("--since-run", "2"), 3, "run 2 (simulate of DEMO-EXAM, done) saved no k"),
        (("--tests", "0"), 2, "--tests"),
        (("--tau", "1.5"), 2, "--tau 1.5"),
        (("--len", "0"), 2, "--len 0 is under 1"),
        (("--len", "500"), 3, "--len 500 is longer than the pool"),
        (("--output", "x.txt"), 2, "must end in .csv or .json"),
        (("--exam", "NONE"), 3, "exam NONE is unknown"),
    ],
)
def test_what_cannot_be_audited_is_refused(
    here: Run, demo: Sequence[str], options: tuple[str, ...], code: int, said: str
) -> None:
    here("calibrate", *demo, *SHORT_CALIBRATION)
    here("simulate", *demo, *QUICK)
    ended = here("audit", *demo, *options)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_without_a_run_the_defaults_predict_and_it_is_said(here: Run, demo: Sequence[str]) -> None:
    ended = here("audit", *demo)
    assert ended.code == 3
    assert "nothing to count from. Say from when: --since" in ended.err
    for table in ("shsim_schema", "shsim_run", "shsim_run_item"):
        ended = here("audit", *demo, "--since", "2020-01-01")
        assert ended.code == 0
        lacks = table != "shsim_schema"  # the tables before it are gone by now
        assert ("no run on record made the k in force of DEMO-EXAM" in ended.err) is not lacks
        told = "which run made the k in force of DEMO-EXAM cannot be told: its ledger lacks"
        assert (told in ended.err) is lacks
        assert "30 items at the true theta, and the cap is 0.2" in ended.err
        words = " ".join(ended.out.split())
        assert "under the k in force, with the default settings." in words
        execute(demo[1], f"DROP TABLE IF EXISTS {table}")


def test_there_is_nothing_to_audit_without_a_database(here: Run) -> None:
    ended = here("audit", "--since", "2020-01-01")
    assert (ended.code, ended.out) == (3, "")
    assert "there is no database yet" in ended.err


def test_k_changed_since_is_warned_of(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, 100))
    here("calibrate", *live.options, *SHORT_CALIBRATION, "--tau", "0.25", "--seed", "2")
    ended = here("audit", *live.options, "--since-run", "1", "--format", "json")
    assert ended.code == 0
    assert "run 2 changed the k of DEMO-EXAM" in ended.err
    assert "--since-run 2 leaves them out" in ended.err
    assert json.loads(ended.out)["settings"]["tau"] == 0.25


def test_a_run_that_ended_in_the_future_is_said_and_no_remedy(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, 100))
    future = "2999-01-01 00:00:00+00:00"
    here("calibrate", *live.options, *SHORT_CALIBRATION, "--tau", "0.25", "--seed", "2")
    execute(live.dsn, f"UPDATE shsim_run SET finished = '{future}' WHERE id = 2")  # noqa: S608
    ended = here("audit", *live.options, "--require-cap", "--quiet")
    assert ended.code == 3
    assert "run 2 ended on 2999-01-01 00:00 UTC, in the future by this clock" in ended.err
    ended = here("audit", *live.options, "--since-run", "1", "--quiet")
    assert "run 2 changed the k of DEMO-EXAM" in ended.err
    assert "leaves them out" not in ended.err


def test_a_rollback_begins_a_window_of_its_own(here: Run, live: Live) -> None:
    here("calibrate", *live.options, *SHORT_CALIBRATION, "--tau", "0.25", "--seed", "2")
    assert here("rollback", "2", *live.options[:2]).code == 0
    live.take(drawn(live.rates, TESTS))
    found = audited(here, live)
    assert (found["since_run"], found["made_by"]) == (3, 1)
    assert found["settings"]["tau"] == 0.2
    assert found["verdict"]["held"] is True
    assert flags(found) == {}


def test_one_k_set_by_hand_begins_no_window(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, TESTS))
    with closing(open_store(live.dsn)) as store:
        set_exposure(store, 900002, 1, 0.5)
        for undone in (False, True):
            if undone:
                rollback(store, 2)
            ended = here("audit", *live.options, "--format", "json", "--quiet")
            found, newest = json.loads(ended.out), 2 + undone
            assert (found["since_run"], found["verdict"]["held"]) == (1, True)
            assert f"run {newest} changed 1 k of DEMO-EXAM on " in ended.err
            assert f"--since-run {newest} leaves them out." in ended.err
    assert audited(here, live, "--since-run", "2")["since_run"] == 2


def test_too_few_tests_tell_nothing(here: Run, live: Live) -> None:
    live.take(drawn(live.rates, 2))
    ended = here("audit", *live.options, "--require-cap", "--quiet")
    assert ended.code == 3
    assert "can't be told: 2 tests are too few to show an excess" in ended.err
    assert audited(here, live)["visible_excess"] is None
    assert audited(here, live, "--tau", "1")["verdict"]["held"] is True
    live.take(drawn(live.rates, 8))
    ended = here("audit", *live.options, "--require-cap", "--quiet")  # .2 and 428 % are over 1
    assert ended.code == 3
    assert "can't be told: 10 tests are too few to show an excess" in ended.err


def test_abilities_that_are_gone_are_named(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    abilities = tmp_path / "theta.txt"
    abilities.write_text("".join(f"{i / 10 - 2}\n" for i in range(41)))
    here("calibrate", *demo, *SHORT_CALIBRATION, "--theta", f"file:{abilities}")
    assert here("audit", *demo).code == 0
    abilities.write_text("0\n1\n")
    ended = here("audit", *demo)
    assert (ended.code, ended.out) == (3, "")
    assert "run 1 made the k in force of DEMO-EXAM, and its test cannot be" in ended.err
    assert str(abilities) in ended.err


def test_the_test_of_the_run_predicts(here: Run, demo: Sequence[str]) -> None:
    stopping = ("--ability", "eap", "--se-stop", "0.5", "--max-len", "12")
    made = here("calibrate", *demo, *QUICK, "--iters", "2", "--verify-n", "5000", *stopping)
    assert made.code == 0, made.err
    found = json.loads(
        here("audit", *demo, "--since", "2020-01-01", "--format", "json", "--quiet").out
    )
    assert found["settings"]["ability"] == "eap"
    assert found["settings"]["se_stop"] == 0.5
    predicted = sum(row["predicted_rate"] for row in found["items"])
    assert found["tests"]["per_test"] == pytest.approx(predicted)
    assert found["tests"]["low"] < found["tests"]["n"] < found["tests"]["high"]


def test_a_read_only_server_is_audited(here: Run, postgres_demo_dsn: str) -> None:
    options = ("--dsn", postgres_demo_dsn, "--exam", "DEMO-EXAM")
    here("calibrate", *options, *SHORT_CALIBRATION)
    name = query(postgres_demo_dsn, "SELECT current_database()")[0][0]
    execute(postgres_demo_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert here("audit", *options, "--since", "2020-01-01").code == 0


def test_a_read_only_file_is_audited(here: Run, demo: Sequence[str], demo_file: Path) -> None:
    here("calibrate", *demo, *SHORT_CALIBRATION)
    before = demo_file.read_bytes()
    demo_file.chmod(0o444)
    assert here("audit", *demo, "--since", "2020-01-01").code == 0
    assert demo_file.read_bytes() == before

"""What requests that compute may say, what they are refused, and past runs over HTTP."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from extras.computing import PREFIX, QUICK, begin, outcome
from extras.conftest import Start
from extras.served import Served
from front_door import command
from storage.databases import query

pytestmark = pytest.mark.compiled

K = "SELECT question_id, version, sh_p FROM item_exposure_control ORDER BY 1, 2"

#: What the first script's clients send.
OLD = {
    "exam_code": "DEMO-EXAM", "tau": 0.4, "n": 400, "test_len": 25, "iters": 5, "alpha": 0.6,
    "theta_dist": "normal0,1", "floor": 0.02, "ceil": 1.0, "dry_run": True,
}  # fmt: skip


def printed(dsn: str, *options: str) -> dict[str, Any]:
    """The JSON that the command line prints."""
    done = subprocess.run(
        command(*options, "--dsn", dsn, "--format", "json"),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("path", ["calibrate_sh", "calibrations", "simulate"])
@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"theta_dist": "file:/etc/passwd"}, 422, "names no file of the server's"),
        ({"prior": "file:/etc/passwd", "ability": "eap"}, 422, "names no file"),
        ({"tau": True}, 422, "body/tau: It should be a number."),
        ({"tau": 0}, 422, "body/tau"),
        ({"tau": "0.2"}, 422, "body/tau"),
        ({"n": 0.5}, 422, "body/n"),
        ({"method": "newest"}, 422, "body/method"),
        ({"threads": 2}, 422, "body/threads: There is no such field."),
        ({"taau": 0.2}, 422, "There is no such field. Did you mean tau?"),
        ({"test-len": 20}, 422, "Did you mean test_len?"),
        ({"len": 20}, 422, "Did you mean test_len?"),
        ({"blueprint": {"1": {"leest": 1}}}, 422, "Did you mean least?"),
        ({"blueprint": {"1" * 5000: {}}}, 422, "body/blueprint/1111"),
        ({"blueprint": {"1x": {}}}, 422, "body/blueprint/1x: A topic is a whole number, or none."),
        ({"blueprint": [5]}, 422, 'It should be a JSON object, such as {"10": {"least": 5, "mo'),
        ({"seed": 2**63}, 409, "seed 9223372036854775808 is outside [0, 2^63)."),
        ({"seed": 10**4000}, 409, "seed 10000000000000000000... is"),
        ({f"f{i}": 1 for i in range(500)}, 422, "And 480 more."),
        ({"theta_dist": "normal:0,0"}, 409, "the standard deviation must be over 0"),
        ({"n": 10_000_001}, 409, "this server permits 10,000,000 (shsim serve --most-n)"),
        ({"nodes": 100_001, "method": "exact"}, 409, "permits 100,000 (shsim serve --most-nodes)."),
        ({"start": 1.0}, 409, "start is about an estimate, and ability true has none."),
        ({"se_stop": 0.3, "ability": "eap", "test_len": 20}, 409, "test_len fixes the length"),
        ({"method": "exact", "n": 1000}, 409, "method exact draws no examinees"),
        ({"blueprint": {"1": {"least": 3, "most": 2}}}, 409, "topic 1: least 3 and most 2"),
        ({"exam_code": "NO-EXAM"}, 404, "exam NO-EXAM is unknown in the database. The exams"),
        ({"exam_code": 7}, 422, "body/exam_code: It should be text."),
        ({"dry_run": "no"}, 422, "body/dry_run: It should be true or false."),
        ({"exam_code": ""}, 422, "body/exam_code"),
    ],
)
def test_what_is_refused(
    served: Served, path: str, wrong: dict[str, Any], status: int, said: str
) -> None:
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/{path}", json={"exam_code": "DEMO-EXAM", **wrong})
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
        assert "--" not in answer.text.replace("shsim serve --most-", "")
        assert "passwd" not in answer.text
        assert len(answer.text) < 3000


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        (
            "simulate",
            {"compare": True},
            'body/compare: It should be a JSON list, such as ["sh", "re',
        ),
        (
            "sweep",
            {"tau": "0.1:0.2:0.05"},
            "body/tau: It should be a JSON list, such as [0.1, 0.15].",
        ),
        ("sweep", {"tau": [0.2], "test_len": 20}, "JSON list, such as [20, 30]."),
        ("sweep?limit=1", {"tau": [0.2]}, "query/limit: There is no such parameter."),
    ],
)
def test_what_is_no_list(served: Served, path: str, wrong: dict[str, Any], said: str) -> None:
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/{path}", json={"exam_code": "DEMO-EXAM", **wrong})
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def test_everything_wrong_is_said_at_once(served: Served) -> None:
    wrong = {"exam_code": "DEMO-EXAM", "floor": 0.5, "ceil": 0.2, "start": 1.0, "iters": 1001}
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/calibrations", json=wrong)
    assert answer.json()["detail"].splitlines() == [
        "start is about an estimate, and ability true has none. Leave it out.",
        "iters = 1,001 is too much: this server permits 1,000 (shsim serve --most-iters).",
        "floor 0.5 is over ceil 0.2. Give a floor of at most the ceil.",
    ]


def test_a_viewer_computes_nothing(served: Served) -> None:
    with served.ask("viewer") as viewer:
        for path in ("calibrate_sh", "calibrations", "simulate", "sweep", "runs/1/rollback"):
            assert viewer.post(f"{PREFIX}/{path}", json={}).status_code == 403
        assert viewer.get(f"{PREFIX}/calibrations/{16 * '0'}").status_code == 404
        assert viewer.get(f"{PREFIX}/calibrations/{16 * '0'}/events").status_code == 404


def test_what_a_pool_cannot_deliver(served: Served) -> None:
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/calibrate_sh", json={**QUICK, "test_len": 481})
    assert answer.status_code == 409
    assert "test_len 481 is longer than the pool of DEMO-EXAM" in answer.json()["detail"]


def test_the_old_request(start: Start, demo_dsn: str) -> None:
    served = start("--dsn", demo_dsn)
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/calibrate_sh", json={**OLD, "seed": 5}).json()
        expected = printed(
            demo_dsn, "calibrate", "--exam_code", "DEMO-EXAM", "--tau", "0.4", "--n", "400",
            "--test_len", "25", "--iters", "5", "--alpha", "0.6", "--theta_dist", "normal0,1",
            "--floor", "0.02", "--ceil", "1.0", "--dry_run", "--seed", "5",
        )  # fmt: skip
        assert (answer["ok"], answer["run"], answer["seed"]) == (True, None, 5)
        assert answer["verification"] == expected["verification"]
        assert answer["verdict"] == expected["verdict"]
        for record in (*answer["history"], *expected["history"]):
            record.pop("seconds")
        assert answer["history"] == expected["history"]
        assert answer["stdout"].startswith(expected["verdict"]["sentence"][:40])
        assert answer["stdout"].endswith("Nothing was saved: a dry run.\n")
        (note,) = answer["notes"]
        assert note.startswith("the method is classical now")
        assert "method damped" in note
        whole = admin.get(f"{PREFIX}/calibrations/{answer['id']}").json()
        assert whole["result"]["items"] == expected["items"]


def test_a_cap_that_is_required_and_missed(served: Served) -> None:
    missing = {**QUICK, "tau": 0.1, "tol": 0.01, "iters": 1, "alpha": 0.01, "require_cap": True}
    with served.ask() as admin:
        answer = admin.post(f"{PREFIX}/calibrate_sh", json={**missing, "nodes": 200}).json()
        assert (answer["ok"], answer["saved"], answer["verdict"]["held"]) == (False, False, False)
        assert "Nothing was saved, as require_cap asks." in answer["stdout"]
        run = admin.get(f"{PREFIX}/runs/{answer['run']}").json()
    assert run["outcome"] == "refused"


def test_runs_and_their_rollback(start: Start, demo_dsn: str) -> None:
    before = query(demo_dsn, K)
    with start("--dsn", demo_dsn).ask() as admin:
        assert admin.get(f"{PREFIX}/runs").json()["count"] == 0
        first = outcome(admin, begin(admin, **QUICK))["run"]
        after = query(demo_dsn, K)
        listed = admin.get(f"{PREFIX}/runs", params={"exam": "DEMO-EXAM", "limit": 1}).json()
        assert [each["run"] for each in listed["runs"]] == [first]
        shown = admin.get(f"{PREFIX}/runs/{first}").json()
        assert shown == printed(demo_dsn, "show", str(first))
        item = after[0]
        admin.post(
            f"{PREFIX}/set", json={"question_id": item[0], "version": item[1], "sh_p": 0.015625}
        )
        moved = admin.post(f"{PREFIX}/runs/{first}/rollback", json={"dry_run": True})
        assert moved.status_code == 409
        assert "give force to restore the k before" in moved.json()["detail"]
        planned = admin.post(
            f"{PREFIX}/runs/{first}/rollback", json={"dry_run": True, "force": True}
        )
        assert (planned.json()["changed"], planned.json()["run"]) == (None, None)
        assert {row[0]: row[2] for row in query(demo_dsn, K)}[item[0]] == 0.015625
        undone = admin.post(f"{PREFIX}/runs/2/rollback").json()
        assert (undone["rollback_of"], undone["changed"]) == (2, 1)
        assert query(demo_dsn, K) == after
        undone = admin.post(f"{PREFIX}/runs/{first}/rollback", json={}).json()
        assert (undone["run"], undone["rollback_of"]) == (4, first)
        stored = {(q, v): k for q, v, k in before}
        assert all(stored.get((q, v), 1.0) == k for q, v, k in query(demo_dsn, K))
        again = admin.post(f"{PREFIX}/runs/99/rollback")
        assert (again.status_code, "shsim_" in again.text) == (404, False)
        assert admin.get(f"{PREFIX}/runs/{2**63 - 1}").status_code == 404


def test_simulate_and_sweep_give_what_the_command_line_gives(start: Start, demo_dsn: str) -> None:
    options = ("--exam", "DEMO-EXAM", "--len", "25")
    with start("--dsn", demo_dsn).ask() as admin:

        def answered(path: str, **body: Any) -> dict[str, Any]:
            answer = admin.post(f"{PREFIX}/{path}", json={"exam_code": "DEMO-EXAM", **body})
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        def same(one: dict[str, Any], other: dict[str, Any]) -> None:
            assert one.pop("seconds") > 0
            assert other.pop("seconds") > 0
            for each in (one, other):  # the command line's also says which database
                each.get("verdict", {}).pop("remedy", None)
            assert one == other

        same(
            answered("simulate", n=2000, seed=3, dry_run=True),
            printed(demo_dsn, "simulate", *options, "--n", "2000", "--seed", "3", "--dry-run"),
        )
        same(
            answered("simulate", n=500, seed=3, compare=["none", "sh"], dry_run=True),
            printed(demo_dsn, "simulate", *options, "--n", "500", "--seed", "3",
                    "--compare", "none,sh", "--dry-run"),
        )  # fmt: skip
        same(
            answered("sweep", tau=[0.4, 0.3], nodes=200),
            printed(demo_dsn, "sweep", *options, "--tau", "0.4,0.3", "--nodes", "200"),
        )
        assert query(demo_dsn, "SELECT count(*) FROM shsim_run") == [(0,)]
        recorded = answered("simulate", n=500, seed=3, blueprint={"1": {"least": 2, "most": 9}})
        assert recorded["run"] == 1
        assert recorded["settings"]["blueprint"] == {"1": {"least": 2, "most": 9}}
        too_many = admin.post(
            f"{PREFIX}/sweep",
            json={"exam_code": "DEMO-EXAM", "tau": [0.3, 0.4], "test_len": list(range(5, 60))},
        )
        assert "points = 110 is too much: this server permits 100" in too_many.json()["detail"]

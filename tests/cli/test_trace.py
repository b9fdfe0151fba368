"""`shsim trace`: the tests of `simulate`, position by position."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from front_door import Run, command
from storage.databases import execute

from shsim.report.render import pool_data
from shsim.storage.demo import demo_pool

COLUMNS = (
    "examinee,theta,position,question_id,version,topic_id,ranked_at,information,rejected,"
    "forced,response,theta_hat,standard_error"
)
SEED = ("--seed", "5")
EAP = ("--ability", "eap")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def steps(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for test in document["tests"]:
        yield from test["steps"]


@pytest.fixture
def pool(tmp_path: Path) -> tuple[str, str]:
    """DEMO-EXAM with k that reject, as a file."""
    path = tmp_path / "k.csv"
    items = demo_pool()
    k = np.random.default_rng(1).uniform(0.05, 1, len(items))
    path.write_text(pool_data(items.with_k(k), "csv"))
    return ("--pool", str(path))


def traced(here: Run, *arguments: str) -> dict[str, Any]:
    ended = here("trace", *arguments, "--format", "json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


@pytest.mark.parametrize("rejection", ["position", "examinee"])
@pytest.mark.parametrize(
    "test",
    [
        ("--ability", "true"),
        EAP,
        (*EAP, "--se-stop", "0.4", "--min-len", "4", "--max-len", "12"),
        ("--ability", "wle", "--theta", "uniform:-2,1", "--start", "1"),
    ],
    ids=["true", "eap", "stopped", "wle"],
)
def test_items_seen_and_proposed_are_those_that_simulate_counts(
    here: Run, pool: tuple[str, str], test: tuple[str, ...], rejection: str
) -> None:
    asked = (*pool, *SEED, *test, "--rejection", rejection)
    seen: Counter[str] = Counter()
    proposed: Counter[str] = Counter()
    for step in steps(traced(here, *asked, "--tests", "200")):
        item = f"{step['question_id']}/{step['version']}"
        seen[item] += 1
        proposed.update([*step["rejected"], *([] if step["forced"] else [item])])
    simulated = here("simulate", *asked, "--n", "200", "--format", "csv")
    assert simulated.code == 0, simulated.err
    counted = {f"{row['question_id']}/{row['version']}": row for row in rows(simulated.out)}
    assert seen == {item: int(row["seen"]) for item, row in counted.items() if row["seen"] != "0"}
    assert proposed == {
        item: int(row["proposed"]) for item, row in counted.items() if row["proposed"] != "0"
    }
    assert proposed.total() > 1.2 * seen.total(), "nothing was rejected"


def test_a_test_stays_the_same_wherever_the_trace_begins(here: Run, pool: tuple[str, str]) -> None:
    asked = (*pool, *SEED, *EAP)
    alone = traced(here, *asked, "--first", "41", "--tests", "1")["tests"]
    among = traced(here, *asked, "--tests", "43")["tests"]
    assert [test["examinee"] for test in alone] == [41]
    assert alone[0] == among[41]
    assert among[42] != {**among[41], "examinee": 42}


def test_csv_and_json_tell_the_same(here: Run, pool: tuple[str, str]) -> None:
    asked = (*pool, *SEED, *EAP, "--tests", "2")
    ended = here("trace", *asked, "--format", "csv")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0] == COLUMNS
    document = traced(here, *asked)
    assert (document["command"], document["seed"]) == ("trace", 5)
    assert document["settings"]["ability"] == "eap"
    told = [
        {"examinee": test["examinee"], "theta": test["theta"], **step}
        for test in document["tests"]
        for step in test["steps"]
    ]
    assert len(told) == 60
    for row, step in zip(rows(ended.out), told, strict=True):
        assert list(row) == list(step)
        assert row["rejected"] == "|".join(step["rejected"])
        assert row["forced"] == str(int(step["forced"]))
        for name in ("theta", "ranked_at", "information", "theta_hat", "standard_error"):
            assert float(row[name]) == step[name]
        for name in ("examinee", "position", "question_id", "version", "topic_id", "response"):
            assert int(row[name]) == step[name]


def test_items_are_ranked_at_the_estimate_of_the_line_before(
    here: Run, pool: tuple[str, str]
) -> None:
    of = {row["question_id"]: row for row in rows(Path(pool[1]).read_text())}
    for test in traced(here, *pool, *SEED, *EAP, "--start", "0.5")["tests"]:
        for step in test["steps"]:
            a, b, c = (float(of[str(step["question_id"])][name]) for name in "abc")
            at = oracle.information(step["ranked_at"], a, b, c, 1.7)
            assert step["information"] == pytest.approx(at, rel=1e-9)
        ranked_at = [step["ranked_at"] for step in test["steps"]]
        assert ranked_at == [0.5, *(step["theta_hat"] for step in test["steps"][:-1])]
        assert [step["position"] for step in test["steps"]] == list(range(1, 31))


def test_at_the_true_theta_nothing_is_answered(here: Run, pool: tuple[str, str]) -> None:
    document = traced(here, *pool, *SEED)
    for test in document["tests"]:
        assert {step["ranked_at"] for step in test["steps"]} == {test["theta"]}
    for name in ("response", "theta_hat", "standard_error"):
        assert {step[name] for step in steps(document)} == {None}
    (first, *_) = rows(here("trace", *pool, *SEED, "--format", "csv").out)
    assert (first["response"], first["theta_hat"], first["standard_error"]) == ("", "", "")
    assert "nothing is answered" in here("trace", *pool, *SEED).out


def test_positions_that_were_forced_are_marked(here: Run, tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    lines = [f"{i},{1 + i / 40},0,0.2,0\n" for i in range(1, 11)]
    path.write_text("question_id,a,b,c,sh_p\n" + "".join(lines))
    asked = ("--pool", str(path), *SEED, "--len", "3", "--tests", "1")
    for ability in ("true", "eap"):
        for step in steps(traced(here, *asked, "--ability", ability)):
            assert step["forced"] is True
            left = 11 - step["position"]
            assert step["rejected"] == [f"{i}/1" for i in range(left, 0, -1)]
            assert step["question_id"] == left
    assert {row["forced"] for row in rows(here("trace", *asked, "--format", "csv").out)} == {"1"}
    assert here("trace", *asked).out.count("forced; ") == 3


def test_the_table_has_a_line_a_position_within_80_columns(
    here: Run, pool: tuple[str, str]
) -> None:
    asked = (*pool, *SEED, *EAP, "--tests", "2")
    shown = here("trace", *asked).out.splitlines()
    assert max(map(len, shown)) <= 80
    subject = " ".join(shown[: shown.index("")])
    assert subject.endswith(
        "k.csv: 480 items, 30 a test, theta normal:0,1, ranked by EAP, rejection by position,"
        " scale 1.7"
    )
    for test in traced(here, *asked)["tests"]:
        begin = next(
            i for i, line in enumerate(shown) if line.startswith(f"Examinee {test['examinee']}: ")
        )
        last, right = test["steps"][-1], sum(step["response"] for step in test["steps"])
        assert shown[begin] == (
            f"Examinee {test['examinee']}: theta {test['theta']:.3f}, estimate"
            f" {last['theta_hat']:.3f} (s.e. {last['standard_error']:.3f}), {right} of 30 right"
        )
        for step, line in zip(test["steps"], shown[begin + 3 : begin + 33], strict=True):
            words = line.split()
            assert words[:4] == [
                str(step["position"]),
                f"{step['question_id']}/{step['version']}",
                str(step["topic_id"]),
                f"{step['information']:.4f}",
            ]
            assert words[4] == ("right" if step["response"] else "wrong")
            assert words[5:7] == [f"{step['theta_hat']:.3f}", f"{step['standard_error']:.3f}"]
            named = [word for word in words[7:] if "/" in word]
            assert named == step["rejected"][: len(named)]
            assert words[7] == (f"{len(step['rejected'])}:" if step["rejected"] else "-")
            assert line.endswith("…") == (len(named) < len(step["rejected"]))


def test_a_test_that_ends_early_shows_the_positions_it_had(here: Run, demo: Sequence[str]) -> None:
    asked = (*demo, *SEED, *EAP, "--se-stop", "0.5", "--min-len", "2", "--max-len", "20")
    document = traced(here, *asked, "--tests", "20")
    for test in document["tests"]:
        errors = [step["standard_error"] for step in test["steps"]]
        assert len(errors) == 20 or errors[-1] <= 0.5
        assert all(error > 0.5 for error in errors[1:-1])
    assert len({len(test["steps"]) for test in document["tests"]}) > 1
    assert "2 to 20 a test" in here("trace", *asked).out


def test_a_blueprint_is_kept_position_by_position(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    path = tmp_path / "content.toml"
    path.write_text("[topics.1]\nleast = 4\nmost = 5\n[topics.8]\nmost = 0\n")
    for ability in ("true", "eap"):
        asked = (*demo, *SEED, "--ability", ability, "--blueprint", str(path), "--len", "8")
        document = traced(here, *asked, "--tests", "30")
        for test in document["tests"]:
            topics = Counter(step["topic_id"] for step in test["steps"])
            assert 4 <= topics[1] <= 5
            assert topics[8] == 0
        assert document["settings"]["blueprint"] == {
            "1": {"least": 4, "most": 5},
            "8": {"least": 0, "most": 0},
        }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tests", "0"), "--tests 0 is not from 1 to 1,000."),
        (("--tests", "1001"), "--tests 1001 is not from 1 to 1,000."),
        (("--first", "-1"), "--first -1 is not from 0 to 999,999,999."),
        (("--first", "1000000000"), "--first 1000000000 is not from 0 to 999,999,999."),
        (("--len", "481"), "--len 481 is longer than the pool"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    here: Run, demo: Sequence[str], arguments: tuple[str, ...], words: str
) -> None:
    ended = here("trace", *demo, *SEED, *arguments)
    assert (ended.code, ended.out) == (3 if "pool" in words else 2, "")
    assert words in ended.err
    assert [line for line in ended.err.splitlines() if "database" not in line] == [
        line for line in ended.err.splitlines() if words in line
    ]


def test_what_is_wrong_with_a_trace_is_said_at_once(here: Run, demo: Sequence[str]) -> None:
    wrong = ("--tests", "0", "--first", "-1", "--start", "1", "--theta", "cauchy", "--scale", "0")
    ended = here("trace", *demo, *wrong)
    assert (ended.code, ended.out) == (2, "")
    for words in ("--tests 0", "--first -1", "--start is about", "theta 'cauchy'", "--scale 0"):
        assert ended.err.count(words) == 1


def test_nothing_is_written(here: Run, demo: Sequence[str], demo_file: Path) -> None:
    before = hashlib.sha256(demo_file.read_bytes()).digest()
    demo_file.chmod(0o444)
    listed = sorted(path.name for path in demo_file.parent.iterdir())
    for form in ("table", "csv", "json"):
        assert here("trace", *demo, *SEED, *EAP, "--format", form).code == 0
    assert hashlib.sha256(demo_file.read_bytes()).digest() == before
    assert sorted(path.name for path in demo_file.parent.iterdir()) == listed


def test_a_file_gets_what_stdout_gets(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    path = tmp_path / "tests.csv"
    ended = here("trace", *demo, *SEED, *EAP, "--format", "csv", "--output", str(path))
    assert ended.code == 0
    assert path.read_text() == ended.out
    assert f"Wrote {path}." in ended.err


def test_a_seed_is_drawn_and_said(here: Run, demo: Sequence[str]) -> None:
    first = here("trace", *demo, *EAP, "--tests", "1")
    seed = first.err.split("--seed ")[1].split()[0]
    assert here("trace", *demo, *EAP, "--tests", "1", "--seed", seed).out == first.out


def test_head_ends_quietly(demo: Sequence[str]) -> None:
    line = " ".join(command("trace", *demo, *SEED, "--quiet", "--format", "csv", "--tests", "1000"))
    ended = subprocess.run(
        ["bash", "-c", f"{line} | head -2; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == COLUMNS
    assert len(ended.stdout.splitlines()) == 2


def test_a_name_cannot_act_on_the_terminal(
    process: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    name = "M\x1b[2J\x1b]0;x\x07\u202e[red]"
    execute(demo[1], f"UPDATE question_publications SET exam_code = '{name}'")  # noqa: S608
    blueprint = tmp_path / "c\x1b[31m.toml"
    blueprint.write_text("[topics.1]\nmost = 3\n")
    asked = (*demo[:2], "--exam", name, *SEED, "--tests", "1", "--blueprint", str(blueprint))
    ended = process("trace", *asked)
    assert ended.code == 0, ended.err
    assert "M\\x1b[2J\\x1b]0;x\\x07\\u202e[red]: 480 items" in ended.out.replace("\n", "")
    for active in ("\x1b", "\x07", "\u202e"):
        assert active not in ended.out + ended.err


@pytest.mark.parametrize("ability", ["true", "eap"])
def test_a_trail_that_is_cut_says_where(
    here: Run, pool: tuple[str, str], monkeypatch: pytest.MonkeyPatch, ability: str
) -> None:
    options = (*pool, *SEED, "--ability", ability, "--tests", "23", "--len", "12")
    whole = traced(here, *options)
    assert {test["cut_at"] for test in whole["tests"]} == {None}
    monkeypatch.setattr("shsim.workflow.trace._TRAIL", 20)
    cut = traced(here, *options)
    for test, short in zip(whole["tests"], cut["tests"], strict=True):
        room, cut_at = 20, None
        for step in test["steps"]:
            proposed = len(step["rejected"]) + (not step["forced"])
            if cut_at is None and proposed > room:
                cut_at = step["position"]
            if cut_at is not None:
                step["rejected"], proposed = step["rejected"][:room], room
            room -= proposed
        assert short["cut_at"] == cut_at
        assert short["steps"] == test["steps"]
    assert any(test["cut_at"] for test in cut["tests"])
    for form in ("table", "csv"):
        ended = here("trace", *options, "--format", form)
        said = " ".join((ended.out if form == "table" else ended.err).split())
        assert "tests so many items were rejected that not all are listed" in said

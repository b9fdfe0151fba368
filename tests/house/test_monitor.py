"""What the example's monitor says of logs: how runs ended, and which did not take place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from system_programs import require_program

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OURS = '{"time": "2026-01-31T06:00:00.000Z", "level": "info", '
HELD = OURS + '"event": "end", "message": "", "exam": "A", "exit_code": 0, "seconds": 1}\n'
FOLDER = "/var/log/shsim"


def judged(*logs, hours="26"):
    """The exit code, and what is said after the name of each log."""
    done = subprocess.run(
        ["sh", EXAMPLES / "monitor.sh", *logs],
        env={**os.environ, "HOURS": hours}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, [line.partition(": ")[2] for line in done.stdout.splitlines()]


def written(log, text, hours_ago=0):
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text, "utf-8")
    moment = time.time() - hours_ago * 3600
    os.utime(log, (moment, moment))
    return log


@pytest.mark.parametrize(
    ("last", "code", "said"),
    [
        ('"event": "end", "message": "", "exit_code": 0, "seconds": 1}', 0, ""),
        ('"event": "end", "message": "", "exit_code": 5, "seconds": 1}', 1, "(exit code 5)"),
        ('"event": "end", "message": "", "exit_code": 4, "seconds": 1}', 2, "the database is out"),
        ('"event": "end", "message": "", "exit_code": 0, "seco', 2, "was killed"),
        ('"event": "iteration", "message": "", "iter": 3}', 2, "was killed"),
    ],
)
def test_how_a_run_ended(tmp_path, last, code, said):
    log = written(tmp_path / "a.jsonl", f'{OURS}"event": "note"}}\n{OURS}{last}\n')
    found, words = judged(log)
    assert (found, said in "".join(words)) == (code, True)


@pytest.mark.parametrize(
    "last",
    [
        'garbage "event": "end", "exit_code": 0',
        f"garbage {HELD.strip()}",
        '{garbage "event": "end", "exit_code": 0}',
        HELD.replace('"time"', '"at"').strip(),
    ],
)
def test_no_line_but_shsims_own_is_well(tmp_path, last):
    log = written(tmp_path / "a.jsonl", f"{HELD}{last}\n")
    assert judged(log) == (2, [f"its last words are not shsim's JSON: {last}"])


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_words_that_a_terminal_would_obey_are_shown(tmp_path, shell):
    """What a crash of the machine leaves behind, too: NUL bytes."""
    log = written(tmp_path / "a.jsonl", HELD + "\0\0\x1b[2Ja\\cb\x9b31m\u202ered\n")
    done = subprocess.run(
        [shell, EXAMPLES / "monitor.sh", log], capture_output=True, text=True, check=False
    )
    said = "its last words are not shsim's JSON: [2Ja\\cb31mred"
    assert (done.returncode, done.stdout, done.stderr) == (2, f"{log}: {said}\n", "")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shsim_that_cron_does_not_find(tmp_path, shell):
    log = written(tmp_path / "a.jsonl", HELD)
    with log.open("a") as stderr:
        line = [f"/bin/{shell}", "-c", "shsim calibrate"]
        subprocess.run(line, env={"PATH": str(tmp_path)}, stderr=stderr, check=False)
    code, (said,) = judged(log)
    assert code == 2
    assert said.startswith("cron finds no shsim: name its folder in the crontab's PATH (")
    assert "not found)" in said


def test_words_of_others_are_told_as_they_stand(tmp_path):
    log = written(tmp_path / "a.jsonl", HELD + "ModuleNotFoundError: No module named 'shsim'\n")
    said = "its last words are not shsim's JSON: ModuleNotFoundError: No module named 'shsim'"
    assert judged(log) == (2, [said])


def test_runs_that_did_not_take_place(tmp_path):
    log = written(tmp_path / "a.jsonl", HELD, 27)
    assert judged(log) == (2, ["nothing has run for 26 hours"])
    assert judged(log, hours="28") == (0, [])
    assert judged(tmp_path / "none.jsonl") == (2, ["there is no such log"])


def test_a_first_run_is_awaited_and_missed(tmp_path):
    log = written(tmp_path / "weekly" / "a.jsonl", "", 100)
    assert judged(log, hours="170") == (0, [])
    written(log, "", 171)
    assert judged(log, hours="170") == (2, ["nothing has run for 170 hours"])


@pytest.mark.parametrize(
    ("before", "hours_ago", "ended"),
    [
        (HELD, 3, (0, [])),
        (HELD, 72, (2, ["nothing has run for 26 hours"])),
        (
            HELD.replace("0,", "5,"),
            3,
            (1, ["the cap is not held, and nothing was saved (exit code 5)"]),
        ),
    ],
    ids=["well", "dead", "missed"],
)
def test_logrotate_hides_nothing(tmp_path, before, hours_ago, ended):
    """Logrotate itself, by the example: the shell's pattern finds what the log before said."""
    program = require_program("logrotate")
    log = written(tmp_path / "logs" / "a.jsonl", before, hours_ago)
    text = (EXAMPLES / "logrotate").read_text().replace(FOLDER, str(log.parent))
    config = tmp_path / "conf"
    config.write_text("dateext\n" + re.sub(r"\n *su .*", "", text))  # as some systems have it
    config.chmod(0o644)
    log.parent.chmod(0o755)
    for _month in range(3):
        subprocess.run(
            [program, "--force", "--state", tmp_path / "state", config],
            check=True, capture_output=True,
        )  # fmt: skip
        assert judged(*log.parent.glob("*.jsonl")) == ended
    written(log, HELD)
    assert judged(*log.parent.glob("*.jsonl")) == (0, [])


def test_a_log_that_was_put_away_by_hand_is_no_dead_run_hidden(tmp_path):
    log = written(tmp_path / "a.jsonl", HELD, 72)
    log.rename(tmp_path / "a.jsonl.1")
    assert judged(log) == (2, ["nothing has run for 26 hours"])


def test_the_logs_of_the_crontab_are_made_before_it_and_read(tmp_path):
    """By the README's command, which takes them from the crontab itself."""
    crontab = EXAMPLES / "crontab"
    readme = (EXAMPLES.parent / "README.md").read_text()
    commands = {
        text.partition("| xargs")[0].replace("examples/crontab", str(crontab))
        for text in re.findall(r"sed -n .*runuser --user=shsim touch", readme)
    }
    (command,) = commands
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    made = [Path(line) for line in done.stdout.splitlines()]
    written_to = re.findall(r"^\d.* 2>>(\S+)$", crontab.read_text(), re.M)
    assert [str(path) for path in made] == written_to
    read = re.findall(r"monitor\.sh (\S+)$", crontab.read_text(), re.M)
    assert all(any(path.match(pattern) for pattern in read) for path in made)
    logs = [written(tmp_path / path.relative_to("/"), "") for path in made]
    assert judged(*logs) == (0, [])


@pytest.mark.compiled
def test_what_shsim_writes_is_read(tmp_path):
    log = tmp_path / "log.jsonl"
    with log.open("w") as stderr:
        subprocess.run(
            [sys.executable, "-m", "shsim", "simulate", "--pool", "/nowhere"],
            env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "SHSIM_LOG_FORMAT": "json"},
            stderr=stderr, check=False,
        )  # fmt: skip
    code, (said,) = judged(log)
    assert code == 2
    assert "(exit code 3)" in said

"""What the README says can be typed, can be typed; what it says is there, is there."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shsim.storage.demo import DEMO_EXAM
from shsim.storage.embedded import embedded_dsn, make_embedded

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def text() -> str:
    """Read the README, lines that a shell would join joined."""
    return README.read_text().replace("\\\n", " ")


def rooms() -> list[str]:
    """List the paths in the second column of the table "to change X, open Y"."""
    _, _, table = text().partition("to change")
    rows = [line.strip("| ").split("|")[-1] for line in table.splitlines() if line.startswith("|")]
    return [path for row in rows for path in re.findall(r"`([\w./-]+)`", row)]


def typed() -> list[tuple[str, str]]:
    """List each (command, option) of every `shsim ...` in code, inline or in a block."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text(), re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```\w*\n.*?^```", "", text(), flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    found = set()
    for line in lines:
        for call in re.findall(r"(?:^|[\s;|&(])shsim ([^|;&#>]*)", line):
            words = call.split()
            command = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
            name = " ".join(command if words[:1] == ["db"] else command[:1])
            options = [re.split(r"[=|,\])]", word)[0] for word in words if word.startswith("--")]
            found.update((name, option) for option in options or [""])
    return sorted(found)


@cache
def refusal(command: str, option: str) -> str:
    """Ask the program itself what it has against them; old spellings are not in its help."""
    done = subprocess.run(
        [sys.executable, "-m", "shsim", *command.split(), "--help", *option.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lacks_only_its_value = done.returncode == 2 and "requires an argument" in done.stderr
    return "" if done.returncode == 0 or lacks_only_its_value else done.stderr


def test_the_table_leads_somewhere() -> None:
    assert len(rooms()) >= 8
    assert [path for path in rooms() if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", ["sh scripts/demo", "sh scripts/test"])
def test_the_two_commands_are_taught(command: str) -> None:
    assert command in text()


def test_what_is_typed_exists() -> None:
    calls = typed()
    assert ("calibrate", "--exam") in calls
    assert [said for call in calls if (said := refusal(*call))] == []


def test_each_figure_names_the_script_that_gives_it() -> None:
    _, _, section = text().partition("## How fast\n")
    table = section.partition("\n## ")[0].splitlines()
    figures = [line for line in table if re.match(r"\| [^-|]", line)]
    assert len(figures) > 20
    for line in figures:
        named = re.fullmatch(r".*\| `python (scripts/bench/\w+\.py)` \|", line)
        assert named is not None, line
        assert (ROOT / named[1]).exists(), line


@pytest.mark.compiled
def test_what_is_shown_in_python_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("redis")
    monkeypatch.delenv("SHSIM_REDIS_URL", raising=False)
    path = tmp_path / "qbank.sqlite"
    make_embedded(path)
    _, _, section = text().partition("## In Python")
    shown = "\n".join(re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE))
    for named, ours in (
        ("postgresql://shsim@db.example/qbank", embedded_dsn(path)),
        ("MATH-1", DEMO_EXAM),
    ):
        assert named in shown
        shown = shown.replace(named, ours)
    names: dict[str, Any] = {}
    exec(shown, names)  # noqa: S102
    assert names["result"].verdict.held
    assert names["selection"].proposed[-1] == names["selection"].item


def test_every_link_within_the_house_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text())
    assert [target for target in targets if not (ROOT / target).exists()] == []

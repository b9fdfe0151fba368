"""What the command line offers, and what it costs to ask."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from front_door import Run

import shsim
from shsim.cli.app import COMMANDS, cli
from shsim.cli.command import LazyGroup, Setting
from shsim.model.delivery import ABILITIES, REJECTIONS, DeliverySettings
from shsim.model.methods import ESTIMATORS, METHODS
from shsim.model.settings import DEFAULT_SIMULATE_N, CalibrationSettings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings

GOLDEN = Path(__file__).parent / "golden"
HEAVY = ("numba", "numpy", "psycopg2", "rich", "llvmlite", "sqlite3")


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


LEAVES = dict(every_command())
LEAF_IDS = [" ".join(path) for path in LEAVES]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("calibrate", "--help"), 0),
        (("calibrate", "--no-such-option"), 2),
        (("simulate", "--n", "many"), 2),
    ],
)
def test_asking_loads_nothing_heavy(arguments: tuple[str, ...], code: int) -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shsim", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == code
    modules = {line.rsplit("|", 1)[-1].strip() for line in loaded.stderr.splitlines()}
    assert "click" in modules
    assert not {module for module in modules if module.split(".")[0] in HEAVY}


@pytest.mark.parametrize("words", ["shsim ", "shsim calibrate --"])
def test_completion_answers_and_loads_nothing_heavy(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SHSIM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shsim"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert ("plain,calibrate" if words == "shsim " else "plain,--tau") in ended.stdout.split("\n")
    modules = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
    assert not {module for module in modules if module.split(".")[0] in HEAVY}


def test_short_help_at_hand_is_the_commands_own() -> None:
    context = click.Context(cli)
    for name, (_, short) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.short_help == short


@pytest.mark.parametrize("path", LEAVES, ids=LEAF_IDS)
def test_every_option_has_help(path: tuple[str, ...]) -> None:
    for param in LEAVES[path].params:
        if isinstance(param, click.Option):
            assert param.help, param.opts
            assert param.help.rstrip().endswith((".", ")")), param.opts


@pytest.mark.parametrize("path", LEAVES, ids=LEAF_IDS)
def test_every_command_shows_examples(path: tuple[str, ...]) -> None:
    epilog = LEAVES[path].epilog or ""
    assert epilog.count("  shsim ") >= 2
    assert all(len(line) <= 78 for line in epilog.splitlines())


def test_every_setting_can_come_from_the_environment_but_force() -> None:
    settings = [
        param
        for command in LEAVES.values()
        for param in command.params
        if isinstance(param, Setting)
    ]
    without = {param.name for param in settings if not param.envvar}
    assert without == {"force", "from_run"}
    assert {"SHSIM_LEN", "SHSIM_TEST_LEN"} == {
        name for param in settings if param.name == "length" for name in param.envvar or ()
    }


def option(command: str, name: str) -> click.Option:
    found = [p for p in LEAVES[(command,)].params if p.name == name]
    assert isinstance(found[0], click.Option)
    return found[0]


@pytest.mark.parametrize(
    ("command", "name", "values"),
    [
        ("calibrate", "method", METHODS),
        ("simulate", "method", ESTIMATORS),
        ("calibrate", "rejection", REJECTIONS),
        ("simulate", "rejection", REJECTIONS),
        ("calibrate", "ability", ABILITIES),
        ("sweep", "rejection", REJECTIONS),
    ],
)
def test_choices_are_the_models(command: str, name: str, values: tuple[str, ...]) -> None:
    choice = option(command, name).type
    assert isinstance(choice, click.Choice)
    assert tuple(choice.choices) == values
    described = option(command, name).help or ""
    assert all(value in described for value in values)


@pytest.mark.parametrize(
    ("owner", "command", "names"),
    [
        (CalibrationSettings.make, "calibrate", {"tau", "method", "floor", "ceil", "tol"}),
        (DeliverySettings, "calibrate", {"length", "rejection", "ability", "scale"}),
        (SimulationSettings, "simulate", {"tau", "n", "tol"}),
        (SweepSettings, "sweep", {"floor", "ceil", "tol", "iters", "nodes"}),
        (DeliverySettings, "sweep", {"rejection", "ability", "scale"}),
    ],
)
def test_defaults_in_the_help_are_the_models(owner: object, command: str, names: set[str]) -> None:
    defaults = inspect.signature(owner).parameters  # type: ignore[arg-type]
    for name in names:
        shown = option(command, name)
        assert isinstance(shown, Setting)
        assert shown.default is None or type(shown.default).__name__ == "Sentinel"
        value = defaults[name].default
        wanted = value if isinstance(value, str) else f"{value:g}"
        assert shown.fallback == (str(DEFAULT_SIMULATE_N) if name == "n" else wanted)


@pytest.mark.parametrize(
    "path",
    [(), ("calibrate",), ("sweep",), ("db",), ("history",), ("rollback",), ("proposals",)],
    ids=["shsim", "calibrate", "sweep", "db", "history", "rollback", "proposals"],
)
def test_help_at_80_columns_is_as_it_was(here: Run, path: tuple[str, ...]) -> None:
    ended = here(*path, "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    golden = GOLDEN / f"{'-'.join(path) or 'shsim'}.txt"
    assert ended.out == golden.read_text(), f"if it is meant, write it to {golden.name}"


def test_group_help_names_every_exit_code(here: Run) -> None:
    out = here("--help").out
    for code in (0, 1, 2, 3, 4, 5, 6, 130):
        assert f"\n  {code:>5}  " in out


@pytest.mark.parametrize("path", [(), ("db",)])
def test_no_command_shows_the_help_as_an_error(here: Run, path: tuple[str, ...]) -> None:
    ended = here(*path)
    assert ended.code == 2
    assert ended.out == ""
    assert "Commands:" in ended.err


def test_version(here: Run) -> None:
    assert here("--version").out == f"shsim {shsim.__version__}\n"


def test_public_names_load_on_first_use() -> None:
    program = (
        "import sys, shsim\n"
        "assert 'numpy' not in sys.modules\n"
        "assert set(shsim.__all__) <= set(dir(shsim))\n"
        "for name in shsim.__all__: getattr(shsim, name)\n"
        "from shsim import calibrate, ItemPool\n"
        "assert callable(calibrate)\n"
        "assert ItemPool.__module__ == 'shsim.model.item_pool'\n"
        "assert not hasattr(shsim, 'nonsense')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_lazy_group_refuses_what_is_no_command() -> None:
    group = LazyGroup("x", lazy={"os": ("os:path", "")})
    with pytest.raises(TypeError, match="not a command"):
        group.get_command(click.Context(group), "os")

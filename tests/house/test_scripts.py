"""The two commands, as somebody types them on a machine that we do not know."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL_SCRIPTS = [
    "scripts/demo",
    "scripts/test",
    "scripts/lib/environment.sh",
    "scripts/lib/programs.sh",
    "scripts/bench/peers_environment",
    ".ci/run",
]
COMMANDS = ["scripts/demo", "scripts/test"]
TOOLS = [
    "sh",
    "dirname",
    "mkdir",
    "mktemp",
    "cat",
    "rm",
    "sed",
    "env",
    "grep",
    "tr",
    "cut",
    "cksum",
]


def run(script: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """Type `sh SCRIPT` with these variables and no others."""
    return subprocess.run(
        ["sh", str(script)],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **surroundings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Make a folder for PATH with a shell's everyday tools in it, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is missing here"
        (folder / tool).symlink_to(found)
    return folder


def program(folder: Path, name: str, *lines: str) -> None:
    """Put a shell program on the PATH that is FOLDER."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_a_plain_shell_can_read_it(script: str) -> None:
    shell = shutil.which("dash") or "sh"
    done = subprocess.run(
        [shell, "-n", str(ROOT / script)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", COMMANDS)
def test_without_python_says_what_to_install(script: str, bare: Path) -> None:
    done = run(ROOT / script, PATH=str(bare))
    assert done.returncode == 1
    assert done.stderr.startswith("No Python 3.11 to 3.")
    assert "PYTHON=/path/to/python" in done.stderr


@pytest.mark.parametrize("script", COMMANDS)
def test_a_python_that_was_named_is_not_passed_over(script: str) -> None:
    done = run(ROOT / script, PYTHON="/nowhere/python3")
    assert done.returncode == 1
    assert "PYTHON=/nowhere/python3 is not a Python 3.11" in done.stderr


@pytest.mark.parametrize("script", COMMANDS)
def test_debian_without_venv_names_the_package(script: str, bare: Path) -> None:
    program(bare, "python3", 'case $1 in -c) echo 3.12 ;; *) echo "$0"; exit 4 ;; esac')
    done = run(ROOT / script, PATH=str(bare))
    assert done.returncode == 1
    assert "apt install python3.12-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert len(code) == 1
    assert code[0].endswith('exec sh scripts/test "$@"')


def bring(folder: Path, *programs: str) -> subprocess.CompletedProcess[str]:
    """Bring what a list of our own names, with nothing but FOLDER on the PATH."""
    listed = folder.parent / "programs"
    listed.write_text("# a comment\n\n" + "".join(f"{line}\n" for line in programs))
    library = ROOT / "scripts" / "lib"
    script = folder.parent / "bring"
    script.write_text(
        f'. "{library}/environment.sh"\n. "{library}/programs.sh"\nSYSTEM_PATH=\n'
        f'bring_programs "{listed}" "{folder.parent}/log"\necho "lacking: $lacking"\n'
    )
    return run(script, PATH=str(folder))


@pytest.mark.parametrize("user", ["0", "1000"])
def test_root_alone_installs_the_programs_that_are_missing(bare: Path, user: str) -> None:
    program(bare, "id", f"echo {user}")
    # Debian's: its lists are empty until they are fetched.
    program(
        bare,
        "apt-get",
        'echo "$@" >>"${0%/*}/../asked"',
        'case $* in *update) : >"${0%/*}/../fetched" ;; *)',
        '[ -e "${0%/*}/../fetched" ] || exit 100',
        'printf "#!/bin/sh\\n" >"${0%/*}/here-2"; chmod 755 "${0%/*}/here-2" ;; esac',
    )
    (bare / "chmod").symlink_to(shutil.which("chmod") or "")
    program(bare, "there")
    done = bring(bare, "first there", "second here-1 here-2")
    assert done.returncode == 0
    asked = bare.parent / "asked"
    if user == "0":
        assert done.stdout == "lacking: \n"
        assert done.stderr == "Installing second, for tests that start it (apt-get; once) ...\n"
        assert len(asked.read_text().splitlines()) == 3
        assert "first" not in asked.read_text()
        again = bring(bare, "first there", "second here-1 here-2")
        assert (again.stdout, again.stderr) == ("lacking: \n", "")
    else:
        assert (done.stdout, done.stderr) == ("lacking: second\n", "")
        assert not asked.exists()


def test_a_machine_without_packages_goes_on(bare: Path) -> None:
    program(bare, "id", "echo 0")
    program(bare, "apt-get", "echo E: no network", "exit 100")
    done = bring(bare, "second here")
    assert (done.returncode, done.stdout) == (0, "lacking: second\n")
    assert "apt-get could not; what it said stands in " in done.stderr
    assert "E: no network" in (bare.parent / "log").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what git would clone, without what tools have made here."""
    made = shutil.ignore_patterns(".*", "__pycache__", "dist", "build", "tests")
    return Path(shutil.copytree(ROOT, tmp_path / "a checkout", ignore=made))


@pytest.mark.long
def test_demo_installs_once_and_leaves_the_operator_alone(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))
    } | {"HOME": str(home), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    first = run(checkout / "scripts/demo", SHSIM_TAU="0.9", **kept)
    assert first.returncode == 0, first.stderr
    assert "$ shsim calibrate --exam DEMO-EXAM --tau 0.2\n" in first.stdout
    assert "Installing shsim" in first.stderr
    second = run(checkout / "scripts/demo", **kept)
    assert second.returncode == 0, second.stderr
    assert "Installing" not in second.stderr
    assert not list(home.rglob("*.db")) + list(home.rglob("*.sqlite*"))

    (checkout / ".demo" / "stamp").unlink()  # as after a kill halfway
    (checkout / ".demo" / "venv" / "pyvenv.cfg").unlink()
    third = run(checkout / "scripts/demo", **kept)
    assert third.returncode == 0, third.stderr
    assert "Installing shsim" in third.stderr

"""The examples run as they stand."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from extras.served import SECRET, serving, token
from redis_server import running_redis

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def surroundings(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "XDG_DATA_HOME": str(tmp_path), "PATH": path}


def run(surroundings, *words):
    done = subprocess.run(
        words, env=surroundings, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.compiled
def test_the_library(surroundings):
    said = run(surroundings, sys.executable, str(EXAMPLES / "calibrate_in_python.py"))
    assert said.startswith("The cap of 0.25 is held")


@pytest.mark.compiled
def test_the_delivery_service(surroundings):
    with running_redis() as server:
        said = run(
            {**surroundings, "SHSIM_REDIS_URL": server.url},
            sys.executable, str(EXAMPLES / "delivery_service.py"),
        )  # fmt: skip
        counted = sum(int(server.client().get(key)) for key in server.client().keys("proposed:*"))
    assert [line.split(",")[0] for line in said.splitlines()[:3]] == [
        "theta -1.0", "theta +0.0", "theta +1.5",
    ]  # fmt: skip
    assert "k taken over, 0 items new." in said
    assert counted >= 30


@pytest.mark.compiled
def test_what_if(surroundings):
    said = run(surroundings, "sh", str(EXAMPLES / "what_if.sh"), "DEMO-EXAM", "0.25", "0.3")
    lines = said.splitlines()
    assert lines[0] == "tau,largest,overlap,information_kept"
    assert [line.split(",")[0] for line in lines[1:]] == ["0.25", "0.3"]
    assert float(lines[2].split(",")[3]) > float(lines[1].split(",")[3])


@pytest.mark.compiled
def test_the_settings_file(surroundings):
    said = run(
        surroundings, sys.executable, "-m", "shsim", "simulate", "--dry-run", "--seed", "1",
        "--n", "2000", "--config", str(EXAMPLES / "shsim.toml"),
    )  # fmt: skip
    assert "DEMO-EXAM: 480 items, 30 a test" in said


@pytest.mark.compiled
def test_the_blueprint(surroundings):
    said = run(
        surroundings, sys.executable, "-m", "shsim", "trace", "--seed", "1",
        "--tests", "1", "--len", "10", "--ability", "eap", "--format", "json",
        "--blueprint", str(EXAMPLES / "blueprint.toml"),
    )  # fmt: skip
    topics = [step["topic_id"] for step in json.loads(said)["tests"][0]["steps"]]
    assert 4 <= topics.count(1) <= 8
    assert topics.count(2) >= 3
    assert topics.count(7) <= 2


@pytest.fixture
def admin_api(surroundings, monkeypatch):
    """The environment of whoever asks a server that has the demo exam."""
    monkeypatch.setenv("SHSIM_JWT_SECRET", SECRET)
    monkeypatch.setenv("XDG_DATA_HOME", surroundings["XDG_DATA_HOME"])
    with serving() as served:
        yield {**surroundings, "SHSIM_URL": served.url, "TOKEN": token()}


@pytest.mark.compiled
def test_the_first_scripts_request(admin_api):
    answer = json.loads(run(admin_api, "sh", str(EXAMPLES / "admin_api.sh")))
    assert (answer["ok"], answer["run"], len(answer["history"])) == (True, 1, 5)
    assert set(answer) >= {"verification", "stdout"}


@pytest.mark.compiled
def test_the_client(admin_api):
    client = [sys.executable, str(EXAMPLES / "admin_api_client.py")]
    assert run(admin_api, *client, "DEMO-EXAM", "0.4").startswith("The cap of 0.4 is held")
    done = subprocess.run(
        [*client, "NO-EXAM", "0.4"], env=admin_api, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "exam NO-EXAM is unknown in the database. The exams there are: DEMO-EXAM.\n"
    )


@pytest.mark.parametrize(
    ("words", "surrounding", "code", "said"),
    [
        (("what_if.sh",), {}, 2, "usage: sh what_if.sh EXAM TAU"),
        (("what_if.sh", "DEMO-EXAM"), {}, 2, "usage: sh what_if.sh EXAM TAU"),
        (("monitor.sh",), {}, 3, "usage: sh monitor.sh LOG"),
        (("admin_api.sh",), {}, None, 'usage: TOKEN="$(shsim token --role admin)" sh admin_api.sh'),
        (("admin_api_client.py", "E", "0.2"), {}, 1, "usage: TOKEN="),
        (("admin_api_client.py", "E"), {"TOKEN": "x"}, 1, "usage: TOKEN="),
        (("admin_api_client.py", "E", "low"), {"TOKEN": "x"}, 1, "usage: TOKEN="),
        (
            ("admin_api_client.py", "E", "0.2"),
            {"TOKEN": "x", "SHSIM_URL": "http://127.0.0.1:1"},
            1,
            "http://127.0.0.1:1 does not answer: ",
        ),
    ],
)
def test_a_wrong_call_is_told_in_a_line(words, surrounding, code, said):
    program = sys.executable if words[0].endswith(".py") else "sh"
    done = subprocess.run(
        [program, str(EXAMPLES / words[0]), *words[1:]],
        env={"PATH": os.environ["PATH"], **surrounding},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (code or done.returncode) != 0  # shells have their own for a `:?`
    assert said in (done.stderr or done.stdout)
    assert len((done.stderr + done.stdout).splitlines()) == 1


def sections(name):
    """A unit file; a key may stand in it twice, which configparser refuses when strict."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(EXAMPLES / name)
    return parser


def test_the_units_say_what_they_should():
    timer, service = sections("shsim.timer"), sections("shsim.service")
    assert timer["Timer"]["Unit"] == "shsim.service"
    assert timer["Timer"]["Persistent"] == "true"
    assert {"OnCalendar"} <= set(timer["Timer"])
    its = service["Service"]
    assert its["Type"] == "oneshot"
    assert {"EnvironmentFile", "LoadCredential", "NoNewPrivileges", "ProtectSystem"} <= set(its)
    text = (EXAMPLES / "shsim.service").read_text()
    assert "PGPASSFILE=%t/shsim/pgpass" in text
    assert "SHSIM_LOG_FORMAT=json" in text
    retried = {0, 1, 2, 3, 4, 5, 6, 130} - {int(c) for c in its["RestartPreventExitStatus"].split()}
    assert retried == {0, 4}


def test_the_unit_of_the_server_says_what_it_should():
    its = sections("shsim-api.service")["Service"]
    assert its["Type"] == "exec"
    assert its["RestartPreventExitStatus"].split() == ["2", "6"]
    text = (EXAMPLES / "shsim-api.service").read_text()
    assert "--jwt-secret-file %d/jwt-secret" in text
    hardened = {"NoNewPrivileges", "ProtectSystem", "PrivateDevices", "SystemCallFilter"}
    assert hardened <= set(its)


def test_the_units_pass_systemds_own_check(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here; configparser has read them above")
    # It asks for the program to be there, and starts nothing.
    for name in ("shsim.service", "shsim-api.service"):
        text = (EXAMPLES / name).read_text().replace("/usr/local/bin/shsim", sys.executable)
        (tmp_path / name).write_text(text)
    shutil.copy(EXAMPLES / "shsim.timer", tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "shsim" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("name", ["shsim.timer", "shsim-api.service"])
def test_what_is_enabled_can_be(tmp_path, name):
    assert sections(name)["Install"]["WantedBy"] in {"timers.target", "multi-user.target"}
    if shutil.which("systemctl") is None:
        return  # the section is there; without systemd nobody can enable it
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(EXAMPLES / name, units)
    done = subprocess.run(
        ["systemctl", f"--root={tmp_path}", "enable", name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [link.name for link in units.glob("*.wants/*")] == [name], done.stderr


@pytest.mark.parametrize("name", ["crontab", "shsim.service", "shsim-api.service"])
def test_each_file_that_a_schedule_takes_is_made_before(name):
    """The README's commands, in their order: the user, what belongs to it, the schedule."""
    readme = (EXAMPLES.parent / "README.md").read_text()
    blocks = [text for text in re.findall(r"```sh\n(.*?)```", readme, re.S) if "useradd" in text]
    (commands,) = [text for text in blocks if f"examples/{name}" in text]
    said = re.sub(r"^#.*", "", (EXAMPLES / name).read_text(), flags=re.M)
    needed = set(re.findall(r"/etc/shsim[\w./-]*|/usr/local/lib/[\w./-]+", said))
    assert needed
    assert [path for path in sorted(needed) if path not in commands] == []
    assert commands.index("useradd") < commands.index("install")
    header = (EXAMPLES / name).read_text().partition("\n[Unit]")[0]
    assert header.index("useradd") < header.index("install")


@pytest.mark.parametrize("name", ["crontab", "shsim.service", "shsim-api.service"])
def test_what_is_scheduled_can_be_typed(name):
    """Each command line is parsed by the program itself, up to the help at its end."""
    lines = re.findall(r"(?:^[^#].*?|/)\b(shsim (?!/).*)", (EXAMPLES / name).read_text(), re.M)
    assert lines
    for line in lines:
        if not line.startswith(("shsim calibrate", "shsim simulate", "shsim serve")):
            continue
        words = shlex.split(re.split(r"[ 0-9]*>", line)[0])
        done = subprocess.run(
            [sys.executable, "-m", *words, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_example_is_listed():
    listed = (EXAMPLES / "README.md").read_text()
    files = [path.name for path in EXAMPLES.iterdir() if path.is_file()]
    assert [name for name in files if name != "README.md" and f"]({name})" not in listed] == []

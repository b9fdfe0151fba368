"""A password stands in nothing that is written, however it came in and however the run ends.

The password is made of short tokens between characters that some spelling treats in its own way;
no part of it may be found, hence none of it raw, quoted, percent-encoded, repr'd or cut in half.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg2
import pytest
from front_door import QUICK, QUICK_CALIBRATION, Ended, Run, command
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg2.extensions import make_dsn, parse_dsn
from storage.databases import query

from shsim.errors import UsageError
from shsim.report.blotted import blotted
from shsim.storage.dsn import Dsn

TOKENS = ("Kq7x", "Wm4z", "Rt8b", "Yp3n", "Ld5c", "Gf6h", "Jv9s", "Bn2k", "Xd4w", "Hc8r", "Qz5m")
PASSWORD = "Kq7x@Wm4z:Rt8b/Yp3n%Ld5c?Gf6h#Jv9s&Bn2k=Xd4w'Hc8r\" \\Qz5m\u00f6\u00df"  # noqa: S105
OTHER = "Kq7xWm4zRt8b"  # of an sslkey that there is not

PSQL_TABLES = ("shsim_run", "shsim_run_item", "shsim_schema")


def holds(text: str) -> list[str]:
    """Pieces of the password that stand in a text."""
    return [token for token in TOKENS if token.lower() in text.lower()]


@dataclass(frozen=True)
class Reached:
    """A database whose server really asks for the password, and how libpq is told of it."""

    dsn: str
    owner: str
    folder: Path

    @property
    def host(self) -> str:
        known = self.parameters.get("host", "/")
        return "127.0.0.1" if known.startswith("/") else known

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_dsn(self.dsn))

    def url(self, secret: str | None, scheme: str = "postgresql", **more: str) -> str:
        its = self.parameters
        known = "" if secret is None else f":{quote(secret, safe='')}"
        rest = "&".join(f"{name}={quote(value, safe='')}" for name, value in more.items())
        return (
            f"{scheme}://{its['user']}{known}@{self.host}:{its['port']}/{its['dbname']}"
            f"{'?' if rest else ''}{rest}"
        )

    def words(self, password: str | None) -> str:
        its = {"host": self.host, **{k: self.parameters[k] for k in ("port", "dbname", "user")}}
        return str(make_dsn(**its, **({} if password is None else {"password": password})))

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content)
        path.chmod(0o600)
        return str(path)


@pytest.fixture
def reached(postgres_demo_dsn: str, tmp_path: Path) -> Iterator[Reached]:
    name = parse_dsn(postgres_demo_dsn)["dbname"] + "_secret"
    with closing(psycopg2.connect(postgres_demo_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD %s", (PASSWORD,))
        connection.commit()
    yield Reached(make_dsn(postgres_demo_dsn, user=name), postgres_demo_dsn, tmp_path)
    with closing(psycopg2.connect(postgres_demo_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
        connection.commit()


Way = Callable[[Reached, str], tuple[tuple[str, ...], Mapping[str, str]]]


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


def _toml(dsn: str) -> str:
    return f"dsn = {json.dumps(dsn, ensure_ascii=False)}\n"


#: How the password comes in: arguments and environment, for a password that may be wrong.
WAYS: Mapping[str, Way] = {
    "SHSIM_DSN": lambda at, pw: ((), {"SHSIM_DSN": at.url(pw)}),
    "DATABASE_URL": lambda at, pw: ((), {"DATABASE_URL": at.url(pw, "postgresql+psycopg2")}),
    "--dsn, a URL": lambda at, pw: (("--dsn", at.url(pw, "postgres")), {}),
    "--dsn, words": lambda at, pw: (("--dsn", at.words(pw)), {}),
    "a URL's query": lambda at, pw: ((), {"SHSIM_DSN": at.url(None, password=pw)}),
    "sslpassword": lambda at, pw: ((), {"SHSIM_DSN": at.url(pw, sslpassword=OTHER)}),
    "TOML": lambda at, pw: (("--config", at.file("x.toml", _toml(at.url(pw)))), {}),
    "PGPASSWORD": lambda at, pw: ((), {"SHSIM_DSN": at.url(None), "PGPASSWORD": pw}),
    "PGPASSFILE": lambda at, pw: (
        (),
        {
            "SHSIM_DSN": at.words(None),
            "PGPASSFILE": at.file("pass", f"*:*:*:*:{_escaped(pw)}\n"),
        },
    ),
    "a service file": lambda at, pw: (
        (),
        {
            "SHSIM_DSN": "service=qbank",
            "PGSERVICEFILE": at.file(
                "services",
                f"[qbank]\nhost={at.host}\n"
                + "".join(f"{k}={at.parameters[k]}\n" for k in ("port", "dbname", "user"))
                + f"password={pw}\n",
            ),
        },
    ),
}  # fmt: skip


@pytest.fixture
def told(here: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run a command with a password that came in one way."""

    def run(way: tuple[tuple[str, ...], Mapping[str, str]], *arguments: str) -> Ended:
        with monkeypatch.context() as around:
            for name, value in way[1].items():
                around.setenv(name, value)
            return here(*arguments, *way[0])

    return run


@pytest.mark.compiled
@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_works(reached: Reached, told: Callable[..., Ended], way: str) -> None:
    its = WAYS[way](reached, PASSWORD)
    exam = ("--exam", "DEMO-EXAM")
    kept, out = str(reached.folder / "c.run"), str(reached.folder / "k.json")
    seen = []
    for arguments in (
        ("simulate", *exam, *QUICK, "--log-format", "json"),
        ("calibrate", *exam, *QUICK_CALIBRATION, "--checkpoint", kept, "--output", out,
         "--format", "json"),
        ("history", "--format", "json"), ("show", "1"), ("doctor", "--format", "json"),
        ("db", "check"),
    ):  # fmt: skip
        ended = told(its, *arguments)
        assert ended.code == 0, ended.err
        seen += [ended.out, ended.err]
    seen.append(Path(out).read_text())
    seen += [str(query(reached.owner, f"SELECT * FROM {table}")) for table in PSQL_TABLES]  # noqa: S608
    assert holds("\n".join(seen)) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password(reached: Reached, told: Callable[..., Ended], way: str) -> None:
    for arguments in (("doctor",), ("history",), ("audit", "--exam", "A", "--log-format", "json")):
        ended = told(WAYS[way](reached, PASSWORD + "!"), *arguments)
        assert ended.code == 4
        assert "refuses the user or the password" in ended.out + ended.err
        assert holds(ended.out + ended.err) == []


BROKEN: Mapping[str, Callable[[Reached], str]] = {
    "nobody listens": lambda at: at.url(PASSWORD).replace(f":{at.parameters['port']}/", ":1/"),
    "no such database": lambda at: at.url(PASSWORD).replace(at.parameters["dbname"], "none"),
    "no such user": lambda at: at.url(PASSWORD).replace(f"{at.parameters['user']}:", "nobody:"),
    "an unknown parameter": lambda at: at.url(PASSWORD, nonsense="1"),
    "a bad parameter": lambda at: at.url(PASSWORD, sslmode=PASSWORD),
    "a raw password": lambda at: f"postgresql://u:{PASSWORD}@{at.host}/db",
    "a raw password in words": lambda at: f"host={at.host} user=u password={PASSWORD}",
    "a bad port": lambda at: f"postgresql://u@{at.host}:{PASSWORD}/db",
    "half a percent sign": lambda at: at.url(PASSWORD).replace("%40", "%4"),
    "no slashes": lambda at: at.url(PASSWORD).replace("//", ""),
    "another database": lambda at: at.url(PASSWORD, "mysql"),
    "a path": lambda at: f"sqlite:///{at.folder}/none?password={PASSWORD}",
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("what", BROKEN)
def test_a_dsn_that_fails(
    reached: Reached, told: Callable[..., Ended], what: str, form: str
) -> None:
    dsn = BROKEN[what](reached)
    for way in (((), {"SHSIM_DSN": dsn}), (("--dsn", dsn), {}), ((), {"DATABASE_URL": dsn})):
        for arguments in (("export", "--exam", "A"), ("doctor",)):
            ended = told(way, *arguments, "--log-format", form)
            assert ended.code in (2, 4), ended
            assert holds(ended.out + ended.err) == [], what


MISPLACED: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "a command": lambda dsn: (dsn,),
    "an argument": lambda dsn: ("calibrate", dsn),
    "an unknown option": lambda dsn: ("calibrate", f"--dns={dsn}"),
    "an exam": lambda dsn: ("export", "--exam", dsn),
    "a pool": lambda dsn: ("calibrate", "--pool", dsn),
    "an output": lambda dsn: ("calibrate", "--output", dsn),
    "a checkpoint": lambda dsn: ("calibrate", "--checkpoint", dsn),
    "a configuration": lambda dsn: ("calibrate", "--config", dsn),
    "a blueprint": lambda dsn: ("calibrate", "--blueprint", dsn),
    "a theta": lambda dsn: ("calibrate", "--theta", dsn),
    "a number": lambda dsn: ("calibrate", "--tau", dsn),
    "a series": lambda dsn: ("sweep", "--tau", dsn),
    "a run": lambda dsn: ("show", dsn),
    "a date": lambda dsn: ("audit", "--since", dsn),
    "a file to import": lambda dsn: ("import", dsn, "--exam", "A"),
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("what", MISPLACED)
def test_a_dsn_in_the_wrong_place(here: Run, what: str, form: str) -> None:
    for dsn in (
        f"postgresql://u:{quote(PASSWORD, safe='')}@h/db",
        f"postgresql://u:{PASSWORD.replace(' ', '')}@h/db",
        make_dsn(host="h", user="u", password=PASSWORD),
        f"postgresql://h/db?user=u&password={quote_plus(PASSWORD)}",
    ):
        ended = here(
            *MISPLACED[what](dsn), *(("--log-format", form) if what[2:] != "command" else ())
        )
        assert ended.code in (2, 3, 4), ended
        assert holds(ended.out + ended.err) == []


@pytest.mark.compiled
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_bug_whose_exception_holds_the_dsn(
    reached: Reached, told: Callable[..., Ended], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = reached.url(PASSWORD)
    raw = f"postgresql://u:{PASSWORD.replace(' ', '')}@h/db"

    def fails(*_arguments: object, **_options: object) -> None:
        raise ValueError(f"{dsn} and {raw} and {make_dsn(password=PASSWORD)} and PGPASSWORD")

    monkeypatch.setattr("shsim.workflow.run.simulate", fails)
    ended = told(((), {"SHSIM_DSN": dsn}), "simulate", "--exam", "DEMO-EXAM", *QUICK,
                 "--log-format", form)  # fmt: skip
    assert ended.code == 1
    assert "ValueError" in ended.err
    assert holds(ended.out + ended.err) == []
    ((message,),) = query(reached.owner, "SELECT message FROM shsim_run")
    assert message.startswith("ValueError")
    assert holds(message) == []


@pytest.mark.parametrize("told", ["by the environment", "by --dsn"])
def test_a_process_shows_no_password(reached: Reached, told: str) -> None:
    """Neither in the process list nor in the server's, while it waits for a lock."""
    url = reached.url(PASSWORD)
    by_environment = told == "by the environment"
    with closing(psycopg2.connect(reached.owner)) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE question_publications IN ACCESS EXCLUSIVE MODE")
        started = subprocess.Popen(
            command("export", "--exam", "DEMO-EXAM", *([] if by_environment else ["--dsn", url])),
            env={**os.environ, **({"SHSIM_DSN": url} if by_environment else {})},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            waiting: list[tuple[object, ...]] = []
            while not waiting and started.poll() is None:
                waiting = query(
                    reached.owner, "SELECT * FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                )
            assert waiting, "it ended"
            listed = Path(f"/proc/{started.pid}/cmdline").read_text()
        finally:
            connection.rollback()
            out, err = started.communicate()
    assert started.returncode == 0, err
    assert "export" in listed
    assert by_environment or "--dsn\0postgresql://" in listed
    assert holds(listed + str(waiting) + out + err) == []


PIECES = st.lists(
    st.sampled_from([*TOKENS, *"@:/%?#&='\"\\ []{}$!;,|<>+~^*()-_.", "\u00f6", "%40", "://"]),
    min_size=1, max_size=12,
).map("".join)  # fmt: skip


@examples(max_examples=400, deadline=None)
@given(PIECES)
def test_no_spelling_of_a_password_is_quoted_or_labelled(password: str) -> None:
    for text in (
        f"postgresql://user:{quote(password, safe='')}@host/db",
        str(make_dsn(host="host", user="user", password=password)),
        f"postgresql://host/db?user=user&password={quote(password, safe='')}",
    ):
        dsn = Dsn.parse(text)
        assert dsn.parameters["password"] == password
        assert holds(f"{dsn!r} {dsn} {dsn.label} {dsn.scrub(text)}") == []
        assert holds(blotted(f"x {text}: y")) == []


@examples(max_examples=400, deadline=None)
@given(PIECES.filter(lambda password: not set(password) & set("?#")))
def test_a_raw_password_in_a_url_is_refused_or_understood(password: str) -> None:
    said = ""
    try:
        dsn = Dsn.parse(f"postgresql://user:{password}@host/db")
        said = f"{dsn!r} {dsn.label}"
    except UsageError as error:
        said = str(error)
    assert holds(said) == []

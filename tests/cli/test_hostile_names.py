"""Names that are SQL, escape codes, format strings or megabytes: data, and never more than that."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from front_door import Ended, Run
from psycopg2 import sql
from psycopg2.extensions import make_dsn
from storage.databases import execute, query, seed

pytestmark = pytest.mark.compiled

#: What a terminal acts on; a line break is looked for by itself.
ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
LONGEST_LINE = 4000

NAMES = {
    "SQL": "'; DROP TABLE question_publications; --",
    "quotes": "\"quoted\" 'q' `id` $1 :name ?",
    "formats": "%s %(exam)s %% {} {0.__class__} {exam} ${HOME} \\x00 \\",
    "colours": "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "lines": "two\nshsim: warning: lines\r\tx",
    "right to left": "rtl\u202eabc\u2066d\u200f",
    "ten kilobytes": "x" * 10_000,
    "emoji": "\U0001f600 caf\u00e9 e\u0301 \u0130",
    "separators": '\u2028sep\x85,;"|\t',
    "a formula": "=cmd|' /C calc'!A0",
    "an option": "--help",
    "markup": "[bold red]x[/] <script>alert(1)</script> [link=x]",
}
#: Of those, what `import` makes no exam of; another program may have.
NOT_MADE = {"colours", "lines", "separators"}
#: What no database can hold.
IMPOSSIBLE = {"no UTF-8": os.fsdecode(b"bad\xff\xfe"), "empty": ""}

POOL = """question_id,version,topic_id,a,b,c,sh_p
1,1,5,1,0,.2,1
2,1,5,1.2,0.5,.1,0.5
3,1,,0.7,-1,0,1
"""
TEST = ("--len", "2", "--tau", "1", "--seed", "1")
DRAWN = (*TEST, "--n", "100")


def commands(exam: str, pool: str) -> list[tuple[str, ...]]:
    """Every command that takes an exam, or shows one."""
    its = f"--exam={exam}"
    return [
        ("import", pool, its, "--dry-run"), ("import", pool, its),
        ("calibrate", its, *DRAWN, "--iters", "2", "--verify-n", "100"),
        ("calibrate", its, *DRAWN, "--iters", "2", "--verify-n", "100", "--log-format", "json"),
        ("simulate", its, *DRAWN), ("simulate", its, *DRAWN, "--compare=none,sh"),
        ("simulate", its, *DRAWN, "--format", "json"),
        ("sweep", its, "--len", "2", "--nodes", "20", "--iters", "2"),
        ("trace", its, "--len", "2", "--seed", "1"), ("export", its),
        ("audit", its, "--since-run", "1"), ("history", its), ("history",), ("show", "1"),
        ("history", "--format", "json"), ("diff", "1", "2"), ("rollback", "2", "--dry-run"),
        ("rollback", "2"), ("calibrate", "--from-run", "1", "--dry-run"), ("db", "check"),
        ("doctor",), ("doctor", "--format", "json"), ("export", "--exam", "another"), ("export",),
    ]  # fmt: skip


def plain(ended: Ended) -> None:
    """A terminal is shown nothing that it acts on."""
    assert ended.code != 1, ended.err
    assert "Traceback" not in ended.err
    lines = ended.err.splitlines()
    assert all(line.startswith(("shsim: ", "{")) for line in lines), ended.err
    assert max(map(len, lines), default=0) <= LONGEST_LINE or lines[0].startswith("{")
    for text in (ended.err, ended.out):
        assert ACTIVE.search(text) is None, text


@pytest.mark.parametrize("name", NAMES)
def test_an_exam_may_have_any_name(
    here: Run, dsn: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam, pool = NAMES[name], tmp_path / "pool.csv"
    pool.write_text(POOL)
    monkeypatch.setenv("SHSIM_DSN", dsn)
    if name in NOT_MADE:
        assert here("import", str(pool), "--exam", "plain").code == 0
        execute(dsn, "DELETE FROM question_publications")
        seed(dsn, "question_publications", [(exam, item, 1) for item in (1, 2, 3)])
    for arguments in commands(exam, str(pool)):
        ended = here(*arguments)
        refused = arguments == ("export",) or (name in NOT_MADE and arguments[0] == "import")
        wanted = {2} if refused else {3} if arguments[-1] == "another" else {0}
        assert ended.code in wanted, (arguments[0], ended.err[-500:])
        plain(ended)
    assert query(dsn, "SELECT DISTINCT exam_code FROM question_publications") == [(exam,)]
    assert {row[0] for row in query(dsn, "SELECT exam FROM shsim_run")} == {exam}
    listed = list(csv.DictReader(io.StringIO(here("history", "--format", "csv").out, newline="")))
    assert {row["exam"] for row in listed} == {exam}, "CSV is data"
    found = json.loads(here("export", f"--exam={exam}", "--format", "json").out)
    assert found["exam"] == exam


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_is_no_name_is_refused(
    here: Run, dsn: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text(POOL)
    monkeypatch.setenv("SHSIM_DSN", dsn)
    for arguments in commands(IMPOSSIBLE[name], str(pool)):
        if f"--exam={IMPOSSIBLE[name]}" in arguments:
            ended = here(*arguments)
            assert ended.code in {2, 3}, (arguments, ended)
            plain(ended)
    assert query(dsn, "SELECT * FROM question_publications") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (" ", "exam ' ' is blank"),
        ("\u00a0\u3000", "is blank"),
        ("MATH ", "exam 'MATH ' begins or ends with a space"),
        ("a\nb", r"exam 'a\nb' has a control character or a line break in it"),
        ("a\x7f", "has a control character"),
        ("a\u2029b", r"exam 'a\u2029b' has a control character or a line break"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["", "dry"])
def test_no_exam_is_made_that_nobody_could_type(
    here: Run, tmp_path: Path, name: str, said: str, dry: tuple[str, ...]
) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text(POOL)
    database = tmp_path / "new.sqlite"
    ended = here("import", str(pool), f"--exam={name}", "--dsn", f"sqlite:///{database}", *dry)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Give --exam another name to import under." in ended.err
    assert not database.exists()


@pytest.mark.parametrize("name", [*NAMES, "no UTF-8"])
def test_a_file_may_have_any_name(here: Run, name: str, tmp_path: Path) -> None:
    text = {**NAMES, **IMPOSSIBLE}[name].replace("/", "_")[:200]
    pool, out = tmp_path / f"{text}.csv", tmp_path / f"{text}.json"
    pool.write_text(POOL)
    plain(here("simulate", *DRAWN, "--pool", str(pool), "--output", str(out)))
    assert out.exists()
    for option in ("--theta=file:", "--blueprint=", "--config=", "--checkpoint="):
        ended = here("calibrate", *DRAWN, "--pool", str(pool), f"{option}{pool}")
        assert ended.code in {2, 3}
        plain(ended)
    database = tmp_path / f"{text}.sqlite"
    if "?" not in text:
        plain(here("db", "init", "--dsn", f"sqlite:///{database}"))
        assert database.exists()
        plain(here("doctor", "--dsn", f"sqlite:///{database}"))
    plain(here("export", "--exam", "A", "--dsn", f"sqlite:///{database}-none"))


@pytest.mark.parametrize("name", [each for each in NAMES if each != "ten kilobytes"])
def test_a_server_may_have_any_names(
    here: Run, postgres_dsn: str, name: str, tmp_path: Path
) -> None:
    """A database, a schema on the search path, a role and an application of that name."""
    text = NAMES[name][:40]
    pool = tmp_path / "pool.csv"
    pool.write_text(POOL)
    with closing(psycopg2.connect(postgres_dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(text)))
        cursor.execute(
            sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'pw'").format(sql.Identifier(text))
        )
        try:
            cursor.execute("SELECT set_config('search_path', quote_ident(%s), false)", (text,))
            path = cursor.execute("SHOW search_path") or cursor.fetchone()[0]
            options = "-c search_path=" + re.sub(r"([\\\s])", r"\\\1", path)
            known = make_dsn(
                postgres_dsn,
                user=text,
                password="pw",  # noqa: S106
                application_name=text,
                options=options,
            )
            for arguments in [("db", "init"), *commands("E", str(pool))]:
                ended = here(*arguments, "--dsn", known)
                assert ended.code in {0, 2, 3}, (arguments, ended.err)
                plain(ended)
            cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (text,))
            assert cursor.fetchone() == (8,), "made by db init in that schema"
        finally:
            cursor.execute(
                sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(text))
            )
    for broken in ({"dbname": text}, {"user": text}, {"options": f"-c search_path={text}"}):
        ended = here("export", "--exam", "E", "--dsn", make_dsn(postgres_dsn, **broken))
        assert ended.code in {3, 4}
        plain(ended)

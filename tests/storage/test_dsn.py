"""Every spelling of a database, and no password in anything that is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from shsim.errors import UsageError
from shsim.storage.dsn import Dsn

SPELLINGS = {
    "postgresql://u:pw@h:5433/db": ("postgresql://u@h:5433/db", "pw"),
    "postgres://u:pw@h/db": ("postgresql://u@h/db", "pw"),
    "postgresql+psycopg2://u:pw@h/db": ("postgresql://u@h/db", "pw"),
    "postgresql+asyncpg://u:pw@h/db": ("postgresql://u@h/db", "pw"),
    "postgres+psycopg2://u:pw@h/db": ("postgresql://u@h/db", "pw"),
    "  postgresql://u:pw@h/db\n": ("postgresql://u@h/db", "pw"),
    "postgresql://u:p%40s%2Fs@h/db": ("postgresql://u@h/db", "p@s/s"),
    "postgresql://u:p?s#s%25@h/db": ("postgresql://u@h/db", "p?s#s%"),
    "postgresql://h/db?user=u&password=p%26w": ("postgresql://u@h/db", "p&w"),
    "postgresql://u:pw@[::1]:5432/db": ("postgresql://u@::1:5432/db", "pw"),
    "postgresql://u:pw@h1:1,h2:2/db": ("postgresql://u@h1:1,h2:2/db", "pw"),
    "host=h dbname=db user=u password=pw": ("postgresql://u@h/db", "pw"),
    r"host=h dbname=db password='it\'s a secret'": ("postgresql://h/db", "it's a secret"),
    "host=/run/pg dbname=db port=5433": ("postgresql:///db (socket in /run/pg)", None),
    "postgresql:///db?host=/run/pg": ("postgresql:///db (socket in /run/pg)", None),
    "service=qbank": ("postgresql service qbank", None),
    "postgresql://": ("postgresql:///", None),
    "dbname=db": ("postgresql:///db", None),
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_postgresql_spellings(text: str) -> None:
    wanted = SPELLINGS[text]
    dsn = Dsn.parse(text)
    assert (dsn.kind, dsn.label) == ("postgresql", wanted[0])
    assert dsn.parameters.get("password") == wanted[1]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///pool.sqlite", "pool.sqlite"),
        ("sqlite:///some/pool.sqlite", "some/pool.sqlite"),
        ("sqlite:////var/pool.sqlite", "/var/pool.sqlite"),
        ("sqlite+pysqlite:////var/a b%20.sqlite", "/var/a b%20.sqlite"),
    ],
)
def test_sqlite_spellings(text: str, path: str) -> None:
    dsn = Dsn.parse(text)
    assert (dsn.kind, dsn.path) == ("sqlite", Path(path))
    assert dsn.label == f"sqlite:///{path}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "pool.sqlite",
        "host=h password='hunter2",
        "host=h password = hunter2 hunter2",
        "postgresql://u:hunter2@h/db?unknown=hunter2",
        "postgresql://u:hunter2%zz@h/db",
        "postgresql://u:hun@hunter2@h/db",
        "postgresql://u:hun/hunter2@h/db",
        "postgresql://u:hun/ter2hunter2?x=1@h/db",
        "postgresql://h:hunter2/db",
        "host=h port=hunter2",
        "postgresql://u:hunter2\0@h/db",
        "mysql://u:hunter2@h/db",
        "hunter2://h/db",
        "hunter2",
        "sqlite:hunter2",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://hunter2/pool.sqlite",
        "sqlite:///pool.sqlite?mode=hunter2",
        "sqlite:///folder/",
        "sqlite:///hunter2" + "x" * 250,
        "sqlite:///" + "hunter2/" * 600 + "x",
    ],
)
def test_what_is_not_understood_is_a_usage_error_that_quotes_nothing(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Dsn.parse(text)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith("--dsn")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_secrets_stand_neither_in_repr_nor_in_scrubbed_text() -> None:
    dsn = Dsn.parse("postgresql://u:p%40ss%20w%C3%B6rd@h/db?sslpassword=other+one")
    assert "p@ss" not in repr(dsn)
    said = 'could not connect to "p@ss wörd", p%40ss%20w%C3%B6rd, other+one'
    assert dsn.scrub(said) == 'could not connect to "***", ***, ***'


def test_a_short_secret_leaves_the_words_it_stands_in() -> None:
    dsn = Dsn.parse("postgresql://reader:ro@h/db")
    said = "permission denied for table item_exposure_control: ro, 'ro', x:ro@h"
    assert dsn.scrub(said) == (
        "permission denied for table item_exposure_control: ***, '***', x:***@h"
    )


def test_our_parameters_give_way_to_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    monkeypatch.delenv("PGSERVICE", raising=False)
    ours = Dsn.parse("host=h").connection_parameters("shsim")
    assert ours["connect_timeout"] == "10"
    assert ours["tcp_user_timeout"] == "60000"
    assert ours["fallback_application_name"] == "shsim"
    theirs = Dsn.parse("host=h connect_timeout=3 keepalives_idle=7 application_name=x")
    chosen = theirs.connection_parameters("shsim")
    assert (chosen["connect_timeout"], chosen["keepalives_idle"]) == ("3", "7")
    assert chosen["application_name"] == "x"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    assert "connect_timeout" not in Dsn.parse("host=h").connection_parameters("shsim")

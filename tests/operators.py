"""A role that has the grants of the README and no more."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import psycopg2
from postgres_server import Server
from psycopg2.extensions import make_dsn, parse_dsn

README = Path(__file__).resolve().parents[1] / "README.md"


def granted() -> list[str]:
    """The grants as the README has them, a statement each."""
    return re.findall(r"^(GRANT .*?) TO shsim;$", README.read_text(), re.MULTILINE)


def atoms() -> list[tuple[str, str]]:
    """Each privilege on each thing by itself."""
    found = []
    for statement in granted():
        match = re.fullmatch(r"GRANT (.*) ON (DATABASE |SCHEMA |)(.*)", statement)
        assert match is not None, statement
        for privilege in match[1].split(", "):
            found += [(privilege, match[2] + thing) for thing in match[3].split(", ")]
    return found


class Operator:
    """A role in a database where PUBLIC has nothing."""

    def __init__(self, server: Server, owner: str, name: str) -> None:
        self._server = server
        self.owner, self.name = owner, name
        self.database = parse_dsn(owner)["dbname"]
        self.dsn = make_dsn(owner, user=name, password="x")  # noqa: S106

    def execute(self, statement: str) -> None:
        with closing(psycopg2.connect(self.owner)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement.replace("DATABASE qbank", self._quoted))

    @property
    def _quoted(self) -> str:
        return f"DATABASE {self.database}"

    def grant(self, what: str) -> None:
        self.execute(f"{what} TO {self.name}")

    def revoke(self, privilege: str, thing: str) -> None:
        self.execute(f"REVOKE {privilege} ON {thing} FROM {self.name}")

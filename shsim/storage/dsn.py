"""How a database is named: every spelling of `--dsn`, read into one frozen value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from shsim.errors import UsageError

SPELLINGS = (
    "postgresql://USER@HOST:PORT/DATABASE, 'host=HOST dbname=DATABASE user=USER', or sqlite:///PATH"
)

#: Seconds to wait for a server that does not answer, unless the operator says otherwise.
CONNECT_TIMEOUT = "10"

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9.-]*)(?:\+(?P<driver>\w+))?://(?P<rest>.*)", re.S)
_PORTS = re.compile(r"[0-9,]*")
_SECRETS = ("password", "sslpassword")
#: A shorter secret is blotted out as a whole word alone: "ro" stands in "control" too.
_TELLING = 6
#: Bytes of a path and of a name in it, beyond which no file system here has one.
_LONGEST_PATH, _LONGEST_NAME = 4000, 255
_ENCODE = (
    "In a URL a special character of a user or password is percent-encoded:"
    " @ is %40, / is %2F, : is %3A, % is %25."
)


@dataclass(frozen=True, slots=True)
class Dsn:
    """A database, and how to reach it.

    Attributes
    ----------
    kind
        `postgresql` or `sqlite`.
    label
        The database as people name it, without any password.
    parameters
        libpq's connection parameters (`postgresql`); they may hold a password, and
        are therefore left out of `repr`.
    path
        The file (`sqlite`).
    """

    kind: Literal["postgresql", "sqlite"]
    label: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: Path = Path()

    @classmethod
    def parse(cls, text: str) -> Dsn:
        """Read a spelling of `--dsn` or `DATABASE_URL`.

        ``postgres://`` and ``postgresql+psycopg2://`` (any driver: it is SQLAlchemy's
        affair) are ``postgresql://``; ``sqlite:///PATH`` is SQLAlchemy's too, so that
        ``sqlite:////abs`` is absolute. What has no scheme is libpq's ``key=value``.

        Raises
        ------
        UsageError
            The spelling is not understood; the message quotes nothing of it, since
            any part may be a piece of a password.
        """
        stripped = text.strip()
        if not stripped or "\0" in stripped:
            raise UsageError(f"--dsn is empty or holds a NUL character. Write {SPELLINGS}.")
        match = _SCHEME.match(stripped)
        if match is None:
            return _postgresql(stripped)
        if match["scheme"] == "sqlite":
            return _sqlite(match["rest"])
        if match["scheme"] in {"postgresql", "postgres"}:
            _refuse_raw_separators(match["rest"])
            return _postgresql(f"postgresql://{match['rest']}")
        raise UsageError(
            f"--dsn names a kind of database that shsim does not know. Write {SPELLINGS}."
        )

    def connection_parameters(self, application_name: str) -> dict[str, str]:
        """What to connect with: the operator's parameters, and ours where there is none.

        A service file and the PG* environment variables are libpq's to read, and keep
        their say: `fallback_application_name` gives way to both, and the time-out is
        left alone where either may hold one.
        """
        chosen = {
            "fallback_application_name": application_name,
            "keepalives_idle": "60",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            # Where the wire is dead, and not only still; in milliseconds.
            "tcp_user_timeout": "60000",
        }
        if not (
            "service" in self.parameters
            or os.environ.get("PGSERVICE")
            or os.environ.get("PGCONNECT_TIMEOUT")
        ):
            chosen["connect_timeout"] = CONNECT_TIMEOUT
        return {**chosen, **self.parameters}

    def scrub(self, text: str) -> str:
        """`text` without any secret of this DSN, as given, escaped or percent-encoded."""
        secrets = {self.parameters.get(name, "") for name in _SECRETS}
        secrets.add(os.environ.get("PGPASSWORD", "") if self.kind == "postgresql" else "")
        for secret in sorted(secrets - {""}, key=len, reverse=True):
            escaped = secret.replace("\\", "\\\\").replace("'", "\\'")  # as libpq has it
            for spelling in (escaped, secret, quote(secret, safe=""), quote(secret)):
                pattern = re.escape(spelling)
                if len(secret) < _TELLING:
                    pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
                text = re.sub(pattern, "***", text)
        return text


def _sqlite(rest: str) -> Dsn:
    """`rest` is what follows ``sqlite://``: an empty host, a slash, the path."""
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path == ":memory:" or path.endswith("/"):
        raise UsageError(
            "--dsn sqlite:// names no file. Write sqlite:///PATH for a path from here,"
            " sqlite:////PATH for an absolute one."
        )
    if "?" in path:
        raise UsageError(
            "--dsn sqlite:///PATH takes no options after a question mark."
            " Write sqlite:///PATH alone."
        )
    encoded = path.encode(errors="replace")
    if len(encoded) > _LONGEST_PATH or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
        raise UsageError("--dsn sqlite:///PATH is longer than a file's name can be. Shorten it.")
    return Dsn("sqlite", label=f"sqlite:///{path}", path=Path(path))


def _postgresql(conninfo: str) -> Dsn:
    # Loading libpq costs 30 ms, which a run on SQLite need not pay.
    from psycopg2 import Error
    from psycopg2.extensions import parse_dsn

    try:
        parameters: dict[str, str] = parse_dsn(conninfo)
    except (Error, ValueError):
        # Not chained: the driver's own message quotes pieces of the DSN.
        raise UsageError(f"--dsn is not understood. Write {SPELLINGS}. {_ENCODE}") from None
    if not _PORTS.fullmatch(parameters.get("port", "")):
        raise UsageError(f"--dsn: the port is not a number. {_ENCODE}")
    return Dsn("postgresql", label=_label(parameters), parameters=parameters)


def _refuse_raw_separators(rest: str) -> None:
    """Refuse a URL whose password holds a bare @ or /: libpq takes its tail for the host.

    The rest of the run would then print that tail as the host's name.
    """
    first = re.search(r"[@/]", rest)
    after = rest[first.end() :] if first else ""
    if "@" in after.split("?", 1)[0]:
        raise UsageError(f"--dsn: there is an @ or a / too many in the URL. {_ENCODE}")


def _label(parameters: Mapping[str, str]) -> str:
    """A URL that names the database, for people; no secret is ever part of it."""
    service = parameters.get("service")
    if service and "dbname" not in parameters:
        return f"postgresql service {service}"
    hosts = parameters.get("host", parameters.get("hostaddr", "")).split(",")
    ports = parameters.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    sockets = [host for host in hosts if host.startswith(("/", "@"))]
    place = ",".join(
        host + (f":{port}" if port else "")
        for host, port in zip(hosts, ports, strict=False)
        if host not in sockets
    )
    user = parameters.get("user", "")
    label = f"postgresql://{user}{'@' if user else ''}{place}/{parameters.get('dbname', '')}"
    return f"{label} (socket in {sockets[0]})" if sockets else label

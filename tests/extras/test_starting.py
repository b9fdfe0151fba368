"""How `serve` and `token` are started, and what they refuse."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from extras.served import SECRET
from front_door import Ended, command

from shsim.extras.admin_api.keys import secret_key
from shsim.extras.admin_api.serve import listening_socket
from shsim.extras.admin_api.settings import ServerSettings

#: Finders that have none of the extra's packages, as a plain install has none.
WITHOUT = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"fastapi", "starlette", "uvicorn", "jwt", "prometheus_client"}:
            return None
        return self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path = [Without(finder) for finder in sys.meta_path]
"""

SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be refused


def shsim(*words: str) -> Ended:
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=120)
    return Ended(done.returncode, done.stdout, done.stderr)


def refused(*words: str) -> str:
    ended = shsim("serve", "--dsn", "sqlite:////nowhere.sqlite", *words)
    assert ended.code == 2, ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    return ended.err


def pem(key: object) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHSIM_JWT_SECRET")
    said = refused()
    assert "SHSIM_JWT_SECRET" in said
    assert "openssl rand -base64 48" in said


def test_several_keys(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    said = refused("--jwt-secret-file", str(tmp_path / "secret"))
    assert "--jwt-secret-file and SHSIM_JWT_SECRET are several keys" in said


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--jwt-secret-file", b"0123456789012345678901234567890\n", "holds 31 bytes"),
        ("--jwt-secret-file", None, "cannot be read: No such file"),
        ("--jwt-secret-file", b"\xff" * 40, "cannot be read: it is no text"),
        ("--jwt-public-key", b"0123456789", "no public key in PEM"),
        ("--jwt-public-key", pem(SHORT.public_key()), "2048 bits"),
        ("--jwt-public-key", pem(ec.generate_private_key(ec.SECP384R1()).public_key()), "P-256"),
        ("--jwks", b"[]", "no JSON Web Key Set"),
        ("--jwks", b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "1"}]}', "key 0 cannot be read"),
    ],
)
def test_a_key_that_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str, content: bytes | None, said: str
) -> None:
    monkeypatch.delenv("SHSIM_JWT_SECRET")
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    assert said in refused(option, str(tmp_path / "key"))


@pytest.mark.parametrize(
    "origin", ["qbank.example", "https://qbank.example/page", "*", "https://a.example https://b"]
)
def test_an_origin_that_is_none(origin: str) -> None:
    assert "is no origin" in refused("--origins", origin)


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"--port {port} cannot be listened at: Address already in use" in refused(
            "--port", port
        )


def test_no_answer_waits_for_the_receipt_of_its_head() -> None:
    settings = ServerSettings(dsn="", port=0, keys=secret_key(SECRET, "test"))
    with listening_socket(settings) as listening:
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_bad_dsn_is_said_at_once() -> None:
    assert "--dsn" in shsim("serve", "--dsn", "mysql://x").err


def test_a_token_says_what_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = shsim(
        "token", "--role", "admin", "--subject", "me", "--ttl", "60", "--audience", "shsim",
        "--issuer", "here",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    claims = jwt.decode(ended.out.strip(), SECRET, ["HS256"], audience="shsim", issuer="here")
    assert (claims["sub"], claims["role"]) == ("me", "admin")
    assert 0 < claims["exp"] - time.time() <= 60
    monkeypatch.delenv("SHSIM_JWT_SECRET")
    assert shsim("token").code == 2
    (tmp_path / "secret").write_text(SECRET + "\n")
    of_file = shsim("token", "--jwt-secret-file", str(tmp_path / "secret"))
    assert jwt.decode(of_file.out.strip(), SECRET, ["HS256"])["role"] == "viewer"


@pytest.mark.parametrize("name", ["serve", "token"])
def test_without_the_extra(name: str) -> None:
    code = f"{WITHOUT}\nfrom shsim.cli.app import main\nsys.argv[1:] = [{name!r}]\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 6, done.stderr
    assert f"shsim {name} needs the extra 'api'" in done.stderr
    assert " install 'fastapi>=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plain_command_imports_nothing_of_the_extra() -> None:
    code = f"""{WITHOUT}
import pkgutil, importlib, json, shsim.cli
names = [m.name for m in pkgutil.walk_packages(shsim.cli.__path__, "shsim.cli.")]
for name in names:
    importlib.import_module(name)
print(json.dumps(names))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "shsim.cli.work.serving" in json.loads(done.stdout)

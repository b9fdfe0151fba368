"""Who gets in, and who does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from extras.conftest import Start
from extras.served import SECRET, Served, bearing, serving, token

from shsim.storage.embedded import make_embedded

PATH = "/v1/admin/exposure/nothing"  # who is admitted learns that nothing is there


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "demo.sqlite"
    make_embedded(path)
    return path


@pytest.fixture(scope="module")
def served(demo_file: Path) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHSIM_JWT_SECRET", SECRET)
        patch.delenv("SHSIM_DSN", raising=False)
        with serving("--dsn", f"sqlite:///{demo_file}", "--audience", "shsim") as server:
            yield server


def unsigned(**claims: object) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, {"exp": time.time() + 600, "role": "admin", **claims})
    texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*texts, ""])


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "is needed"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "not `Bearer`"),
        ({"Authorization": "Bearer"}, "not `Bearer`"),
        (bearing("no.token.atall"), "not valid"),
        (bearing(token(aud="shsim", exp=int(time.time()) - 3600)), "has expired"),
        (bearing(token(aud="shsim", nbf=int(time.time()) + 3600)), "not valid yet"),
        (bearing(token("admin", SECRET[::-1], aud="shsim")), "not valid"),
        (bearing(token(aud="shsim", exp=None)), "lacks the claim exp"),
        (bearing(token(aud="shsim", algorithm="HS512")), "not valid"),
        (bearing(unsigned(aud="shsim")), "not valid"),
        (bearing(token(aud="another")), "another audience"),
        (bearing(token()), "lacks the claim aud"),
        (bearing("a" * 9000), "not `Bearer`"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_good(served: Served, headers: dict[str, str], said: str) -> None:
    answer = httpx.get(served.url + PATH, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="shsim"')
    assert said in answer.json()["detail"]
    assert httpx.post(served.url + PATH, headers=headers, content=b"{").status_code == 401


@pytest.mark.parametrize("claims", [{"role": "viewer"}, {"role": None, "roles": ["x", "viewer"]}])
def test_a_token_that_is_good(served: Served, claims: dict[str, object]) -> None:
    headers = bearing(token(aud=["other", "shsim"], **claims))
    assert httpx.get(served.url + PATH, headers=headers).status_code == 404
    assert httpx.get(served.url + "/metrics", headers=headers).status_code == 200


def test_a_token_without_a_role_gives_nothing(served: Served) -> None:
    headers = bearing(token(None, aud="shsim", roles="admin"))  # a string is no list
    answer = httpx.get(served.url + "/metrics", headers=headers)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert "role viewer" in answer.json()["detail"]


def test_public_keys_by_their_kid(
    start: Start, sqlite_demo_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHSIM_JWT_SECRET")
    of_rsa = rsa.generate_private_key(65537, 2048)
    of_curve = ec.generate_private_key(ec.SECP256R1())
    listed = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(of_rsa.public_key())), "kid": "r"},
        {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(of_curve.public_key())), "kid": "c"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": listed}))
    served = start("--dsn", sqlite_demo_dsn, "--jwks", str(path))

    def status(secret: object, algorithm: str, kid: str | None) -> int:
        headers = None if kid is None else {"kid": kid}
        made = token("viewer", secret, algorithm=algorithm, headers=headers)
        return httpx.get(served.url + "/metrics", headers=bearing(made)).status_code

    assert status(of_rsa, "RS256", "r") == 200
    assert status(of_curve, "ES256", "c") == 200
    assert status(of_rsa, "RS256", "c") == 401
    assert status(of_rsa, "RS512", "r") == 401
    assert status(of_rsa, "RS256", None) == 401
    assert status(of_rsa, "RS256", "z") == 401


def test_a_public_key_is_no_shared_secret(
    start: Start, sqlite_demo_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHSIM_JWT_SECRET")
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = tmp_path / "public.pem"
    path.write_bytes(pem)
    served = start("--dsn", sqlite_demo_dsn, "--jwt-public-key", str(path))
    good = token("viewer", private, algorithm="RS256")
    assert httpx.get(served.url + "/metrics", headers=bearing(good)).status_code == 200
    # PyJWT refuses to sign so itself; a forger would not.
    head, body, _ = good.split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    for secret in (pem, pem.rstrip()):
        mark = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        signed = base64.urlsafe_b64encode(mark).decode().rstrip("=")
        forged = bearing(f"{head}.{body}.{signed}")
        assert httpx.get(served.url + "/metrics", headers=forged).status_code == 401

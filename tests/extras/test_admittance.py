"""Who gets in, and who does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import datetime
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
ME = "/v1/admin/exposure/me"
SET = "/v1/admin/exposure/set"
NOTHING = {"question_id": -1, "version": -1, "sh_p": 0.5}


@pytest.fixture(scope="module")
def choosy(compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for the audience `shsim`."""
    file = tmp_path_factory.mktemp("choosy") / "demo.sqlite"
    make_embedded(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHSIM_JWT_SECRET", SECRET)
        options = ("--audience", "shsim", "--issuer", "https://id.example")
        with serving("--dsn", f"sqlite:///{file}", *options) as server:
            yield server


def made(role: str | None = "admin", secret: object = SECRET, **claims: object) -> dict[str, str]:
    """A header with a token that `choosy` takes, but for what is said."""
    # Those that tests are listed with are made long before the last of them runs.
    usual = {"aud": "shsim", "iss": "https://id.example", "exp": int(time.time()) + 86_400}
    return bearing(token(role, secret, **{**usual, **claims}))


def unsigned(**claims: object) -> str:
    body = {"exp": time.time() + 86_400, "role": "admin", **claims}
    return f"{encoded(json.dumps({'alg': 'none', 'typ': 'JWT'}))}.{encoded(json.dumps(body))}."


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "is needed"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "not `Bearer`"),
        ({"Authorization": "Bearer"}, "not `Bearer`"),
        (bearing("a" * 9000), "not `Bearer`"),
        (bearing("no.token.atall"), "not valid"),
        (made(exp=int(time.time()) - 3600), "has expired"),
        (made(exp=None), "lacks the claim exp"),
        (made(exp=1e400), "not valid"),
        (made(nbf=int(time.time()) + 3600), "not valid yet"),
        (made("admin", SECRET[::-1]), "not valid"),
        (made("admin", SECRET[::-1], headers={"kid": "../../dev/null"}), "not valid"),
        (made("admin", headers={"crit": ["exp"]}), "not valid"),
        (made(exp=10**30), "not valid"),
        (made(exp=[2**40]), "not valid"),
        (made(sub={"name": "a"}), "not valid"),
        (bearing(made()["Authorization"]), "not valid"),
        (bearing(f"{made()['Authorization'][7:]}, {made()['Authorization']}"), "not valid"),
        (bearing(f"{encoded('[' * 4000)}.e30.e30"), "not valid"),
        ({b"Authorization": b"Bearer " + b"\xe9\xff" * 20}, "not valid"),
        (made(algorithm="HS512"), "not valid"),
        (bearing(unsigned(aud="shsim", iss="https://id.example")), "not valid"),
        (made(aud="another"), "another audience"),
        (made(aud=None), "lacks the claim aud"),
        (made(iss="https://evil.example"), "another issuer"),
        (made(iss=None), "lacks the claim iss"),
    ],
)
def test_a_token_that_is_not_good(choosy: Served, headers: dict[str, str], said: str) -> None:
    answer = httpx.get(choosy.url + PATH, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="shsim"')
    assert said in answer.json()["detail"]
    # Nothing of what a stranger sends is read.
    assert httpx.post(choosy.url + PATH, headers=headers, content=b"{").status_code == 401


def test_two_tokens_are_none(choosy: Served) -> None:
    twice = [("Authorization", made()["Authorization"])] * 2
    assert httpx.get(choosy.url + PATH, headers=twice).status_code == 401


@pytest.mark.parametrize("claims", [{"role": "viewer"}, {"role": None, "roles": ["x", "viewer"]}])
def test_a_token_that_is_good(choosy: Served, claims: dict[str, object]) -> None:
    headers = made(**{"aud": ["other", "shsim"], **claims})
    headers["Authorization"] = headers["Authorization"].replace("Bearer", "bEARER")
    assert httpx.get(choosy.url + PATH, headers=headers).status_code == 404
    assert httpx.get(choosy.url + "/metrics", headers=headers).status_code == 200
    answer = httpx.post(choosy.url + SET, headers=headers, json=NOTHING)
    assert answer.status_code == 403
    assert "role admin" in answer.json()["detail"]


def test_an_admin_may_do_what_a_viewer_may(choosy: Served) -> None:
    assert httpx.get(choosy.url + "/metrics", headers=made("admin")).status_code == 200
    assert httpx.post(choosy.url + SET, headers=made("admin"), json=NOTHING).status_code == 404


def test_who_one_is(choosy: Served) -> None:
    ends = int(time.time()) + 300
    found = httpx.get(choosy.url + ME, headers=made("viewer", sub="alice", exp=ends)).json()
    assert datetime.fromisoformat(found.pop("expires")).timestamp() == ends
    assert found == {"subject": "alice", "roles": ["viewer"]}
    assert httpx.get(choosy.url + ME, headers=made()).json()["roles"] == ["admin", "viewer"]
    assert httpx.get(choosy.url + ME, headers=made(None)).status_code == 403
    assert httpx.get(choosy.url + ME).status_code == 401


def test_a_token_without_a_role_gives_nothing(choosy: Served) -> None:
    headers = made(None, roles="admin")  # a string is no list
    answer = httpx.get(choosy.url + "/metrics", headers=headers)
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
    path.write_text(json.dumps({"keys": [{**listed[0], "use": "enc"}, *listed]}))
    served = start("--dsn", sqlite_demo_dsn, "--jwks", str(path))
    assert "key 0 ('r') is not for signatures" in served.wait_for("key")["message"]

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

"""Key sets as issuers publish them, and files that are none."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shsim.errors import UsageError
from shsim.extras.admin_api.jwks import jwks_file
from shsim.extras.admin_api.keys import Keys

RSA: dict[str, Any] = json.loads(
    jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key())
)
CURVE: dict[str, Any] = json.loads(
    jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
)
OTHER_CURVE: dict[str, Any] = json.loads(
    jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())
)
EDWARDS: dict[str, Any] = json.loads(
    jwt.algorithms.OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key())
)
SECRET = {"kty": "oct", "k": "c2VjcmV0IG9mIHNvbWVib2R5IGVsc2U"}

#: Values that a member of a key may wrongly have.
ODD = (None, 1, 1e400, True, "", "é", "A" * 5000, [], ["RSA"], {}, {"a": []}, 10**400)


def read(path: Path, text: str) -> Keys:
    path.write_text(text)
    return jwks_file(str(path))


def refused(path: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(path, text)
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"keys"',
        "{}",
        '{"keys": {}}',
        '{"keys": "RSA"}',
        "9" * 5000,
        "[" * 200_000,
    ],
)
def test_what_is_no_set(tmp_path: Path, text: str) -> None:
    assert "no JSON Web Key Set" in refused(tmp_path / "jwks", text)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (EDWARDS, "neither RSA nor EC"),
        (SECRET, "neither RSA nor EC"),
        ({**RSA, "kty": ["RSA"]}, "neither RSA nor EC"),
        ({name: value for name, value in RSA.items() if name != "kty"}, "neither RSA nor EC"),
        (OTHER_CURVE, "nor one of the curve P-256"),
        ({**RSA, "use": "enc"}, "`use`"),
        ({**RSA, "key_ops": ["encrypt"]}, "`key_ops`"),
        ({**RSA, "alg": "PS256"}, "`alg`"),
        ({**CURVE, "alg": "none"}, "read"),
        ({**CURVE, "x": "1"}, "cannot be read"),
        ({**RSA, "kid": ["r"]}, "a kid that is no string"),
        ("RSA", "no object"),
    ],
)
def test_keys_for_something_else_are_left_out(tmp_path: Path, key: Any, why: str) -> None:
    alone = refused(tmp_path / "jwks", json.dumps({"keys": [key]}))
    assert why in alone
    assert SECRET["k"] not in alone
    keys = read(tmp_path / "jwks", json.dumps({"keys": [key, {**CURVE, "kid": "good"}]}))
    assert {kid: key.algorithm for kid, key in keys.by_id.items()} == {"good": "ES256"}
    (said,) = keys.left_out
    assert said.startswith(f"--jwks {tmp_path / 'jwks'}: key 0 ")
    assert why in said


@pytest.mark.parametrize("base", [RSA, CURVE, EDWARDS], ids=["RSA", "EC", "OKP"])
def test_members_of_odd_kinds(tmp_path: Path, base: dict[str, Any]) -> None:
    for member in (*base, "kid", "use", "alg", "d"):
        for odd in ODD:
            text = json.dumps({"keys": [{**base, member: odd}]})
            with contextlib.suppress(UsageError):
                assert len(read(tmp_path / "jwks", text).by_id) == 1


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([RSA, {**CURVE, "kid": "c"}], "each of several keys needs a kid"),
        ([{**RSA, "kid": "c"}, {**CURVE, "kid": "c"}], "key 1 ('c'): another key has the same kid"),
        ([{**CURVE, "d": "AAAA"}], "key 0 is a private one"),
        ([], "no key to verify"),
    ],
)
def test_sets_that_are_refused(tmp_path: Path, keys: list[Any], said: str) -> None:
    assert said in refused(tmp_path / "jwks", json.dumps({"keys": keys}))

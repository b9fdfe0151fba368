"""The keys that tokens are verified with, each pinned to one algorithm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shsim.errors import UsageError

#: The environment variable of the shared secret; it has no flag, which `ps` would show.
SECRET_VARIABLE = "SHSIM_JWT_SECRET"  # noqa: S105 - its name

#: Bytes of an HS256 secret (RFC 7518, 3.2) and bits of an RSA modulus (3.3), at least.
SHORTEST_SECRET = 32
SHORTEST_MODULUS = 2048


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the one algorithm it is good for: HS256, RS256 or ES256."""

    algorithm: str
    material: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by their `kid`; a key of its own stands under None."""

    by_id: Mapping[str | None, Key]

    def find(self, kid: str | None) -> Key | None:
        """The key that a token names; a single key needs no name."""
        if len(self.by_id) == 1 and (kid is None or None in self.by_id):
            return next(iter(self.by_id.values()))
        return self.by_id.get(kid)


def secret_key(secret: str, source: str) -> Keys:
    """A shared secret, for HS256.

    Raises
    ------
    UsageError
        It is too short to be one.
    """
    material = secret.encode()
    if len(material) < SHORTEST_SECRET:
        raise UsageError(
            f"{source} holds {len(material)} bytes; a secret for HS256 has at least"
            f" {SHORTEST_SECRET}. Make one with: openssl rand -base64 48"
        )
    return Keys({None: Key("HS256", material)})


def secret_file(path: str) -> Keys:
    """A shared secret from a file, whose last line's end is no part of it."""
    source = f"--jwt-secret-file {path}"
    return secret_key(_text(path, source).rstrip("\r\n"), source)


def public_key_file(path: str) -> Keys:
    """A public key in PEM: RSA for RS256, or of the curve P-256 for ES256."""
    source = f"--jwt-public-key {path}"
    try:
        material = load_pem_public_key(_text(path, source).encode())
    except ValueError as error:
        raise UsageError(
            f"{source} holds no public key in PEM. Write one with:"
            " openssl pkey -in KEY -pubout -out FILE"
        ) from error
    return Keys({None: _asymmetric(material, source)})


def jwks_file(path: str) -> Keys:
    """The signing keys of a JSON Web Key Set (RFC 7517), by their `kid`."""
    source = f"--jwks {path}"
    try:
        found = json.loads(_text(path, source))["keys"]
        listed = [dict(each) for each in found]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{source} holds no JSON Web Key Set: an object with `keys`.") from error
    keys: dict[str | None, Key] = {}
    for place, each in enumerate(listed):
        where = f"{source}: key {place}"
        if each.get("use", "sig") != "sig":
            continue
        if each.get("kty") not in {"RSA", "EC"} or "d" in each:
            raise UsageError(f"{where} is no public key for RS256 or ES256. Leave it out.")
        kid = each.get("kid")
        if kid in keys or not isinstance(kid, str | None):
            raise UsageError(f"{where}: its kid {kid!r} is another key's, or no string.")
        try:
            material = jwt.PyJWK.from_dict(each).key
        except jwt.PyJWTError as error:
            raise UsageError(f"{where} cannot be read: {error}.") from error
        key = _asymmetric(material, where)
        if each.get("alg", key.algorithm) != key.algorithm:
            raise UsageError(f"{where} is for {each['alg']}; shsim takes RS256 and ES256.")
        keys[kid] = key
    if not keys:
        raise UsageError(f"{source} holds no key to verify signatures with.")
    if len(keys) > 1 and None in keys:
        raise UsageError(f"{source}: each of several keys needs a kid.")
    return Keys(keys)


def _asymmetric(material: object, source: str) -> Key:
    if isinstance(material, RSAPublicKey) and material.key_size >= SHORTEST_MODULUS:
        return Key("RS256", material)
    if isinstance(material, EllipticCurvePublicKey) and isinstance(material.curve, SECP256R1):
        return Key("ES256", material)
    raise UsageError(
        f"{source} is neither an RSA key of at least {SHORTEST_MODULUS} bits (for RS256)"
        " nor one of the curve P-256 (for ES256)."
    )


def _text(path: str, source: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{source} cannot be read: {reason}.") from error

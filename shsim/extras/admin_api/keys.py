"""The keys that tokens are verified with, each pinned to one algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
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
    """Keys by their `kid`; a key of its own stands under None.

    `left_out` says of keys that were given too why they verify nothing here.
    """

    by_id: Mapping[str | None, Key]
    left_out: tuple[str, ...] = ()

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
    return secret_key(text_of(path, source).rstrip("\r\n"), source)


def public_key_file(path: str) -> Keys:
    """A public key in PEM: RSA for RS256, or of the curve P-256 for ES256."""
    source = f"--jwt-public-key {path}"
    try:
        material = load_pem_public_key(text_of(path, source).encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{source} holds no public key in PEM. Write one with:"
            " openssl pkey -in KEY -pubout -out FILE"
        ) from error
    return Keys({None: asymmetric_key(material, source)})


def asymmetric_key(material: object, source: str) -> Key:
    """The key that a public one of a library's is.

    Raises
    ------
    UsageError
        It is neither for RS256 nor for ES256.
    """
    if isinstance(material, RSAPublicKey) and material.key_size >= SHORTEST_MODULUS:
        return Key("RS256", material)
    if isinstance(material, EllipticCurvePublicKey) and isinstance(material.curve, SECP256R1):
        return Key("ES256", material)
    raise UsageError(
        f"{source} is neither an RSA key of at least {SHORTEST_MODULUS} bits (for RS256)"
        " nor one of the curve P-256 (for ES256)."
    )


def text_of(path: str, source: str) -> str:
    """What a file holds.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{source} cannot be read: {reason}.") from error

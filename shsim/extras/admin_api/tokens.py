"""Minting tokens for development, with the secret that the server verifies them with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from shsim.errors import UsageError
from shsim.extras.admin_api.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What a token is to say: who, in which role, for how many seconds, to whom, from whom."""

    subject: str
    role: str
    ttl: int
    audience: str | None = None
    issuer: str | None = None


def mint(keys: Keys, request: TokenRequest) -> str:
    """A signed token.

    Raises
    ------
    UsageError
        The key is a public one, which signs nothing.
    """
    key = keys.find(None)
    if key is None or key.algorithm != "HS256":
        raise UsageError("a public key signs no token; ask whoever holds the private one.")
    now = datetime.now(UTC)
    claims = {
        "sub": request.subject,
        "role": request.role,
        "iat": now,
        "exp": now + timedelta(seconds=request.ttl),
    }
    claims |= {
        name: value
        for name, value in (("aud", request.audience), ("iss", request.issuer))
        if value is not None
    }
    return jwt.encode(claims, key.material, algorithm="HS256")

"""The keys of a JSON Web Key Set (RFC 7517), those that are of no use to us left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jwt

from shsim.errors import UsageError
from shsim.extras.admin_api.keys import Key, Keys, asymmetric_key, text_of

#: Of keys that are for something else, the most that are named.
_MOST_NAMED = 20

#: Characters of a kid that messages show.
_MOST_SHOWN = 60


class _OtherUseError(Exception):
    """A key that is not for signatures as we verify them; says what it is instead."""


def jwks_file(path: str) -> Keys:
    """The keys for RS256 and ES256 by their `kid`; others, as issuers publish too, are left out.

    Raises
    ------
    UsageError
        It is no such set, no key is left, or tokens could not tell which key they mean.
    """
    source = f"--jwks {path}"
    keys: dict[str | None, Key] = {}
    left_out: list[str] = []
    for place, each in enumerate(_listed(text_of(path, source), source)):
        where = f"key {place}{_named(each)}"
        try:
            key = _key(each, f"{source}: {where}")
        except _OtherUseError as error:
            left_out.append(f"{where} {error}")
            continue
        kid = each.get("kid")
        if kid in keys:
            raise UsageError(f"{source}: {where}: another key has the same kid, or both have none.")
        keys[kid] = key
    if not keys:
        why = f": {'; '.join(left_out[:_MOST_NAMED])}" if left_out else ""
        raise UsageError(f"{source} holds no key to verify RS256 or ES256 signatures with{why}.")
    if len(keys) > 1 and None in keys:
        raise UsageError(f"{source}: each of several keys needs a kid.")
    return Keys(
        keys, tuple(f"{source}: {each}, and is left out." for each in left_out[:_MOST_NAMED])
    )


def _listed(text: str, source: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise UsageError(
            f"{source} holds no JSON Web Key Set: an object with `keys`, a list of objects."
        )
    return listed


def _key(each: Any, where: str) -> Key:
    if not isinstance(each, Mapping):
        raise _OtherUseError("is no object")
    if not isinstance(each.get("kid"), str | None):
        raise _OtherUseError("has a kid that is no string")
    if each.get("use", "sig") != "sig":
        raise _OtherUseError("is not for signatures (`use`)")
    operations = each.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _OtherUseError("is not to verify with (`key_ops`)")
    if each.get("kty") not in ("RSA", "EC"):
        raise _OtherUseError("is neither RSA nor EC (`kty`)")
    if "d" in each:
        raise UsageError(f"{where} is a private one. Keep that secret, and write the public one.")
    try:
        key = asymmetric_key(jwt.PyJWK.from_dict(dict(each)).key, "it")
    except UsageError as error:
        raise _OtherUseError(str(error).removeprefix("it ").rstrip(".")) from None
    # What libraries raise for members of odd kinds; their words might show the key.
    except (jwt.PyJWTError, NotImplementedError, TypeError, ValueError, AttributeError):
        raise _OtherUseError("cannot be read") from None
    if each.get("alg", key.algorithm) != key.algorithm:
        raise _OtherUseError(f"is for another algorithm than {key.algorithm} (`alg`)")
    return key


def _named(each: Any) -> str:
    kid = each.get("kid") if isinstance(each, Mapping) else None
    if not isinstance(kid, str):
        return ""
    shown = kid if len(kid) <= _MOST_SHOWN else f"{kid[:_MOST_SHOWN]}..."
    return f" ({shown!r})"

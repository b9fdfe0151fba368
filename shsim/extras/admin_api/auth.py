"""Who may come in: bearer tokens (JWT), and the roles `viewer` and `admin`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shsim.extras.admin_api.page_files import PAGE
from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.settings import ServerSettings
from shsim.report.plain_text import visible_line

Role = Literal["viewer", "admin"]

#: What each role may do: an admin may do what a viewer may.
_INCLUDED: Mapping[str, frozenset[Role]] = {
    "viewer": frozenset({"viewer"}),
    "admin": frozenset({"viewer", "admin"}),
}

#: Seconds by which the clocks of issuer and server may differ.
LEEWAY = 10

#: Paths that need no token.
_OPEN = frozenset({"/health", "/ready", "/openapi.json"}) | PAGE.keys()

_LONGEST_TOKEN = 8192

#: Characters of a subject that stand in logs and in the ledger.
_LONGEST_SUBJECT = 120

#: For the OpenAPI document alone: `Authentication` has looked before a body is read.
_SCHEME = HTTPBearer(auto_error=False, bearerFormat="JWT", description="See `shsim token`.")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request."""

    subject: str
    roles: frozenset[Role]
    expires: datetime


class Authentication:
    """ASGI middleware that answers 401 before anything of a request's body is read."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings
        self._open = _OPEN | ({"/metrics"} if settings.metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the token, then let the request through."""
        if scope["type"] == "http" and scope["path"] not in self._open:
            try:
                principal = authenticated(Headers(scope=scope), self._settings)
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
            scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)


def require(role: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency that gives the principal, or answers 403."""

    async def check(
        request: Request,
        _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
    ) -> Principal:
        principal: Principal = request.state.principal
        if role not in principal.roles:
            raise Problem(
                403,
                f"This takes the role {role}, which the token does not give.",
                headers={
                    "WWW-Authenticate": f'Bearer realm="shsim", error="insufficient_scope",'
                    f' scope="{role}"'
                },
            )
        return principal

    return check


#: Parameters of routes: who asks, being a viewer at least, or an admin.
Viewer = Annotated[Principal, Depends(require("viewer"))]
Admin = Annotated[Principal, Depends(require("admin"))]


def authenticated(headers: Headers, settings: ServerSettings) -> Principal:
    """Who sent a request, by its bearer token.

    Raises
    ------
    Problem
        401: there is no token, or it is not good.
    """
    given = headers.getlist("authorization")
    if not given:
        raise _refusal("A bearer token is needed: `Authorization: Bearer ...`.", None)
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
        raise _refusal("The Authorization header is not `Bearer` and one token.")
    return _principal(_claims(token.strip(), settings))


def _claims(token: str, settings: ServerSettings) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        key = settings.keys.find(header.get("kid"))
        if key is None:
            raise _refusal("The token names no key that this server has.")
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=LEEWAY,
            options={
                "require": ["exp", *_required(settings)],
                "verify_aud": settings.audience is not None,
            },
        )
    except jwt.ExpiredSignatureError:
        raise _refusal("The token has expired.") from None
    except jwt.InvalidAudienceError:
        raise _refusal("The token is for another audience.") from None
    except jwt.InvalidIssuerError:
        raise _refusal("The token is of another issuer.") from None
    except jwt.ImmatureSignatureError:
        raise _refusal("The token is not valid yet.") from None
    except jwt.MissingRequiredClaimError as error:
        raise _refusal(f"The token lacks the claim {error.claim}.") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        # What exactly is wrong with a forgery helps nobody but the forger.
        raise _refusal("The token is not valid.") from None
    return claims


def _required(settings: ServerSettings) -> list[str]:
    wanted = {"aud": settings.audience, "iss": settings.issuer}
    return [claim for claim, value in wanted.items() if value is not None]


def _principal(claims: Mapping[str, Any]) -> Principal:
    named = claims.get("roles")
    roles = list(named) if isinstance(named, list) else []
    roles.append(claims.get("role"))
    granted = [_INCLUDED[role] for role in roles if isinstance(role, str) and role in _INCLUDED]
    try:
        expires = datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (OverflowError, OSError, ValueError):
        raise _refusal("The token is not valid.") from None
    # It stands in lines of the log and of the ledger, in which it must forge none.
    subject = visible_line(str(claims.get("sub") or "unnamed")[:_LONGEST_SUBJECT])
    return Principal(subject, frozenset[Role]().union(*granted), expires)


def _refusal(detail: str, error: str | None = "invalid_token") -> Problem:
    challenge = 'Bearer realm="shsim"'
    if error is not None:
        challenge += f', error="{error}", error_description="{detail}"'
    return Problem(401, detail, headers={"WWW-Authenticate": challenge})

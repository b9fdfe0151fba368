"""Every request, from outside: its headers of safety, its line in the log, its figures, its bug."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.services import Services

#: A page of ours gets everything from us, and stands in nobody's frame.
SAFETY: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

#: What is logged of a request whose client went before the answer (as nginx has it).
_CLIENT_GONE = 499


class Traffic:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status: int | None = None

        async def safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SAFETY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, safely)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except asyncio.CancelledError:
            # The server stops, and has waited long enough; uvicorn would answer a plain 500.
            if status is None:
                await _cut_short(scope["method"]).response()(scope, receive, safely)
        except Exception as fault:  # noqa: BLE001 - the last line of defence
            answer = Problem(
                500, "This is a bug in the server.", incident=self._bug(fault, scope["path"])
            )
            if status is None:
                await answer.response()(scope, receive, safely)
        finally:
            seconds = time.perf_counter() - began
            self._tell(scope, status or _CLIENT_GONE, seconds)

    def _bug(self, fault: Exception, path: str) -> str:
        trace = "".join(traceback.format_exception(fault))
        return self._services.incident(
            f"a bug in shsim: {type(fault).__name__}", path, traceback=trace
        )

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """Log and count; a query may hold what is nobody's business, so the path alone is told."""
        self._services.metrics.request(scope["method"], _route(scope), status, seconds)
        principal = scope.get("state", {}).get("principal")
        fields: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(seconds * 1000, 1),
            "subject": None if principal is None else principal.subject,
            "client": scope["client"][0] if scope.get("client") else None,
        }
        message = (
            f"{fields['client'] or '-'} {fields['subject'] or '-'} {scope['method']}"
            f" {scope['path']} {status} {fields['ms']:g} ms"
        )
        self._services.log("info", "request", message, fields)


def _cut_short(method: str) -> Problem:
    """The answer to a request that had not ended when the server did."""
    said = "The server is stopping, and this had not ended."
    if method not in {"GET", "HEAD"}:
        said += f" Where it was being saved, all of it stands, or nothing: see GET {PREFIX}/runs"
    return Problem(503, said)


def _route(scope: Scope) -> str:
    """The path as it is declared: labels of metrics must be few."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unmatched"

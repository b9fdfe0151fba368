"""A limit on the length of request bodies, announced or not."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shsim.extras.admin_api.problems import Problem


class BodyLimit:
    """ASGI middleware that answers 413 to a body of more than `most` bytes.

    Starlette's own, new in 1.x, answers in plain text.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > self._most:
            detail = (
                f"The request's body is longer than the {self._most:,} bytes that this server"
                " takes (shsim serve --most-bytes)."
            )
            await Problem(413, detail, headers={"Connection": "close"}).response()(
                scope, receive, send
            )
            return
        so_far = 0

        async def counted() -> Message:
            nonlocal so_far
            message = await receive()
            so_far += len(message.get("body", b""))
            if so_far > self._most:
                # FastAPI's own kind alone passes through its reading of the body.
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

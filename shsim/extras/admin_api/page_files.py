"""`GET /`: the admin page, files of the package that are served as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePath
from types import MappingProxyType

from fastapi import APIRouter, Request
from starlette.responses import Response

#: The folder of the files, and under which path they are found; the page itself is at `/`.
_FOLDER, _START = "page", "index.html"

_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _read() -> Mapping[str, tuple[bytes, str]]:
    """Content and its type by path: read once, and no path of a request ever names a file."""
    found = {}
    for file in files(__package__).joinpath(_FOLDER).iterdir():
        path = "/" if file.name == _START else f"/{_FOLDER}/{file.name}"
        kind = _TYPES[PurePath(file.name).suffix]
        found[path] = file.read_bytes(), kind
    return MappingProxyType(found)


#: The page's files; they need no token, since whoever signs in has none yet.
PAGE = _read()


def page_router() -> APIRouter:
    """A route for each file; none is in the OpenAPI document, which is about data."""
    router = APIRouter(include_in_schema=False)
    for path in PAGE:
        router.add_api_route(path, _page, methods=["GET", "HEAD"])
    return router


async def _page(request: Request) -> Response:
    content, kind = PAGE[request.url.path]
    return Response(content, headers={"Content-Type": kind})
